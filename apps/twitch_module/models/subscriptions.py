"""What is known of our EventSub subscriptions at Twitch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..domain.text import text
from .database import Transaction


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as Twitch describes it; `condition` is JSON with sorted keys."""

    subscription_id: str
    event_type: str
    version: str
    condition: str
    channel_id: str
    status: str
    cost: int


def from_twitch(described: Mapping[str, Any]) -> Subscription:
    """The subscription in an answer or message of Twitch; what is missing there is empty."""
    condition = described.get("condition")
    condition = condition if isinstance(condition, dict) else {}
    names = ("broadcaster_user_id", "to_broadcaster_user_id", "from_broadcaster_user_id")
    cost = described.get("cost")
    return Subscription(
        text(described.get("id")),
        text(described.get("type")),
        text(described.get("version")),
        json.dumps({text(key): text(value) for key, value in sorted(condition.items())}),
        next((text(condition[name]) for name in names if condition.get(name)), ""),
        text(described.get("status")),
        cost if type(cost) is int and 0 <= cost < 10**9 else 0,
    )


_SAVE = """
INSERT INTO twitch_subscriptions
    (subscription_id, event_type, version, condition, channel_id, status, cost, updated_at_ms)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (subscription_id) DO UPDATE
SET status = excluded.status, cost = excluded.cost, updated_at_ms = excluded.updated_at_ms
{restriction}
"""
_PENDING = "webhook_callback_verification_pending"


def save(transaction: Transaction, subscription: Subscription) -> None:
    """Keep what Twitch says of a subscription.

    The challenge may overtake the answer to the call that created the subscription: that
    answer's "pending" must not undo an "enabled".
    """
    pending = subscription.status == _PENDING
    restriction = "WHERE twitch_subscriptions.status <> 'enabled'" if pending else ""
    transaction.execute(
        _SAVE.format(restriction=restriction),
        [
            subscription.subscription_id,
            subscription.event_type,
            subscription.version,
            subscription.condition,
            subscription.channel_id,
            subscription.status,
            subscription.cost,
            transaction.now_ms(),
        ],
    )
