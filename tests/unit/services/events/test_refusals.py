"""services/events/refusals.py: refused messages are told without filling the log."""

import threading

import pytest
from structlog.testing import CapturedCall, CapturingLogger

from apps.twitch_module.services.events import refusals
from apps.twitch_module.services.events.refusals import RefusalLog
from tests.processes import wait_until


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[CapturedCall]:
    """What has been written to the log."""
    logger = CapturingLogger()
    monkeypatch.setattr(refusals, "log", logger)
    return logger.calls


def told(lines: list[CapturedCall]) -> list[dict[str, int]]:
    """The counts of each line."""
    return [line.kwargs for line in lines]


def test_the_first_refusal_is_told_at_once_and_others_wait(lines: list[CapturedCall]) -> None:
    refusal_log = RefusalLog()
    for _ in range(1000):
        refusal_log.add("bad_signature")

    assert [{"bad_signature": 1}] == told(lines)
    assert "warning" == lines[0].method_name


def test_what_came_meanwhile_is_told_by_time_though_nothing_more_comes(
    lines: list[CapturedCall],
) -> None:
    refusal_log = RefusalLog(quiet_seconds=0.1)
    for code in ("bad_signature", "bad_signature", "stale_timestamp", "missing_header"):
        refusal_log.add(code)
    wait_until(lambda: len(lines) == 2)

    assert {"bad_signature": 1, "stale_timestamp": 1, "missing_header": 1} == told(lines)[1]


def test_after_a_quiet_while_the_next_one_is_told_at_once(lines: list[CapturedCall]) -> None:
    refusal_log = RefusalLog(quiet_seconds=0.05)
    refusal_log.add("bad_signature")
    wait_until(lambda: refusal_log._timer is None)
    refusal_log.add("stale_timestamp")

    assert [{"bad_signature": 1}, {"stale_timestamp": 1}] == told(lines)


def test_at_the_end_nothing_is_left_untold(lines: list[CapturedCall]) -> None:
    refusal_log = RefusalLog()
    for _ in range(5):
        refusal_log.add("bad_signature")
    refusal_log.tell()
    refusal_log.tell()

    assert [{"bad_signature": 1}, {"bad_signature": 4}] == told(lines)


def test_refusals_of_many_threads_are_each_told_once(lines: list[CapturedCall]) -> None:
    refusal_log, together = RefusalLog(quiet_seconds=0.01), threading.Barrier(8)

    def refuse() -> None:
        together.wait()
        for _ in range(500):
            refusal_log.add("bad_signature")

    threads = [threading.Thread(target=refuse) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refusal_log.tell()

    assert 8 * 500 == sum(line["bad_signature"] for line in told(lines))
