"""A circuit breaker: a dead API gets one probe every few seconds, not a storm."""

import threading

FAILURES_TO_OPEN = 5  # in a row
PROBE_SECONDS = 3.0


class Breaker:
    """Remembers how the last calls to one API ended. Thread-safe; `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._next_probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the API is taken for dead."""
        return self._failures >= FAILURES_TO_OPEN

    def record(self, *, alive: bool, now: float) -> None:
        """Note how a call ended. A refusal, too, is the answer of a living API."""
        with self._lock:
            self._failures = 0 if alive else self._failures + 1
            self._next_probe_at = now + PROBE_SECONDS

    def take_probe(self, now: float) -> bool:
        """Whether one call may be tried although the breaker is open; the next, later."""
        with self._lock:
            if not self.is_open or now < self._next_probe_at:
                return False
            self._next_probe_at = now + PROBE_SECONDS
            return True
