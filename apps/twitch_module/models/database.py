"""The one way to the database: a transaction with a deadline, on SQLite or PostgreSQL.

pydal keeps a connection per thread and hides when it commits; this class says both. A block
that ends normally has been committed; one that an exception leaves has been rolled back.
"""

import logging
import select
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2
import psycopg2.extensions
import pydal
from pydal.connection import ConnectionPool

from ..errors import ConfigurationError, DatabaseUnavailable
from .database_faults import postgresql_fault, sqlite_fault
from .tables import define_tables
from .transaction import Transaction

# What the drivers raise when the database is away, locked, full or slow. Other errors are ours.
_UNAVAILABLE = (
    sqlite3.OperationalError,
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    psycopg2.InternalError,
)
DEFAULT_TIMEOUT_SECONDS = 5.0
_POSTGRES_FORM = "DB_URI must be postgres://user:password@host/database"
_PAGE_BYTES = 4096  # SQLite's default
_POOL_SIZE = 24  # idle connections that are kept; as many requests are handled at once

# A connection's own walls on PostgreSQL, should this process be frozen in a transaction. And a
# prepared statement's plan stays: one that was made while a table was small, and would read it from
# end to end, would do so for every event after that, until the table is analyzed again.
_POSTGRES_SETTINGS = (
    "SET synchronous_commit = on; SET statement_timeout = '30s';"
    " SET idle_in_transaction_session_timeout = '30s'; SET enable_seqscan = off"
)

logging.getLogger("pydal").setLevel(logging.ERROR)

_deadline = threading.local()  # .at: when this thread's transaction must be over (monotonic)


def _left_ms() -> int:
    return max(0, int((getattr(_deadline, "at", 0.0) - time.monotonic()) * 1000))


def _wait_until_deadline(connection: Any) -> None:
    """psycopg2's wait callback: every operation ends by the deadline of its transaction.

    A server that is frozen, or behind a network that swallows packets, would otherwise hold
    the thread for ever: libpq has no timeout once a connection stands.
    """
    poller = select.poll()
    while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
        reading = state == psycopg2.extensions.POLL_READ
        poller.register(connection.fileno(), select.POLLIN if reading else select.POLLOUT)
        if not poller.poll(_left_ms()):
            raise psycopg2.OperationalError("the database did not answer in time")


psycopg2.extensions.set_wait_callback(_wait_until_deadline)


