"""Group commit: what gathers while one commit runs goes together into the next."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import structlog

from ...errors import DatabaseUnavailable

log = structlog.get_logger("group_commit")

Item = TypeVar("Item")

MAX_BATCH = 128
# While few come at once, a commit waits so long for more: two commits of one event each take
# nearly twice the processor's time of one commit of two. And those who wait for their answers
# would go on in two halves, one of which comes while the other is committed.
GATHER_SECONDS = 0.001
FEW = 24
CHECK_SECONDS = 0.25  # how late, at most, somebody is told that it takes too long


class Commitment:
    """Whether a batch is durable by now: the same for all whose items are in it. Thread-safe."""

    __slots__ = ("_callbacks", "_done", "_error", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done = False
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[BaseException | None], None]] = []

    def when_done(self, callback: Callable[[BaseException | None], None]) -> None:
        """Have `callback` called once, with None or the error, from any thread; at once if done."""
        with self._lock:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback(self._error)

    def wait(self) -> None:
        """Block until it is durable. Raises what went wrong."""
        done = threading.Event()
        self.when_done(lambda _: done.set())
        done.wait()
        if self._error is not None:
            raise self._error

    def settle(self, error: BaseException | None) -> None:
        """Say how it ended. Only the first word counts."""
        with self._lock:
            if self._done:
                return
            self._done, self._error = True, error
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback(error)
            except BaseException:  # one who cannot be told must not cost the others their answer
                log.error("not told how a commit ended", exc_info=True)


class _Batch(Generic[Item]):
    """What is committed together."""

    __slots__ = ("commitment", "items", "since")

    def __init__(self, now: float) -> None:
        self.items: list[Item] = []
        self.commitment = Commitment()
        self.since = now  # when the first item came

    def takes_more(self, now: float) -> bool:
        """Not when it has waited for long: all its items are given up together."""
        return len(self.items) < MAX_BATCH and now - self.since < CHECK_SECONDS


class GroupCommit(Generic[Item]):
    """Commits what many threads bring, on one thread of its own. Thread-safe.

    Nobody has to wait meanwhile. A thread that waits costs two changes of threads for each item,
    and finds the processor's caches cold; that took a third of the time of a webhook. And one
    thread keeps to one connection, whose pages and statements stay at hand.
    """

    def __init__(
        self, commit: Callable[[Sequence[Item], float], None], timeout_seconds: float
    ) -> None:
        """`commit(items, seconds)` commits all or none, within so many seconds, or raises."""
        self._commit = commit
        self._timeout_seconds = timeout_seconds
        self._changed = threading.Condition(threading.Lock())
        self._gathering: deque[_Batch[Item]] = deque()
        self._committing: _Batch[Item] | None = None
        self._busy = threading.Event()
        self._started = False

    def submit(self, item: Item) -> Commitment:
        """Have `item` committed. Does not block.

        The commitment fails with what `commit` raised, or, as soon as it takes too long, with
        DatabaseUnavailable; the item may become durable all the same.
        """
        now = time.monotonic()
        with self._changed:
            if not self._gathering:
                self._busy.set()
                self._changed.notify()
                if not self._started:
                    self._start()
            if not self._gathering or not self._gathering[-1].takes_more(now):
                self._gathering.append(_Batch(now))
            batch = self._gathering[-1]
            batch.items.append(item)
        return batch.commitment

    def _start(self) -> None:
        # Not before there is something: a process that forks takes no threads along.
        self._started = True
        threading.Thread(target=self._commit_all, name="group-commit", daemon=True).start()
        threading.Thread(target=self._watch, name="group-commit-watch", daemon=True).start()

    def _commit_all(self) -> None:
        few = True
        while True:
            with self._changed:
                self._committing = None
                while not self._gathering:
                    self._changed.wait()
            if few:
                time.sleep(GATHER_SECONDS)
            with self._changed:
                batch = self._committing = self._gathering.popleft()
            few = len(batch.items) < FEW
            error: BaseException | None = None
            try:
                self._commit(batch.items, self._timeout_seconds)
            except BaseException as failure:  # whatever it is, each who waits must get it
                error = failure
            batch.commitment.settle(error)

    def _watch(self) -> None:
        """See to it that everybody is told in time, even while a disk does not answer."""
        while True:
            self._busy.wait()
            time.sleep(CHECK_SECONDS)
            with self._changed:
                unfinished = [*self._gathering]
                if self._committing is not None:
                    unfinished.append(self._committing)
                if not unfinished:
                    self._busy.clear()
            late = time.monotonic() - self._timeout_seconds
            for batch in unfinished:
                if batch.since < late:
                    batch.commitment.settle(
                        DatabaseUnavailable("The database did not commit in time")
                    )
