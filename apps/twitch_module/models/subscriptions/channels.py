"""The monitored channels."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..transaction import Transaction

_SHOWN = (
    "channel_id",
    "channel_name",
    "display_name",
    "is_active",
    "gateway_id",
    "points",
    "event_types",
    "backfill",
    "backfilled_until_ms",
    "warning",
    "created_at_ms",
)
_SELECT = f"SELECT {', '.join(_SHOWN)} FROM twitch_channels"


@dataclass(frozen=True, slots=True)
class ChannelNames:
    """A Twitch channel and what it is called now; the id is the broadcaster's."""

    channel_id: str
    channel_name: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A monitored channel. `points` and `event_types` are None where the usual ones hold."""

    channel_id: str
    channel_name: str
    display_name: str
    is_active: bool
    gateway_id: str | None
    points: dict[str, Any] | None
    event_types: list[str] | None
    backfill: bool
    backfilled_until_ms: int | None
    warning: str | None
    created_at_ms: int


def add(transaction: Transaction, names: ChannelNames) -> bool:
    """Write a channel; False when it is there already (then only its names are brought up)."""
    columns = "channel_id, channel_name, display_name, is_active, created_at_ms"
    values = [names.channel_id, names.channel_name, names.display_name]
    new = transaction.execute(
        f"INSERT INTO twitch_channels ({columns}) VALUES (%s, %s, %s, 1, %s)"
        " ON CONFLICT (channel_id) DO NOTHING RETURNING id",
        [*values, transaction.now_ms()],
    )
    if not new:
        rename(transaction, names)
    return bool(new)


def rename(transaction: Transaction, names: ChannelNames) -> bool:
    """Note what a channel is called now; whether that is new."""
    return bool(
        transaction.execute(
            "UPDATE twitch_channels SET channel_name = %s, display_name = %s"
            " WHERE channel_id = %s AND (channel_name <> %s OR display_name <> %s) RETURNING id",
            [
                names.channel_name,
                names.display_name,
                names.channel_id,
                names.channel_name,
                names.display_name,
            ],
        )
    )


def get(transaction: Transaction, channel_id: str) -> Channel | None:
    """One channel by its Twitch id, or None."""
    rows = transaction.select(f"{_SELECT} WHERE channel_id = %s", [channel_id])
    return _channel(rows[0]) if rows else None


def list_all(transaction: Transaction) -> list[Channel]:
    """Every channel, by name."""
    return [_channel(row) for row in transaction.select(f"{_SELECT} ORDER BY channel_name")]


def logins(transaction: Transaction, channel_ids: Iterable[str] | None = None) -> dict[str, str]:
    """The login by channel id: of these channels, as far as they are monitored, or of all."""
    sql = "SELECT channel_id, channel_name FROM twitch_channels"
    wanted = None if channel_ids is None else sorted(set(channel_ids))
    if wanted == []:
        return {}
    if wanted is not None:
        sql += f" WHERE channel_id IN ({', '.join(['%s'] * len(wanted))})"
    return dict(transaction.execute(sql, wanted or ()))


def change(transaction: Transaction, channel_id: str, changes: Mapping[str, Any]) -> None:
    """Set some of is_active, gateway_id, points, event_types and backfill."""
    stored = {name: _stored(name, value) for name, value in changes.items()}
    if stored:
        table = transaction.db.twitch_channels
        transaction.db(table.channel_id == channel_id).update(**stored)


def delete(transaction: Transaction, channel_id: str) -> None:
    """Forget a channel. Its events and activities stay."""
    transaction.execute("DELETE FROM twitch_channels WHERE channel_id = %s", [channel_id])


def warn(transaction: Transaction, channel_id: str, warning: str | None) -> None:
    """Note why a channel does not get all its events; None takes the note away."""
    transaction.execute(
        "UPDATE twitch_channels SET warning = %s WHERE channel_id = %s", [warning, channel_id]
    )


def compare_soon(transaction: Transaction, channel_id: str, delay_ms: int = 0) -> None:
    """Have the channel's subscriptions compared with Twitch's after so long, or earlier."""
    at_ms = transaction.now_ms() + delay_ms
    transaction.execute(
        "UPDATE twitch_channels SET compare_at_ms = %s"
        " WHERE channel_id = %s AND (compare_at_ms IS NULL OR compare_at_ms > %s)",
        [at_ms, channel_id, at_ms],
    )


def take_due(transaction: Transaction, limit: int) -> list[str]:
    """Some channels that are due to be compared; they are not due any more."""
    rows = transaction.execute(
        "SELECT channel_id FROM twitch_channels WHERE compare_at_ms <= %s"
        " ORDER BY compare_at_ms LIMIT %s",
        [transaction.now_ms(), limit],
    )
    due = [channel_id for (channel_id,) in rows]
    not_due(transaction, due)
    return due


def not_due(transaction: Transaction, channel_ids: Iterable[str]) -> None:
    """These channels are being compared now."""
    for channel_id in channel_ids:
        transaction.execute(
            "UPDATE twitch_channels SET compare_at_ms = NULL WHERE channel_id = %s", [channel_id]
        )


def backfilled(transaction: Transaction, channel_id: str, until_ms: int) -> None:
    """Note up to when all follows of a channel are known."""
    transaction.execute(
        "UPDATE twitch_channels SET backfilled_until_ms = %s WHERE channel_id = %s",
        [until_ms, channel_id],
    )


def _stored(name: str, value: Any) -> Any:
    if name in ("is_active", "backfill"):
        return int(value)
    return json.dumps(value) if name in ("points", "event_types") and value is not None else value


def _channel(row: Mapping[str, Any]) -> Channel:
    return Channel(
        **{
            **row,
            "is_active": bool(row["is_active"]),
            "backfill": bool(row["backfill"]),
            "points": json.loads(row["points"]) if row["points"] else None,
            "event_types": json.loads(row["event_types"]) if row["event_types"] else None,
        }
    )
