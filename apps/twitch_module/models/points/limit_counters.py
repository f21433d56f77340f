"""What users have got in a day, a stream or ever, where a rule limits that."""

from collections.abc import Iterable, Mapping, Sequence

import orjson

from ...domain.points.limits import NOTHING, Counter, Period
from ..transaction import Transaction

_KEY = "channel_id, user_id, activity_type, period"
# IN (VALUES ...) would read the whole table. One row, however many counters: Python gives up its
# lock for each row that it reads. SQLite.
_READ = """
WITH wanted (a, b, c, d) AS (VALUES PLACES)
SELECT json_group_array(json_array(a, b, c, d, points, times, last_at_ms))
FROM wanted CROSS JOIN twitch_limit_counters AS counters ON counters.channel_id = a
    AND counters.user_id = b AND counters.activity_type = c AND counters.period = d
"""
_INTO = f"INSERT INTO twitch_limit_counters ({_KEY}, points, times, last_at_ms) VALUES"


def lock(transaction: Transaction, periods: Iterable[Period]) -> dict[Period, Counter]:
    """The counters of these periods; nobody else changes them until this transaction ends."""
    wanted = sorted(set(periods))
    if not wanted:
        return {}
    values = [value for period in wanted for value in period]
    if transaction.sqlite:  # it is alone by itself
        places = ", ".join(["(%s, %s, %s, %s)"] * len(wanted))
        rows = orjson.loads(transaction.execute(_READ.replace("PLACES", places), values)[0][0])
    else:
        row = "(%s, %s, %s, %s, 0, 0, 0)"
        rows = transaction.execute(
            f"{_INTO} {', '.join([row] * len(wanted))} ON CONFLICT ({_KEY}) DO UPDATE"
            f" SET points = twitch_limit_counters.points RETURNING {_KEY}, points, times,"
            " last_at_ms",
            values,
        )
    found = {Period(*row[:4]): Counter(*row[4:]) for row in rows}
    return {period: found.get(period, NOTHING) for period in wanted}


def save(transaction: Transaction, counters: Mapping[Period, Counter]) -> None:
    """Keep counters that `lock` has given and that have changed since."""
    if not counters:
        return
    rows = ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * len(counters))
    transaction.execute(
        f"{_INTO} {rows} ON CONFLICT ({_KEY}) DO UPDATE"
        " SET points = excluded.points, times = excluded.times, last_at_ms = excluded.last_at_ms",
        [value for period, counter in sorted(counters.items()) for value in (*period, *counter)],
    )


def over(transaction: Transaction, before_ms: int, limit: int) -> list[Period]:
    """Periods that are long over, so many at the most. Reads the whole table."""
    rows = transaction.execute(
        f"SELECT {_KEY} FROM twitch_limit_counters"
        " WHERE last_at_ms < %s AND period <> 'ever' LIMIT %s",
        [before_ms, limit],
    )
    return [Period(*row) for row in rows]


def forget(transaction: Transaction, before_ms: int, periods: Sequence[Period]) -> None:
    """Delete counters of periods that are over, unless somebody has counted since."""
    for period in periods:
        transaction.execute(
            f"DELETE FROM twitch_limit_counters WHERE ({_KEY}) = (%s, %s, %s, %s)"
            " AND last_at_ms < %s",
            [*period, before_ms],
        )
