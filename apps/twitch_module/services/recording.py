"""From a message to rows: the event, the activity that it earns, and writing both, once."""

from collections.abc import Sequence
from typing import NamedTuple

from ..domain import eventsub
from ..domain.notification import Notification
from ..domain.points import Policy
from ..domain.text import text
from ..models import activities, events, follows
from ..models.database import Transaction

ENTERED_ALREADY = "this follow was entered already"


class Row(NamedTuple):
    """An event and what it earns. `follow_id` where the same follow may come twice."""

    event: events.NewEvent
    activity: activities.NewActivity | None = None
    follow_id: str | None = None


class Recorded(NamedTuple):
    """What was new: row ids by message id, and how many activities there were."""

    new: dict[str, int]
    activities: int


def interpret(message: eventsub.Message, notification: Notification, policy: Policy) -> Row:
    """The event row for a notification, and the activity that it earns, if any."""
    activity = _activity(message.message_id, notification, policy)
    event = events.NewEvent(
        message.message_id,
        notification.event_type,
        notification.version,
        notification.subscription_id,
        notification.channel.id,
        notification.channel.name,
        notification.user.id,
        notification.user.login,
        notification.user.name,
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


def record(transaction: Transaction, rows: Sequence[Row]) -> Recorded:
    """Write those that are not there yet. Does not commit."""
    by_id = {row.event.event_id: row for row in reversed(rows)}
    # Two processes that write the same ids must do so in the same order.
    in_order = [_entered_once(transaction, by_id[event_id]) for event_id in sorted(by_id)]
    now_ms = transaction.now_ms()
    new = events.insert_new(transaction, [row.event for row in in_order], now_ms)
    earned = {
        new[row.event.event_id]: row.activity
        for row in in_order
        if row.activity is not None and row.event.event_id in new
    }
    if earned:
        activities.insert_activities(transaction, earned, now_ms)
    return Recorded(new, len(earned))


def _entered_once(transaction: Transaction, row: Row) -> Row:
    """The row; without its activity when the same follow has earned it before."""
    event_id = row.event.event_id
    if row.follow_id is None or follows.enter(transaction, row.follow_id, event_id):
        return row
    return Row(row.event._replace(outcome=events.UNSCORED, reason=ENTERED_ALREADY))


def _activity(
    message_id: str, notification: Notification, policy: Policy
) -> activities.NewActivity | None:
    rule = policy.rule_for(notification)
    if rule is None or notification.activity is None:
        return None
    return activities.NewActivity(
        message_id,
        notification.activity,
        notification.user.id,
        notification.user.login,
        notification.user.name,
        notification.channel.id,
        notification.units,
        rule.points(notification.units, notification.tier),
        rule.explain(notification.units, notification.tier),
        activities.SKIPPED if notification.anonymous else activities.PENDING,
        "anonymous" if notification.anonymous else None,
    )
