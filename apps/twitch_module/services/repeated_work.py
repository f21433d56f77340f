"""Work that one process of all does again and again, on a thread of its own."""

import threading
import time
from collections.abc import Callable

import structlog

from ..errors import DatabaseUnavailable
from ..models.database import Database
from .lease_holder import LeaseHolder

SILENT_SECONDS = 120.0  # longer than anything between two questions whether to go on
log = structlog.get_logger("repeated_work")


class RepeatedWork:
    """Does a work every so many seconds, while this process holds its lease."""

    def __init__(
        self,
        database: Database,
        name: str,
        work: Callable[[], None],
        *,
        seconds: float,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        """`begin` is called once, before everything, on the same thread."""
        self._name = name
        self._work = work
        self._seconds = seconds
        self._begin = begin
        self._stopping = threading.Event()
        self._resting = False
        self._last_sign_at = 0.0
        self._lease = LeaseHolder(database, name)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def begin_stop(self) -> None:
        """End with what is on its way, and let another process go on. Does not wait for it."""
        self._stopping.set()

    def wait(self, seconds: float) -> None:
        """Wait for the end, so long at most."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def is_alive(self) -> bool:
        """Whether its loop goes on: it rests, or was heard of in the last two minutes."""
        heard = self._resting or time.monotonic() - self._last_sign_at < SILENT_SECONDS
        return self._thread.is_alive() and heard

    def goes_on(self, wait_seconds: float = 0.0) -> bool:
        """Whether to go on after so long: not when told to stop, nor without the lease."""
        self._last_sign_at = time.monotonic()
        left = wait_seconds
        while left > 0 and not self._stopping.wait(min(left, 5.0)):
            left -= 5.0
            self._lease.hold()
        return not self._stopping.is_set() and self._lease.hold()

    def stops_within(self, seconds: float) -> bool:
        """Whether it is told to stop within so long. Blocks until then, or so long."""
        return self._stopping.wait(seconds)

    def _run(self) -> None:
        self._last_sign_at = time.monotonic()
        self._begin()
        while not self._stopping.is_set():
            try:
                if self._lease.hold():
                    self._work()
            except DatabaseUnavailable as error:
                log.warning("database unavailable", work=self._name, error=str(error))
            except Exception:  # a fault in one pass must not end all others
                log.exception("failed", work=self._name)
            self._rest()
        self._lease.let_go()

    def _rest(self) -> None:
        self._resting = True
        self._stopping.wait(self._seconds)
        self._last_sign_at, self._resting = time.monotonic(), False
