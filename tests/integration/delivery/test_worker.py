"""services/delivery/worker.py: whom a worker serves, and how it ends."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from apps.twitch_module.clients.waddlebot import Sent, WaddleBotClient
from apps.twitch_module.domain.delivery.reputation_contract import CONTRACTS
from apps.twitch_module.domain.delivery.waddlebot import Context, Failure
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.events.ingest import Entry, insert
from apps.twitch_module.services.delivery.worker import DeliveryWorker
from tests.integration.rows import activity, columns, event, fill
from tests.processes import wait_until


class Held(WaddleBotClient):
    """A WaddleBot whose answers are held back."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.began = threading.Semaphore(0)
        self.answer = threading.Event()

    def find_context(self, identity_name: str) -> Context:
        return Context(1, 1, "waddle")

    def send_activity(self, body: bytes, idempotency_key: str) -> Sent:
        self.sent.append(idempotency_key)
        self.began.release()
        assert self.answer.wait(10)
        return Sent(None, 200, b"{}")


def test_no_call_begins_once_it_is_told_to_stop(database: Database) -> None:
    fill(database, 3)
    client = Held()
    worker = DeliveryWorker(
        database,
        client,
        CONTRACTS["core"],
        concurrency=1,
        identity_name_field="user_name",
        yields=False,
    )
    worker.start()
    assert client.began.acquire(timeout=10)
    wait_until(
        lambda: len(columns(database, "SELECT 1 FROM twitch_activities WHERE status='leased'")) == 2
    )
    worker.begin_stop()
    client.answer.set()
    worker.wait(15)

    found = sorted(
        status for (status,) in columns(database, "SELECT status FROM twitch_activities")
    )
    assert len(client.sent) == 1
    assert found == ["delivered", "pending", "pending"]


class Answering(WaddleBotClient):
    """A WaddleBot that answers at once, and breaks at calls whose body holds a word."""

    def __init__(self, breaks_at: str = "nothing that is sent") -> None:
        self._breaks_at = breaks_at.encode()
        self.sent: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.failed = 0

    def find_context(self, identity_name: str) -> Context:
        return Context(1, 1, "waddle")

    def send_activity(self, body: bytes, idempotency_key: str) -> Sent:
        if self._breaks_at in body:
            self.failed += 1
            return Sent(Failure("reputation: HTTP 500", passing=True), 500, b"")
        self.sent.put(idempotency_key)
        return Sent(None, 200, b"{}")


@contextmanager
def working(database: Database, client: WaddleBotClient) -> Iterator[DeliveryWorker]:
    worker = DeliveryWorker(
        database,
        client,
        CONTRACTS["core"],
        concurrency=8,
        identity_name_field="user_name",
        yields=False,
    )
    worker.start()
    yield worker
    worker.begin_stop()
    worker.wait(15)


def test_activities_that_the_api_breaks_at_hold_up_no_others(database: Database) -> None:
    with database.transaction() as transaction:
        for number in range(250):  # the oldest hundred are poison
            kind = "ban" if number < 100 else "follow"
            entry = Entry(event(f"message-{number}"), activity(activity_type=kind))
            insert(transaction, [entry], 1000 + number)
    client = Answering(breaks_at='"ban"')
    with working(database, client):
        sent = {client.sent.get(timeout=10) for _ in range(150)}
        wait_until(lambda: client.failed >= 100, seconds=10)
        wait_until(lambda: statuses(database) == {"delivered": 150, "pending": 100})

    assert {f"message-{number}:follow" for number in range(100, 250)} == sent


def test_who_has_just_acted_does_not_wait_behind_a_backlog(database: Database) -> None:
    ids = fill(database, 4000)
    client = Answering()
    with working(database, client) as worker:
        for number in range(5):
            for _ in range(200):
                client.sent.get(timeout=10)
            with database.transaction() as transaction:
                insert(transaction, [Entry(event(f"fresh-{number}"), activity())])
            behind = client.sent.qsize()
            worker.wake()
            before = 0
            while client.sent.get(timeout=10) != f"fresh-{number}:follow":
                before += 1
            # What had been claimed by then, twice as many as are tried at once, and a claim more.
            assert before <= behind + 4 * 8
        wait_until(lambda: statuses(database) == {"delivered": 4005}, seconds=30)

    assert len(ids) == 4000


def statuses(database: Database) -> dict[str, int]:
    sql = "SELECT status, count(*) FROM twitch_activities GROUP BY status"
    return dict(columns(database, sql))
