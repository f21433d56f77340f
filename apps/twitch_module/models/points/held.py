"""Activities that wait for an admin, who releases or drops them."""

from collections.abc import Mapping
from typing import Any

from ..delivery.announcements import announce
from ..delivery.outbox import HELD, PENDING, SKIPPED
from ..events import message_ids
from ..pages import where
from ..transaction import Transaction
from . import totals
from .totals import Change, sum_of

DROPPED = "dropped by an admin"
_HELD = f"status = '{HELD}'"
_RELEASE = (
    f"UPDATE twitch_activities SET status = '{PENDING}', reason = NULL, due_at_ms = %s WHERE {{}}"
    " RETURNING id, channel_id, user_id, activity_type,"
    " coalesce(happened_at_ms, created_at_ms) AS at_ms, amount"
)
_DROP = (
    f"UPDATE twitch_activities SET status = '{SKIPPED}', reason = '{DROPPED}', amount = 0"
    " WHERE {} RETURNING id"
)


def count(transaction: Transaction, selection: Mapping[str, Any]) -> int:
    """How many are held of those that fit. `selection`: see `release`."""
    condition, values = _condition(selection)
    rows = transaction.execute(f"SELECT count(*) FROM twitch_activities WHERE {condition}", values)
    return int(rows[0][0])


def release(transaction: Transaction, selection: Mapping[str, Any]) -> int:
    """Have all that fit delivered after all; how many. Does not commit.

    `selection` is an `id`, or the arguments of `pages.where` but for the time's column.
    """
    condition, values = _condition(selection)
    announce(transaction)
    rows = transaction.execute(_RELEASE.format(condition), [transaction.now_ms(), *values])
    # On SQLite, those that come after are summed up when their turn comes.
    summed_to = message_ids.indexed_to(transaction) if transaction.sqlite else None
    totals.add(
        transaction,
        [
            Change(sum_of(channel_id, user_id, activity_type, at_ms), amount, 1)
            for row_id, channel_id, user_id, activity_type, at_ms, amount in rows
            if summed_to is None or row_id <= summed_to
        ],
    )
    return len(rows)


def drop(transaction: Transaction, selection: Mapping[str, Any]) -> int:
    """Have none of those that fit give points; how many. Arguments: see `release`."""
    condition, values = _condition(selection)
    return len(transaction.execute(_DROP.format(condition), values))


def _condition(selection: Mapping[str, Any]) -> tuple[str, list[Any]]:
    if "id" in selection:
        return f"{_HELD} AND id = %s", [selection["id"]]
    conditions, values = where(**selection, time="created_at_ms")
    return " AND ".join([_HELD, *conditions]), values
