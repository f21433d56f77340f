"""A person's rows, in every table that has any: to be shown, and to be without that person."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...domain.events.notification import NotUnderstood, read_notification
from ...domain.points.natural_key import FOLLOWS, natural_key
from ...domain.privacy.erasure import ERASED, without
from ..events import message_ids
from ..points import totals
from ..transaction import Transaction

_EVENT = (
    "id, event_id, event_type, channel_id, channel_name, user_id, user_login, user_name,"
    " received_at_ms, outcome, reason"
)
_ACTIVITY = (
    "id, event_id, activity_type, channel_id, user_id, user_login, user_name, units, amount, kind,"
    " rule, status, reason, context, receipt, created_at_ms, happened_at_ms, delivered_at_ms"
)

_SKIP = (
    "UPDATE twitch_activities SET status = 'skipped', reason = %s,"
    " amount = CASE WHEN status = 'held' THEN 0 ELSE amount END"  # nobody has got these
)


class Kept(NamedTuple):
    """A row about a person, and the table that it stands in."""

    table: str
    row: Mapping[str, Any]


def is_streamer(transaction: Transaction, user_id: str) -> bool:
    """Whether the user's channel is monitored, or there is a login of the user's."""
    rows = transaction.execute(
        "SELECT 1 FROM twitch_channels WHERE channel_id = %s"
        " UNION ALL SELECT 1 FROM twitch_tokens WHERE user_id = %s",
        [user_id, user_id],
    )
    return bool(rows)


def events(transaction: Transaction, user_id: str, after_id: int, limit: int) -> list[Kept]:
    """The user's own events with their bodies; of others that name the user, that they do."""
    rows = transaction.execute(
        f"SELECT {_EVENT}, body FROM twitch_events WHERE id > %s AND {_is_in(transaction)}"
        " ORDER BY id LIMIT %s",
        [after_id, user_id, user_id, _needle(user_id), limit],
    )
    kept = []
    for row in rows:
        shown = dict(zip(_EVENT.split(", "), row[:-1], strict=True))
        if shown["user_id"] == user_id:
            shown["body"] = bytes(row[-1]).decode(errors="replace")
        else:
            shown = {name: shown[name] for name in ("id", "event_id", "event_type", "channel_id")}
            shown["received_at_ms"] = row[8]
        kept.append(Kept("twitch_events", shown))
    return kept


def activities(transaction: Transaction, user_id: str, after_id: int, limit: int) -> list[Kept]:
    """The user's activities."""
    rows = transaction.execute(
        f"SELECT {_ACTIVITY} FROM twitch_activities WHERE id > %s AND user_id = %s"
        " ORDER BY id LIMIT %s",
        [after_id, user_id, limit],
    )
    names = _ACTIVITY.split(", ")
    return [Kept("twitch_activities", dict(zip(names, row, strict=True))) for row in rows]


# Table, columns, where the user is; what else there is, a few rows of each. Secrets stay out.
_FURTHER = (
    (
        "twitch_limit_counters",
        "channel_id, user_id, activity_type, period, points, times, last_at_ms",
        "user_id = %s",
    ),
    (
        "twitch_policy_changes",
        "run_id, number, channel_id, user_id, user_login, user_name, activity_type, day,"
        " points_before, points_after",
        "user_id = %s",
    ),
    (
        "twitch_channels",
        "channel_id, channel_name, display_name, is_active, gateway_id, created_at_ms",
        "channel_id = %s",
    ),
    (
        "twitch_tokens",
        "user_id, login, display_name, scopes, status, created_at_ms, renewed_at_ms",
        "user_id = %s",
    ),
)


def further(transaction: Transaction, user_id: str) -> list[Kept]:
    """Sums, counters, and all the rest."""
    source, values = totals.source(transaction, message_ids.indexed_to(transaction))
    names = "channel_id, user_id, activity_type, day, points, times"
    kept = [
        Kept("twitch_totals", dict(zip(names.split(", "), row, strict=True)))
        for row in transaction.execute(
            "SELECT channel_id, user_id, activity_type, day, CAST(sum(points) AS BIGINT),"
            f" CAST(sum(times) AS BIGINT) FROM {source} AS totals WHERE user_id = %s"
            " GROUP BY channel_id, user_id, activity_type, day"
            " ORDER BY channel_id, day, activity_type",
            [*values, user_id],
        )
    ]
    for table, columns, where in _FURTHER:
        rows = transaction.execute(f"SELECT {columns} FROM {table} WHERE {where}", [user_id])
        names_of = columns.split(", ")
        kept += [Kept(table, dict(zip(names_of, row, strict=True))) for row in rows]
    return kept


def skip_deliveries(transaction: Transaction, user_id: str) -> None:
    """Have WaddleBot told nothing more of this user."""
    # In the words of the indexes of what waits: the whole table may be large.
    for waiting in ("status IN ('pending', 'leased') AND status = 'pending'", "status = 'held'"):
        transaction.execute(f"{_SKIP} WHERE user_id = %s AND {waiting}", [ERASED, user_id])


def last_event(transaction: Transaction) -> int:
    """The newest event's row."""
    return int(transaction.execute("SELECT coalesce(max(id), 0) FROM twitch_events")[0][0])


