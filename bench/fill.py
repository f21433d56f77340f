"""Rows for a database, written with the module's own models: channels, a past, a queue, logins.

A year's past of 5 million events takes about 6 GB on either database.
"""

import json
import random
import time
from itertools import islice
from uuid import uuid4

from apps.twitch_module.domain.events import eventsub
from apps.twitch_module.domain.events.notification import read_notification
from apps.twitch_module.domain.points.policy import default_policy
from apps.twitch_module.domain.secret import Secret
from apps.twitch_module.domain.subscriptions.subscription import ENABLED, Subscription
from apps.twitch_module.domain.tokens.oauth import Grant, Validation
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.delivery import outbox
from apps.twitch_module.models.delivery.activities import NewActivity
from apps.twitch_module.models.events import events, ingest
from apps.twitch_module.models.events.events import NewEvent
from apps.twitch_module.models.events.ingest import Entry
from apps.twitch_module.models.events.message_ids import RecentIds
from apps.twitch_module.models.subscriptions import channels, subscriptions
from apps.twitch_module.models.subscriptions.channels import ChannelNames
from apps.twitch_module.models.transaction import Transaction
from apps.twitch_module.services.events.event_storage import Standing, interpret, record
from apps.twitch_module.services.tokens.user_tokens import UserTokens
from apps.twitch_module.vault import Vault

from .messages import CHANNELS, USERS, channel, follow_body, subscription_id, user

PAST_SECONDS = 365 * 24 * 3600
_IN_A_STATEMENT, _STATEMENTS = 500, 2  # in one transaction

# Type, activity (None: not scored), units, points, and how often of a hundred.
_TYPES = (
    ("channel.follow", "follow", 0, 10, 42),
    ("channel.subscribe", "sub", 0, 50, 14),
    ("channel.cheer", "bits", 100, 100, 16),
    ("channel.subscription.gift", "subgift", 5, 60, 4),
    ("channel.raid", "raid", 40, 30, 2),
    ("channel.ban", "ban", 0, -10, 2),
    ("channel.subscription.message", None, 0, 0, 8),
    ("channel.update", None, 0, 0, 6),
    ("stream.online", None, 0, 0, 6),
)
_RECEIPT = json.dumps(
    {"status": 200, "body": '{"msg": "Reputation noted", "status": 200, "data": {"score": 100}}'}
)


def add_channels(database: Database) -> None:
    """All channels, each with its subscription to follows."""
    with database.transaction(timeout_seconds=60) as transaction:
        for number in range(CHANNELS):
            channel_id, login, name = channel(number)
            channels.add(transaction, ChannelNames(channel_id, login, name))
            condition = (("broadcaster_user_id", channel_id), ("moderator_user_id", channel_id))
            one = Subscription(
                subscription_id(number),
                *("channel.follow", "2", condition, ENABLED, 0, "2026-01-01T00:00:00Z"),
                "https://bot.example.com/twitch/webhook",
            )
            subscriptions.save(transaction, one, origin=subscriptions.CREATED)


