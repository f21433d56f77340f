"""What is known of our EventSub subscriptions at Twitch."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...domain.subscriptions.subscription import Condition, Known, Subscription, Wanted
from ..transaction import Transaction

CREATED, ADOPTED, FOUND, BY_HAND = "created", "adopted", "found", "hand"

# The challenge may overtake the answer to the call that created the subscription: that answer's
# "pending" must not undo an "enabled". Where a row is made anew by a message (a challenge that
# comes first), the call that follows says where it comes from.
_SAVE = """
INSERT INTO twitch_subscriptions
    (subscription_id, event_type, version, condition, channel_id, status, cost, callback,
     secret_id, origin, first_seen_ms, updated_at_ms)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (subscription_id) DO UPDATE SET
    status = CASE WHEN excluded.status = 'webhook_callback_verification_pending'
                       AND twitch_subscriptions.status = 'enabled'
             THEN 'enabled' ELSE excluded.status END,
    cost = excluded.cost, updated_at_ms = excluded.updated_at_ms,
    callback = CASE WHEN excluded.callback = '' THEN twitch_subscriptions.callback
               ELSE excluded.callback END,
    secret_id = CASE WHEN excluded.secret_id = '' THEN twitch_subscriptions.secret_id
                ELSE excluded.secret_id END,
    origin = CASE WHEN excluded.origin = 'found' OR twitch_subscriptions.origin = 'hand'
             THEN twitch_subscriptions.origin ELSE excluded.origin END
"""


def save(
    transaction: Transaction,
    subscription: Subscription,
    *,
    origin: str = FOUND,
    secret_id: str = "",
) -> None:
    """Keep what Twitch says of a subscription.

    `origin` says how we came by it; "found" and an empty `secret_id` leave what is known.
    """
    now = transaction.now_ms()
    transaction.execute(
        _SAVE,
        [
            subscription.id,
            subscription.type,
            subscription.version,
            write_condition(subscription.condition),
            subscription.channel_id,
            subscription.status,
            subscription.cost,
            subscription.callback,
            secret_id,
            origin,
            now,
            now,
        ],
    )


def known(transaction: Transaction, channel_id: str | None = None) -> dict[str, Known]:
    """What is recorded, by subscription id: of one channel, or all of it."""
    sql = (
        "SELECT subscription_id, status, callback, secret_id, origin, first_seen_ms"
        " FROM twitch_subscriptions"
    )
    if channel_id is None:
        rows = transaction.execute(sql)
    else:
        rows = transaction.execute(f"{sql} WHERE channel_id = %s", [channel_id])
    return {row[0]: Known(*row[1:]) for row in rows}


def wanted_by_hand(transaction: Transaction, channel_id: str | None = None) -> list[Wanted]:
    """What somebody has subscribed to by hand, and nobody has deleted."""
    sql = (
        "SELECT DISTINCT event_type, version, condition, channel_id FROM twitch_subscriptions"
        " WHERE origin = 'hand'"
    )
    parameters: list[Any] = []
    if channel_id is not None:
        sql, parameters = f"{sql} AND channel_id = %s", [channel_id]
    rows = transaction.execute(sql, parameters)
    return [Wanted(row[0], row[1], read_condition(row[2]), row[3]) for row in rows]


def forget_wish(transaction: Transaction, wanted: Wanted) -> None:
    """Forget what somebody has subscribed to by hand."""
    transaction.execute(
        "DELETE FROM twitch_subscriptions"
        " WHERE origin = 'hand' AND event_type = %s AND condition = %s",
        [wanted.type, write_condition(wanted.condition)],
    )


def forget_wishes(transaction: Transaction, channel_id: str) -> None:
    """What was subscribed to by hand for a channel is not wanted any more."""
    transaction.execute(
        "UPDATE twitch_subscriptions SET origin = 'created'"
        " WHERE channel_id = %s AND origin = 'hand'",
        [channel_id],
    )


def write_condition(condition: Condition) -> str:
    """A condition as it is stored: equal ones are equal texts."""
    return json.dumps(dict(condition), sort_keys=True)


def read_condition(written: str) -> Condition:
    """A condition as it is stored."""
    return tuple(sorted(json.loads(written).items()))


def delete(transaction: Transaction, subscription_ids: Iterable[str]) -> None:
    """Forget subscriptions."""
    for subscription_id in subscription_ids:
        transaction.execute(
            "DELETE FROM twitch_subscriptions WHERE subscription_id = %s", [subscription_id]
        )


def last_events(transaction: Transaction) -> dict[str, int]:
    """When each subscription brought its last event (epoch ms, to ten seconds)."""
    return dict(
        transaction.execute(
            "SELECT subscription_id, last_event_at_ms FROM twitch_subscriptions"
            " WHERE last_event_at_ms IS NOT NULL"
        )
    )


def note_events(transaction: Transaction, subscription_ids: Sequence[str], now_ms: int) -> None:
    """Note that these subscriptions have brought an event. Sort the ids, as for any update."""
    places = ", ".join(["%s"] * len(subscription_ids))
    transaction.execute(
        "UPDATE twitch_subscriptions SET last_event_at_ms = %s"
        f" WHERE subscription_id IN ({places})",
        [now_ms, *subscription_ids],
    )


def note_secret(transaction: Transaction, subscription_id: str, secret_id: str) -> bool:
    """Note which secret a subscription signs with; whether that was not known before."""
    return bool(
        transaction.execute(
            "UPDATE twitch_subscriptions SET secret_id = %s"
            " WHERE subscription_id = %s AND secret_id <> %s RETURNING id",
            [secret_id, subscription_id, secret_id],
        )
    )


def count_by_status(transaction: Transaction) -> Mapping[str, int]:
    """How many subscriptions are known, by their status at Twitch."""
    return dict(
        transaction.execute("SELECT status, count(*) FROM twitch_subscriptions GROUP BY status")
    )
