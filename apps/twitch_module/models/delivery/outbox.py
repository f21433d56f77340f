"""The outbox: which activities are due, and who delivers them until when.

A row is claimed by setting its lease; whoever claims it next raises `lease_version`, so that
an answer which comes too late carries an old version and changes nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..transaction import Transaction

PENDING = "pending"  # waits for `due_at_ms`
LEASED = "leased"  # a worker has it until `due_at_ms`
DELIVERED = "delivered"
SKIPPED = "skipped"  # not meant to be delivered; `reason` says why
HELD = "held"  # waits for an admin to release or drop it
NOTHING_TO_TAKE_BACK = "what it takes back was not delivered"
DEAD = "dead"  # given up; `reason` says why; can be delivered again by hand
LEASE_MS = 60_000
MAX_REASON_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Lease:
    """An activity that this worker has claimed. `attempts` counts the tries before this one."""

    id: int
    version: int
    event_id: str
    activity_type: str
    user_id: str
    user_login: str
    user_name: str
    channel_id: str
    units: int
    amount: int
    attempts: int
    created_at_ms: int
    kind: str
    reverses: int | None
    context: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a try ended. `status` is the activity's next one; for pending, `delay_ms` counts.

    Only a try in which a call was `made` counts as an attempt: workers that stop, or die, before
    their call must not use up an activity's tries.
    """

    lease: Lease
    status: str
    reason: str | None = None
    delay_ms: int = 0
    answer: dict[str, Any] | None = None  # what the reputation API said
    made: bool = True


# MATERIALIZED: PostgreSQL may otherwise run the inner statements once per row, and each time
# they would skip what it has locked and find others, far beyond their limits.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM (
        SELECT id FROM twitch_activities
        WHERE status IN ('pending', 'leased') AND due_at_ms <= %s {restriction}
        ORDER BY due_at_ms LIMIT %s {lock}
    ) AS oldest
    UNION
    SELECT id FROM (
        SELECT id FROM twitch_activities
        WHERE status IN ('pending', 'leased') AND due_at_ms <= %s {restriction}
        ORDER BY due_at_ms DESC LIMIT %s {lock}
    ) AS newest
)
UPDATE twitch_activities
SET status = 'leased', due_at_ms = %s, lease_version = lease_version + 1
WHERE id IN (SELECT id FROM due)
RETURNING id, lease_version AS version, event_id, activity_type, user_id, user_login, user_name,
    channel_id, units, amount, attempts, created_at_ms, kind, reverses, context
"""


def claim(
    transaction: Transaction, oldest: int, newest: int = 0, *, with_context_only: bool = False
) -> list[Lease]:
    """Lease activities that are due, or whose lease has run out, for 60 seconds.

    So many of those that have been due longest, and of those that have become due last: behind
    a backlog, too, somebody who has just acted gets his points soon. Nobody else gets them
    meanwhile. `with_context_only` takes only those that do not need the context API any more.
    """
    sql = _CLAIM.format(
        restriction="AND context IS NOT NULL" if with_context_only else "",
        # Passing by what another worker is claiming right now, instead of waiting for it.
        lock="" if transaction.sqlite else "FOR UPDATE SKIP LOCKED",
    )
    now = transaction.now_ms()
    leases = transaction.select(sql, [now, oldest, now, newest, now + LEASE_MS])
    return [
        Lease(**{**row, "context": json.loads(row["context"]) if row["context"] else None})
        for row in leases
    ]


def keep_contexts(transaction: Transaction, leases: Sequence[Lease]) -> set[int]:
    """Note who these users are in WaddleBot; the ids whose lease is not somebody else's by now.

    Kept before the points are sent, so that every later try sends the same bytes.
    """
    if not leases:
        return set()
    rows = [(lease.id, lease.version, json.dumps(lease.context)) for lease in leases]
    return _update_leased(
        transaction, ("row_id", "version", "context"), rows, "context = given.context"
    )


class Reversed(NamedTuple):
    """How it stands with what a reversal takes back."""

    status: str
    due_at_ms: int


def reversed_by(transaction: Transaction, leases: Sequence[Lease]) -> dict[int, Reversed]:
    """By the id of each reversal among them."""
    ids = {lease.reverses: lease.id for lease in leases if lease.reverses is not None}
    if not ids:
        return {}
    places = ", ".join(["%s"] * len(ids))
    rows = transaction.execute(
        f"SELECT id, status, due_at_ms FROM twitch_activities WHERE id IN ({places})", list(ids)
    )
    return {ids[row_id]: Reversed(status, due_at_ms) for row_id, status, due_at_ms in rows}


_RECEIPT = """
status = given.status, reason = given.reason, due_at_ms = given.due_at_ms,
attempts = a.attempts + given.made,
receipt = coalesce(given.receipt, a.receipt),
delivered_at_ms = coalesce(CAST(given.delivered_at_ms AS BIGINT), a.delivered_at_ms)
"""
_RECEIPT_COLUMNS = (
    "row_id",
    "version",
    "status",
    "reason",
    "due_at_ms",
    "receipt",
    "delivered_at_ms",
    "made",
)


def record(transaction: Transaction, receipts: Sequence[Receipt]) -> set[int]:
    """Note how tries ended; the ids whose lease is not somebody else's by now.

    Nothing changes for the others.
    """
    if not receipts:
        return set()
    now = transaction.now_ms()
    rows = [
        (
            receipt.lease.id,
            receipt.lease.version,
            receipt.status,
            receipt.reason[:MAX_REASON_CHARACTERS] if receipt.reason else None,
            now + receipt.delay_ms,
            json.dumps(receipt.answer) if receipt.answer else None,
            now if receipt.status == DELIVERED else None,
            int(receipt.made),
        )
        for receipt in receipts
    ]
    return _update_leased(transaction, _RECEIPT_COLUMNS, rows, _RECEIPT)


def _update_leased(
    transaction: Transaction,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    assignments: str,
) -> set[int]:
    """Change many leased rows by one statement, each by its row of `given`; the ids changed."""
    row = f"({', '.join(['%s'] * len(columns))})"
    changed = transaction.execute(
        f"WITH given ({', '.join(columns)}) AS (VALUES {', '.join([row] * len(rows))})"
        f" UPDATE twitch_activities AS a SET {assignments} FROM given"
        " WHERE a.id = given.row_id AND a.lease_version = given.version AND a.status = 'leased'"
        " RETURNING id",
        [value for one in rows for value in one],
    )
    return {row_id for (row_id,) in changed}


class QueueState(NamedTuple):
    """How many activities wait, for how long the first has been due, and how many are dead."""

    waiting: int
    overdue_ms: int | None  # None: nothing waits
    dead: int


def queue_state(transaction: Transaction) -> QueueState:
    """How it stands with the outbox."""
    rows = transaction.execute(
        "SELECT count(*), min(due_at_ms) FROM twitch_activities"
        " WHERE status IN ('pending', 'leased')"
    )
    waiting, first_due_ms = rows[0]
    age = None if first_due_ms is None else max(0, transaction.now_ms() - first_due_ms)
    dead = transaction.execute("SELECT count(*) FROM twitch_activities WHERE status = 'dead'")
    return QueueState(waiting, age, dead[0][0])


def next_due_ms(transaction: Transaction) -> int | None:
    """In how many milliseconds the next activity is due (0 for now), or None for none."""
    rows = transaction.execute(
        "SELECT min(due_at_ms) FROM twitch_activities WHERE status IN ('pending', 'leased')"
    )
    first_due_ms = rows[0][0]
    return None if first_due_ms is None else max(0, first_due_ms - transaction.now_ms())
