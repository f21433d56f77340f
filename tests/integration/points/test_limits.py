"""Limits, multipliers and what is held: by the event's own time, once under races."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from apps.twitch_module.domain.points.policy import Policy, default_policy
from apps.twitch_module.domain.points.policy_reading import amended
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.events.event_storage import record

from ..rows import columns
from .test_settlement import (
    MESSAGE,
    Told,
    at,
    cheer,
    later,
    points,
    rows_of,
    told,
)

DAY = 86_400
LIVE = told("stream.online", 0, id="stream-1", started_at=at(0))
OVER = told("stream.offline", 3600)
NEXT = told("stream.online", 7200, id="stream-2", started_at="2026-09-21T16:13:20Z")


def raid(after: float, viewers: int = 42, who: str = "9001") -> Told:
    return told("channel.raid", after, viewers=viewers, from_broadcaster_user_id=who)


def chat(number: int, after: float, *badges: str) -> Told:
    event = {**MESSAGE.event, "message_id": f"m-{number}"}
    return Told(MESSAGE.type, {**event, "badges": [{"set_id": one} for one in badges]}, after)


def chats(*seconds: float) -> list[Told]:
    return [chat(number, after) for number, after in enumerate(seconds)]


def follow(number: int, after: float = 0) -> Told:
    return told("channel.follow", after, user_id=str(8000 + number), followed_at=at(after))


# The entries of the policy, what comes, all points, and the names of the limits.
CASES: dict[str, tuple[dict[str, Any], list[Told], int, list[str]]] = {
    "once ever": (
        {"chat": {"base": 5, "once": "ever"}},
        chats(0, 60, 90 * DAY),
        5,
        ["once", "once"],
    ),
    "once a day": (
        {"chat": {"base": 5, "once": "day"}},
        chats(0, 60, DAY),
        10,
        ["once"],
    ),
    "once a stream": (
        {"chat": {"base": 5, "once": "stream"}},
        [LIVE, *chats(10, 20), OVER, NEXT, chat(3, 7210), chat(4, 7220)],
        10,
        ["once", "once"],
    ),
    "so many a day": (
        {"bits": {"per_unit": 1, "per_day": 250}},
        [cheer(0), cheer(60), cheer(120), cheer(180)],
        250,
        ["per_day", "per_day"],
    ),
    "so many a stream": (
        {"bits": {"per_unit": 1, "per_stream": 150}},
        [LIVE, cheer(10), cheer(60), OVER, NEXT, cheer(7210)],
        250,
        ["per_stream"],
    ),
    "a while between two": (
        {"chat": {"base": 1, "cooldown": 30}},
        chats(0, 10, 29.5, 30, 59, 61),
        3,
        ["cooldown", "cooldown", "cooldown"],
    ),
    "a while, by its own time": (
        {"chat": {"base": 1, "cooldown": 30}},
        chats(100, 0, 110),
        2,
        ["cooldown"],
    ),
    "too few viewers": (
        {"raid": {"base": 30, "min": 5}},
        [raid(0, 4), raid(60, 5, "9002")],
        30,
        ["min"],
    ),
    "a limit on what takes points": (
        {"timeout": {"base": -5, "per_day": 7}},
        [
            told(
                "channel.ban",
                number * 60,
                is_permanent=False,
                banned_at=at(number * 60),
                ends_at=at(number * 60 + 600),
            )
            for number in range(3)
        ],
        -7,
        ["per_day", "per_day"],
    ),
    "twins do not use it up": (
        {"bits": {"per_unit": 1, "per_day": 200}},
        [cheer(0), cheer(1), cheer(2), cheer(60)],
        200,
        [],
    ),
    "ignored users": ({"ignore": ["8001"]}, [follow(1), follow(2)], 10, []),
    "bots that may": ({"ignore_bots": False}, [told("channel.follow", user_id="19264788")], 10, []),
    "a happy hour": (
        {"multipliers": [{"factor": 2, "from": "14:14", "until": "14:15"}]},
        [cheer(0), cheer(60), cheer(120)],
        400,
        [],
    ),
    "while live": (
        {"multipliers": [{"factor": 3, "live": True, "activities": ["bits"]}]},
        [cheer(-60), LIVE, cheer(10), OVER, cheer(3700)],
        500,
        [],
    ),
    "for a tier": (
        {"multipliers": [{"factor": 4, "tiers": ["3000"]}]},
        [told("channel.subscribe", tier="3000")],
        200,
        [],
    ),
    "for moderators": (
        {"chat": 1, "multipliers": [{"factor": 5, "badges": ["moderator", "vip"]}]},
        [chat(1, 0), chat(2, 1, "moderator"), chat(3, 2, "subscriber", "vip")],
        11,
        [],
    ),
    "a multiplier under a limit": (
        {"bits": {"per_unit": 1, "per_day": 150}, "multipliers": [{"factor": 2}]},
        [cheer(0)],
        150,
        ["per_day"],
    ),
}


def policy_of(entries: dict[str, Any]) -> Policy:
    return amended(default_policy(), entries, "test")


def limits(database: Database) -> list[str]:
    """The names of the limits that took something away."""
    rules = [
        json.loads(rule) for (rule,) in columns(database, "SELECT rule FROM twitch_activities")
    ]
    return [rule["limit"] for rule in rules if "limit" in rule]


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_a_limit_leaves_what_the_table_says(database: Database, name: str, at_once: bool) -> None:
    entries, events, expected, named = CASES[name]
    if at_once and name == "a while, by its own time":
        expected, named = 1 + 1, ["cooldown"]
    rows = [rows_of(one, policy_of(entries)) for one in events]
    for batch in [[row for part in rows for row in part]] if at_once else rows:
        with database.transaction() as transaction:
            record(transaction, batch)

    assert (expected, expected) == points(database)
    assert sorted(named) == sorted(limits(database))
    for status, reason, amount in columns(
        database, "SELECT status, reason, amount FROM twitch_activities"
    ):
        assert (status == "skipped") == (amount == 0) == str(reason).startswith("limit: ")


def test_a_limit_holds_for_each_user_in_each_channel(database: Database) -> None:
    policy = policy_of({"chat": {"base": 5, "once": "day"}})
    for user, channel in (("1", "7001"), ("2", "7001"), ("1", "7002"), ("1", "7001")):
        one = chat(int(user + channel), 0)
        event = {**one.event, "chatter_user_id": user, "broadcaster_user_id": channel}
        event["message_id"] = (
            f"{user}{channel}{len(columns(database, 'SELECT 1 FROM twitch_events'))}"
        )
        with database.transaction() as transaction:
            record(transaction, rows_of(one._replace(event=event), policy))

    assert (15, 15) == points(database)


def test_under_a_race_a_limit_is_kept_exactly(database: Database) -> None:
    policy = policy_of({"bits": {"per_unit": 1, "per_day": 1_050}})

    def cheers(first: int) -> None:
        for number in range(first, first + 10):
            with database.transaction(timeout_seconds=30) as transaction:
                record(transaction, rows_of(cheer(number * 60), policy))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(cheers, range(0, 40, 10)))

    assert (1_050, 1_050) == points(database)


def test_a_burst_of_follows_is_held(database: Database) -> None:
    policy = policy_of({"follow": {"base": 10, "burst": 3}})
    for batch in ([0, 1], [2, 3, 4], [5]):
        rows = [row for one in batch for row in rows_of(follow(one, 5), policy)]
        with database.transaction() as transaction:
            record(transaction, rows)
    with database.transaction() as transaction:
        record(transaction, rows_of(later(follow(9, 65), 0), policy))

    assert [("held", 3), ("pending", 4)] == columns(
        database, "SELECT status, count(*) FROM twitch_activities GROUP BY status ORDER BY status"
    )
    assert (70, 40) == points(database)