def add_past(database: Database, rows: int) -> None:
    """So many events of the last year, of all types, and their activities: nearly all delivered.

    Rows are written as the module writes them, one change after the other, so that the tables
    have the gaps which that leaves. Not durable until it returns.
    """
    chance = random.Random(0)
    with database.transaction(write=False) as transaction:
        for setting in (
            ("PRAGMA synchronous=OFF", "PRAGMA cache_size=-1000000")
            if database.sqlite
            else ("SET synchronous_commit = off",)
        ):
            transaction.execute(setting)
    now_ms = time.time_ns() // 1_000_000
    times = iter(range(now_ms - PAST_SECONDS * 1000, now_ms, max(1, PAST_SECONDS * 1000 // rows)))
    recent = RecentIds()
    left = rows
    while left:
        new: list[int] = []
        with database.transaction(timeout_seconds=600) as transaction:
            for _ in range(_STATEMENTS):
                number = min(left, _IN_A_STATEMENT)
                left -= number
                if number:
                    at_ms = list(islice(times, number))[-1]
                    new += _add_some(transaction, number, at_ms, chance, recent)
        for change, values in ((_CLAIM, [at_ms, _CONTEXT]), (_DELIVER, [_RECEIPT, at_ms + 500])):
            with database.transaction(timeout_seconds=600) as transaction:
                transaction.execute(change, [*values, min(new), max(new)])


def add_queue(database: Database, number: int, *, users: int) -> None:
    """So many follows by the first `users` users, whose activities wait to be delivered."""
    standing = Standing(default_policy())
    with database.transaction(timeout_seconds=60) as transaction:
        for first in range(0, number, _IN_A_STATEMENT):
            places = range(first, min(first + _IN_A_STATEMENT, number))
            bodies = [follow_body(place % CHANNELS, place % users) for place in places]
            record(
                transaction,
                [
                    interpret(
                        eventsub.Message(
                            str(uuid4()), eventsub.NOTIFICATION, "channel.follow", "2", body, 0, 0
                        ),
                        read_notification(body),
                        standing,
                    )[0]
                    for body in bodies
                ],
            )


def add_logins(database: Database, key: str) -> list[str]:
    """A login of every channel's streamer, good for four hours; their user ids."""
    tokens = UserTokens(database, Vault([key]), auth=None)  # type: ignore[arg-type]  # not called
    scopes = ("bits:read", "channel:moderate", "channel:read:subscriptions")
    for number in range(CHANNELS):
        user_id, login, name = channel(number)
        pair = [Secret(uuid4().hex[:30]), Secret(uuid4().hex + uuid4().hex[:18])]
        tokens.keep_login(
            Validation("bench", user_id, login, scopes, 14_400), name, Grant(*pair, scopes, 14_400)
        )
    return [channel(number)[0] for number in range(CHANNELS)]


def _add_some(
    transaction: Transaction, number: int, at_ms: int, chance: random.Random, recent: RecentIds
) -> list[int]:
    """One statement's events, and their activities; the row ids."""
    kinds = chance.choices(_TYPES, [row[-1] for row in _TYPES], k=number)
    entries: list[Entry] = []
    for event_type, activity, units, amount, _ in kinds:
        # Some channels have many more events than others.
        channel_number = int(CHANNELS * chance.random() ** 2)
        user_number = int(USERS * chance.random())
        channel_id, _, channel_name = channel(channel_number)
        who = user(user_number)
        event_id = str(uuid4())
        body = follow_body(channel_number, user_number).replace(
            b"channel.follow", event_type.encode()
        )
        scored = events.UNSCORED if activity is None else events.SCORED
        event = NewEvent(
            *(event_id, event_type, "1", subscription_id(channel_number)),
            *(channel_id, channel_name, *who, at_ms, scored, None, body),
        )
        earned = None
        if activity is not None:
            rule = _RULE % (activity, amount, units)
            earned = NewActivity(activity, units, amount, rule, outbox.PENDING, None, at_ms, None)
        entries.append(Entry(event, earned))
    return [*ingest.insert(transaction, entries, at_ms, recent=recent).new.values()]


_RULE = (
    '{"activity": "%s", "source": "default", "base": %d, "per_unit": 0, "units": %d,'
    ' "tier": null, "tier_multiplier": 1, "max": null}'
)
_CLAIM = """
UPDATE twitch_activities
SET status = 'leased', lease_version = 1, attempts = 1, due_at_ms = %s + 60000,
    context = replace(replace(%s, 'ID', user_id), 'NAME', user_name)
WHERE id BETWEEN %s AND %s AND status = 'pending'
"""
_CONTEXT = (
    '{"identity_id": ID, "identity_name": "NAME", "namespace_id": 1, "namespace_name": "waddle"}'
)
# One of five thousand is dead.
_DELIVER = """
UPDATE twitch_activities
SET status = CASE id / 5000 * 5000 WHEN id THEN 'dead' ELSE 'delivered' END,
    reason = CASE id / 5000 * 5000 WHEN id THEN 'reputation: HTTP 400' END,
    receipt = %s, delivered_at_ms = %s
WHERE id BETWEEN %s AND %s AND status = 'leased'
"""
