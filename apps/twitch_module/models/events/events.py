"""The stored events, newest first."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..pages import Page, Source, id_bounds, select_page
from ..transaction import Transaction
from .message_ids import WEEK_MS, row_id

# Of activities: those that are still to be delivered, and the others. Both are the conditions of
# indexes, word for word.
IN_OUTBOX = "status IN ('pending', 'leased')"
# With this the outbox's index is searched; else the planner may go through the table by id.
BY_OUTBOX = "due_at_ms > 0"
OUT_OF_IT = "status NOT IN ('pending', 'leased')"
UNDELIVERED = "status IN ('skipped', 'dead')"  # for good

SCORED, UNSCORED, QUARANTINED = "scored", "unscored", "quarantined"


class NewEvent(NamedTuple):
    """A row of twitch_events that is about to be written."""

    event_id: str
    event_type: str
    event_version: str
    subscription_id: str
    channel_id: str
    channel_name: str
    user_id: str
    user_login: str
    user_name: str
    sent_at_ms: int  # by Twitch's timestamp
    outcome: str
    reason: str | None
    body: bytes


_SHOWN = (
    "id",
    "event_id",
    "event_type",
    "subscription_id",
    "channel_id",
    "channel_name",
    "user_id",
    "user_login",
    "user_name",
    "received_at_ms",
    "outcome",
    "reason",
)


# Events that have an activity are found by that one's indexes, and the others by their own: each
# index on this table makes every webhook dearer, one on activities only their delivery.
_OF_ACTIVITIES = {
    "user_id": "a.user_id",
    "channel_id": "a.channel_id",
    "event_type": "e.event_type",
    "received_at_ms": "e.received_at_ms",
}
_JOINED = "twitch_activities a JOIN twitch_events e ON e.id = a.id"
_BY_WHOM_OR_WHERE = (
    Source(_JOINED, f"a.{OUT_OF_IT}", _OF_ACTIVITIES, "a.id"),
    Source(_JOINED, f"a.{IN_OUTBOX} AND a.{BY_OUTBOX}", _OF_ACTIVITIES, "a.id + 0"),
    Source("twitch_events", "outcome <> 'scored'", {}),
)


def list_events(transaction: Transaction, *, equal: Mapping[str, str], **page: Any) -> Page:
    """A page of events, newest first, without their bodies. Arguments: see select_page."""
    sources = _BY_WHOM_OR_WHERE if equal.keys() & {"user_id", "channel_id"} else ()
    return select_page(
        transaction,
        "twitch_events",
        _SHOWN,
        time="received_at_ms",
        equal=equal,
        sources=sources,
        **page,
    )


def get_event(transaction: Transaction, event_id: str) -> dict[str, Any] | None:
    """One event by Twitch's message id, with `body` (bytes), or None."""
    weeks = _weeks(transaction)
    places = ", ".join(["%s"] * len(weeks)) or "NULL"
    condition = f"(received_at_ms / {WEEK_MS}) IN ({places})"
    parameters: list[str | int | None] = [*weeks, event_id]
    if transaction.sqlite:
        condition, parameters = "id = %s", [row_id(transaction, event_id, weeks), event_id]
    columns = ", ".join((*_SHOWN, "body"))
    rows = transaction.select(
        f"SELECT {columns} FROM twitch_events WHERE {condition} AND event_id = %s"
        " ORDER BY id DESC LIMIT 1",
        parameters,
    )
    return {**rows[0], "body": bytes(rows[0]["body"])} if rows else None


def note_outcome(transaction: Transaction, row_id: int, outcome: str, reason: str) -> None:
    """Say what became of an event after all."""
    transaction.execute(
        "UPDATE twitch_events SET outcome = %s, reason = %s WHERE id = %s",
        [outcome, reason, row_id],
    )


def _weeks(transaction: Transaction) -> range:
    """The weeks from which there are events."""
    sql = "SELECT received_at_ms FROM twitch_events ORDER BY id {} LIMIT 1"
    ends = [
        row[0] // WEEK_MS for way in ("", "DESC") for row in transaction.execute(sql.format(way))
    ]
    return range(min(ends), max(ends) + 1) if ends else range(0)


def last_received_ms(transaction: Transaction, channel_id: str, event_type: str) -> int | None:
    """When the last event of this type came from a channel (epoch ms), or None."""
    rows = transaction.execute(
        "SELECT received_at_ms FROM twitch_events WHERE event_type = %s AND channel_id = %s"
        " ORDER BY id DESC LIMIT 1",
        [event_type, channel_id],
    )
    return rows[0][0] if rows else None


def bodies_since(
    transaction: Transaction, channel_id: str, event_type: str, since_ms: int
) -> list[bytes]:
    """The bodies of a channel's events of one type that were understood."""
    above, _ = id_bounds(transaction, "twitch_events", "received_at_ms", since_ms, None)
    rows = transaction.execute(
        "SELECT body FROM twitch_events WHERE event_type = %s AND id > %s AND channel_id = %s"
        " AND received_at_ms >= %s AND outcome <> 'quarantined'",
        [event_type, above, channel_id, since_ms],
    )
    return [bytes(body) for (body,) in rows]
