"""Group commit: what gathers while one commit runs goes together into the next."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import structlog

from ..errors import DatabaseUnavailable

log = structlog.get_logger("group_commit")

Item = TypeVar("Item")

MAX_BATCH = 128
# While few come at once, a commit waits so long for more: two commits of one event each take
# nearly twice the processor's time of one commit of two.
GATHER_SECONDS = 0.002
FEW = 8
CHECK_SECONDS = 0.25  # how late, at most, somebody is told that it takes too long


class Commitment:
    """Whether something is durable by now. Thread-safe.

    A concurrent.futures.Future takes four times as long, for each event.
    """

    __slots__ = ("_callback", "_done", "_error", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done = False
        self._error: BaseException | None = None
        self._callback: Callable[[BaseException | None], None] | None = None

    def when_done(self, callback: Callable[[BaseException | None], None]) -> None:
        """Have `callback` called once, with None or the error, from any thread; at once if done.

        There can be one callback.
        """
        with self._lock:
            if not self._done:
                self._callback = callback
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
            callback, self._callback = self._callback, None
        if callback is None:
            return
        try:
            callback(error)
        except BaseException:  # one answer that cannot be given must not cost the others theirs
            log.error("not told how a commit ended", exc_info=True)


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
        self._gathering: list[tuple[Item, Commitment, float]] = []
        self._committing: list[tuple[Item, Commitment, float]] = []
        self._busy = threading.Event()
        self._started = False

    def submit(self, item: Item) -> Commitment:
        """Have `item` committed. Does not block.

        The commitment fails with what `commit` raised, or, as soon as it takes too long, with
        DatabaseUnavailable; the item may become durable all the same.
        """
        commitment = Commitment()
        with self._changed:
            self._gathering.append((item, commitment, time.monotonic()))
            if len(self._gathering) == 1:
                self._busy.set()
                self._changed.notify()
                if not self._started:
                    self._start()
        return commitment

    def _start(self) -> None:
        # Not before there is something: a process that forks takes no threads along.
        self._started = True
        threading.Thread(target=self._commit_all, name="group-commit", daemon=True).start()
        threading.Thread(target=self._watch, name="group-commit-watch", daemon=True).start()

    def _commit_all(self) -> None:
        batch: Sequence[tuple[Item, Commitment, float]] = ()
        while True:
            with self._changed:
                self._committing = []
                while not self._gathering:
                    self._changed.wait()
            if len(batch) < FEW:
                time.sleep(GATHER_SECONDS)
            with self._changed:
                batch = self._committing = self._gathering[:MAX_BATCH]
                del self._gathering[:MAX_BATCH]
            error: BaseException | None = None
            try:
                self._commit([item for item, _, _ in batch], self._timeout_seconds)
            except BaseException as failure:  # whatever it is, each who waits must get it
                error = failure
            for _, commitment, _ in batch:
                commitment.settle(error)

    def _watch(self) -> None:
        """See to it that everybody is told in time, even while a disk does not answer."""
        while True:
            self._busy.wait()
            time.sleep(CHECK_SECONDS)
            with self._changed:
                unfinished = [*self._committing, *self._gathering]
                if not unfinished:
                    self._busy.clear()
            late = time.monotonic() - self._timeout_seconds
            for _, commitment, since in unfinished:
                if since < late:
                    commitment.settle(DatabaseUnavailable("The database did not commit in time"))
