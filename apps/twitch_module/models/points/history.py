"""What has been stored, to be looked at once more."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from ...domain.points.limits import Counter, Period
from ..events import message_ids
from ..pages import id_bounds
from ..transaction import Transaction
from . import totals
from .totals import DAY_MS, Sum

SETTLED_MS = 15_000  # what is older has been committed, by whichever process

_DAY = f"coalesce(happened_at_ms, created_at_ms) / {DAY_MS}"
_COUNTED = "amount <> 0 AND user_id <> '' AND status <> 'held'"


class Stored(NamedTuple):
    """An event, and what is known of its activity."""

    id: int
    event_id: str
    event_type: str
    event_version: str
    channel_id: str
    reason: str | None
    body: bytes
    at_ms: int  # when it was sent, else when it happened, else when it came
    status: str | None  # the activity's
    why: str | None  # likewise


def read(
    transaction: Transaction, *, after_id: int, up_to: int, channel_id: str | None, limit: int
) -> list[Stored]:
    """Events in the order in which they came, by id."""
    of_channel = "" if channel_id is None else " AND e.channel_id || '' = %s"
    rows = transaction.execute(
        "SELECT e.id, e.event_id, e.event_type, e.event_version, e.channel_id, e.reason, e.body,"
        " coalesce(e.sent_at_ms, a.happened_at_ms, e.received_at_ms), a.status, a.reason"
        " FROM twitch_events e LEFT JOIN twitch_activities a ON a.id = e.id"
        f" WHERE e.id > %s AND e.id <= %s{of_channel} ORDER BY e.id LIMIT %s",
        [after_id, up_to, *([] if channel_id is None else [channel_id]), limit],
    )
    return [Stored(*row)._replace(body=bytes(row[6])) for row in rows]


class Extent(NamedTuple):
    """Which events there are since a time."""

    after_id: int
    up_to: int
    from_day: int  # the first of which nothing has been forgotten
    pruned: list[dict[str, Any]]  # what has been, by channel and activity


def extent(transaction: Transaction, since_ms: int, channel_id: str | None) -> Extent:
    """Since the day of UTC that `since_ms` is on, up to what is settled by now."""
    since_day = max(since_ms, 0) // DAY_MS
    rows = transaction.execute("SELECT received_at_ms FROM twitch_events ORDER BY id LIMIT 1")
    oldest_day = rows[0][0] // DAY_MS if rows else since_day
    until_ms = transaction.now_ms() - SETTLED_MS
    _, below = id_bounds(transaction, "twitch_events", "received_at_ms", None, until_ms)
    up_to = (below or 1) - 1
    from_day = since_day
    pruned = _pruned(transaction, since_day, oldest_day + 1, channel_id)
    if pruned:
        from_day = max(since_day, oldest_day + 1)
        pruned = _pruned(transaction, since_day, from_day, channel_id, whole=True)
    above, _ = id_bounds(transaction, "twitch_events", "received_at_ms", from_day * DAY_MS, None)
    return Extent(max(above or 0, 0), up_to, from_day, pruned)


def _pruned(
    transaction: Transaction,
    since_day: int,
    until_day: int,
    channel_id: str | None,
    *,
    whole: bool = False,
) -> list[dict[str, Any]]:
    """Of which activities that count in the totals nothing is kept; with `whole`, all of them."""
    source, values = totals.source(transaction, message_ids.indexed_to(transaction))
    of_channel = "" if channel_id is None else " AND channel_id = %s"
    given = [since_day, until_day, *([] if channel_id is None else [channel_id])]
    found = transaction.execute(
        "SELECT channel_id, activity_type, CAST(sum(times) AS BIGINT),"
        f" CAST(sum(points) AS BIGINT) FROM {source} AS totals"
        f" WHERE day >= %s AND day < %s{of_channel} GROUP BY channel_id, activity_type"
        " ORDER BY channel_id, activity_type",
        [*values, *given],
    )
    kept: dict[tuple[str, str], int] = {}
    if not whole:
        kept = {
            (row[0], row[1]): int(row[2])
            for row in transaction.execute(
                "SELECT channel_id, activity_type, sum(CASE kind WHEN 'earned' THEN 1"
                " WHEN 'reversal' THEN -1 ELSE 0 END) FROM twitch_activities"
                f" WHERE {_COUNTED} AND {_DAY} >= %s AND {_DAY} < %s{of_channel}"
                " GROUP BY channel_id, activity_type",
                given,
            )
        }
    return [
        {"channel_id": channel, "activity_type": activity, "activities": times, "points": points}
        for channel, activity, times, points in found
        if times > kept.get((channel, activity), 0) or whole
    ]


def sums(
    transaction: Transaction, *, channel_id: str | None, after_id: int, up_to: int, from_day: int
) -> dict[Sum, int]:
    """The points that these activities have given, corrections included."""
    of_channel = "" if channel_id is None else " AND channel_id || '' = %s"
    rows = transaction.execute(
        f"SELECT channel_id, user_id, activity_type, {_DAY} AS day, sum(amount)"
        f" FROM twitch_activities WHERE id > %s AND id <= %s AND {_COUNTED}"
        f" AND {_DAY} >= %s{of_channel} GROUP BY channel_id, user_id, activity_type, day",
        [after_id, up_to, from_day, *([] if channel_id is None else [channel_id])],
    )
    return {Sum(*row[:4]): int(row[4]) for row in rows}


def folded_sums(transaction: Transaction, from_day: int) -> dict[Sum, int]:
    """The points of the table of totals. Of a database on SQLite in which all is summed up."""
    rows = transaction.execute(
        "SELECT channel_id, user_id, activity_type, day, points FROM twitch_totals WHERE day >= %s",
        [from_day],
    )
    return {Sum(*row[:4]): int(row[4]) for row in rows}


def counters_before(
    transaction: Transaction, users: Iterable[tuple[str, str, str]], day: int
) -> dict[Period, Counter]:
    """For (channel, user, activity): what was paid before a day, as the limit "ever" counts it."""
    source, values = totals.source(transaction, message_ids.indexed_to(transaction))
    found: dict[Period, Counter] = {}
    for channel_id, user_id, activity_type in sorted(users):
        rows = transaction.execute(
            "SELECT coalesce(sum(points), 0), coalesce(sum(times), 0), coalesce(max(day), 0)"
            f" FROM {source} AS totals WHERE channel_id = %s AND user_id = %s"
            " AND activity_type = %s AND day < %s",
            [*values, channel_id, user_id, activity_type, day],
        )
        points, times, last_day = map(int, rows[0])
        if times > 0:
            period = Period(channel_id, user_id, activity_type, "ever")
            found[period] = Counter(abs(points), times, last_day * DAY_MS)
    return found
