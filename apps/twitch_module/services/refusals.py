"""Telling of refused messages without letting whoever sends them fill the log."""

import threading
import time
from collections import Counter

import structlog

QUIET_SECONDS = 10.0

log = structlog.get_logger("webhooks")


class RefusalLog:
    """Writes at most one line in ten seconds, however many messages are refused."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._next_line_at = 0.0

    def add(self, code: str) -> None:
        """Count a refusal; write a line with all since the last one if it is time."""
        now = time.monotonic()
        with self._lock:
            self._counts[code] += 1
            if now < self._next_line_at:
                return
            counts, self._counts = self._counts, Counter()
            self._next_line_at = now + QUIET_SECONDS
        log.warning("messages refused", **counts)
