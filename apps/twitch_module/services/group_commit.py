"""Group commit: what gathers while one commit runs goes together into the next."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ..errors import DatabaseUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BATCH = 128


class _Ticket(Generic[Item, Result]):
    """One waiting item. `wake` is released when it is done, or when its owner is to lead."""

    __slots__ = ("done", "ends", "error", "item", "result", "wake")

    def __init__(self, item: Item, timeout_seconds: float) -> None:
        self.item = item
        self.ends = time.monotonic() + timeout_seconds
        self.wake = threading.Lock()
        self.wake.acquire()
        self.done = False
        self.result: Result | None = None
        self.error: BaseException | None = None


class GroupCommit(Generic[Item, Result]):
    """Lets many threads commit together.

    The thread that finds nobody committing leads: it commits its own item at once. What comes
    meanwhile waits, and of those the one with the most time left leads the next batch. Measured
    against a thread of its own for writing, this saves a change of threads per batch.
    """

    def __init__(self, commit: Callable[[Sequence[Item], float], Sequence[Result]]) -> None:
        """`commit(items, seconds)` commits all or none, within so many seconds, and returns a
        result for each in the same order, or raises."""
        self._commit = commit
        self._mutex = threading.Lock()
        self._waiting: list[_Ticket[Item, Result]] = []
        self._leading = False

    def submit(self, item: Item, timeout_seconds: float) -> Result:
        """Commit `item`; its result once it is durable. Blocks.

        Raises what `commit` raised, or DatabaseUnavailable when it took too long; the item may
        have been committed all the same.
        """
        ticket: _Ticket[Item, Result] = _Ticket(item, timeout_seconds)
        with self._mutex:
            self._waiting.append(ticket)
            leads = not self._leading
            self._leading = True
        if not leads and not ticket.wake.acquire(timeout=timeout_seconds):
            self._give_up(ticket)
        if not ticket.done:
            self._lead(ticket.ends - time.monotonic())
        if ticket.error is not None:
            raise ticket.error
        return ticket.result  # type: ignore[return-value]  # set together with `done`

    def _give_up(self, ticket: _Ticket[Item, Result]) -> None:
        """Leave the queue, unless the last moment brought the result or the lead."""
        with self._mutex:
            if ticket.done or ticket.wake.acquire(blocking=False):
                return
            if ticket in self._waiting:
                self._waiting.remove(ticket)
        raise DatabaseUnavailable("The database did not commit in time")

    def _lead(self, timeout_seconds: float) -> None:
        with self._mutex:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        error: BaseException | None = None
        results: Sequence[Result | None] = [None] * len(batch)
        try:
            results = self._commit([ticket.item for ticket in batch], timeout_seconds)
        except BaseException as failure:  # whatever it is, each waiting thread must get it
            error = failure
        with self._mutex:
            for ticket, result in zip(batch, results, strict=True):
                ticket.result, ticket.error, ticket.done = result, error, True
            self._leading = bool(self._waiting)
            if self._waiting:
                # Under the mutex: it must not give up between being chosen and being told.
                max(self._waiting[:MAX_BATCH], key=lambda ticket: ticket.ends).wake.release()
        for ticket in batch:
            ticket.wake.release()
