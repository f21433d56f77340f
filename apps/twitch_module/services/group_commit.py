"""Group commit: what gathers while one commit runs goes together into the next."""

import os
import select
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ..errors import DatabaseUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BATCH = 128


class _Batch(Generic[Item, Result]):
    """Items that are committed together.

    The thread that brought the first one leads: it waits for `turn`. All others wait until the
    pipe has something to read. One write wakes them all, and is made without the interpreter
    lock. Woken one by one by a thread that holds that lock, each would run only to find it
    taken; that cost a third more changes of threads per item.
    """

    def __init__(self, item: Item) -> None:
        self.items = [item]
        self.turn = threading.Lock()
        self.turn.acquire()
        self.results: Sequence[Result] = ()
        self.error: BaseException | None = None
        self.done = False
        self._pipe: tuple[int, int] | None = None

    def join(self, item: Item) -> int:
        """Add an item; its place."""
        if self._pipe is None:
            self._pipe = os.pipe()
        self.items.append(item)
        return len(self.items) - 1

    def wait(self, seconds: float) -> None:
        """Wait until the batch is done, for so long at most; for those who have joined."""
        if self._pipe is not None:
            poller = select.poll()
            poller.register(self._pipe[0], select.POLLIN)
            poller.poll(max(0.0, seconds) * 1000)

    def finish(self, results: Sequence[Result], error: BaseException | None) -> None:
        """Hand out the results, or the error."""
        self.results, self.error, self.done = results, error, True
        if self._pipe is not None:
            os.write(self._pipe[1], b"!")

    def __del__(self) -> None:
        for descriptor in self._pipe or ():
            os.close(descriptor)


class GroupCommit(Generic[Item, Result]):
    """Lets many threads commit together.

    The thread that finds nobody committing commits its own item at once. What comes meanwhile
    gathers, and the first of those leads the next batch. Measured against a thread of its own
    for writing, this saves a change of threads per batch.
    """

    def __init__(self, commit: Callable[[Sequence[Item], float], Sequence[Result]]) -> None:
        """`commit(items, seconds)` commits all or none, within so many seconds, and returns a
        result for each in the same order, or raises."""
        self._commit = commit
        self._mutex = threading.Lock()
        self._busy = False  # somebody is committing, or has been told that it is its turn
        self._gathering: list[_Batch[Item, Result]] = []

    def submit(self, item: Item, timeout_seconds: float) -> Result:
        """Commit `item`; its result once it is durable. Blocks.

        Raises what `commit` raised, or DatabaseUnavailable when it took too long; the item may
        have been committed all the same.
        """
        ends = time.monotonic() + timeout_seconds
        place = 0
        with self._mutex:
            at_once = not self._busy
            if at_once:
                self._busy = True
                batch: _Batch[Item, Result] = _Batch(item)
            elif self._gathering and len(self._gathering[-1].items) < MAX_BATCH:
                batch = self._gathering[-1]
                place = batch.join(item)
            else:
                batch = _Batch(item)
                self._gathering.append(batch)
        if place:
            batch.wait(ends - time.monotonic())
        elif at_once or self._wait_for_turn(batch, timeout_seconds):
            self._lead(batch, ends - time.monotonic())
        if not batch.done:
            raise DatabaseUnavailable("The database did not commit in time")
        if batch.error is not None:
            raise batch.error
        return batch.results[place]

    def _wait_for_turn(self, batch: _Batch[Item, Result], seconds: float) -> bool:
        """Whether the turn of a batch came in time; if not, it has failed, with all its items."""
        came = batch.turn.acquire(timeout=seconds)
        with self._mutex:
            self._gathering.remove(batch)  # nobody joins from here on
            # It may have come in the very moment in which the wait for it ended.
            came = came or batch.turn.acquire(blocking=False)
        if not came:
            error = DatabaseUnavailable("The database did not commit in time")
            batch.finish((), error)
        return came

    def _lead(self, batch: _Batch[Item, Result], seconds: float) -> None:
        results: Sequence[Result] = ()
        error: BaseException | None = None
        try:
            results = self._commit(batch.items, seconds)
        except BaseException as failure:  # whatever it is, each waiting thread must get it
            error = failure
        batch.finish(results, error)
        with self._mutex:
            self._busy = bool(self._gathering)
            if self._gathering:
                self._gathering[0].turn.release()
