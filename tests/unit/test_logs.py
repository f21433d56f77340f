"""logs.py: unexpected errors are logged without what they say, and not without end."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from apps.twitch_module.domain.strict_json import read_object
from apps.twitch_module.logs import LogQueue, UnexpectedErrors
from tests.processes import REPOSITORY


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


class TestLogQueue:
    def test_a_reader_that_does_not_read_blocks_nobody_and_what_is_dropped_is_counted(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(LogQueue, "MOST", 100)
        read, write = os.pipe()
        with open(write, "w") as file:
            lines = LogQueue(file)
            structlog.configure(
                processors=[structlog.processors.LogfmtRenderer()],
                logger_factory=structlog.WriteLoggerFactory(lines),  # type: ignore[arg-type]
            )
            for number in range(3000):  # a pipe takes 64 KiB
                lines.write(f"{number:999}\n")
            received = b""
            while b"dropped=" not in received:
                received += os.read(read, 65536)
            lines.close()
        structlog.reset_defaults()
        os.close(read)

        written = received.split(b"\n")
        numbers = [int(one) for one in written if one.strip().isdigit()]
        dropped = int(received.partition(b"dropped=")[2].split()[0])
        assert list(range(len(numbers))) == numbers  # in their order
        assert 3000 == len(numbers) + dropped

    def test_a_reader_that_has_gone_is_no_fault(self) -> None:
        read, write = os.pipe()
        os.close(read)
        with open(write, "w") as file:
            lines = LogQueue(file)
            lines.write("a line\n")
            lines.close()


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_no_text_from_outside_can_forge_a_line_or_drive_a_terminal(form: str) -> None:
    run = (
        "import structlog; from apps.twitch_module.logs import configure_logs;"
        f"configure_logs('INFO', {form!r});"
        "structlog.get_logger().warning('a', name='x\\n\\x1b[2J\\x7f\\x9b level=error', n=1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    (line,) = done.stderr.splitlines()
    assert line.isprintable()
    if form == "json":
        found = json.loads(line)
        assert ["timestamp", "level", "event", "name", "n"] == list(found)
        assert ("warning", "a", 1) == (found["level"], found["event"], found["n"])
