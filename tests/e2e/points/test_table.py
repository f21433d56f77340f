"""The tables of all pairs and limits, sent to two servers of one database; points by hand.

Twice each, in both orders where the order does not matter, each event to the other server than the
one before. What takes hours or days is shortened, or left to the integration tests, which have all
of it: Twitch's messages may not be older than ten minutes.
"""

import itertools
import json
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from apps.twitch_module.models.database import Database
from apps.twitch_module.models.events import message_ids
from apps.twitch_module.models.points import totals
from apps.twitch_module.models.subscriptions import channels
from apps.twitch_module.models.subscriptions.channels import ChannelNames
from tests.e2e.conftest import Start
from tests.e2e.events.test_main_job import received, statuses
from tests.integration.points import test_limits as limits
from tests.integration.points import test_settlement as settlement
from tests.integration.points.test_limits import chats
from tests.integration.points.test_settlement import IN_TIME_ONLY, NOON_MS, Told, cheer
from tests.messages import Message
from tests.processes import Sandbox, wait_until

LONGEST = 590  # seconds
# Whose times do not fit into ten minutes: the beginning of it, and what that gives.
SHORTENED: dict[str, tuple[list[Told], int]] = {
    "once ever": (chats(0, 60), 5),
    "once a day": (chats(0, 60), 5),
}
# A stream of an hour takes ten minutes here.
STREAMS = ("once a stream", "so many a stream", "while live")
_TIME = re.compile(r'"(2026-09-21T[^"]*Z)"')
_OWN_ID = re.compile(r'"([rdtmn]-\d+)"')


class Trial(NamedTuple):
    """A case as it is sent: in a channel of its own."""

    name: str
    channel_id: str
    entries: Mapping[str, Any]  # of the channel's policy
    events: list[Told]
    expected: int


def trials() -> list[Trial]:
    numbers = itertools.count(710_000)
    found = []
    for name, (events, expected) in settlement.CASES.items():
        orders = [events] if name in IN_TIME_ONLY else [events, events[::-1]]
        found += [(name, settlement.ALL, order, expected) for order in orders]
    for name, (entries, events, expected, _) in limits.CASES.items():
        events, expected = SHORTENED.get(name, (events, expected))
        if name == "a happy hour":
            entries, events, expected = happy_hours(), [cheer(0), cheer(60)], 400
        if name in STREAMS:
            events = [one._replace(after=shortened(one.after)) for one in events]
        found.append((name, entries, events, expected))
    return [
        Trial(one[0], str(next(numbers)), *one[1:])
        for one in found
        for _ in range(2)
        if max(event.after for event in one[2]) <= LONGEST
    ]


def happy_hours() -> dict[str, Any]:
    """From an hour ago for two hours."""
    hour = datetime.now(UTC).hour
    times = {"from": f"{(hour - 1) % 24:02}:00", "until": f"{(hour + 2) % 24:02}:00"}
    return {"multipliers": [{"factor": 2, **times}]}


def shortened(seconds: float) -> float:
    return seconds if seconds < LONGEST else seconds / 18


def begin_of(trial: Trial) -> float:
    """When it begins (epoch seconds), so that all of it is on one day, ten minutes from now."""
    now = time.time()
    last = max(one.after for one in trial.events)
    return now if now // 86_400 == (now + last) // 86_400 else now - last


def message(trial: Trial, one: Told, begin: float) -> Message:
    """The event in the trial's channel and time."""

    def moved(found: re.Match[str]) -> str:
        after = datetime.fromisoformat(found[1]).timestamp() - NOON_MS / 1000
        after = shortened(after) if trial.name in STREAMS else after
        return f'"{datetime.fromtimestamp(begin + after, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"'

    said = json.dumps(one.event).replace('"7001"', f'"{trial.channel_id}"')
    said = _OWN_ID.sub(rf'"\g<1>-{trial.channel_id}"', _TIME.sub(moved, said))
    return Message(one.type, json.loads(said), at=begin + one.after)


def test_every_pair_and_limit_gives_what_was_computed_by_hand(
    start: Start, sandbox: Sandbox, tmp_path: Path
) -> None:
    servers = start(TWITCH_BOT_NAME="the_bot"), start(TWITCH_BOT_NAME="the_bot")
    database = Database(servers[0].setting("DB_URI"), tmp_path)
    sent = trials()
    with database.transaction(timeout_seconds=10) as transaction:
        for trial in sent:
            channels.add(transaction, ChannelNames(trial.channel_id, f"c{trial.channel_id}", ""))
            own = {"is_active": False, "points": trial.entries}
            channels.change(transaction, trial.channel_id, own)

    def send(trial: Trial) -> set[int]:
        begin, first = begin_of(trial), int(trial.channel_id) % 2
        return {
            servers[(number + first) % 2]
            .post(message(trial, one, begin), monitored=False)
            .status_code
            for number, one in enumerate(trial.events)
        }

    with ThreadPoolExecutor(6) as pool:
        assert {204} == set().union(*pool.map(send, sent))
    by_hand = {trial.channel_id: trial.expected for trial in sent}
    names = {trial.channel_id: trial.name for trial in sent}
    for found in sums(database):
        wrong = {
            f"{names[one]} ({one})": (points, found.get(one, 0))
            for one, points in by_hand.items()
            if points != found.get(one, 0)
        }
        assert {} == wrong
    wait_until(lambda: statuses(servers[0]) <= {"delivered", "skipped"}, seconds=60)
    delivered = [call["json"]["amount"] for call in received(sandbox)]
    assert sum(by_hand.values()) == sum(delivered)


def sums(database: Database) -> tuple[dict[str, int], dict[str, int]]:
    """Points by channel: of the activities, and of the totals."""
    with database.transaction(write=False) as transaction:
        source, values = totals.source(transaction, message_ids.indexed_to(transaction))
        asked = (("twitch_activities", "amount", []), (f"{source} AS t", "points", values))
        of_activities, of_totals = (
            transaction.execute(
                f"SELECT channel_id, sum({points}) FROM {table} GROUP BY channel_id", given
            )
            for table, points, given in asked
        )
    return (
        {channel: int(points) for channel, points in of_activities},
        {channel: int(points) for channel, points in of_totals},
    )
