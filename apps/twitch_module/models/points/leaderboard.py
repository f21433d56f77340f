"""Who has how many points."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..events import message_ids
from ..events.events import OUT_OF_IT
from ..transaction import Transaction
from . import totals

_BOARD = """
SELECT place, user_id, points, times FROM (
    SELECT user_id, CAST(sum(points) AS BIGINT) AS points, CAST(sum(times) AS BIGINT) AS times,
        rank() OVER (ORDER BY sum(points) DESC) AS place
    FROM {source} AS totals {condition} GROUP BY user_id
) AS board
{after} ORDER BY points DESC, user_id LIMIT %s
"""
_BY_ACTIVITY = """
SELECT channel_id, activity_type, CAST(sum(points) AS BIGINT), CAST(sum(times) AS BIGINT)
FROM {source} AS totals {condition} GROUP BY channel_id, activity_type
ORDER BY channel_id, activity_type
"""
# The newest name of each, by an index; what is still to be delivered is not in that.
_NAMES = f"""
WITH wanted (user_id) AS (VALUES {{}})
SELECT user_id, (
    SELECT user_name FROM twitch_activities
    WHERE twitch_activities.user_id = wanted.user_id AND {OUT_OF_IT} ORDER BY id DESC LIMIT 1
) FROM wanted
"""


class Selection(NamedTuple):
    """Which points count; None for all. Days are those since 1970-01-01, of UTC."""

    channel_id: str | None = None
    activity_type: str | None = None
    user_id: str | None = None
    since_day: int | None = None
    until_day: int | None = None  # that day does not count any more


class Standing(NamedTuple):
    """A user's place: whoever has as many points has the same, and the next ones come after."""

    rank: int
    user_id: str
    points: int
    times: int


class Total(NamedTuple):
    """What a user has got in a channel from one activity."""

    channel_id: str
    activity_type: str
    points: int
    times: int


def page(
    transaction: Transaction, selection: Selection, *, after: tuple[int, str] | None, limit: int
) -> list[Standing]:
    """The users by their points, most first, after one with so many points and that id."""
    source, condition, values = _selected(transaction, selection)
    sql = _BOARD.format(
        source=source,
        condition=condition,
        after="" if after is None else "WHERE points < %s OR (points = %s AND user_id > %s)",
    )
    if after is not None:
        values += [after[0], *after]
    return [Standing(*row) for row in transaction.execute(sql, [*values, limit])]


def by_activity(transaction: Transaction, selection: Selection) -> list[Total]:
    """The points by channel and activity."""
    source, condition, values = _selected(transaction, selection)
    sql = _BY_ACTIVITY.format(source=source, condition=condition)
    return [Total(*row) for row in transaction.execute(sql, values)]


def names(transaction: Transaction, user_ids: Sequence[str]) -> dict[str, str | None]:
    """How these users were last called; None for those of whom nothing is kept."""
    if not user_ids:
        return {}
    sql = _NAMES.format(", ".join(["(%s)"] * len(user_ids)))
    return {user_id: name or None for user_id, name in transaction.execute(sql, user_ids)}


def _selected(transaction: Transaction, selection: Selection) -> tuple[str, str, list[Any]]:
    """Where the sums are, and the condition; the values of both."""
    source, values = totals.source(transaction, message_ids.indexed_to(transaction))
    wanted = (
        ("channel_id = %s", selection.channel_id),
        ("activity_type = %s", selection.activity_type),
        ("user_id = %s", selection.user_id),
        ("day >= %s", selection.since_day),
        ("day < %s", selection.until_day),
    )
    conditions = [condition for condition, value in wanted if value is not None]
    given = [value for _, value in wanted if value is not None]
    return source, f"WHERE {' AND '.join(conditions)}" if conditions else "", [*values, *given]
