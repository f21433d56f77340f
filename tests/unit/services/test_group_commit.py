"""services/group_commit.py: what gathers while one commit runs goes together into the next."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from apps.twitch_module.errors import DatabaseUnavailable
from apps.twitch_module.services.group_commit import MAX_BATCH, GroupCommit

LONG = 30.0  # seconds that no test needs


class Store:
    """Commits batches, each when it is let; an item's result is `committed <item>`."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.seconds: list[float] = []
        self.started = threading.Semaphore(0)
        self.allowed = threading.Semaphore(0)
        self.error: BaseException | None = None  # raised in place of committing, once
        self.group: GroupCommit[str, str] = GroupCommit(self.commit)

    def commit(self, items: Sequence[str], seconds: float) -> list[str]:
        self.batches.append(list(items))
        self.seconds.append(seconds)
        self.started.release()
        assert self.allowed.acquire(timeout=LONG)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return [f"committed {item}" for item in items]

    def allow(self, commits: int = 1000) -> None:
        """Let so many commits end."""
        self.allowed.release(commits)

    def wait_for_start(self) -> None:
        """Return once another commit has begun."""
        assert self.started.acquire(timeout=LONG)

    def wait_until_queued(self, item: str, times: int = 1) -> None:
        """Return once this item waits, so many times, for the commit that runs to end."""
        ends = time.monotonic() + LONG
        queued = 0
        while queued < times:
            assert time.monotonic() < ends
            with self.group._mutex:
                batches = self.group._gathering
                queued = sum(one == item for batch in batches for one in batch.items)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def start(store: Store) -> Iterator[Callable[..., Future[str]]]:
    """Submits an item on a thread of its own."""
    with ThreadPoolExecutor(MAX_BATCH + 50) as pool:

        def submit(item: str, timeout_seconds: float = LONG) -> Future[str]:
            return pool.submit(store.group.submit, item, timeout_seconds)

        yield submit
        store.allow()  # whatever a failed test has left behind


Start = Callable[..., Future[str]]


def queue_behind(store: Store, start: Start, items: Sequence[str]) -> list[Future[str]]:
    """Start a commit of `first`, and have the items wait for it in their order."""
    futures = [start("first")]
    store.wait_for_start()
    for number, item in enumerate(items, 1):
        futures.append(start(item))
        store.wait_until_queued(item, items[:number].count(item))
    return futures


class TestBatches:
    def test_an_item_alone_is_committed_at_once(self, store: Store) -> None:
        store.allow()

        result = store.group.submit("only", LONG)

        assert result == "committed only"
        assert store.batches == [["only"]]

    def test_items_one_after_another_are_each_committed_at_once(self, store: Store) -> None:
        store.allow()

        results = [store.group.submit(item, LONG) for item in "abc"]

        assert results == ["committed a", "committed b", "committed c"]
        assert store.batches == [["a"], ["b"], ["c"]]

    def test_what_gathers_during_a_commit_goes_together_into_the_next(
        self, store: Store, start: Start
    ) -> None:
        futures = queue_behind(store, start, ["a", "b", "c"])
        store.allow()

        results = [future.result(LONG) for future in futures]

        assert store.batches == [["first"], ["a", "b", "c"]]
        assert results == [f"committed {item}" for item in ("first", "a", "b", "c")]

    def test_what_gathers_is_not_answered_before_its_own_commit(
        self, store: Store, start: Start
    ) -> None:
        first, second = queue_behind(store, start, ["a"])
        store.allow(1)
        first.result(LONG)
        store.wait_for_start()

        assert not second.done()

    def test_what_comes_during_the_second_commit_goes_into_the_third(
        self, store: Store, start: Start
    ) -> None:
        futures = queue_behind(store, start, ["a"])
        store.allow(1)
        store.wait_for_start()
        futures.append(start("b"))
        store.wait_until_queued("b")
        store.allow()

        assert [future.result(LONG) for future in futures][-1] == "committed b"
        assert store.batches == [["first"], ["a"], ["b"]]

    def test_no_batch_is_larger_than_allowed(self, store: Store, start: Start) -> None:
        items = [str(number) for number in range(MAX_BATCH + 2)]
        futures = queue_behind(store, start, items)
        store.allow()

        for future in futures:
            future.result(LONG)

        assert store.batches == [["first"], items[:MAX_BATCH], items[MAX_BATCH:]]

    def test_the_same_item_from_two_threads_is_committed_for_both(
        self, store: Store, start: Start
    ) -> None:
        futures = queue_behind(store, start, ["same", "same"])
        store.allow()

        assert [future.result(LONG) for future in futures[1:]] == ["committed same"] * 2
        assert store.batches[1] == ["same", "same"]

    def test_the_commit_is_told_how_long_it_may_take(self, store: Store) -> None:
        store.allow()

        store.group.submit("only", 5.0)

        assert 4.0 < store.seconds[0] <= 5.0


