"""Sums of points by channel, user, activity and day of UTC. They outlive the events.

PostgreSQL changes them with the activities, in the same transaction. On SQLite they are summed up
many at once, with the message ids; what is not in them by then is read from the activities.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson

from ..transaction import Prepared, Transaction

DAY_MS = 24 * 3600 * 1000
_DAY = f"coalesce(happened_at_ms, created_at_ms) / {DAY_MS}"
# A reversal takes away one of what it reverses; a correction none.
_SUMS = f"""
SELECT channel_id, user_id, activity_type, {_DAY} AS day, sum(amount) AS points,
    sum(CASE kind WHEN 'earned' THEN 1 WHEN 'reversal' THEN -1 ELSE 0 END) AS times
FROM twitch_activities
WHERE id > %s AND id <= %s AND amount <> 0 AND user_id <> '' AND status <> 'held'
GROUP BY channel_id, day, user_id, activity_type
"""
_ADD = """
ON CONFLICT (channel_id, day, user_id, activity_type) DO UPDATE
SET points = twitch_totals.points + excluded.points, times = twitch_totals.times + excluded.times
"""
_INTO = "INSERT INTO twitch_totals (channel_id, user_id, activity_type, day, points, times)"
# Planned once for each connection, whatever the number of rows.
_ADD_ALL = Prepared(
    "add_totals",
    ("json",),
    f"{_INTO} SELECT channel_id, user_id, activity_type, day, points, times"
    " FROM json_to_recordset($1) AS given (channel_id text, user_id text, activity_type text,"
    f" day bigint, points bigint, times bigint) {_ADD}",
)
# SQLite needs the WHERE to tell the ON of a conflict from that of a join.
FOLD = f"{_INTO} SELECT * FROM ({_SUMS}) WHERE true ORDER BY channel_id, day, user_id {_ADD}"


class Sum(NamedTuple):
    """What is summed up."""

    channel_id: str
    user_id: str
    activity_type: str
    day: int  # since 1970-01-01


class Change(NamedTuple):
    """An activity that has come, or been changed."""

    of: Sum
    points: int
    times: int


def sum_of(channel_id: str, user_id: str, activity_type: str, at_ms: int) -> Sum:
    """The sum that something belongs to."""
    return Sum(channel_id, user_id, activity_type, at_ms // DAY_MS)


def add(transaction: Transaction, changes: Iterable[Change]) -> None:
    """Change the sums themselves. In a fixed order: two processes must not wait for each other."""
    points: Counter[Sum] = Counter()
    times: Counter[Sum] = Counter()
    for change in changes:
        if change.points and change.of.user_id:
            points[change.of] += change.points
            times[change.of] += change.times
    if not points:
        return
    in_order = sorted(points)
    if transaction.sqlite:
        transaction.execute(
            f"{_INTO} VALUES {', '.join(['(%s, %s, %s, %s, %s, %s)'] * len(in_order))} {_ADD}",
            [value for one in in_order for value in (*one, points[one], times[one])],
        )
        return
    rows = [{**one._asdict(), "points": points[one], "times": times[one]} for one in in_order]
    transaction.execute_prepared(_ADD_ALL, [orjson.dumps(rows).decode()])


def source(transaction: Transaction, indexed_to: int) -> tuple[str, Sequence[int]]:
    """What to select sums from, and its parameters: those of the table, and what is not in it."""
    columns = "channel_id, user_id, activity_type, day, points, times"
    if not transaction.sqlite:
        return "twitch_totals", ()
    tail = f"SELECT {columns} FROM twitch_totals UNION ALL SELECT * FROM ({_SUMS})"
    return f"({tail})", (indexed_to, 2**62)
