"""services/refusals.py: refused messages are told without filling the log."""

import threading
from types import SimpleNamespace

import pytest
from structlog.testing import CapturedCall, CapturingLogger

from apps.twitch_module.services import refusals
from apps.twitch_module.services.refusals import QUIET_SECONDS, RefusalLog


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 5000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that the module reads."""
    clock = Clock()
    monkeypatch.setattr(refusals, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[CapturedCall]:
    """What has been written to the log."""
    logger = CapturingLogger()
    monkeypatch.setattr(refusals, "log", logger)
    return logger.calls


def told(lines: list[CapturedCall]) -> list[dict[str, int]]:
    """The counts of each line."""
    return [line.kwargs for line in lines]


def test_the_first_refusal_is_told_at_once(clock: Clock, lines: list[CapturedCall]) -> None:
    RefusalLog().add("bad_signature")

    assert told(lines) == [{"bad_signature": 1}]
    assert lines[0].method_name == "warning"


@pytest.mark.parametrize(
    ("later", "expected"),
    [(0.0, 1), (QUIET_SECONDS - 0.01, 1), (QUIET_SECONDS, 2), (QUIET_SECONDS * 100, 2)],
)
def test_a_second_line_comes_ten_seconds_later_at_the_earliest(
    clock: Clock, lines: list[CapturedCall], later: float, expected: int
) -> None:
    refusal_log = RefusalLog()
    refusal_log.add("bad_signature")
    clock.now += later

    refusal_log.add("bad_signature")

    assert expected == len(lines)


def test_the_next_line_tells_all_that_came_meanwhile_by_code(
    clock: Clock, lines: list[CapturedCall]
) -> None:
    refusal_log = RefusalLog()
    refusal_log.add("bad_signature")
    for code in ["bad_signature", "stale_timestamp", "bad_signature", "missing_header"]:
        refusal_log.add(code)
    clock.now += QUIET_SECONDS

    refusal_log.add("stale_timestamp")

    assert told(lines)[1] == {"bad_signature": 2, "stale_timestamp": 2, "missing_header": 1}


def test_what_has_been_told_is_not_told_again(clock: Clock, lines: list[CapturedCall]) -> None:
    refusal_log = RefusalLog()
    for _ in range(3):
        refusal_log.add("bad_signature")
        clock.now += QUIET_SECONDS

    assert told(lines) == [{"bad_signature": 1}] * 3


def test_a_flood_of_a_minute_gives_six_lines(clock: Clock, lines: list[CapturedCall]) -> None:
    refusal_log = RefusalLog()

    for _ in range(6000):
        refusal_log.add("bad_signature")
        clock.now += 0.01

    assert len(lines) == 6


def test_refusals_of_many_threads_are_each_told_once(
    clock: Clock, lines: list[CapturedCall]
) -> None:
    refusal_log, together = RefusalLog(), threading.Barrier(8)

    def refuse() -> None:
        together.wait()
        for _ in range(500):
            refusal_log.add("bad_signature")

    threads = [threading.Thread(target=refuse) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.now += QUIET_SECONDS
    refusal_log.add("bad_signature")

    assert len(lines) == 2
    assert sum(line["bad_signature"] for line in told(lines)) == 8 * 500 + 1
