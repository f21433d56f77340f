"""services/delivery/circuit_breaker.py: a dead API gets a probe every few seconds."""

import threading

import pytest

from apps.twitch_module.services.delivery.circuit_breaker import (
    FAILED_TO_OPEN,
    PROBE_SECONDS,
    WINDOW,
    WINDOW_SECONDS,
    CircuitBreaker,
)

NOW = 1000.0


def dead(*, now: float = NOW) -> CircuitBreaker:
    """A breaker of an API that has just been taken for dead."""
    breaker = CircuitBreaker()
    for activity in range(FAILED_TO_OPEN):
        breaker.record(activity, alive=False, now=now)
    return breaker


class TestIsOpen:
    def test_a_new_one_is_closed(self) -> None:
        assert not CircuitBreaker().is_open

    @pytest.mark.parametrize(
        ("failures", "expected"),
        [(1, False), (FAILED_TO_OPEN - 1, False), (FAILED_TO_OPEN, True), (1000, True)],
    )
    def test_it_opens_after_so_many_activities_failed(self, failures: int, expected: bool) -> None:
        breaker = CircuitBreaker()

        for activity in range(failures):
            breaker.record(activity, alive=False, now=NOW)

        assert breaker.is_open is expected

    def test_an_activity_that_fails_again_and_again_counts_once(self) -> None:
        breaker = CircuitBreaker()

        for number in range(1000):
            breaker.record(number % (FAILED_TO_OPEN - 1), alive=False, now=NOW)

        assert not breaker.is_open

    @pytest.mark.parametrize("one_answered_in", [2, 5])
    def test_an_api_that_answers_some_stays_in_use(self, one_answered_in: int) -> None:
        breaker = CircuitBreaker()

        for activity in range(1000):
            breaker.record(activity, alive=activity % one_answered_in == 0, now=NOW)

        assert not breaker.is_open

    def test_an_api_that_answers_next_to_nobody_does_not(self) -> None:
        breaker = CircuitBreaker()

        for activity in range(WINDOW):
            breaker.record(activity, alive=activity == 0, now=NOW)

        assert breaker.is_open

    def test_what_failed_long_ago_does_not_count(self) -> None:
        breaker = CircuitBreaker()

        for activity in range(1000):
            breaker.record(activity, alive=False, now=NOW + activity * WINDOW_SECONDS / 10)

        assert not breaker.is_open

    def test_one_answer_closes_it_and_it_opens_only_after_as_many_again(self) -> None:
        breaker = dead()

        breaker.record(500, alive=True, now=NOW)
        closed = not breaker.is_open
        for activity in range(FAILED_TO_OPEN - 1):
            breaker.record(activity, alive=False, now=NOW)

        assert closed
        assert not breaker.is_open

    def test_time_alone_does_not_close_it(self) -> None:
        breaker = dead()

        breaker.take_probe(NOW + 100 * PROBE_SECONDS)
        breaker.record(7, alive=False, now=NOW + 200 * WINDOW_SECONDS)

        assert breaker.is_open


class TestTakeProbe:
    @pytest.mark.parametrize("now", [NOW, NOW + 10**6])
    def test_a_closed_one_gives_no_probe(self, now: float) -> None:
        assert not CircuitBreaker().take_probe(now)

    @pytest.mark.parametrize(
        ("later", "expected"),
        [(0.0, False), (PROBE_SECONDS - 0.01, False), (PROBE_SECONDS, True), (1e6, True)],
    )
    def test_the_first_probe_comes_a_while_after_the_last_failure(
        self, later: float, expected: bool
    ) -> None:
        assert dead().take_probe(NOW + later) is expected

    def test_a_second_probe_comes_a_while_after_the_first(self) -> None:
        breaker, first = dead(), NOW + PROBE_SECONDS
        breaker.take_probe(first)

        assert not breaker.take_probe(first + PROBE_SECONDS - 0.01)
        assert breaker.take_probe(first + PROBE_SECONDS)

    def test_a_failed_probe_puts_the_next_one_off(self) -> None:
        breaker, first = dead(), NOW + PROBE_SECONDS
        breaker.take_probe(first)
        breaker.record(1, alive=False, now=first + 2)

        assert not breaker.take_probe(first + PROBE_SECONDS)
        assert breaker.take_probe(first + 2 + PROBE_SECONDS)

    def test_there_is_no_probe_once_it_is_closed(self) -> None:
        breaker = dead()
        breaker.record(1, alive=True, now=NOW)

        assert not breaker.take_probe(NOW + 100 * PROBE_SECONDS)

    def test_of_many_threads_one_gets_the_probe(self) -> None:
        breaker, together, given = dead(), threading.Barrier(16), []

        def ask() -> None:
            together.wait()
            given.append(breaker.take_probe(NOW + PROBE_SECONDS))

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(given) == [False] * 15 + [True]


def test_failures_of_many_threads_are_all_counted() -> None:
    breaker, together = CircuitBreaker(), threading.Barrier(FAILED_TO_OPEN)

    def fail(activity: int) -> None:
        together.wait()
        breaker.record(activity, alive=False, now=NOW)

    threads = [threading.Thread(target=fail, args=(one,)) for one in range(FAILED_TO_OPEN)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert breaker.is_open
