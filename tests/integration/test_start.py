"""What a process says that starts: what is doubtful, and why it cannot go on."""

import subprocess
import sys
from pathlib import Path

from tests.environment import environment
from tests.processes import REPOSITORY, clean_environment


def start(folder: Path, **changes: str) -> subprocess.Popen[str]:
    """The command that brings the database up to date, as every start does."""
    return subprocess.Popen(
        [sys.executable, "-m", "apps.twitch_module.migrate"],
        cwd=REPOSITORY,
        env=clean_environment(**environment(DATA_DIR=str(folder), **changes)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class TestDoubts:
    def test_a_misspelt_variable_stops_no_start_and_is_named(self, tmp_path: Path) -> None:
        process = start(tmp_path, TWITCH_SCOPE="bits:read")
        _, told = process.communicate(timeout=20)

        assert process.returncode == 0
        assert told == "Warning: TWITCH_SCOPE is read by nobody. Did you mean TWITCH_SCOPES?\n"

    def test_it_is_named_before_what_is_missing_for_it(self, tmp_path: Path) -> None:
        process = start(tmp_path, TWITCH_APP_ID="", TWITCH_APPID="x")
        _, told = process.communicate(timeout=20)

        assert process.returncode == 2
        assert told.splitlines() == [
            "Warning: TWITCH_APPID is read by nobody. Did you mean TWITCH_APP_ID?",
            "The configuration cannot be used:",
            "TWITCH_APP_ID is missing",
        ]
