"""What users have got in a day, a stream or ever, where a rule limits that."""

from collections.abc import Iterable, Mapping

from ...domain.points.limits import NOTHING, Counter, Period
from ..transaction import Transaction

_KEY = "channel_id, user_id, activity_type, period"
_INTO = f"INSERT INTO twitch_limit_counters ({_KEY}, points, times, last_at_ms) VALUES"


def lock(transaction: Transaction, periods: Iterable[Period]) -> dict[Period, Counter]:
    """The counters of these periods; nobody else changes them until this transaction ends."""
    wanted = sorted(set(periods))
    if not wanted:
        return {}
    values = [value for period in wanted for value in period]
    if transaction.sqlite:  # it is alone by itself
        row = "(%s, %s, %s, %s)"
        rows = transaction.execute(
            f"SELECT {_KEY}, points, times, last_at_ms FROM twitch_limit_counters"
            f" WHERE ({_KEY}) IN (VALUES {', '.join([row] * len(wanted))})",
            values,
        )
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
    for period, counter in sorted(counters.items()):
        transaction.execute(
            f"{_INTO} (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT ({_KEY}) DO UPDATE"
            " SET points = excluded.points, times = excluded.times,"
            " last_at_ms = excluded.last_at_ms",
            [*period, *counter],
        )


def forget(transaction: Transaction, before_ms: int, limit: int) -> None:
    """Delete counters of periods that are long over, so many at the most."""
    transaction.execute(
        f"DELETE FROM twitch_limit_counters WHERE ({_KEY}) IN"
        f" (SELECT {_KEY} FROM twitch_limit_counters"
        " WHERE last_at_ms < %s AND period <> 'ever' LIMIT %s)",
        [before_ms, limit],
    )
