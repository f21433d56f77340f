"""Commands run inside the tests' own process, where a process of its own would show no more."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from apps.twitch_module.cli import NAME, commands
from apps.twitch_module.models.database import Database
from tests.environment import PASSWORD, SECRET
from tests.processes import Module

from .operator import APP_SECRET, KEY


class Commands:
    """Runs commands on one installation, and remembers everything that they printed."""

    def __init__(self, folder: Path, variables: Mapping[str, str], service: Module) -> None:
        """`folder` is where the database of the running `service` is, too."""
        self.folder = folder
        self.service = service
        self.variables = dict(variables)
        self.printed = ""

    def run(self, *words: str, typed: str = "", **changes: str) -> Result:
        """A command that has ended; `changes` are variables, an empty one is taken away."""
        ended = CliRunner().invoke(
            commands,
            [*(("--env-file", str(self.folder / "no.env")) if words else ()), *words],
            input=typed,
            env={**self.variables, **changes},
            prog_name=NAME,
            color=True,  # what is coloured must be so by a terminal's presence alone
        )
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        self.printed += ended.output
        return ended

    def done(self, *words: str, **options: str) -> str:
        """What a command printed that has gone well, and had nothing to remark."""
        ended = self.run(*words, **options)
        assert (ended.exit_code, ended.stderr) == (0, "")
        return ended.stdout

    def json(self, *words: str, status: int = 0, **options: str) -> Any:
        """What a command answers to --json: one document."""
        ended = self.run(*words, "--json", **options)
        assert ended.exit_code == status, ended.output
        return json.loads(ended.stdout)

    def refused(self, *words: str, **options: str) -> tuple[int, str]:
        """The exit status and the words of a command that fails; it prints no result."""
        ended = self.run(*words, **options)
        assert ended.stdout == ""
        assert 1 <= len(ended.stderr.splitlines()) <= 2
        return ended.exit_code, ended.stderr

    def execute(self, sql: str) -> None:
        """Change the database beside the service."""
        with Database(self.variables["DB_URI"], self.folder).transaction() as transaction:
            transaction.execute(sql)

    def secrets_shown(self) -> list[str]:
        """What should not have been printed, and was."""
        token = self.variables.get("WADDLEBOT_TWITCH_TOKEN", PASSWORD)
        return [one for one in (PASSWORD, SECRET, APP_SECRET, KEY, token) if one in self.printed]
