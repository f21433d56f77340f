"""The monitored channels."""

from dataclasses import dataclass
from typing import Any

from .database import Transaction

_SHOWN = (
    "channel_id",
    "channel_name",
    "display_name",
    "is_active",
    "gateway_id",
    "points",
    "event_types",
    "warning",
    "created_at_ms",
)


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A Twitch channel that is to be monitored; the id is the broadcaster's."""

    channel_id: str
    channel_name: str
    display_name: str


def add(transaction: Transaction, channel: NewChannel) -> bool:
    """Write a channel; False when it is there already (then only its names are brought up)."""
    columns = "channel_id, channel_name, display_name, is_active, created_at_ms"
    values = [channel.channel_id, channel.channel_name, channel.display_name]
    new = transaction.execute(
        f"INSERT INTO twitch_channels ({columns}) VALUES (%s, %s, %s, 1, %s)"
        " ON CONFLICT (channel_id) DO NOTHING RETURNING id",
        [*values, transaction.now_ms()],
    )
    if not new:
        table = transaction.db.twitch_channels
        transaction.db(table.channel_id == channel.channel_id).update(
            channel_name=channel.channel_name, display_name=channel.display_name
        )
    return bool(new)


def get(transaction: Transaction, channel_id: str) -> dict[str, Any] | None:
    """One channel by its Twitch id, or None."""
    table = transaction.db.twitch_channels
    rows = transaction.db(table.channel_id == channel_id).select(*_fields(table))
    return rows.first().as_dict() if rows else None


def list_all(transaction: Transaction) -> list[dict[str, Any]]:
    """Every channel, by name."""
    table = transaction.db.twitch_channels
    rows = transaction.db(table).select(*_fields(table), orderby=table.channel_name)
    return [row.as_dict() for row in rows]


def warn(transaction: Transaction, channel_id: str, warning: str | None) -> None:
    """Note why a channel does not get all its events; None takes the note away."""
    table = transaction.db.twitch_channels
    transaction.db(table.channel_id == channel_id).update(warning=warning)


def _fields(table: Any) -> list[Any]:
    return [table[name] for name in _SHOWN]
