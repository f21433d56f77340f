"""Queues in which the threads of this process wait for each other, one for each name."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import TwitchUnavailable


class Queues:
    """Lets one thread at a time do a thing. A queue is there as long as anybody uses it."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[threading.Lock, int]] = {}
        self._lock = threading.Lock()  # for what is above; never held while waiting

    @contextmanager
    def entered(self, name: str, seconds: float) -> Iterator[None]:
        """The block is this thread's alone. Raises TwitchUnavailable when others take too long."""
        with self._lock:
            turn, waiting = self._waiting.get(name, (threading.Lock(), 0))
            self._waiting[name] = (turn, waiting + 1)
        entered = turn.acquire(timeout=seconds)
        try:
            if not entered:
                raise TwitchUnavailable(
                    "The token is being renewed, and Twitch has not answered yet",
                    code="renewal_in_progress",
                )
            yield
        finally:
            if entered:
                turn.release()
            with self._lock:
                turn, waiting = self._waiting[name]
                self._waiting[name] = (turn, waiting - 1)
                if waiting == 1:
                    del self._waiting[name]
