"""What another policy would have given: previewed, applied, undone; by an independent sum."""

import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from apps.twitch_module.domain.access.callers import Actor
from apps.twitch_module.domain.points.policy import default_policy
from apps.twitch_module.domain.points.policy_reading import amended
from apps.twitch_module.errors import Conflict, Invalid, NotFound
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.events import message_ids
from apps.twitch_module.models.events.message_ids import RecentIds
from apps.twitch_module.models.migrations import migrate
from apps.twitch_module.models.points import held, policy_runs, totals
from apps.twitch_module.models.points.policy_runs import Run
from apps.twitch_module.models.retention import delete_events
from apps.twitch_module.services.events.event_storage import record
from apps.twitch_module.services.points.policy_runs import BATCH, PolicyRuns

from ..rows import columns
from .test_limits import chat, follow
from .test_settlement import (
    CANCELED,
    GENEROUS,
    NOON_MS,
    REDEMPTION,
    SUB,
    Told,
    ban,
    cheer,
    resub,
    rows_of,
    store,
    unban,
)

ADMIN = Actor("admin", name="alice")
DAY_MS = totals.DAY_MS
NOON_DAY = NOON_MS // DAY_MS
SINCE_MS = NOON_MS - 40 * DAY_MS
Sums = dict[tuple[str, str, str, int], int]


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has just been committed is looked at, too: nobody else commits here."""
    monkeypatch.setattr("apps.twitch_module.models.points.history.SETTLED_MS", -60_000)


@pytest.fixture
def runs(database: Database) -> PolicyRuns:
    return PolicyRuns(database, GENEROUS, "the_bot")


def previewed(runs: PolicyRuns, entries: dict[str, Any], since_ms: int = SINCE_MS) -> Run:
    run = runs.preview(ADMIN, entries, None, since_ms)
    runs.carry_on()
    return runs.get(run.id)


def sums(database: Database) -> Sums:
    """By the totals."""
    with database.transaction(write=False) as transaction:
        source, values = totals.source(transaction, message_ids.indexed_to(transaction))
        rows = transaction.execute(
            "SELECT channel_id, user_id, activity_type, day, sum(points)"
            f" FROM {source} AS t GROUP BY 1, 2, 3, 4",
            values,
        )
    return {(c, u, a, int(d)): int(p) for c, u, a, d, p in rows if p}


def by_activities(database: Database) -> Sums:
    """The same by the activities themselves."""
    found: Counter[tuple[str, str, str, int]] = Counter()
    for channel, user, activity, at_ms, amount in columns(
        database,
        "SELECT channel_id, user_id, activity_type, happened_at_ms, amount FROM twitch_activities"
        " WHERE status <> 'held'",
    ):
        found[channel, user, activity, at_ms // DAY_MS] += amount
    return {one: points for one, points in found.items() if points}


def test_who_gains_and_loses_what(database: Database, runs: PolicyRuns) -> None:
    store(database, [follow(1), follow(2), cheer(0, 100), cheer(86_400, 30), ban(0), unban(30)])
    run = previewed(runs, {"follow": 15, "bits": {"per_unit": 0.5}})
    with database.transaction(write=False) as transaction:
        changes = policy_runs.differences(transaction, run.id, after=0, limit=50)
        summary = policy_runs.summary(transaction, run.id)

    assert ("read", 4, [], "alice") == (run.state, run.changes, run.pruned, run.actor)
    assert [("8001", "bits", 100, 50), ("8001", "bits", 30, 15)] == [
        (one.user_id, one.activity_type, one.points_before, one.points_after) for one in changes[:2]
    ]
    assert {"8001": -65 + 5, "8002": 5} == {
        user: sum(one.points_after - one.points_before for one in changes if one.user_id == user)
        for user in ("8001", "8002")
    }
    assert (2, 5, 60) == summary


def test_the_policy_that_was_in_force_changes_nothing(database: Database, runs: PolicyRuns) -> None:
    """Whatever was a twin, a pair, reversed or limited is so once more."""
    store_much(database)
    assert 0 == previewed(runs, ENTRIES).changes


def test_twins_are_twins_however_late_they_came(database: Database, runs: PolicyRuns) -> None:
    """By when they were sent, which is months before they are received here."""
    store(database, [cheer(0, 100)], [cheer(4, 100)], [cheer(60, 100)])

    assert 0 == previewed(runs, {}).changes


ENTRIES: dict[str, Any] = {
    "resub": {"base": 20, "per_unit": 10},
    "redemption": 7,
    "chat": {"base": 1, "cooldown": 60},
    "timeout": -2,
}
OTHER: dict[str, Any] = {
    "follow": 3,
    "sub": {"base": 70, "once": "ever"},
    "resub": {"base": 20, "per_unit": 10},
    "bits": {"per_unit": 1, "per_day": 150},
    "redemption": False,
    "ban": -20,
    "chat": {"base": 1, "per_day": 5},
}


def store_much(database: Database, policy: Any = None) -> None:
    """Random events of some days in many batches, with all kinds of pairs among them."""
    chance = random.Random(5)
    recent = RecentIds()
    policy = policy or amended(default_policy(), ENTRIES, "test")
    kinds = [SUB, resub(1, 7), cheer(0), ban(0), unban(30), REDEMPTION, CANCELED, chat(0, 0)]
    for number in range(40):
        rows = []
        for place in range(25):
            one = chance.choice(kinds)
            who = str(8000 + chance.randrange(60))
            after = number * 3600 * 3 + place * 140 + chance.randrange(140)
            event = {**one.event}
            if one.type == "channel.chat.message":
                event |= {"chatter_user_id": who, "message_id": f"{number}-{place}"}
            else:
                event |= {"user_id": who}
            if "banned_at" in event:
                instant = datetime.fromtimestamp(NOON_MS / 1000 + after, UTC)
                event["banned_at"] = instant.isoformat().replace("+00:00", "Z")
            if "id" in event:
                event["id"] = f"r-{who}"
            rows += rows_of(Told(one.type, event, after), policy)
        with database.transaction() as transaction:
            record(transaction, rows, recent=recent)
            for row in rows:  # they came when they happened
                transaction.execute(
                    "UPDATE twitch_events SET received_at_ms = %s WHERE event_id = %s",
                    [row.entry.at_ms, row.entry.event.event_id],
                )


def test_applied_the_sums_are_those_of_the_other_policy_and_undone_as_before(
    database: Database, runs: PolicyRuns, tmp_path: Path
) -> None:
    store_much(database)
    before = sums(database)
    run = previewed(runs, OTHER)
    assert before == sums(database) == by_activities(database)
    (tmp_path / "other").mkdir()
    other = Database("sqlite://other.db", tmp_path / "other")
    migrate(other)
    store_much(other, amended(default_policy(), OTHER, "test"))

    runs.apply(ADMIN, run.id)
    with pytest.raises(Conflict):
        runs.apply(ADMIN, run.id)
    runs.carry_on()
    assert "applied" == runs.get(run.id).state
    assert sums(other) == sums(database) == by_activities(database)
    assert 0 == previewed(runs, OTHER).changes

    runs.undo(ADMIN, run.id)
    runs.carry_on()
    assert ("undone", 0) == (runs.get(run.id).state, runs.get(run.id).done)
    assert before == sums(database) == by_activities(database)
    with pytest.raises(Conflict):
        runs.undo(ADMIN, run.id)


def test_a_run_that_was_cut_off_goes_on_where_it_was(
    database: Database, runs: PolicyRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.twitch_module.services.points.policy_runs.BATCH", 7)
    store_much(database)
    before = sums(database)
    run = previewed(runs, OTHER)
    runs.apply(ADMIN, run.id)
    runs._correct(run.id)
    runs._correct(run.id)
    assert (14, "applying") == (runs.get(run.id).done, runs.get(run.id).state)
    runs._repeated._lease.let_go()  # as it runs out when its process has died
    another = PolicyRuns(database, GENEROUS, "the_bot")
    another.carry_on()
    after = sums(database)

    assert "applied" == another.get(run.id).state
    assert run.changes == len(
        columns(database, "SELECT id FROM twitch_activities WHERE kind = 'correction'")
    )
    another.undo(ADMIN, run.id)
    another._correct(run.id)
    another.carry_on()
    assert before == sums(database) != after


def test_only_half_applied_can_be_undone(database: Database, runs: PolicyRuns) -> None:
    store(database, [follow(number) for number in range(BATCH + 20)])
    before = sums(database)
    run = previewed(runs, {"follow": 11})
    runs.apply(ADMIN, run.id)
    assert not runs._correct(run.id)
    runs.undo(ADMIN, run.id)
    runs.carry_on()

    assert "undone" == runs.get(run.id).state
    assert before == sums(database)


def test_what_came_after_the_preview_is_left_alone(database: Database, runs: PolicyRuns) -> None:
    store(database, [follow(1)])
    run = runs.preview(ADMIN, {"follow": 11}, None, SINCE_MS)
    runs.carry_on()
    store(database, [follow(2)])
    runs.apply(ADMIN, run.id)
    runs.carry_on()

    assert {"8001": 11, "8002": 10} == {one[1]: points for one, points in sums(database).items()}


def test_what_is_held_or_dropped_stays_so(database: Database, runs: PolicyRuns) -> None:
    burst = amended(default_policy(), {"follow": {"base": 10, "burst": 2}}, "test")
    rows = [row for number in range(5) for row in rows_of(follow(number), burst)]
    with database.transaction() as transaction:
        record(transaction, rows)
        held.drop(transaction, {"id": 3})
    run = previewed(runs, {"follow": 11})

    assert (2, []) == (run.changes, run.pruned)


def test_what_has_been_released_is_not_held_anew(database: Database, runs: PolicyRuns) -> None:
    burst = {"follow": {"base": 10, "burst": 2}}
    policy = amended(default_policy(), burst, "test")
    with database.transaction() as transaction:
        record(transaction, [row for number in range(5) for row in rows_of(follow(number), policy)])
        held.release(transaction, {"equal": {}, "since_ms": None, "until_ms": None})

    assert 0 == previewed(runs, burst).changes


def test_days_of_which_events_are_forgotten_are_named_and_left_out(
    database: Database, runs: PolicyRuns
) -> None:
    first = NOON_MS - 3 * DAY_MS
    store(database, *([cheer(days * 86_400, 10 + days)] for days in (-3, -2, 0)))
    for row_id, days in ((1, 3), (2, 2), (3, 0)):
        with database.transaction() as transaction:
            transaction.execute(
                "UPDATE twitch_events SET received_at_ms = %s WHERE id = %s",
                [NOON_MS - days * DAY_MS, row_id],
            )
            transaction.execute("UPDATE twitch_activities SET status = 'delivered'")
    with database.transaction() as transaction:
        delete_events(transaction, [1])
    run = previewed(runs, {"bits": {"per_unit": 2}}, first)

    assert [
        {"channel_id": "7001", "activity_type": "bits", "activities": 2, "points": 15}
    ] == run.pruned
    assert NOON_DAY - 1 == run.from_day
    assert 1 == run.changes


def test_one_channel_by_its_own_points(database: Database, runs: PolicyRuns) -> None:
    with pytest.raises(NotFound):
        runs.preview(ADMIN, {"follow": 1}, "7001", SINCE_MS)
    with pytest.raises(Invalid):
        runs.preview(ADMIN, {"folow": 1}, None, SINCE_MS)
