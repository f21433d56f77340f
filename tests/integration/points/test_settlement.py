"""Twins, pairs and what takes points back: the same in whichever order they come, once."""

import itertools
import json
import random
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from apps.twitch_module.domain.events.eventsub import NOTIFICATION
from apps.twitch_module.domain.events.eventsub import Message as Signed
from apps.twitch_module.domain.events.notification import read_notification
from apps.twitch_module.domain.points.policy import Policy, default_policy
from apps.twitch_module.domain.points.policy_reading import amended
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.events import message_ids
from apps.twitch_module.models.events.message_ids import RecentIds
from apps.twitch_module.models.points import totals
from apps.twitch_module.services.events.event_storage import Standing, interpret, record
from tests.messages import EVENTS, VIEWER, person

from ..rows import columns

NOON_MS = 1_790_000_000_000
ALL = {
    "resub": {"base": 20, "per_unit": 10},
    "redemption": 7,
    "donation": {"per_unit": 1, "currencies": {"EUR": 2, "JPY": 0.01}},
    "hype_train": {"per_unit": 1},
    "watch_streak": 3,
    "chat": 1,
    "timeout": -2,
    "sub_gifted": 5,
}
GENEROUS = amended(default_policy(), ALL, "test")
_CHANNEL = person("broadcaster_user", {"id": "7001", "login": "the_channel", "name": "C"})
_VIEWER = person("user", VIEWER)
_WHO = {**_VIEWER, **_CHANNEL}
_CHATTER = {**person("chatter_user", VIEWER), **_CHANNEL}
REDEEMED = "channel.channel_points_custom_reward_redemption.add"
_REDEMPTION = {**_WHO, "id": "r-1", "reward": {"cost": 300}, "redeemed_at": "2026-09-21T14:13:20Z"}


class Told(NamedTuple):
    """Something that Twitch tells of: after so many seconds, under a message id of its own."""

    type: str
    event: dict[str, Any]
    after: float = 0


def told(kind: str, after: float = 0, **changes: Any) -> Told:
    """One of Twitch's events, in channel 7001, by the usual viewer."""
    return Told(kind, {**EVENTS.get(kind, _WHO), **changes}, after)


def at(seconds: float) -> str:
    """RFC 3339, after so many seconds."""
    minutes, rest = divmod(20 + seconds, 60)
    return f"2026-09-21T14:{13 + int(minutes):02d}:{rest:09.6f}Z"


def ban(after: float, **changes: Any) -> Told:
    return told("channel.ban", after, banned_at=at(after), **changes)


def timeout(after: float) -> Told:
    return ban(after, is_permanent=False, ends_at=at(after + 600))


def unban(after: float) -> Told:
    return told("channel.unban", after)


def resub(after: float, months: int) -> Told:
    return told("channel.subscription.message", after, tier="1000", cumulative_months=months)


def cheer(after: float, bits: int = 100, text: str = "Cheer100", **changes: Any) -> Told:
    return told("channel.cheer", after, bits=bits, message=text, **changes)


def donation(value: int, places: int, currency: str, own_id: str = "d-1") -> Told:
    amount = {"value": value, "decimal_places": places, "currency": currency}
    return told("channel.charity_campaign.donate", id=own_id, amount=amount)


def train(*shares: tuple[str, str, int]) -> Told:
    listed = [
        {**person("user", {**VIEWER, "id": who}), "type": k, "total": n} for who, k, n in shares
    ]
    return told("channel.hype_train.end", id="t-1", top_contributions=listed, ended_at=at(0))


FOLLOW, SUB = told("channel.follow"), told("channel.subscribe")
USE = told("channel.bits.use", 1, bits=100, type="cheer", message={"text": "Cheer100"})
GIFT, RAID = told("channel.subscription.gift"), told("channel.raid")
MESSAGE = Told("channel.chat.message", {**_CHATTER, "message_id": "m-1"})
CANCELED = Told(REDEEMED.replace(".add", ".update"), {**_REDEMPTION, "status": "canceled"}, 5)
REDEMPTION = Told(REDEEMED, _REDEMPTION)


def later(one: Told, seconds: float) -> Told:
    return one._replace(after=one.after + seconds)


