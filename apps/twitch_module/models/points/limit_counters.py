"""What users have got in a day, a stream or ever, where a rule limits that."""

from collections.abc import Iterable, Mapping, Sequence

import orjson

from ...domain.points.limits import NOTHING, Counter, Period
from ..transaction import Prepared, Transaction

_KEY = "channel_id, user_id, activity_type, period"
# IN (VALUES ...) would read the whole table. One row, however many counters: Python gives up its
# lock for each row that it reads. SQLite.
_READ = """
WITH wanted (a, b, c, d) AS (VALUES PLACES)
SELECT json_group_array(json_array(a, b, c, d, points, times, last_at_ms))
FROM wanted CROSS JOIN twitch_limit_counters AS counters ON counters.channel_id = a
    AND counters.user_id = b AND counters.activity_type = c AND counters.period = d
"""
_NAMES = (*_KEY.split(", "), "points", "times", "last_at_ms")
_INTO = f"INSERT INTO twitch_limit_counters ({', '.join(_NAMES)})"
_SET = (
    f"ON CONFLICT ({_KEY}) DO UPDATE"
    " SET points = excluded.points, times = excluded.times, last_at_ms = excluded.last_at_ms"
)
# Planned once for each connection, whatever the number of rows. PostgreSQL.
_GIVEN = (
    f"{_INTO} SELECT {', '.join(_NAMES)} FROM json_to_recordset($1) AS given (channel_id text,"
    " user_id text, activity_type text, period text, points bigint, times bigint,"
    " last_at_ms bigint)"
)
_LOCK = Prepared(
    "lock_counters",
    ("json",),
    f"{_GIVEN} ON CONFLICT ({_KEY}) DO UPDATE SET points = twitch_limit_counters.points"
    f" RETURNING {', '.join(_NAMES)}",
)
_SAVE = Prepared("save_counters", ("json",), f"{_GIVEN} {_SET}")


def lock(transaction: Transaction, periods: Iterable[Period]) -> dict[Period, Counter]:
    """The counters of these periods; nobody else changes them until this transaction ends."""
    wanted = sorted(set(periods))
    if not wanted:
        return {}
    if transaction.sqlite:  # it is alone by itself
        values = [value for period in wanted for value in period]
        places = ", ".join(["(%s, %s, %s, %s)"] * len(wanted))
        rows = orjson.loads(transaction.execute(_READ.replace("PLACES", places), values)[0][0])
    else:
        given = [dict(zip(_NAMES, (*period, *NOTHING), strict=True)) for period in wanted]
        rows = transaction.execute_prepared(_LOCK, [orjson.dumps(given).decode()])
    found = {Period(*row[:4]): Counter(*row[4:]) for row in rows}
    return {period: found.get(period, NOTHING) for period in wanted}


def save(transaction: Transaction, counters: Mapping[Period, Counter]) -> None:
    """Keep counters that `lock` has given and that have changed since."""
    if not counters:
        return
    changed = [(*period, *counter) for period, counter in sorted(counters.items())]
    if transaction.sqlite:
        rows = ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * len(changed))
        values = [value for one in changed for value in one]
        transaction.execute(f"{_INTO} VALUES {rows} {_SET}", values)
        return
    given = [dict(zip(_NAMES, one, strict=True)) for one in changed]
    transaction.execute_prepared(_SAVE, [orjson.dumps(given).decode()])


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
