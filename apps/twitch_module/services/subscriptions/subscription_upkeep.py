"""When Twitch's subscriptions are compared: at the start, every ten minutes, and when asked.

One process at a time does it; it holds a lease. What asks for a comparison (a login, a
revocation, a change by an admin) notes that in the database, so that no crash loses it.
"""

import time
from collections.abc import Callable

import structlog

from ...errors import ModuleError
from ...models.database import Database
from ...models.subscriptions import channels
from ..repeated_work import RepeatedWork
from .backfill import Backfill
from .channels import Channels
from .comparison import Comparison
from .reconciler import Reconciler

PASS_SECONDS = 1.0  # between looks at what is due
RETRY_SECONDS = 30.0  # after a list that could not be read
NAMES_SECONDS = 24 * 3600.0  # between look-ups of the channels' names
# Twitch sends a challenge at once, and a server that is just starting does not listen yet. A
# worker alone may not see the server's port at all.
LISTENING_SECONDS = 5.0

log = structlog.get_logger("subscription_upkeep")


class SubscriptionUpkeep:
    """Keeps the subscriptions right, on a thread of its own, until it is stopped."""

    def __init__(
        self,
        database: Database,
        reconciler: Reconciler,
        channels_: Channels,
        backfill: Backfill,
        *,
        seconds: float,
        is_listening: Callable[[], bool],
    ) -> None:
        """`seconds` are between comparisons of everything; `is_listening` says whether the
        server takes connections by now."""
        self._database = database
        self._reconciler = reconciler
        self._channels = channels_
        self._backfill = backfill
        self._seconds = seconds
        self._is_listening = is_listening
        self._repeated = RepeatedWork(
            database,
            "subscriptions",
            self._do_what_is_due,
            seconds=PASS_SECONDS,
            begin=self._wait_for_server,
        )
        self._next_all_at = 0.0
        self._next_names_at = 0.0
        self._next_backfill_at = 0.0

    def start(self) -> None:
        """Begin, on a thread of its own, as soon as the server listens."""
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

    def _wait_for_server(self) -> None:
        ends = time.monotonic() + LISTENING_SECONDS
        while not self._is_listening() and time.monotonic() < ends:
            if self._repeated.stops_within(0.1):
                return

    def _do_what_is_due(self) -> None:
        self._compare_due()
        if time.monotonic() >= self._next_all_at:
            self._compare_all()
        if time.monotonic() >= self._next_names_at:
            self._look_up_names()
        if time.monotonic() >= self._next_backfill_at:
            self._next_backfill_at = time.monotonic() + NAMES_SECONDS
            self._catch_up(self._backfill.channels())

    def _compare_due(self) -> None:
        while self._repeated.goes_on():
            with self._database.transaction() as transaction:
                due = channels.take_due(transaction, 1)
            if not due:
                return
            try:
                comparison = self._reconciler.compare_channel(due[0])
            except ModuleError as error:
                log.warning("not compared", channel_id=due[0], reason=str(error))
                with self._database.transaction() as transaction:
                    delay_ms = int(RETRY_SECONDS * 1000)
                    channels.compare_soon(transaction, due[0], delay_ms)
                return
            if _misses_follows(comparison):
                self._catch_up(due)

    def _compare_all(self) -> None:
        """Compare everything; what comes to be due meanwhile is not kept waiting."""

        def go_on(seconds: float) -> bool:
            goes_on = self._repeated.goes_on(seconds)
            self._compare_due()
            return goes_on

        try:
            done = self._reconciler.compare_all(go_on)
        except ModuleError as error:
            log.warning("subscriptions not compared", reason=str(error))
            done = False
        if done:
            log.info("subscriptions compared")
        self._next_all_at = time.monotonic() + (self._seconds if done else RETRY_SECONDS)

    def _look_up_names(self) -> None:
        try:
            self._channels.look_up_names()
            self._next_names_at = time.monotonic() + NAMES_SECONDS
            log.info("names looked up")
        except ModuleError as error:
            log.warning("names not looked up", reason=str(error))
            self._next_names_at = time.monotonic() + RETRY_SECONDS

    def _catch_up(self, channel_ids: list[str]) -> None:
        """Enter the follows that were missed, where a channel has that switched on."""
        for channel_id in channel_ids:
            if not self._repeated.goes_on():
                return
            try:
                self._backfill.catch_up(channel_id)
            except ModuleError as error:
                log.warning("not caught up", channel_id=channel_id, reason=str(error))


def _misses_follows(comparison: Comparison) -> bool:
    """Whether follows may have gone missing: the subscription to them had to be made."""
    return any(
        result.type == "channel.follow" and result.outcome == "created"
        for result in comparison.results
    )
