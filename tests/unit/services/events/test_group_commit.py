"""services/events/group_commit.py: what gathers meanwhile goes into the next commit."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.twitch_module.errors import DatabaseUnavailable
from apps.twitch_module.services.events import group_commit
from apps.twitch_module.services.events.group_commit import (
    CHECK_SECONDS,
    MAX_BATCH,
    Commitment,
    GroupCommit,
)

LONG = 30.0  # seconds that no test needs


def error_of(commitment: Commitment) -> BaseException | None:
    """How it ended, once it has."""
    try:
        commitment.wait()
    except BaseException as error:
        return error
    return None


class Store:
    """Commits batches, each when it is let."""

    def __init__(self, timeout_seconds: float = LONG) -> None:
        self.batches: list[list[str]] = []
        self.seconds: list[float] = []
        self.started = threading.Semaphore(0)
        self.allowed = threading.Semaphore(0)
        self.error: BaseException | None = None  # raised in place of committing, once
        self.group: GroupCommit[str] = GroupCommit(self.commit, timeout_seconds)

    def commit(self, items: Sequence[str], seconds: float) -> None:
        self.batches.append(list(items))
        self.seconds.append(seconds)
        self.started.release()
        assert self.allowed.acquire(timeout=LONG)
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def allow(self, commits: int = 1000) -> None:
        """Let so many commits end."""
        self.allowed.release(commits)

    def wait_for_start(self) -> None:
        """Return once another commit has begun."""
        assert self.started.acquire(timeout=LONG)

    def submit_behind(self, items: Sequence[str]) -> list[Commitment]:
        """Have a commit of `first` run, and the items wait for it to end."""
        commitments = [self.group.submit("first")]
        self.wait_for_start()
        return commitments + [self.group.submit(item) for item in items]


@pytest.fixture
def store() -> Iterator[Store]:
    one = Store()
    yield one
    one.allow()  # whatever a failed test has left behind


class TestBatches:
    def test_an_item_alone_is_committed_at_once(self, store: Store) -> None:
        store.allow()

        store.group.submit("only").wait()

        assert store.batches == [["only"]]

    def test_after_a_pause_what_comes_together_is_committed_together(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(group_commit, "GATHER_SECONDS", 0.5)
        store.allow()

        for commitment in [store.group.submit("a"), store.group.submit("b")]:
            commitment.wait()

        assert store.batches == [["a", "b"]]

    def test_items_one_after_another_are_each_committed_at_once(self, store: Store) -> None:
        store.allow()

        for item in "abc":
            store.group.submit(item).wait()

        assert store.batches == [["a"], ["b"], ["c"]]

    def test_what_gathers_during_a_commit_goes_together_into_the_next(self, store: Store) -> None:
        commitments = store.submit_behind(["a", "b", "c"])
        store.allow()

        for commitment in commitments:
            commitment.wait()

        assert store.batches == [["first"], ["a", "b", "c"]]

    def test_nobody_is_told_before_his_own_commit(self, store: Store) -> None:
        first, second = store.submit_behind(["a"])
        told: list[BaseException | None] = []
        second.when_done(told.append)
        store.allow(1)
        first.wait()
        store.wait_for_start()

        assert told == []
        store.allow(1)
        store.group.submit("b")
        store.wait_for_start()  # of the commit after that
        assert told == [None]

    def test_what_comes_during_the_second_commit_goes_into_the_third(self, store: Store) -> None:
        store.submit_behind(["a"])
        store.allow(1)
        store.wait_for_start()
        last = store.group.submit("b")
        store.allow()

        last.wait()

        assert store.batches == [["first"], ["a"], ["b"]]

    def test_no_batch_is_larger_than_allowed(self, store: Store) -> None:
        items = [str(number) for number in range(MAX_BATCH + 2)]
        commitments = store.submit_behind(items)
        store.allow()

        for commitment in commitments:
            commitment.wait()

        assert store.batches == [["first"], items[:MAX_BATCH], items[MAX_BATCH:]]

    def test_the_same_item_twice_is_committed_for_both(self, store: Store) -> None:
        commitments = store.submit_behind(["same", "same"])
        store.allow()

        for commitment in commitments:
            commitment.wait()

        assert store.batches[1] == ["same", "same"]

    def test_the_commit_is_told_how_long_it_may_take(self) -> None:
        store = Store(timeout_seconds=5.0)
        store.allow()

        store.group.submit("only").wait()

        assert store.seconds == [5.0]


class TestFailures:
    def test_a_failed_commit_is_told_to_everybody_in_it(self, store: Store) -> None:
        first, *others = store.submit_behind(["a", "b", "c"])
        store.allow(1)
        first.wait()
        store.error = DatabaseUnavailable("away")
        store.allow()

        assert [str(error_of(one)) for one in others] == ["away"] * 3
        assert store.batches == [["first"], ["a", "b", "c"]]

    def test_a_failed_commit_does_not_touch_who_waits_for_the_next(self, store: Store) -> None:
        store.error = DatabaseUnavailable("away")
        first, second = store.submit_behind(["a"])
        store.allow()

        assert isinstance(error_of(first), DatabaseUnavailable)
        assert error_of(second) is None

    def test_who_cannot_be_told_does_not_keep_the_others_from_it(self, store: Store) -> None:
        def gone(error: BaseException | None) -> None:
            raise SystemExit("nobody is there any more")

        first, deaf, other = store.submit_behind(["deaf", "other"])
        deaf.when_done(gone)
        store.allow()

        assert error_of(first) is error_of(other) is None
        assert error_of(store.group.submit("later")) is None

    @pytest.mark.parametrize("error", [ValueError("odd"), MemoryError(), SystemExit(3)])
    def test_after_any_error_the_next_item_is_committed(
        self, store: Store, error: BaseException
    ) -> None:
        store.error = error
        store.allow()

        assert error_of(store.group.submit("bad")) is error
        assert error_of(store.group.submit("good")) is None


class TestTimeout:
    """A disk, or a database, that does not answer at all."""

    def test_everybody_is_told_in_time(self) -> None:
        store = Store(timeout_seconds=0.1)
        began = time.monotonic()
        commitments = store.submit_behind(["a", "b"])

        errors = [error_of(one) for one in commitments]

        assert all(isinstance(error, DatabaseUnavailable) for error in errors)
        assert time.monotonic() - began < 0.1 + 2 * CHECK_SECONDS + 1  # a busy machine
        store.allow()

    def test_what_is_committed_too_late_changes_no_answer(self) -> None:
        store = Store(timeout_seconds=0.1)
        (late,) = store.submit_behind([])
        told: list[BaseException | None] = []
        assert isinstance(error_of(late), DatabaseUnavailable)
        store.allow()
        late.when_done(told.append)

        assert error_of(store.group.submit("later")) is None
        assert isinstance(told[0], DatabaseUnavailable)
        assert len(told) == 1

    def test_who_comes_later_is_not_told_before_his_own_time(self) -> None:
        store = Store(timeout_seconds=1.5)
        (first,) = store.submit_behind([])
        time_passes(1.0)
        second = store.group.submit("a")
        assert isinstance(error_of(first), DatabaseUnavailable)
        store.allow()

        assert error_of(second) is None

    def test_nor_is_who_joins_those_that_have_waited_for_long(self) -> None:
        store = Store(timeout_seconds=1.5)
        _, early = store.submit_behind(["early"])
        time_passes(1.0)
        late = store.group.submit("late")
        assert isinstance(error_of(early), DatabaseUnavailable)
        store.allow()

        assert error_of(late) is None


def time_passes(seconds: float) -> None:
    """Nothing happens for so long, which is what is tested."""
    threading.Event().wait(seconds)


class TestCommitment:
    def test_a_callback_after_the_end_is_called_at_once(self) -> None:
        commitment, told = Commitment(), list[BaseException | None]()
        commitment.settle(None)

        commitment.when_done(told.append)

        assert told == [None]

    def test_only_the_first_word_counts(self) -> None:
        commitment, told = Commitment(), list[BaseException | None]()
        commitment.when_done(told.append)
        error = DatabaseUnavailable("away")

        commitment.settle(error)
        commitment.settle(None)

        assert told == [error]

    def test_whoever_settles_first_among_many_is_the_only_one(self) -> None:
        together = threading.Barrier(8)
        with ThreadPoolExecutor(8) as pool:
            for _ in range(200):
                commitment, told = Commitment(), list[BaseException | None]()

                def settle(
                    _: int, commitment: Commitment = commitment, told: list[object] = told
                ) -> None:
                    together.wait()
                    if _ == 0:
                        commitment.when_done(told.append)
                    else:
                        commitment.settle(None)

                list(pool.map(settle, range(8)))
                assert told == [None]


def test_of_many_threads_every_item_is_committed_once_and_told_once() -> None:
    committed: list[tuple[int, int]] = []
    running = threading.Lock()

    def commit(items: Sequence[tuple[int, int]], _seconds: float) -> None:
        assert running.acquire(blocking=False), "two commits at once"
        assert 1 <= len(items) <= MAX_BATCH
        committed.extend(items)
        running.release()

    group = GroupCommit(commit, LONG)
    together = threading.Barrier(32)
    told: list[BaseException | None] = []
    done = threading.Semaphore(0)

    def tell(error: BaseException | None) -> None:
        told.append(error)
        done.release()

    def submit_all(thread: int) -> None:
        together.wait()
        for number in range(200):
            group.submit((thread, number)).when_done(tell)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(submit_all, range(32)))
    for _ in range(32 * 200):
        assert done.acquire(timeout=LONG)

    assert told == [None] * (32 * 200)
    assert sorted(committed) == [(thread, number) for thread in range(32) for number in range(200)]
