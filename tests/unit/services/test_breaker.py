"""services/breaker.py: a dead API gets one probe every few seconds, not a storm."""

import threading

import pytest

from apps.twitch_module.services.breaker import FAILURES_TO_OPEN, PROBE_SECONDS, Breaker

NOW = 1000.0


def dead(*, now: float = NOW) -> Breaker:
    """A breaker of an API that has just been taken for dead."""
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.record(alive=False, now=now)
    return breaker


class TestIsOpen:
    def test_a_new_one_is_closed(self) -> None:
        assert not Breaker().is_open

    @pytest.mark.parametrize(
        ("failures", "expected"),
        [
            (1, False),
            (FAILURES_TO_OPEN - 1, False),
            (FAILURES_TO_OPEN, True),
            (FAILURES_TO_OPEN + 1, True),
        ],
    )
    def test_it_opens_after_so_many_failures(self, failures: int, expected: bool) -> None:
        breaker = Breaker()

        for _ in range(failures):
            breaker.record(alive=False, now=NOW)

        assert breaker.is_open is expected

    def test_only_failures_in_a_row_open_it(self) -> None:
        breaker = Breaker()

        for _ in range(10):
            for _ in range(FAILURES_TO_OPEN - 1):
                breaker.record(alive=False, now=NOW)
            breaker.record(alive=True, now=NOW)

        assert not breaker.is_open

    def test_one_answer_closes_it(self) -> None:
        breaker = dead()

        breaker.record(alive=True, now=NOW)

        assert not breaker.is_open

    def test_time_alone_does_not_close_it(self) -> None:
        breaker = dead()

        breaker.take_probe(NOW + 100 * PROBE_SECONDS)

        assert breaker.is_open


class TestTakeProbe:
    @pytest.mark.parametrize("now", [NOW, NOW + 10**6])
    def test_a_closed_one_gives_no_probe(self, now: float) -> None:
        assert not Breaker().take_probe(now)

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
        breaker.record(alive=False, now=first + 2)

        assert not breaker.take_probe(first + PROBE_SECONDS)
        assert breaker.take_probe(first + 2 + PROBE_SECONDS)

    def test_there_is_no_probe_once_it_is_closed(self) -> None:
        breaker = dead()
        breaker.record(alive=True, now=NOW)

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
    breaker, together = Breaker(), threading.Barrier(FAILURES_TO_OPEN)

    def fail() -> None:
        together.wait()
        breaker.record(alive=False, now=NOW)

    threads = [threading.Thread(target=fail) for _ in range(FAILURES_TO_OPEN)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert breaker.is_open
