"""Forgetting events after RETENTION_DAYS, in batches that hold up nobody.

Message ids go with their events. That is seven days at least, while Twitch's messages are
refused when they are older than ten minutes.
"""

import threading

import structlog

from ..errors import DatabaseUnavailable
from ..models import retention
from ..models.database import Database
from .lease_holder import LeaseHolder

BATCH = 200  # some ten milliseconds of the one writer that SQLite has
PAUSE_SECONDS = 0.1  # between batches: others write meanwhile
ROUND_SECONDS = 3600.0
FIRST_SECONDS = 60.0  # after the start, when everything else has begun
_DAY_MS = 24 * 3600 * 1000

log = structlog.get_logger("retention")


class Retention:
    """Forgets what is old, on a thread of its own, until it is stopped. One process does it."""

    def __init__(self, database: Database, days: int) -> None:
        self._database = database
        self._days = days
        self._lease = LeaseHolder(database, "retention")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin, a minute from now and then every hour."""
        self._thread.start()

    def stop(self) -> None:
        """End with the batch that is being deleted."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(25)
            self._lease.let_go()

    def forget(self) -> int:
        """Delete everything that is too old; how many events that were. Blocks."""
        with self._database.transaction(write=False) as transaction:
            before_ms = transaction.now_ms() - self._days * _DAY_MS
        after_id = forgotten = 0
        while not self._stopping.is_set():
            with self._database.transaction(write=False) as transaction:
                rows = retention.ids_from(transaction, after_id, BATCH)
            old = [row_id for row_id, received_at_ms in rows if received_at_ms < before_ms]
            if not old:  # ids count up with time
                break
            with self._database.transaction() as transaction:
                forgotten += retention.delete_events(transaction, old)
                retention.delete_follows(transaction, before_ms, BATCH)
            after_id = old[-1]
            self._lease.hold()
            self._stopping.wait(PAUSE_SECONDS)
        return forgotten

    def _run(self) -> None:
        self._stopping.wait(FIRST_SECONDS)
        while not self._stopping.is_set():
            try:
                if self._lease.hold() and (forgotten := self.forget()):
                    log.info("forgotten", events=forgotten, older_than_days=self._days)
                self._lease.let_go()
            except DatabaseUnavailable as error:
                log.warning("database unavailable", error=str(error))
            except Exception:  # a fault in one round must not end all others
                log.exception("retention failed")
            self._stopping.wait(ROUND_SECONDS)
