"""Telling WaddleBot's core that this module is there, for as long as it works. Best effort.

Nothing depends on it, and no request waits for it: a core that is away, or that has no such
routes, is told again later.
"""

import structlog

from ...clients.waddlebot import WaddleBotClient
from ...domain.delivery.waddlebot import Failure
from ...models.database import Database
from ..repeated_work import RepeatedWork

BEAT_SECONDS = 30.0

log = structlog.get_logger("registration")


class Registration:
    """Registers, then sends heartbeats, until it is stopped. One process of all does it."""

    def __init__(
        self,
        database: Database,
        client: WaddleBotClient,
        *,
        webhook_url: str,
        events: list[str],
        seconds: float = BEAT_SECONDS,
    ) -> None:
        """`webhook_url` is where Twitch reaches this module; `events` are the types it takes;
        so many `seconds` lie between two heartbeats."""
        self._client = client
        self._webhook_url = webhook_url
        self._events = events
        self._registered = False
        self._failing: str | None = None  # why, as the log has it
        self._repeated = RepeatedWork(database, "registration", self._pass, seconds=seconds)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._repeated.start()

    def begin_stop(self) -> None:
        """End, and let another process go on. Does not wait for it."""
        self._repeated.begin_stop()

    def wait(self, seconds: float) -> None:
        """Wait for the end, so long at most."""
        self._repeated.wait(seconds)

    def _pass(self) -> None:
        """One call: the registration, or a heartbeat once that is done."""
        if self._registered:
            failure = self._client.send_heartbeat()
        else:
            failure = self._client.register(self._webhook_url, self._events)
        # A core that was started anew may have forgotten this module.
        self._registered = failure is None
        self._tell(failure)

    def _tell(self, failure: Failure | None) -> None:
        reason = failure.reason if failure else None
        if reason is not None and reason != self._failing:
            log.warning("not registered", reason=reason)
        elif reason is None and self._failing is not None:
            log.info("registered")
        self._failing = reason