class TestFailures:
    def test_a_failed_commit_is_told_to_who_asked_for_it(self, store: Store) -> None:
        store.error = DatabaseUnavailable("away")
        store.allow()

        with pytest.raises(DatabaseUnavailable, match="away"):
            store.group.submit("only", LONG)

    def test_a_failed_commit_is_told_to_every_waiting_thread(
        self, store: Store, start: Start
    ) -> None:
        first, *others = queue_behind(store, start, ["a", "b", "c"])
        store.allow(1)
        first.result(LONG)
        store.error = DatabaseUnavailable("away")
        store.allow()

        assert [str(future.exception(LONG)) for future in others] == ["away"] * 3
        assert store.batches == [["first"], ["a", "b", "c"]]

    def test_a_failed_commit_does_not_touch_who_waits_for_the_next(
        self, store: Store, start: Start
    ) -> None:
        store.error = DatabaseUnavailable("away")
        first, second = queue_behind(store, start, ["a"])
        store.allow()

        assert isinstance(first.exception(LONG), DatabaseUnavailable)
        assert second.result(LONG) == "committed a"

    @pytest.mark.parametrize("error", [ValueError("odd"), MemoryError(), SystemExit(3)])
    def test_after_any_error_the_next_item_is_committed(
        self, store: Store, error: BaseException
    ) -> None:
        store.error = error
        store.allow()
        with pytest.raises(type(error)):
            store.group.submit("bad", LONG)

        assert store.group.submit("good", LONG) == "committed good"


class TestTimeout:
    def test_who_waits_too_long_is_told_that_the_database_is_unavailable(
        self, store: Store, start: Start
    ) -> None:
        start("first")
        store.wait_for_start()

        with pytest.raises(DatabaseUnavailable):
            store.group.submit("late", 0.02)

    def test_who_was_to_lead_and_gave_up_is_not_committed(self, store: Store, start: Start) -> None:
        first = start("first")
        store.wait_for_start()
        with pytest.raises(DatabaseUnavailable):
            store.group.submit("late", 0.02)
        store.allow()
        first.result(LONG)

        assert store.group.submit("later", LONG) == "committed later"
        assert store.batches == [["first"], ["later"]]

    def test_all_who_joined_one_who_gave_up_leading_are_told_at_once(
        self, store: Store, start: Start
    ) -> None:
        first = start("first")
        store.wait_for_start()
        late = start("late", 0.3)
        store.wait_until_queued("late")
        joined = [start(item) for item in "ab"]

        assert isinstance(late.exception(LONG), DatabaseUnavailable)
        assert all(isinstance(one.exception(LONG), DatabaseUnavailable) for one in joined)
        store.allow()
        assert first.result(LONG) == "committed first"
        assert store.group.submit("later", LONG) == "committed later"

    def test_who_joined_and_gave_up_does_not_disturb_the_others(
        self, store: Store, start: Start
    ) -> None:
        first = start("first")
        store.wait_for_start()
        leading = start("a")
        store.wait_until_queued("a")
        late = start("late", 0.02)
        assert isinstance(late.exception(LONG), DatabaseUnavailable)
        last = start("b")
        store.wait_until_queued("b")
        store.allow()

        assert first.result(LONG) == "committed first"
        assert leading.result(LONG) == "committed a"
        assert last.result(LONG) == "committed b"

    def test_who_gives_up_during_his_own_commit_does_not_disturb_it(
        self, store: Store, start: Start
    ) -> None:
        first = start("first")
        store.wait_for_start()
        second = start("a")
        store.wait_until_queued("a")
        late = start("late", 1.0)
        store.wait_until_queued("late")
        store.allow(1)
        first.result(LONG)
        store.wait_for_start()
        assert isinstance(late.exception(LONG), DatabaseUnavailable)
        store.allow()

        assert second.result(LONG) == "committed a"
        assert store.group.submit("later", LONG) == "committed later"
        assert store.batches == [["first"], ["a", "late"], ["later"]]

    def test_giving_up_just_when_the_lead_comes_does_not_end_all_commits(self) -> None:
        def commit(items: Sequence[int], _seconds: float) -> Sequence[int]:
            threading.Event().wait(0.01)
            return items

        group = GroupCommit(commit)

        def submit(number: int) -> int:
            try:
                return group.submit(number, 0.01 + number % 7 * 0.0005)
            except DatabaseUnavailable:
                return number

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(submit, range(600))) == list(range(600))
        assert group.submit(1, LONG) == 1


def test_of_many_threads_every_item_is_committed_once_and_gets_its_own_result() -> None:
    committed: list[tuple[int, int]] = []
    running = threading.Lock()

    def commit(items: Sequence[tuple[int, int]], _seconds: float) -> list[tuple[str, int, int]]:
        assert running.acquire(blocking=False), "two commits at once"
        assert 1 <= len(items) <= MAX_BATCH
        committed.extend(items)
        running.release()
        return [("committed", *item) for item in items]

    group = GroupCommit(commit)
    together = threading.Barrier(32)

    def submit_all(thread: int) -> list[tuple[str, int, int]]:
        together.wait()
        return [group.submit((thread, number), LONG) for number in range(200)]

    with ThreadPoolExecutor(32) as pool:
        results = list(pool.map(submit_all, range(32)))

    expected = [[("committed", thread, number) for number in range(200)] for thread in range(32)]
    assert results == expected
    assert sorted(committed) == [(thread, number) for thread in range(32) for number in range(200)]