# What comes, in any order, and the points of the viewer (or whoever acts) afterwards.
CASES: dict[str, tuple[list[Told], int]] = {
    "one follow": ([FOLLOW], 10),
    "the same follow under two message ids": ([FOLLOW, FOLLOW], 10),
    "four rounds of following": ([later(FOLLOW, n * 86_400) for n in range(4)], 10),
    "a subscription twice": ([SUB, later(SUB, 2)], 50),
    "two subscriptions, a month apart": ([SUB, later(SUB, 30 * 86_400)], 100),
    "a subscription and the message about it": ([SUB, resub(1, 2)], 50),
    "a subscription and a message that is worth more": ([SUB, resub(1, 7)], 90),
    "a message twice, with its subscription": ([SUB, resub(1, 7), resub(3, 7)], 90),
    "a message that has nothing to do with it": ([SUB, resub(601, 7)], 140),
    "a cheer twice": ([cheer(0), cheer(9)], 100),
    "two cheers that differ": ([cheer(0), cheer(1, 50)], 150),
    "two cheers that say the same, later": ([cheer(0), cheer(11)], 200),
    "a gift twice": ([GIFT, later(GIFT, 3)], 60),
    "a raid twice": ([RAID, later(RAID, 3)], 30),
    "a gift, and who receives it": ([GIFT, told("channel.subscribe", is_gift=True)], 65),
    "a ban": ([ban(0)], -10),
    "a ban twice": ([ban(0), ban(0)], -10),
    "a ban that ends": ([ban(0), unban(30)], 0),
    "a ban that ends twice": ([ban(0), unban(30), unban(31)], 0),
    "a ban that ends after an hour": ([ban(0), unban(2_000)], 0),
    "a ban after another one's end": ([ban(0), unban(30), ban(60)], -10),
    "a timeout": ([timeout(0)], -2),
    "a timeout that ends": ([timeout(0), unban(30)], 0),
    "a timeout, and then a ban": ([timeout(0), ban(60)], -12),
    "a timeout, a ban, and its end": ([timeout(0), ban(60), unban(90)], -2),
    "a redemption": ([REDEMPTION], 7),
    "a redemption twice": ([REDEMPTION, later(REDEMPTION, 40)], 7),
    "a redemption that is canceled": ([REDEMPTION, CANCELED], 0),
    "a redemption that is canceled twice": ([REDEMPTION, CANCELED, later(CANCELED, 1)], 0),
    "money with decimals": ([donation(1250, 2, "EUR")], 25),
    "money without": ([donation(1250, 0, "JPY")], 12),
    "money that no rule knows": ([donation(1250, 2, "XYZ")], 0),
    "a donation twice": ([donation(1250, 2, "EUR"), donation(1250, 2, "EUR")], 25),
    "two donations": ([donation(1250, 2, "EUR"), donation(1250, 2, "EUR", "d-2")], 50),
    "a hype train": ([train(("8001", "bits", 500), ("8001", "subscription", 50))], 550),
    "a hype train twice": ([train(("8001", "bits", 500)), train(("8001", "bits", 500))], 500),
    "a message in the chat twice": ([MESSAGE, MESSAGE], 1),
    "a copy from another chat": (
        [told(MESSAGE.type, **MESSAGE.event, source_broadcaster_user_id="7002")],
        0,
    ),
    "a message of this chat in a shared one": (
        [told(MESSAGE.type, **MESSAGE.event, source_broadcaster_user_id="7001")],
        1,
    ),
    "the broadcaster's own chat": (
        [told(MESSAGE.type, **{**MESSAGE.event, "chatter_user_id": "7001"})],
        0,
    ),
    "a raid of oneself": ([told("channel.raid", from_broadcaster_user_id="7001")], 0),
    "a known bot": ([told("channel.follow", user_id="19264788")], 0),
    "the own bot": ([told("channel.follow", user_login="The_Bot")], 0),
    "a watch streak": (
        [
            Told(
                "channel.chat.notification",
                {
                    **_CHATTER,
                    "message_id": "n-1",
                    "notice_type": "watch_streak",
                    "watch_streak": {"streak_count": 5},
                },
            )
        ],
        3,
    ),
}
# Three that come in the worst order need more memory than one key: the ban that is told of last.
IN_TIME_ONLY = {"a ban after another one's end", "a timeout, a ban, and its end"}
ORDERS = [
    pytest.param(list(order), points, id=f"{name}-{number}")
    for name, (events, points) in CASES.items()
    for number, order in enumerate(itertools.permutations(events))
    if number == 0 or (len(events) < 4 and name not in IN_TIME_ONLY)
]


def rows_of(one: Told, policy: Policy, **standing: Any) -> list[Any]:
    """The rows for something that is told, under a new message id."""
    payload = {"subscription": {"id": "s", "type": one.type, "version": "1"}, "event": one.event}
    body = json.dumps(payload).encode()
    sent_at_ms = NOON_MS + int(one.after * 1000)
    message = Signed(str(uuid4()), NOTIFICATION, one.type, "1", body, 0, sent_at_ms)
    return interpret(
        message, read_notification(body), Standing(policy, bot_login="the_bot", **standing)
    )


