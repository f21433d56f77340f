"""The activities: what users have done, and what became of it. They are the outbox, too."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..events.events import BY_OUTBOX, IN_OUTBOX, OUT_OF_IT, UNDELIVERED
from ..pages import Page, Source, select_page, where
from ..transaction import Transaction
from .announcements import announce
from .outbox import (
    DEAD,
    DELIVERED,
    HELD,
    LEASED,
    NOTHING_TO_TAKE_BACK,
    PENDING,
    SKIPPED,
)


class NewActivity(NamedTuple):
    """A row of twitch_activities that is about to be written; whose and where, its event says."""

    activity_type: str
    units: int
    amount: int
    rule: str
    status: str
    natural_key: str | None
    happened_at_ms: int
    reason: str | None


_SHOWN = (
    "id",
    "event_id",
    "activity_type",
    "user_id",
    "user_login",
    "user_name",
    "channel_id",
    "units",
    "amount",
    "rule",
    "status",
    "reason",
    "attempts",
    "due_at_ms",
    "context",
    "receipt",
    "delivered_at_ms",
    "created_at_ms",
    "kind",
    "reverses",
    "happened_at_ms",
)
_ENDED = Source("twitch_activities", OUT_OF_IT, {})
_IN_OUTBOX = Source("twitch_activities", f"{IN_OUTBOX} AND {BY_OUTBOX}", {}, "id + 0")
# Each state by its own name: an index of some rows is not found by a placeholder.
_BY_STATUS = {
    status: replace(source, condition=f"{source.condition} AND status = '{status}'")
    for source, states in (
        (_IN_OUTBOX, (PENDING, LEASED)),
        (_ENDED, (DELIVERED, SKIPPED, DEAD, HELD)),
    )
    for status in states
}


def list_activities(transaction: Transaction, *, equal: Mapping[str, str], **page: Any) -> Page:
    """A page of activities, newest first. Arguments: see select_page."""
    filters = dict(equal)
    status = filters.pop("status", None)
    sources: Sequence[Source] = (_ENDED, _IN_OUTBOX) if filters else ()
    if status is not None:
        sources = [_BY_STATUS[status]]
        if status in (SKIPPED, DEAD) and "channel_id" in filters and "user_id" not in filters:
            sources = [Source("twitch_activities", f"{UNDELIVERED} AND status = '{status}'", {})]
    return select_page(
        transaction,
        "twitch_activities",
        _SHOWN,
        time="created_at_ms",
        equal=filters,
        sources=sources,
        **page,
    )


def get_activity(transaction: Transaction, activity_id: int) -> dict[str, Any] | None:
    """One activity, or None."""
    page = select_page(
        transaction,
        "twitch_activities",
        _SHOWN,
        time="created_at_ms",
        equal={},
        before_id=activity_id + 1,
        limit=1,
    )
    return page.rows[0] if page.rows and page.rows[0]["id"] == activity_id else None


_CAN_BE_REDELIVERED = "status IN ('pending', 'dead', 'delivered') AND user_id <> ''"
_REDELIVER = (
    "UPDATE twitch_activities SET status = 'pending', attempts = 0, reason = NULL, due_at_ms = %s"
    f" WHERE {_CAN_BE_REDELIVERED}"
)


def redeliver(transaction: Transaction, activity_id: int) -> bool:
    """Make an activity due now, with all its tries ahead; False when it is not possible.

    Not possible for one that is on its way, or that belongs to nobody. The idempotency key
    stays the same, so that WaddleBot can tell that it has seen it.
    """
    announce(transaction)
    sql = f"{_REDELIVER} AND id = %s RETURNING id"
    done = bool(transaction.execute(sql, [transaction.now_ms(), activity_id]))
    _redeliver_reversals(transaction)
    return done


def redeliver_all(
    transaction: Transaction,
    equal: Mapping[str, str],
    *,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> int:
    """Make every activity that fits the filter due now; how many there were."""
    conditions, values = where(equal, time="created_at_ms", since_ms=since_ms, until_ms=until_ms)
    announce(transaction)
    sql = " AND ".join([_REDELIVER, *conditions]) + " RETURNING id"
    done = len(transaction.execute(sql, [transaction.now_ms(), *values]))
    _redeliver_reversals(transaction)
    return done


def _redeliver_reversals(transaction: Transaction) -> None:
    """What was given up is delivered after all, and what takes it back after that."""
    transaction.execute(
        "UPDATE twitch_activities SET status = 'pending', reason = NULL, due_at_ms = %s"
        " WHERE status = 'skipped' AND reason = %s AND reverses IN"
        " (SELECT id FROM twitch_activities WHERE status = 'pending' AND due_at_ms > 0)",
        [transaction.now_ms(), NOTHING_TO_TAKE_BACK],
    )


def count_redeliverable(
    transaction: Transaction,
    equal: Mapping[str, str],
    *,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> int:
    """How many activities `redeliver_all` would take now."""
    conditions, values = where(equal, time="created_at_ms", since_ms=since_ms, until_ms=until_ms)
    wanted = " AND ".join([_CAN_BE_REDELIVERED, *conditions])
    return int(
        transaction.execute(f"SELECT count(*) FROM twitch_activities WHERE {wanted}", values)[0][0]
    )
