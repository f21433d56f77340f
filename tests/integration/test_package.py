"""The installed package: importable, and a command, from whichever folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import clean_environment


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            (sys.executable, "-c", "from twitch_module import webhooks, api, auth; print(api)"),
            "twitch_module.controllers.api",
        ),
        ((str(Path(sys.executable).with_name("waddlebot-twitch")), "-h"), "waddlebot-twitch"),
    ],
)
def test_it_is_found_from_another_folder(
    tmp_path: Path, words: tuple[str, ...], shown: str
) -> None:
    environment = clean_environment()
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert 0 == done.returncode, done.stderr
    assert shown in done.stdout
