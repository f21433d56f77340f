"""Activities as something that can be taken back, and writing that."""

import json
from typing import Any, NamedTuple

from ...domain.events.follow import DERIVED
from ...domain.points.judgement import TAKES_BACK, Holder
from ...domain.points.natural_key import FAMILY
from ..delivery.outbox import DELIVERED, HELD, PENDING, SKIPPED
from ..transaction import Transaction
from .natural_keys import Place
from .totals import Change, sum_of

REVERSAL, CORRECTION = "reversal", "correction"  # the kinds beside "earned"
WAIT_MS = 5_000  # until it is looked again whether what is taken back has been delivered

_EARNING = """
SELECT a.id, a.event_id, e.channel_name, a.channel_id, a.user_id, a.user_login, a.user_name,
    a.activity_type, a.units, a.amount, a.status,
    coalesce(a.happened_at_ms, a.created_at_ms) AS at_ms
FROM twitch_activities a JOIN twitch_events e ON e.id = a.id
"""


class Earning(NamedTuple):
    """An activity of the past."""

    id: int
    event_id: str
    channel_name: str
    channel_id: str
    user_id: str
    user_login: str
    user_name: str
    activity_type: str
    units: int
    amount: int
    status: str
    at_ms: int


def get(transaction: Transaction, activity_id: int) -> Earning | None:
    """An activity, or None."""
    rows = transaction.execute(f"{_EARNING} WHERE a.id = %s", [activity_id])
    return Earning(*rows[0]) if rows else None


def revocable(transaction: Transaction, key: str, before_ms: int) -> Earning | None:
    """The last activity with this natural key that is not younger, and can be taken back."""
    rows = transaction.execute(
        f"{_EARNING} WHERE a.natural_key = %s AND a.kind = 'earned'"
        " AND a.activity_type IN ('ban', 'timeout', 'redemption') AND a.happened_at_ms <= %s"
        " ORDER BY a.happened_at_ms DESC LIMIT 1",
        [key, before_ms],
    )
    return Earning(*rows[0]) if rows else None


def holder(transaction: Transaction, key: str, place: Place) -> Holder:
    """What stands in the row that holds a key."""
    rows = transaction.execute(
        "SELECT e.event_id, a.activity_type, a.amount FROM twitch_events e"
        " LEFT JOIN twitch_activities a ON a.id = e.id"
        " WHERE e.id = %s AND (a.natural_key = %s OR a.id IS NULL)",
        [place.id, key],
    )
    if not rows:  # forgotten since
        activity = key.split(":")[1]
        return Holder("an earlier event", activity, place.at_ms, 0)
    event_id, activity, amount = rows[0]
    if activity is None:  # only what takes back holds a key without an activity
        family = key.split(":")[1]
        activity = _TAKES_BACK[family]
    return Holder(event_id, activity, place.at_ms, amount or 0)


_TAKES_BACK = {FAMILY[name]: name for name in TAKES_BACK}


def take_back(transaction: Transaction, earning: Earning, because: str) -> Change | None:
    """Write the reversal of an activity, which has an event of its own; what changes by it.

    None where there is nothing to take back, or where that has been done. What is held is
    dropped instead: nobody has heard of it. `because`: the event on whose account.
    """
    if not earning.amount or earning.status == HELD:
        if earning.status == HELD:
            drop(transaction, earning.id, f"taken back by {because}")
        return None
    reversed_already = transaction.execute(
        "SELECT id FROM twitch_activities WHERE reverses = %s", [earning.id]
    )
    if reversed_already:
        return None
    said = {"reverses": earning.event_id, "because": because}
    wait_ms = 0 if earning.status == DELIVERED else WAIT_MS
    written = write_derived(
        transaction,
        earning._replace(event_id=f"reversal:{earning.event_id}", amount=-earning.amount),
        kind=REVERSAL,
        said=said,
        reverses=earning.id,
        wait_ms=wait_ms,
    )
    return written.change


def drop(transaction: Transaction, activity_id: int, reason: str) -> None:
    """Give no points for a held activity after all."""
    transaction.execute(
        "UPDATE twitch_activities SET status = %s, amount = 0, reason = %s"
        " WHERE id = %s AND status = %s",
        [SKIPPED, reason, activity_id, HELD],
    )


class Written(NamedTuple):
    """An activity that has been written: its id, and what it changes in the sums."""

    id: int
    change: Change


def write_derived(
    transaction: Transaction,
    derived: Earning,
    *,
    kind: str,
    said: dict[str, Any],
    reverses: int | None = None,
    wait_ms: int = 0,
) -> Written:
    """Write an activity that comes from no message, with an event of its own. Does not commit.

    It counts on the day of `derived.at_ms`; on PostgreSQL the caller adds it to the sums.
    """
    now_ms = transaction.now_ms()
    written = json.dumps({"activity": derived.activity_type, **said})
    row_id = transaction.execute(
        "INSERT INTO twitch_events (event_id, event_type, event_version, subscription_id,"
        " channel_id, channel_name, user_id, user_login, user_name, received_at_ms, outcome,"
        " body) VALUES (%s, %s, '1', '', %s, %s, %s, %s, %s, %s, 'scored', %s) RETURNING id",
        [
            *(derived.event_id, DERIVED + kind, derived.channel_id, derived.channel_name),
            *(derived.user_id, derived.user_login, derived.user_name, now_ms, written.encode()),
        ],
    )[0][0]
    transaction.execute(
        "INSERT INTO twitch_activities (id, event_id, activity_type, user_id, user_login,"
        " user_name, channel_id, units, amount, rule, status, attempts, due_at_ms,"
        " lease_version, created_at_ms, happened_at_ms, kind, reverses)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, %s, 0, %s, %s, %s, %s)",
        [
            *(row_id, derived.event_id, derived.activity_type, derived.user_id),
            *(derived.user_login, derived.user_name, derived.channel_id, derived.units),
            *(derived.amount, written, PENDING, now_ms + wait_ms, now_ms, derived.at_ms),
            *(kind, reverses),
        ],
    )
    of = sum_of(derived.channel_id, derived.user_id, derived.activity_type, derived.at_ms)
    return Written(row_id, Change(of, derived.amount, -1 if kind == REVERSAL else 0))
