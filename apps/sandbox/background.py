"""Runs work soon or later, in a few daemon threads that start with the first job."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

# Each may wait 10 s for a callback that does not answer.
THREADS = 16

log = logging.getLogger("sandbox")


class Background:
    def __init__(self) -> None:
        self._change = threading.Condition()
        self._jobs: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._started = False

    def run_later(self, seconds: float, job: Callable[[], None]) -> None:
        with self._change:
            due = time.monotonic() + seconds
            heapq.heappush(self._jobs, (due, next(self._numbers), job))
            if not self._started:
                self._started = True
                for _ in range(THREADS):
                    threading.Thread(target=self._work, daemon=True).start()
            self._change.notify()

    def _work(self) -> None:
        while True:
            job = self._next_job()
            try:
                job()
            except Exception:
                # A thread that ends would be missing for the rest of the run.
                log.exception("background job failed")

    def _next_job(self) -> Callable[[], None]:
        with self._change:
            while True:
                wait = self._jobs[0][0] - time.monotonic() if self._jobs else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._jobs)[2]
                self._change.wait(wait)


background = Background()
