"""Receiving EventSub messages: verify, understand, store once, and only then acknowledge."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import structlog

from ...domain.events import eventsub
from ...domain.events.catalogue import REVOKED
from ...domain.events.notification import (
    NotUnderstood,
    read_notification,
    read_object,
    read_subscription,
)
from ...domain.subscriptions.subscription import ENABLED, LIVING, from_twitch
from ...errors import MessageRefused, ModuleError
from ...models.database import Database
from ...models.events.message_ids import RecentIds
from ...models.subscriptions import channels, subscriptions
from ...models.subscriptions.channels import ChannelNames
from ...models.tokens import tokens
from ...models.transaction import Transaction
from ..subscriptions.failures import note_end
from .event_storage import Row, interpret, quarantined, record
from .group_commit import Commitment, GroupCommit
from .last_event_times import LastEvents
from .monitored_channels import MonitoredChannels
from .refusals import RefusalLog

# Twitch wants an answer within a few seconds; a 503 must be out before three have passed.
COMMIT_SECONDS = 2.5

log = structlog.get_logger("webhooks")


class Received(NamedTuple):
    """What is to be answered: a challenge, or nothing, once what the message said is durable."""

    challenge: str | None
    durable: Commitment | None


# A message, and what is wrong with it if that is known already.
_Signed = tuple[eventsub.Message, str | None]


class _Arrival(NamedTuple):
    """A row to store, and what else its message says."""

    rows: list[Row]
    names: ChannelNames | None = None  # that are new
    secret_index: int = 0  # which secret it is signed with; 0 is the current one


class WebhookReceiver:
    """Takes what Twitch posts to the callback. Thread-safe."""

    def __init__(
        self,
        database: Database,
        secrets: Sequence[bytes],
        roster: MonitoredChannels,
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
        self._commit = GroupCommit(self._store, COMMIT_SECONDS)
        self._last_events = LastEvents()
        self._recent = RecentIds()
        self._refusals = RefusalLog()

    def tell_refusals(self) -> None:
        """Log the refusals that have not been logged yet: the process ends."""
        self._refusals.tell()

    def receive(self, environ: Mapping[str, Any], body: bytes) -> Received:
        """Handle one request. Blocks for what is rare alone: for all but notifications.

        Raises MessageRefused, which says why, and DatabaseUnavailable.
        """
        try:
            message = eventsub.authenticate(environ, body, self._secrets, time.time())
        except MessageRefused as refusal:
            self._refusals.add(refusal.code)
            raise
        fault = None
        try:
            if message.message_type == eventsub.VERIFICATION:
                return Received(self._verify_callback(message), None)
            if message.message_type == eventsub.REVOCATION:
                self._revoke(message)
                return Received(None, None)
            if message.message_type != eventsub.NOTIFICATION:
                fault = f"unknown message type {message.message_type[:50]!r}"
        except NotUnderstood as error:
            fault = str(error)
        return Received(None, self._commit.submit((message, fault)))

    def _arrival(self, message: eventsub.Message, fault: str | None) -> _Arrival:
        """What is to be stored: what the message says, or why that cannot be understood."""
        if fault is None:
            try:
                return self._understood(message)
            except NotUnderstood as error:
                fault = str(error)
            except ModuleError:
                raise
            except Exception:  # a bug here: the other messages of the batch must not suffer
                log.error("message not read", message_id=message.message_id, exc_info=True)
                fault = "it could not be read"
        return _Arrival([quarantined(message, fault)])

    def _understood(self, message: eventsub.Message) -> _Arrival:
        notification = read_notification(message.body)
        channel = notification.channel
        entry, names = self._roster.find(channel.id), None
        standing = self._roster.unknown if entry is None else entry.standing
        rows = interpret(message, notification, standing)
        if (
            entry is not None
            and channel.login
            and channel.name
            and (channel.login, channel.name)
            != (entry.names.channel_name, entry.names.display_name)
        ):
            names = ChannelNames(channel.id, channel.login, channel.name)
        return _Arrival(rows, names, message.secret_index)

    def _store(self, signed: Sequence[_Signed], timeout_seconds: float) -> None:
        """Commit a batch."""
        # Read here, and not where they come in: the same work for one after the other finds the
        # processor's caches warm.
        arrivals = [self._arrival(*one) for one in signed]
        rows = [row for arrival in arrivals for row in arrival.rows]
        learnt = [one for one in arrivals if one.names is not None or one.secret_index]
        revoked = [row.entry.event for row in rows if row.entry.event.event_type == REVOKED]
        with self._database.transaction(timeout_seconds=timeout_seconds) as transaction:
            recorded = record(
                transaction, rows, recent=self._recent, announced=self._on_activities is None
            )
            heard = (row.entry.event.subscription_id for row in rows)
            if due := self._last_events.due(heard, time.monotonic()):
                subscriptions.note_events(transaction, due, transaction.now_ms())
            for arrival in learnt:
                self._learn(transaction, arrival)
            for event in revoked:
                if event.event_id in recorded.new:
                    _forget(transaction, event.channel_id)
        if learnt:
            self._roster.forget()
        if recorded.activities and self._on_activities is not None:
            self._on_activities()
        log.info(
            "stored",
            events=len(recorded.new),
            activities=recorded.activities,
            repeats=len(rows) - len(recorded.new),
        )

    def _learn(self, transaction: Transaction, arrival: _Arrival) -> None:
        """What an event says beside what happened: a new name, an earlier secret."""
        event = arrival.rows[0].entry.event
        if arrival.names is not None:
            channels.rename(transaction, arrival.names)
        if arrival.secret_index:
            secret_id = self._secret_ids[arrival.secret_index]
            if subscriptions.note_secret(transaction, event.subscription_id, secret_id):
                channels.compare_soon(transaction, event.channel_id)

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
