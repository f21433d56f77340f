"""Receiving EventSub messages: verify, understand, store once, and only then acknowledge."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from ..domain import eventsub
from ..domain.catalogue import REVOKED
from ..domain.notification import (
    Notification,
    NotUnderstood,
    read_notification,
    read_object,
    read_subscription,
)
from ..domain.points import Policy
from ..domain.text import text
from ..errors import MessageRefused
from ..models import activities, channels, events, subscriptions, tokens
from ..models.database import Database, Transaction
from .group_commit import GroupCommit
from .refusals import RefusalLog

# Twitch wants an answer within a few seconds; a 503 must be out before three have passed.
COMMIT_SECONDS = 2.5

log = structlog.get_logger("webhooks")

Row = tuple[events.NewEvent, activities.NewActivity | None]


class WebhookReceiver:
    """Takes what Twitch posts to the callback. Thread-safe; blocks until the commit."""

    def __init__(
        self,
        database: Database,
        secrets: Sequence[bytes],
        policy: Policy,
        on_activities: Callable[[], None],
    ) -> None:
        """`on_activities` is called, from any thread, when there is something to deliver."""
        self._database = database
        self._secrets = secrets
        self._policy = policy
        self._on_activities = on_activities
        self._commit = GroupCommit(self._store)
        self._refusals = RefusalLog()

    def receive(self, environ: Mapping[str, Any], body: bytes) -> str | None:
        """Handle one request; the challenge to answer with, or None for an empty 204.

        When it returns, what the message said is durable. Raises MessageRefused, which says
        why, and DatabaseUnavailable.
        """
        try:
            message = eventsub.authenticate(environ, body, self._secrets, time.time())
        except MessageRefused as refusal:
            self._refusals.add(refusal.code)
            raise
        if message.message_type == eventsub.NOTIFICATION:
            self._store_row(interpret(message, self._policy))
            return None
        try:
            if message.message_type == eventsub.VERIFICATION:
                return self._verify_callback(message)
            if message.message_type == eventsub.REVOCATION:
                self._revoke(message)
                return None
            raise NotUnderstood(f"unknown message type {message.message_type[:50]!r}")
        except NotUnderstood as fault:
            self._store_row((quarantined(message, str(fault)), None))
            return None

    def _store_row(self, row: Row) -> None:
        if not self._commit.submit(row, COMMIT_SECONDS):
            log.info("duplicate", message_id=row[0].event_id, type=row[0].event_type)

    def _store(self, rows: Sequence[Row], timeout_seconds: float) -> list[bool]:
        """Commit a batch; for each row whether it was new."""
        rows = list(rows)
        by_id = {event.event_id: (event, activity) for event, activity in reversed(rows)}
        in_order = [by_id[event_id] for event_id in sorted(by_id)]
        with self._database.transaction(timeout_seconds=timeout_seconds) as transaction:
            now_ms = transaction.now_ms()
            new = events.insert_new(transaction, [event for event, _ in in_order], now_ms)
            earned = {
                new[event.event_id]: activity
                for event, activity in in_order
                if activity is not None and event.event_id in new
            }
            if earned:
                activities.insert_activities(transaction, earned, now_ms)
            for event, _ in in_order:
                if event.event_type == REVOKED and event.event_id in new:
                    _forget(transaction, event.channel_id)
        if earned:
            self._on_activities()
        log.info("stored", events=len(new), activities=len(earned), repeats=len(rows) - len(new))
        return [event.event_id in new for event, _ in rows]

    def _verify_callback(self, message: eventsub.Message) -> str:
        """The challenge. It may come before our own call that created the subscription ended.

        A conduit's challenge names no subscription; it is answered all the same.
        """
        payload = read_object(message.body)
        challenge = payload.get("challenge")
        if not isinstance(challenge, str) or not challenge:
            raise NotUnderstood("no challenge")
        if "subscription" in payload:
            self._keep_status(read_subscription(payload), "enabled")
        return challenge

    def _revoke(self, message: eventsub.Message) -> None:
        subscription = read_subscription(read_object(message.body))
        status = text(subscription.get("status"))
        if not status:
            raise NotUnderstood("no status")
        self._keep_status(subscription, status)
        log.warning(
            "subscription revoked",
            subscription_id=text(subscription["id"]),
            type=text(subscription.get("type")),
            reason=status,
        )

    def _keep_status(self, described: Mapping[str, Any], status: str) -> None:
        subscription = subscriptions.from_twitch({**described, "status": status})
        with self._database.transaction(timeout_seconds=COMMIT_SECONDS) as transaction:
            subscriptions.save(transaction, subscription)
            if status != "enabled":
                warning = f"{subscription.event_type}: {status}"
                channels.warn(transaction, subscription.channel_id, warning)


def _forget(transaction: Transaction, user_id: str) -> None:
    """The user has disconnected this application: nothing of the grant may stay."""
    if tokens.delete(transaction, user_id):
        log.info("tokens deleted", user_id=user_id, reason="the user disconnected the application")
    channels.warn(transaction, user_id, "the streamer has disconnected the application")


def interpret(message: eventsub.Message, policy: Policy) -> Row:
    """The event row for a notification, and the activity that it earns, if any."""
    try:
        notification = read_notification(message.body)
    except NotUnderstood as fault:
        return quarantined(message, str(fault)), None
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
    return event, activity


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


def quarantined(message: eventsub.Message, reason: str) -> events.NewEvent:
    """The row for a properly signed message that cannot be understood: kept raw."""
    return events.NewEvent(
        message.message_id,
        text(message.subscription_type),
        text(message.subscription_version),
        *("", "", "", "", "", ""),
        events.QUARANTINED,
        reason,
        message.body,
    )