def rename_outside_events(transaction: Transaction, user_id: str, stand_in: str) -> None:
    """Put the stand-in wherever the user is, but for events and their activities.

    All points are summed up before, so that the user's stay together.
    """
    if transaction.sqlite:
        message_ids.index(transaction)
    # Those of follows outlive their events, and are found by the sums.
    paid = transaction.execute(
        "SELECT DISTINCT channel_id, user_id FROM twitch_totals WHERE user_id = %s"
        " UNION SELECT DISTINCT channel_id, user_id FROM twitch_totals WHERE channel_id = %s",
        [user_id, user_id],
    )
    keys = [f"{FOLLOWS}{channel_id}:{by}" for channel_id, by in paid]
    _rename_keys(transaction, keys, user_id, stand_in)
    for table, columns in _NAMED.items():
        for column in columns:
            transaction.execute(
                f"UPDATE {table} SET {column} = %s WHERE {column} = %s", [stand_in, user_id]
            )
    transaction.execute(
        "UPDATE twitch_policy_changes SET user_login = '', user_name = '' WHERE user_id = %s",
        [stand_in],
    )
    transaction.execute("DELETE FROM twitch_limit_counters WHERE user_id = %s", [user_id])
    _rename_in_audit(transaction, user_id, stand_in)


_NAMED = {
    "twitch_totals": ("user_id", "channel_id"),
    "twitch_policy_changes": ("user_id", "channel_id"),
    "twitch_streams": ("channel_id",),
    "twitch_policy_runs": ("channel_id",),
    "twitch_policy_versions": ("channel_id",),
}


def _rename_keys(
    transaction: Transaction, keys: Iterable[str], user_id: str, stand_in: str
) -> None:
    for key in keys:
        transaction.execute(
            "UPDATE twitch_natural_keys SET key = %s WHERE key = %s",
            [_in_key(key, user_id, stand_in), key],
        )


def _rename_in_audit(transaction: Transaction, user_id: str, stand_in: str) -> None:
    """What was done to the user stays, without the name."""
    rows = transaction.execute(
        "SELECT id, object FROM audit_log WHERE object LIKE %s", [f"%:{user_id}"]
    )
    for row_id, subject in rows:
        transaction.execute(
            "UPDATE audit_log SET object = %s, before_change = NULL, after_change = NULL"
            " WHERE id = %s",
            [_in_key(subject, user_id, stand_in), row_id],
        )


def take_out_of_events(
    transaction: Transaction, user_id: str, stand_in: str, *, after_id: int, up_to: int
) -> int:
    """Put the stand-in in the user's place in these events; in how many the user was."""
    rows = transaction.execute(
        "SELECT id, event_id, user_id, channel_id, body, received_at_ms FROM twitch_events"
        f" WHERE id > %s AND id <= %s AND {_is_in(transaction)} ORDER BY id",
        [after_id, up_to, user_id, user_id, _needle(user_id)],
    )
    for row_id, event_id, by, channel_id, body, received_at_ms in rows:
        own = by == user_id
        taken_out = without(bytes(body), user_id, stand_in, by_user=own)
        _rename_keys(transaction, _keys_of(bytes(body)), user_id, stand_in)
        ids = [
            _in_id(event_id, user_id, stand_in),
            stand_in if own else by,
            stand_in if channel_id == user_id else channel_id,
        ]
        transaction.execute(
            "UPDATE twitch_events SET event_id = %s, user_id = %s, channel_id = %s, body = %s"
            f"{_NO_NAMES if own else ''}{_NO_CHANNEL if channel_id == user_id else ''}"
            " WHERE id = %s",
            [*ids, taken_out, row_id],
        )
        if transaction.sqlite and ids[0] != event_id:
            transaction.execute(
                "UPDATE twitch_message_ids SET event_id = %s WHERE week = %s AND event_id = %s",
                [ids[0], received_at_ms // message_ids.WEEK_MS, event_id],
            )
        _take_out_of_activity(transaction, user_id, stand_in, row_id, ids, own=own)
    return len(rows)


_NO_NAMES = ", user_login = '', user_name = ''"
_NO_CHANNEL = ", channel_name = ''"


def _take_out_of_activity(
    transaction: Transaction,
    user_id: str,
    stand_in: str,
    row_id: int,
    ids: Sequence[str],
    *,
    own: bool,
) -> None:
    rows = transaction.execute("SELECT natural_key FROM twitch_activities WHERE id = %s", [row_id])
    for (key,) in rows:
        if key is not None:
            _rename_keys(transaction, [key], user_id, stand_in)
        transaction.execute(
            "UPDATE twitch_activities SET natural_key = %s, event_id = %s, user_id = %s,"
            f" channel_id = %s{_NO_NAMES + ', context = NULL, receipt = NULL' if own else ''}"
            " WHERE id = %s",
            [None if key is None else _in_key(key, user_id, stand_in), *ids, row_id],
        )
        if own:
            transaction.execute(
                f"{_SKIP} WHERE id = %s AND status IN ('pending', 'held')", [ERASED, row_id]
            )


def _keys_of(body: bytes) -> list[str]:
    """The natural key of a message, which it may hold without an activity."""
    try:
        key = natural_key(read_notification(body))
    except NotUnderstood:
        return []
    return [] if key is None else [key]


def _is_in(transaction: Transaction) -> str:
    """Where the user is in an event: takes the id twice, and what _needle gives."""
    inside = "instr(body, %s)" if transaction.sqlite else "position(%s IN body)"
    return f"(user_id = %s OR channel_id = %s OR {inside} > 0)"


def _needle(user_id: str) -> bytes:
    return json.dumps(user_id).encode()


def _in_key(key: str, user_id: str, stand_in: str) -> str:
    return ":".join(stand_in if part == user_id else part for part in key.split(":"))


def _in_id(event_id: str, user_id: str, stand_in: str) -> str:
    return "/".join(stand_in if part == user_id else part for part in event_id.split("/"))
