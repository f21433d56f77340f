"""A circuit breaker: a dead API gets a probe every few seconds, not a storm."""

import threading
from collections import deque

WINDOW = 20  # so many different activities, the last that were tried, are judged
FAILED_TO_OPEN = 18  # of these: an API that answers nobody, and not one that some calls break
WINDOW_SECONDS = 60.0
PROBE_SECONDS = 3.0


class CircuitBreaker:
    """Remembers how the last calls to one API ended. Thread-safe; `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Activity, whether it was answered, and when: each activity once, the latest last.
        self._last: deque[tuple[int, bool, float]] = deque()
        self._open = False
        self._next_probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the API is taken for dead."""
        return self._open

    def record(self, activity: int, *, alive: bool, now: float) -> None:
        """Note how the call for an activity ended. A refusal, too, is a living API's answer.

        An activity counts once, however often it fails: one that breaks the API is not a dead
        API. While that is taken for dead, any answer closes the breaker.
        """
        with self._lock:
            if self._open and alive:
                self._open = False
                self._last.clear()
            self._last = deque(
                (one for one in self._last if one[0] != activity and one[2] > now - WINDOW_SECONDS),
                WINDOW,
            )
            self._last.append((activity, alive, now))
            failed = sum(not answered for _, answered, _ in self._last)
            self._open = self._open or failed >= FAILED_TO_OPEN
            self._next_probe_at = now + PROBE_SECONDS

    def take_probe(self, now: float) -> bool:
        """Whether a call may be tried although the breaker is open; the next, later."""
        with self._lock:
            if not self._open or now < self._next_probe_at:
                return False
            self._next_probe_at = now + PROBE_SECONDS
            return True
