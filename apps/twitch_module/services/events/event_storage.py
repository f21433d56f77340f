"""From a message to rows: the event, the activity that it earns, and writing both, once."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...domain.events import eventsub
from ...domain.events.notification import Notification
from ...domain.events.points import Policy, Rule
from ...domain.text import text
from ...models.delivery import activities, outbox
from ...models.events import events, follows, ingest
from ...models.events.message_ids import RecentIds
from ...models.transaction import Transaction

ENTERED_ALREADY = "this follow was entered already"


class Row(NamedTuple):
    """An event and what it earns. `follow_id` where the same follow may come twice."""

    event: events.NewEvent
    activity: activities.NewActivity | None = None
    follow_id: str | None = None


class Recorded(NamedTuple):
    """What was new: row ids by message id, and how many activities there were."""

    new: Mapping[str, int]
    activities: int


def interpret(message: eventsub.Message, notification: Notification, policy: Policy) -> Row:
    """The event row for a notification, and the activity that it earns, if any.

    What is scored must say who and how much; whatever else is missing is kept as it came.
    """
    rule = policy.rule_for(notification)
    if rule is not None and notification.fault is not None:
        return quarantined(message, notification.fault)
    activity = _activity(notification, rule) if rule is not None else None
    event = events.NewEvent(
        message.message_id,
        notification.event_type,
        notification.version,
        notification.subscription_id,
        notification.channel.id,
        notification.channel.name,
        *notification.user,
        events.UNSCORED if activity is None else events.SCORED,
        None,
        message.body,
    )
    return Row(event, activity)


def quarantined(message: eventsub.Message, reason: str) -> Row:
    """The row for a properly signed message that cannot be understood: kept raw."""
    return Row(
        events.NewEvent(
            message.message_id,
            text(message.subscription_type),
            text(message.subscription_version),
            *("", "", "", "", "", ""),
            events.QUARANTINED,
            reason,
            message.body,
        )
    )


def record(
    transaction: Transaction,
    rows: Sequence[Row],
    *,
    recent: RecentIds | None = None,
    announced: bool = False,
) -> Recorded:
    """Write those that are not there yet. Does not commit.

    `recent` is what a thread that records often keeps. `announced`: whether the workers of other
    processes are to hear of it at the commit.
    """
    by_id: dict[str, Row] = {}
    for row in rows:
        by_id.setdefault(row.event.event_id, row)
    # Two processes that enter the same follows must do so in the same order.
    for row in sorted((row for row in by_id.values() if row.follow_id), key=_follow_id):
        by_id[row.event.event_id] = _entered_once(transaction, row)
    pairs = [(row.event, row.activity) for row in by_id.values()]
    earning = {event.event_id for event, activity in pairs if activity is not None}
    new = ingest.insert(transaction, pairs, recent=recent, announced=announced and bool(earning))
    return Recorded(new, len(earning & new.keys()))


def _follow_id(row: Row) -> str:
    return row.follow_id or ""


def _entered_once(transaction: Transaction, row: Row) -> Row:
    """The row; without its activity when the same follow has earned it before."""
    if follows.enter(transaction, _follow_id(row), row.event.event_id):
        return row
    return Row(row.event._replace(outcome=events.UNSCORED, reason=ENTERED_ALREADY))


def _activity(notification: Notification, rule: Rule) -> activities.NewActivity:
    return activities.NewActivity(
        notification.activity or "",
        notification.units,
        rule.points(notification.units, notification.tier),
        rule.explain(notification.units, notification.tier),
        outbox.SKIPPED if notification.anonymous else outbox.PENDING,
        "anonymous" if notification.anonymous else None,
    )
