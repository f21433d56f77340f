"""Rows to put into a test's database."""

from typing import Any

from apps.twitch_module.models.database import Database
from apps.twitch_module.models.delivery.activities import NewActivity
from apps.twitch_module.models.events.events import NewEvent
from apps.twitch_module.models.events.ingest import Entry, insert
from apps.twitch_module.models.subscriptions import channels
from apps.twitch_module.models.subscriptions.channels import ChannelNames


def event(event_id: str, **changes: Any) -> NewEvent:
    """An event row."""
    usual = NewEvent(
        event_id,
        "channel.follow",
        "2",
        "subscription-1",
        "7001",
        "The_Channel",
        "8001",
        "a_viewer",
        "A_Viewer",
        1_790_000_000_000,
        "scored",
        None,
        b'{"event":{}}',
    )
    return usual._replace(**changes)


def activity(**changes: Any) -> NewActivity:
    """An activity row, pending."""
    usual = NewActivity("follow", 0, 10, "{}", "pending", None, 1_790_000_000_000, None)
    return usual._replace(**changes)


def fill(database: Database, count: int, *, user_id: str = "8001", **changes: Any) -> list[str]:
    """Store so many events of a user, with an activity each, due now; their message ids."""
    ids = [f"message-{number:06d}" for number in range(count)]
    with database.transaction() as transaction:
        for start in range(0, count, 100):
            part = ids[start : start + 100]
            now_ms = transaction.now_ms()
            entries = [Entry(event(one, user_id=user_id), activity(**changes)) for one in part]
            insert(transaction, entries, now_ms)
    return ids


def watch(database: Database, channel_id: str = "7001") -> None:
    """Have a channel monitored, for which nothing is asked of Twitch."""
    with database.transaction() as transaction:
        channels.add(transaction, ChannelNames(channel_id, f"channel_{channel_id}", ""))
        channels.change(transaction, channel_id, {"is_active": False})


def columns(database: Database, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with database.transaction(write=False) as transaction:
        return transaction.execute(sql)
