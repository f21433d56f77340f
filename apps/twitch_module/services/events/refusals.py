"""Telling of refused messages without letting whoever sends them fill the log."""

import threading
from collections import Counter

import structlog

QUIET_SECONDS = 10.0

log = structlog.get_logger("webhooks")


class RefusalLog:
    """Writes a line at the first refusal, and then every ten seconds one with all since the last.

    However many messages are refused.
    """

    def __init__(self, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._quiet_seconds = quiet_seconds
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._timer: threading.Timer | None = None  # there is one for ten seconds after a line

    def add(self, code: str) -> None:
        """Count a refusal; it is told at once, or when the time has come."""
        with self._lock:
            self._counts[code] += 1
            if self._timer is not None:
                return
            self._wait()
        self.tell()

    def tell(self) -> None:
        """Write a line with all since the last one, if there were any."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if counts:
            log.warning("messages refused", **counts)

    def _tell_by_time(self) -> None:
        with self._lock:
            if not self._counts:
                self._timer = None  # the next refusal is told at once
                return
            self._wait()
        self.tell()

    def _wait(self) -> None:
        self._timer = threading.Timer(self._quiet_seconds, self._tell_by_time)
        self._timer.daemon = True
        self._timer.start()
