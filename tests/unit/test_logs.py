"""logs.py: unexpected errors are logged without what they say, and not without end."""

import json
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from apps.twitch_module.domain.strict_json import read_object
from apps.twitch_module.logs import UnexpectedErrors


@pytest.fixture
def lines() -> Iterator[list[dict[str, object]]]:
    structlog.reset_defaults()
    with capture_logs() as lines:
        yield lines


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def failing(message: str) -> Exception:
    """An error that passed through code of ours."""
    try:
        read_object(message)  # type: ignore[arg-type]
    except Exception as error:
        return error
    raise AssertionError("it should fail")


def test_the_line_says_type_and_place_and_never_the_message(
    lines: list[dict[str, object]],
) -> None:
    reference = UnexpectedErrors().report(failing('{"password": "hunter2"'), route="POST /x")

    (line,) = lines
    assert "hunter2" not in json.dumps(line)
    assert line["reference"] == reference
    assert line["route"] == "POST /x"
    assert str(line["error"]).startswith("NotStrict at ")
    assert str(line["frames"]).startswith("twitch_module/domain/strict_json:")


def test_the_same_error_is_written_once_a_minute_and_counted(
    lines: list[dict[str, object]],
) -> None:
    clock = Clock()
    errors = UnexpectedErrors(clock)
    references = {errors.report(failing("{"), route="r") for _ in range(1000)}
    clock.seconds += 60
    errors.report(failing("{"), route="r")

    assert len(references) == 1
    assert [line["times"] for line in lines] == [1, 1000]


def test_different_errors_are_bounded(lines: list[dict[str, object]]) -> None:
    errors = UnexpectedErrors(Clock())
    for number in range(1000):
        errors.report(failing("{"), route=str(number))

    assert len(lines) == 1000
    assert len(errors._seen) == UnexpectedErrors._MOST
