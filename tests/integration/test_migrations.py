"""models/migrations.py: one schema, however many start at once and wherever one stopped."""

import subprocess
import sys
from pathlib import Path

import pytest

from apps.twitch_module.errors import ConfigurationError
from apps.twitch_module.models import migrations
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.migrations import VERSION, migrate, schema_version
from apps.twitch_module.models.tables import TABLES
from tests.environment import environment
from tests.integration.rows import columns
from tests.processes import REPOSITORY, clean_environment

_SQLITE_COLUMNS = "SELECT name FROM pragma_table_info('{}')"
_POSTGRES_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = '{}'"


def test_the_second_time_there_is_nothing_to_do(empty_db_uri: str, tmp_path: Path) -> None:
    database = Database(empty_db_uri, tmp_path)

    assert VERSION == migrate(database)
    assert 0 == migrate(database)
    assert VERSION == schema_version(database)


@pytest.mark.parametrize("table", TABLES)
def test_pydal_knows_each_table_as_the_migrations_make_it(database: Database, table: str) -> None:
    sql = _SQLITE_COLUMNS if database.sqlite else _POSTGRES_COLUMNS
    found = {row[0] for row in columns(database, sql.format(table))}

    assert set(TABLES[table]) == found - {"body", "id"} | (TABLES[table].keys() & {"id"})


def test_a_database_that_another_machine_made_is_taken_as_it_is(
    empty_db_uri: str, tmp_path: Path
) -> None:
    migrate(Database(empty_db_uri, tmp_path / "one machine"))

    assert 0 == migrate(Database(empty_db_uri, tmp_path / "another machine"))


def test_a_newer_database_is_refused(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.execute("INSERT INTO twitch_schema (version) VALUES (%s)", [VERSION + 1])

    with pytest.raises(ConfigurationError, match="newer"):
        migrate(database)


def test_a_step_that_fails_in_the_middle_leaves_nothing_behind(
    empty_db_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = migrations._STEPS
    database = Database(empty_db_uri, tmp_path)
    monkeypatch.setattr(migrations, "_STEPS", ((*whole[0][:3], "CREATE NONSENSE"), *whole[1:]))
    with pytest.raises(Exception):  # noqa: B017  # each driver has its own
        migrate(database)

    monkeypatch.setattr(migrations, "_STEPS", whole)

    assert VERSION == migrate(database)


def test_processes_that_start_at_once_all_succeed(empty_db_uri: str, tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "apps.twitch_module.migrate"],
            cwd=REPOSITORY,
            env=clean_environment(
                **environment(DB_URI=empty_db_uri, DATA_DIR=str(tmp_path / str(number)))
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(6)
    ]
    outputs = [process.communicate(timeout=60) for process in started]

    assert [0] * 6 == [process.returncode for process in started], outputs
    assert 1 == sum("brought up to date" in output for output, _ in outputs)
