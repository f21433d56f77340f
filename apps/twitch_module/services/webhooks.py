"""Receiving EventSub messages: verify, understand, store once, and only then acknowledge."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from ..domain import eventsub
from ..domain.catalogue import REVOKED
from ..domain.follow import FOLLOW, follow_id
from ..domain.notification import (
    Notification,
    NotUnderstood,
    read_notification,
    read_object,
    read_subscription,
)
from ..domain.subscription import ENABLED, LIVING, from_twitch
from ..errors import DatabaseUnavailable, MessageRefused
from ..models import channels, subscriptions, tokens
from ..models.channels import ChannelNames
from ..models.database import Database, Transaction
from ..models.signals import announce
from .group_commit import GroupCommit
from .last_events import LastEvents
from .reconciler import note_end
from .recording import Row, interpret, quarantined, record
from .refusals import RefusalLog
from .roster import Entry, Roster

# Twitch wants an answer within a few seconds; a 503 must be out before three have passed.
COMMIT_SECONDS = 2.5

log = structlog.get_logger("webhooks")


class WebhookReceiver:
    """Takes what Twitch posts to the callback. Thread-safe; blocks until the commit."""

    def __init__(
        self,
        database: Database,
        secrets: Sequence[bytes],
        roster: Roster,
        *,
        on_activities: Callable[[], None] | None,
    ) -> None:
        """`on_activities` is called, from any thread, when there is something to deliver; None
        where other processes deliver, who are told."""
        self._database = database
        self._secrets = secrets
        self._secret_ids = [eventsub.secret_id(secret) for secret in secrets]
        self._roster = roster
        self._on_activities = on_activities
        self._commit = GroupCommit(self._store)
        self._last_events = LastEvents()
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
        try:
            if message.message_type == eventsub.NOTIFICATION:
                self._notify(message)
                return None
            if message.message_type == eventsub.VERIFICATION:
                return self._verify_callback(message)
            if message.message_type == eventsub.REVOCATION:
                self._revoke(message)
                return None
            raise NotUnderstood(f"unknown message type {message.message_type[:50]!r}")
        except NotUnderstood as fault:
            self._store_row(quarantined(message, str(fault)))
            return None

    def _notify(self, message: eventsub.Message) -> None:
        notification = read_notification(message.body)
        entry = self._roster.find(notification.channel.id)
        row = interpret(message, notification, self._roster.policy(notification.channel.id))
        if entry is not None and entry.backfill and notification.event_type == FOLLOW:
            event = read_object(message.body)["event"]
            same = follow_id(
                notification.channel.id, notification.user.id, event.get("followed_at")
            )
            row = row._replace(follow_id=same)
        self._store_row(row)
        try:
            self._learn(message, notification, entry)
        except DatabaseUnavailable as error:  # the event itself is safe
            log.info("not learnt from an event", reason=str(error))

    def _store_row(self, row: Row) -> None:
        if not self._commit.submit(row, COMMIT_SECONDS):
            log.info("duplicate", message_id=row.event.event_id, type=row.event.event_type)

    def _store(self, rows: Sequence[Row], timeout_seconds: float) -> list[bool]:
        """Commit a batch; for each row whether it was new."""
        with self._database.transaction(timeout_seconds=timeout_seconds) as transaction:
            recorded = record(transaction, rows)
            heard = (row.event.subscription_id for row in rows)
            if recorded.activities and self._on_activities is None:
                announce(transaction)
            if due := self._last_events.due(heard, time.monotonic()):
                subscriptions.note_events(transaction, due, transaction.now_ms())
            for row in rows:
                if row.event.event_type == REVOKED and row.event.event_id in recorded.new:
                    _forget(transaction, row.event.channel_id)
        if recorded.activities and self._on_activities is not None:
            self._on_activities()
        log.info(
            "stored",
            events=len(recorded.new),
            activities=recorded.activities,
            repeats=len(rows) - len(recorded.new),
        )
        return [row.event.event_id in recorded.new for row in rows]

    def _learn(
        self, message: eventsub.Message, notification: Notification, entry: Entry | None
    ) -> None:
        """What an event says beside what happened: a new name, an earlier secret."""
        channel = notification.channel
        if entry is not None and channel.login and channel.name:
            names = ChannelNames(channel.id, channel.login, channel.name)
            if names != entry.names:
                with self._database.transaction(timeout_seconds=1) as transaction:
                    channels.rename(transaction, names)
                self._roster.forget()
        if message.secret_index:
            secret_id = self._secret_ids[message.secret_index]
            with self._database.transaction(timeout_seconds=1) as transaction:
                if subscriptions.note_secret(transaction, notification.subscription_id, secret_id):
                    channels.compare_soon(transaction, channel.id)

    def _verify_callback(self, message: eventsub.Message) -> str:
        """The challenge. It may come before our own call that created the subscription ended.

        A conduit's challenge names no subscription; it is answered all the same.
        """
        payload = read_object(message.body)
        challenge = payload.get("challenge")
        if not isinstance(challenge, str) or not challenge:
            raise NotUnderstood("no challenge")
        if "subscription" in payload:
            described = {**read_subscription(payload), "status": ENABLED}
            with self._database.transaction(timeout_seconds=COMMIT_SECONDS) as transaction:
                subscriptions.save(transaction, from_twitch(described))
        return challenge

    def _revoke(self, message: eventsub.Message) -> None:
        """Keep the reason, flag the channel, and have it compared with Twitch's list."""
        ended = from_twitch(read_subscription(read_object(message.body)))
        if not ended.status:
            raise NotUnderstood("no status")
        with self._database.transaction(timeout_seconds=COMMIT_SECONDS) as transaction:
            before = subscriptions.known(transaction, ended.channel_id).get(ended.id)
            # A message that comes again must not count as another failure.
            if before is None or before.status in LIVING:
                note_end(transaction, ended)
            subscriptions.save(transaction, ended)
        log.warning(
            "subscription revoked",
            subscription_id=ended.id,
            type=ended.type,
            reason=ended.status,
        )


def _forget(transaction: Transaction, user_id: str) -> None:
    """The user has disconnected this application: nothing of the grant may stay."""
    if tokens.delete(transaction, user_id):
        log.info("tokens deleted", user_id=user_id, reason="the user disconnected the application")
    channels.warn(transaction, user_id, "the streamer has disconnected the application")
