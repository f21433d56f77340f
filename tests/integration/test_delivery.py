"""services/delivery.py: how a worker ends."""

import threading

from apps.twitch_module.clients.waddlebot import Sent, WaddleBotClient
from apps.twitch_module.domain.waddlebot import Context
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.delivery import DeliveryWorker
from tests.integration.rows import columns, fill
from tests.processes import wait_until


class Held(WaddleBotClient):
    """A WaddleBot whose answers are held back."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.began = threading.Semaphore(0)
        self.answer = threading.Event()

    def find_context(self, identity_name: str) -> Context:
        return Context(1, identity_name, 1, "waddle")

    def send_points(self, body: bytes, idempotency_key: str) -> Sent:
        self.sent.append(idempotency_key)
        self.began.release()
        assert self.answer.wait(10)
        return Sent(None, 200, b"{}")


def test_no_call_begins_once_it_is_told_to_stop(database: Database) -> None:
    fill(database, 3)
    client = Held()
    worker = DeliveryWorker(
        database, client, concurrency=1, identity_name_field="user_name", yields=False
    )
    worker.start()
    assert client.began.acquire(timeout=10)
    wait_until(
        lambda: len(columns(database, "SELECT 1 FROM twitch_activities WHERE status='leased'")) == 2
    )
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    wait_until(worker._stopping.is_set)
    client.answer.set()
    stopping.join(15)

    found = sorted(
        status for (status,) in columns(database, "SELECT status FROM twitch_activities")
    )
    assert len(client.sent) == 1
    assert found == ["delivered", "pending", "pending"]