class Database:
    """pydal on one database. Thread-safe; blocks; never runs a migration by itself."""

    def __init__(self, uri: str, folder: Path) -> None:
        """Connect to sqlite://file (relative to `folder`) or any PostgreSQL URI of libpq.

        Raises DatabaseUnavailable, which says where and why, when a server or a file cannot be
        used, and ConfigurationError for an address that cannot be read.
        """
        self.sqlite = uri.startswith("sqlite:")
        self._uri = uri
        # SQLite has one writer at a time. Within the process writers queue here, because
        # SQLite's own way of waiting is to sleep and look again.
        self._writer = threading.Lock()
        _make(folder)
        # Absolute, because pydal pools connections by address.
        self._file = folder.absolute() / uri.removeprefix("sqlite://")
        self._db = self._connected(folder)
        self._adapter = self._db._adapter
        # pydal refuses to pool SQLite connections; opening one costs more than a commit.
        self._adapter.pool_size = _POOL_SIZE
        # pydal would test each pooled connection with all other threads held up meanwhile.
        # A dead one shows at its first statement, and takes the pool with it (see below).
        self._adapter.check_active_connection = False
        define_tables(self._db)
        self._adapter.close("rollback")
        if self.sqlite:
            self._look_into_file()

    def _connected(self, folder: Path) -> Any:
        """pydal on this database. Raises as the constructor does."""
        driver_args: dict[str, str] = {}
        if self.sqlite:
            address = f"sqlite://{self._file}"
        else:
            address, driver_args = _for_pydal(self._uri)
        _deadline.at = time.monotonic() + DEFAULT_TIMEOUT_SECONDS
        try:
            return pydal.DAL(
                address,
                driver_args=driver_args,
                decode_credentials=True,
                folder=str(folder),
                pool_size=_POOL_SIZE,
                attempts=1,
                migrate_enabled=False,
                bigint_id=True,
                after_connection=self._prepare_connection,
            )
        except SyntaxError as error:
            raise ConfigurationError([_POSTGRES_FORM]) from error
        except RuntimeError as error:  # pydal wraps what the driver said
            raise self._fault(str(error).rpartition("Error: ")[2]) from error

    def explained(self, error: DatabaseUnavailable) -> DatabaseUnavailable:
        """The error of a transaction with where and why, for whoever starts or examines us.

        It is not said to callers of the API.
        """
        cause = error.__cause__
        return error if cause is None else self._fault(str(cause), is_connected=True)

    def _fault(self, said: str, *, is_connected: bool = False) -> DatabaseUnavailable:
        if self.sqlite:
            return sqlite_fault(self._file, said)
        given = psycopg2.extensions.parse_dsn(self._uri)
        host, port = given.get("host", "localhost"), given.get("port", "5432")
        host = f"[{host}]" if ":" in host else host
        place = host if host.startswith("/") else f"{host}:{port}"
        password = given.get("password", "")
        return postgresql_fault(place, said, password, is_connected=is_connected)

    def _look_into_file(self) -> None:
        """Find out now whether it can be opened, and is a database."""
        try:
            self._adapter.get_connection()
            self._adapter.execute("SELECT 1 FROM sqlite_master LIMIT 1")
        except sqlite3.DatabaseError as error:
            raise self._fault(str(error)) from error
        finally:
            self._discard_connection()

    def _prepare_connection(self, adapter: Any) -> None:
        if not self.sqlite:
            adapter.execute(_POSTGRES_SETTINGS)
            adapter.commit()
            return
        for pragma in (
            f"busy_timeout={_left_ms()}",
            "journal_mode=WAL",  # readers read while one writes
            "synchronous=FULL",  # a commit outlives a power cut
            f"wal_autocheckpoint={self._log_pages()}",
            "temp_store=MEMORY",  # each batch has a statement journal: a file of its own otherwise
            "cache_size=-4096",  # 4 MB: with 16 nothing was faster, and each connection has one
        ):
            adapter.execute(f"PRAGMA {pragma}")

    def _log_pages(self) -> int:
        """From which size SQLite's log is copied into the database: a quarter of what is free.

        At most 64 MB, with which pages that change often are copied less often; at least 4 MB,
        SQLite's own. A log that fills the disk could not be copied any more, nor be written to.
        """
        free = shutil.disk_usage(self._file.parent).free
        return min(max(free // 4 // _PAGE_BYTES, 1000), 16_000)

    @contextmanager
    def transaction(
        self, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS, write: bool = True
    ) -> Iterator[Transaction]:
        """A transaction that commits at the block's end, and rolls back when the block raises.

        Raises DatabaseUnavailable when the database is away, locked or slower than
        `timeout_seconds`; then it may or may not have been committed. Not to be nested.
        `write=False` takes no lock on SQLite; nothing may be written then.
        """
        adapter = self._adapter
        _deadline.at = time.monotonic() + timeout_seconds
        locked = self.sqlite and write
        if locked and not self._writer.acquire(timeout=max(timeout_seconds, 0)):
            raise DatabaseUnavailable("The database is busy")
        try:
            adapter.close("rollback")  # what a broken block may have left on this thread
            connection = adapter.get_connection()
            transaction = Transaction(self._db, sqlite=self.sqlite)
            if locked:
                # To a tenth of a second: a text that has come before is not parsed again.
                transaction.execute(f"PRAGMA busy_timeout={round(_left_ms(), -2)}")
                transaction.execute("BEGIN IMMEDIATE")
            yield transaction
            connection.commit()
        except _UNAVAILABLE as error:
            self._discard_connection()
            raise DatabaseUnavailable("The database does not answer") from error
        except BaseException:
            adapter.close("rollback")
            raise
        else:
            adapter.close(None)
        finally:
            if locked:
                self._writer.release()

    def connect_alone(self) -> Any:
        """A connection to PostgreSQL outside the pool, for waiting on. The caller closes it.

        Operations on it, too, end by this thread's deadline, which is set here.
        """
        _deadline.at = time.monotonic() + DEFAULT_TIMEOUT_SECONDS
        return psycopg2.connect(self._uri)

    def close(self) -> None:
        """Close the connections of this thread, and those that nobody uses. For good."""
        self._discard_connection()
        ConnectionPool.POOLS.pop(self._adapter.uri, None)

    def _discard_connection(self) -> None:
        """Close this thread's connection and the idle ones: where one broke, they may all be."""

        def fail(_: Any) -> None:
            raise ConnectionError  # pydal does not pool a connection whose last act failed

        self._adapter.close(fail)
        idle = ConnectionPool.POOLS.get(self._adapter.uri, [])
        while idle:
            with suppress(IndexError, *_UNAVAILABLE):  # another thread may take it first
                idle.pop().close()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = "it is a file" if isinstance(error, FileExistsError) else error.strerror
        raise ConfigurationError([f"DATA_DIR {folder} cannot be made: {reason}"]) from error


def _for_pydal(uri: str) -> tuple[str, dict[str, str]]:
    """A PostgreSQL address as pydal takes it, and what goes straight to the driver.

    pydal reads only a part of what PostgreSQL's own programs understand: no sockets by
    ?host=, no sslrootcert, no empty password.
    """
    try:
        given = psycopg2.extensions.parse_dsn(uri)
        user, database = given.pop("user"), given.pop("dbname")
        host, port = given.pop("host", "localhost"), given.pop("port", "5432")
    except (psycopg2.ProgrammingError, KeyError) as error:
        raise ConfigurationError(
            ["DB_URI must be postgres://user:password@host/database"]
        ) from error
    credentials = quote(user, safe="") + ":" + quote(given.pop("password", ""), safe="")
    if host.startswith("/"):
        socket_file = f"{host}/.s.PGSQL.{port}"
        return f"postgres://{credentials}@/{database}?unix_socket={socket_file}", {
            **given,
            "port": port,
        }
    if ":" in host:  # pydal would take the brackets for a part of the name
        host, given["hostaddr"] = f"[{host}]", host
    return f"postgres://{credentials}@{host}:{port}/{database}", given
