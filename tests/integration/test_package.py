"""The installed package: importable, and a command, from whichever folder."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import REPOSITORY, clean_environment

_NO_DATA = shutil.ignore_patterns("data", "__pycache__")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            (sys.executable, "-c", "from twitch_module import webhooks, api, auth; print(api)"),
            "twitch_module.controllers.subscriptions.channels",
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


def test_the_server_does_not_run_beside_installed_packages(tmp_path: Path) -> None:
    copied = tmp_path / "site-packages"
    shutil.copytree(
        REPOSITORY / "apps" / "twitch_module", copied / "twitch_module", ignore=_NO_DATA
    )
    done = subprocess.run(
        [sys.executable, "-m", "twitch_module.serve"],
        cwd=copied,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )

    assert 2 == done.returncode
    assert "has to run in a checkout of the repository: make serve" in done.stderr
