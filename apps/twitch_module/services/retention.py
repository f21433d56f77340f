"""Forgetting events after RETENTION_DAYS, in batches that hold up nobody.

Message ids go with their events, or within a week of them. That is seven days at least, while
Twitch's messages are refused when they are older than ten minutes.
"""

import structlog

from ..models import retention
from ..models.database import Database
from ..models.events import message_ids
from ..models.events.message_ids import WEEK_MS
from ..models.points import limit_counters
from .repeated_work import RepeatedWork

BATCH = 200  # some ten milliseconds of the one writer that SQLite has
PAUSE_SECONDS = 0.1  # between batches: others write meanwhile
ROUND_SECONDS = 3600.0
_DAY_MS = 24 * 3600 * 1000
_COUNTERS_A_PASS = 100_000
_COUNTERS_DAYS = 30  # longer than a stream, and than follows are caught up with

log = structlog.get_logger("retention")


class Retention:
    """Forgets what is old, on a thread of its own, until it is stopped. One process does it."""

    def __init__(self, database: Database, days: int) -> None:
        self._database = database
        self._days = days
        self._repeated = RepeatedWork(database, "retention", self._pass, seconds=ROUND_SECONDS)

    def start(self) -> None:
        """Begin, and go on every hour."""
        self._repeated.start()

    def begin_stop(self) -> None:
        """End with what is on its way, and let another process go on. Does not wait for it."""
        self._repeated.begin_stop()

    def wait(self, seconds: float) -> None:
        """Wait for the end, so long at most."""
        self._repeated.wait(seconds)

    def is_alive(self) -> bool:
        """Whether its loop goes on in this process."""
        return self._repeated.is_alive()

    def forget(self) -> int:
        """Delete everything that is too old; how many events that were. Blocks."""
        with self._database.transaction(write=False) as transaction:
            before_ms = transaction.now_ms() - self._days * _DAY_MS
        after_id = forgotten = 0
        while self._repeated.goes_on(PAUSE_SECONDS if after_id else 0):
            with self._database.transaction(write=False) as transaction:
                rows = retention.ids_from(transaction, after_id, BATCH)
            old = [row_id for row_id, received_at_ms in rows if received_at_ms < before_ms]
            if not old:  # ids count up with time
                break
            with self._database.transaction() as transaction:
                forgotten += retention.delete_events(transaction, old)
                if transaction.sqlite:
                    message_ids.forget(transaction, old[-1], before_ms // WEEK_MS, BATCH)
            after_id = old[-1]
        return forgotten

    def forget_counters(self) -> None:
        """Delete the counters of days and streams that no event can belong to any more. Blocks."""
        with self._database.transaction(write=False) as transaction:
            before_ms = transaction.now_ms() - _COUNTERS_DAYS * _DAY_MS
            periods = limit_counters.over(transaction, before_ms, _COUNTERS_A_PASS)
        while periods and self._repeated.goes_on(PAUSE_SECONDS):
            with self._database.transaction() as transaction:
                limit_counters.forget(transaction, before_ms, periods[:BATCH])
            periods = periods[BATCH:]

    def _pass(self) -> None:
        if forgotten := self.forget():
            log.info("forgotten", events=forgotten, older_than_days=self._days)
        self.forget_counters()