def store(database: Database, *batches: list[Told], recent: RecentIds | None = None) -> None:
    """Store them, each list in a transaction."""
    for batch in batches:
        rows = [row for one in batch for row in rows_of(one, GENEROUS)]
        with database.transaction() as transaction:
            record(transaction, rows, recent=recent)


def points(database: Database) -> tuple[int, int]:
    """All points by the activities, and by the totals."""
    by_activities = columns(database, "SELECT sum(amount) FROM twitch_activities")[0][0]
    with database.transaction(write=False) as transaction:
        source, values = totals.source(transaction, message_ids.indexed_to(transaction))
        by_totals = transaction.execute(f"SELECT sum(points) FROM {source} AS t", values)[0][0]
    return int(by_activities or 0), int(by_totals or 0)


@pytest.mark.parametrize(("events", "expected"), ORDERS)
def test_what_comes_one_after_the_other_gives_the_points_of_the_table(
    database: Database, events: list[Told], expected: int
) -> None:
    store(database, *([one] for one in events))

    assert (expected, expected) == points(database)


@pytest.mark.parametrize(("events", "expected"), ORDERS)
def test_what_comes_at_once_gives_the_same(
    database: Database, events: list[Told], expected: int
) -> None:
    store(database, events)

    assert (expected, expected) == points(database)
    assert columns(
        database, "SELECT count(*) FROM twitch_events WHERE outcome = 'quarantined'"
    ) == [(0,)]


def test_a_twin_says_of_what(database: Database) -> None:
    store(database, [FOLLOW], [FOLLOW])
    (first,) = columns(database, "SELECT event_id FROM twitch_activities")

    assert [("scored", None), ("unscored", f"twin of {first[0]}")] == columns(
        database, "SELECT outcome, reason FROM twitch_events ORDER BY id"
    )


def test_bits_that_two_types_tell_of_count_once(database: Database) -> None:
    by_use = amended(default_policy(), {"bits": False, "bits_use": {"per_unit": 1}}, "test")
    for one, policy in ((cheer(0), GENEROUS), (USE, by_use)):
        with database.transaction() as transaction:
            record(transaction, rows_of(one, policy))

    assert (100, 100) == points(database)


def test_a_channel_that_nobody_monitors_scores_nothing(database: Database) -> None:
    with database.transaction() as transaction:
        record(transaction, rows_of(FOLLOW, GENEROUS, monitored=False))

    assert [("unscored", "the channel is not monitored")] == columns(
        database, "SELECT outcome, reason FROM twitch_events"
    )


def test_a_reversal_is_an_activity_of_its_own(database: Database) -> None:
    store(database, [ban(0)], [unban(30)])

    assert [("ban", -10, "earned", None), ("ban", 10, "reversal", 1)] == columns(
        database, "SELECT activity_type, amount, kind, reverses FROM twitch_activities ORDER BY id"
    )
    ((ban_id, unban_id, reversal),) = columns(
        database,
        "SELECT a.event_id, b.event_id, c.event_id FROM twitch_events a, twitch_events b,"
        " twitch_events c WHERE a.event_type = 'channel.ban' AND b.event_type = 'channel.unban'"
        " AND c.event_type = 'waddlebot.reversal'",
    )
    assert f"reversal:{ban_id}" == reversal
    assert [(f"takes back {ban_id}",)] == columns(
        database, "SELECT reason FROM twitch_events WHERE event_type = 'channel.unban'"
    )
    rule = columns(database, "SELECT rule FROM twitch_activities WHERE kind = 'reversal'")[0][0]
    assert {"activity": "ban", "reverses": ban_id, "because": unban_id} == json.loads(rule)


def test_sums_on_sqlite_are_those_of_the_activities_however_often_they_are_folded(
    database: Database,
) -> None:
    """Many random events in many batches, with all kinds of pairs among them."""
    chance = random.Random(7)
    recent = RecentIds()
    kinds = [SUB, resub(1, 7), cheer(0), ban(0), unban(30), REDEMPTION, CANCELED, FOLLOW]
    for _ in range(60):
        batch = []
        for _ in range(50):
            one = chance.choice(kinds)
            event = {**one.event, "user_id": str(8000 + chance.randrange(300))}
            if "id" in event:
                event["id"] = f"r-{event['user_id']}"
            batch.append(Told(one.type, event, one.after + chance.randrange(100_000)))
        store(database, batch, recent=recent)

    by_activities, by_totals = points(database)
    assert by_activities == by_totals != 0
    if database.sqlite:
        with database.transaction() as transaction:
            message_ids.index(transaction)
        assert [(by_totals,)] == columns(database, "SELECT sum(points) FROM twitch_totals")
