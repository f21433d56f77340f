"""What is kept of a person, and that nothing is after an erasure; by a look into every table."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from apps.twitch_module.domain.access.callers import Actor
from apps.twitch_module.domain.events.notification import read_notification
from apps.twitch_module.domain.points.policy import default_policy
from apps.twitch_module.errors import Conflict, NotFound
from apps.twitch_module.models.access import audit
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.events import events
from apps.twitch_module.models.points import leaderboard
from apps.twitch_module.models.retention import delete_events
from apps.twitch_module.models.tables import TABLES
from apps.twitch_module.services.events.event_storage import record
from apps.twitch_module.services.events.monitored_channels import MonitoredChannels
from apps.twitch_module.services.points.policy_runs import PolicyRuns
from apps.twitch_module.services.privacy.privacy import Position, Privacy
from tests.messages import person

from ..points.test_policy_runs import by_activities, previewed, sums
from ..points.test_settlement import (
    GENEROUS,
    NOON_MS,
    Told,
    ban,
    cheer,
    rows_of,
    store,
    told,
    unban,
)
from ..rows import columns, watch

ADMIN = Actor("admin", name="alice")
VIEWER, LOGIN, NAME = "8001", "a_viewer", "A_Viewer"
DAY_MS = 24 * 3600 * 1000


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else commits here."""
    monkeypatch.setattr("apps.twitch_module.models.points.history.SETTLED_MS", -60_000)
    monkeypatch.setattr("apps.twitch_module.services.privacy.privacy.SETTLED_MS", 0)
    monkeypatch.setattr("apps.twitch_module.services.privacy.privacy.KNOWN_MS", 0)


@pytest.fixture
def privacy(database: Database) -> Privacy:
    return Privacy(database)


def follow(user_id: str, after: float = 0) -> Told:
    who = person("user", {"id": user_id, "login": f"n{user_id}", "name": f"N{user_id}"})
    return told("channel.follow", after, **who)


def life(database: Database) -> None:
    """What two people did: one of them is banned by a moderator, who is the other."""
    by_other = {"moderator_user_id": "8002", "moderator_user_login": "n8002"}
    store(
        database,
        [told("channel.follow"), follow("8002")],
        [cheer(0, 100), cheer(5, 100), cheer(86_400, 7)],
        [told("channel.ban", 90_000, **by_other), told("channel.ban", 95_000)],
        [told("channel.unban", 95_010)],
        [told("channel.raid", 96_000)],
    )


def everything(database: Database) -> Iterator[tuple[str, str]]:
    """Every table's rows as text."""
    tables = [*TABLES, "twitch_message_ids"] if database.sqlite else [*TABLES]
    for table in tables:
        for row in columns(database, f"SELECT * FROM {table}"):
            said = [bytes(one) if isinstance(one, memoryview) else one for one in row]
            yield table, repr(said)


def where(database: Database, *words: str) -> set[str]:
    """The tables in which any of these stands."""
    mark = "['\":/]"
    pattern = re.compile("|".join(f"{mark}{word}{mark}" for word in words))
    return {table for table, row in everything(database) if pattern.search(row)}


def exported(privacy: Privacy, user_id: str, limit: int) -> list[tuple[str, dict[str, Any]]]:
    found, position = [], Position()
    while position is not None:
        kept, position = privacy.kept(user_id, position, limit)  # type: ignore[assignment]
        assert len(kept) <= limit or position is None
        found += [(one.table, dict(one.row)) for one in kept]
    return found


def test_all_that_is_kept_is_shown_and_nothing_of_others(
    database: Database, privacy: Privacy
) -> None:
    life(database)
    PolicyRuns(database, GENEROUS, None)
    everything_kept = exported(privacy, VIEWER, 2)

    assert everything_kept == exported(privacy, VIEWER, 1000)
    tables = [table for table, _ in everything_kept]
    assert {"twitch_events", "twitch_activities", "twitch_totals"} == set(tables)
    own = [row for table, row in everything_kept if "body" in row]
    assert json.loads(own[0]["body"])["event"]["user_id"] == VIEWER
    assert {"8002"} != {row.get("user_id") for _, row in everything_kept}
    moderated = [row for table, row in exported(privacy, "8002", 100) if table == "twitch_events"]
    assert ["channel.follow", "channel.ban"] == [row["event_type"] for row in moderated]
    assert {"id", "event_id", "event_type", "channel_id", "received_at_ms"} == moderated[1].keys()
    json.dumps(everything_kept)


def test_nothing_of_a_person_stays_but_points_under_a_pseudonym(
    database: Database, privacy: Privacy
) -> None:
    life(database)
    runs = PolicyRuns(database, default_policy(), None)
    previewed(runs, {"follow": 4}, 0)
    with database.transaction() as transaction:
        audit.record(transaction, ADMIN, "channel.remove", f"channel:{VIEWER}", before={"a": LOGIN})
    before = sums(database)
    # On SQLite, keys and sums enter their tables later.
    there = {"twitch_events", "twitch_activities", "twitch_policy_changes", "audit_log"}
    assert there <= where(database, VIEWER)

    erasure = privacy.erase(ADMIN, VIEWER)
    privacy.carry_on()
    erasure = privacy.get(erasure.id)

    assert (None, 8) == (erasure.user_id, erasure.events)
    assert set() == where(database, VIEWER, LOGIN, NAME)
    renamed = {
        (channel, erasure.pseudonym if user == VIEWER else user, activity, day): points
        for (channel, user, activity, day), points in before.items()
    }
    assert renamed == sums(database) == by_activities(database)
    assert 0 == previewed(runs, {}, 0).changes
    statuses = columns(
        database,
        f"SELECT DISTINCT status FROM twitch_activities WHERE user_id = '{erasure.pseudonym}'",
    )
    assert [("skipped",)] == statuses
    assert [("8002", "pending"), ("9001", "pending")] == columns(
        database, "SELECT user_id, status FROM twitch_activities WHERE status = 'pending'"
    )
    entries = columns(database, "SELECT action, object FROM audit_log ORDER BY id")
    assert ("privacy.erase", f"erasure:{erasure.id}") == entries[-2]
    assert ("channel.remove", f"channel:{erasure.pseudonym}") in entries


def test_a_negative_balance_stays(database: Database, privacy: Privacy) -> None:
    store(database, [ban(0)])
    erasure = privacy.erase(ADMIN, VIEWER)
    privacy.carry_on()

    with database.transaction(write=False) as transaction:
        board = leaderboard.page(transaction, leaderboard.Selection(), after=None, limit=9)
    assert [(erasure.pseudonym, -10)] == [(one.user_id, one.points) for one in board]


def test_what_comes_late_brings_nobody_back_and_who_comes_back_is_new(
    database: Database, privacy: Privacy
) -> None:
    watch(database)
    store(database, [told("channel.follow")])
    monitored = MonitoredChannels(database, default_policy())
    assert not monitored.standing("7001").erased
    erasure = privacy.erase(ADMIN, VIEWER)
    privacy.carry_on()
    monitored.forget()
    standing = monitored.standing("7001")
    late, late_unscored = told("channel.follow", 5), told("channel.update", 5, user_id=VIEWER)
    after = (erasure.at_ms - NOON_MS) / 1000 + 60
    new = cheer(after, 30)
    for one in (late, late_unscored, new):
        policy_rows = rows_of(
            one, default_policy(), monitored=standing.monitored, erased=standing.erased
        )
        with database.transaction() as transaction:
            record(transaction, policy_rows)

    stored = columns(
        database, "SELECT user_id, user_login, outcome, reason FROM twitch_events ORDER BY id"
    )
    assert ("", "", events.UNSCORED, "the user has been erased") == stored[1]
    assert (VIEWER, LOGIN, events.SCORED, None) == stored[-1]
    body = columns(database, "SELECT body FROM twitch_events ORDER BY id")[1][0]
    assert VIEWER.encode() not in bytes(body)
    assert "" == read_notification(bytes(body)).user.id
    assert {erasure.pseudonym: 10, VIEWER: 30} == {
        user: points for (_, user, _, _), points in sums(database).items()
    }


def test_an_erasure_that_was_cut_off_is_ended_by_another_process(
    database: Database, privacy: Privacy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.twitch_module.services.privacy.privacy.BATCH", 2)
    life(database)
    before = sorted(points for points in sums(database).values())
    erasure = privacy.erase(ADMIN, VIEWER)
    for _ in range(3):
        assert privacy._step()
    assert (4, VIEWER) == (privacy.get(erasure.id).scanned_to, privacy.get(erasure.id).user_id)
    Privacy(database).carry_on()

    assert set() == where(database, VIEWER, LOGIN, NAME)
    assert before == sorted(points for points in sums(database).values())


def test_twice_the_second_goes_on_for_what_came_between(
    database: Database, privacy: Privacy
) -> None:
    life(database)
    first = privacy.erase(ADMIN, VIEWER)
    privacy.carry_on()
    store(database, [cheer(200_000, 9)])
    second = privacy.erase(ADMIN, VIEWER)
    privacy.carry_on()

    assert first.id == second.id and first.pseudonym != second.pseudonym
    assert set() == where(database, VIEWER, LOGIN, NAME)
    assert 9 == sums(database)["7001", second.pseudonym, "bits", (NOON_MS + 200_000_000) // DAY_MS]


def test_streamers_of_ours_are_refused(database: Database, privacy: Privacy) -> None:
    watch(database)

    with pytest.raises(Conflict):
        privacy.erase(ADMIN, "7001")
    with pytest.raises(NotFound):
        privacy.get(1)
    assert [] == exported(privacy, VIEWER, 10)


def test_what_takes_back_is_taken_out_with_what_it_takes_back(
    database: Database, privacy: Privacy
) -> None:
    store(database, [ban(0)], [unban(30)])
    privacy.erase(ADMIN, VIEWER)
    privacy.carry_on()

    assert set() == where(database, VIEWER, LOGIN, NAME)
    assert {} == sums(database)


def test_what_outlives_its_events_is_taken_out_too(database: Database, privacy: Privacy) -> None:
    life(database)
    store(database, [told("channel.unban", 96_500)])
    ids = [row[0] for row in columns(database, "SELECT id FROM twitch_events ORDER BY id")]
    with database.transaction() as transaction:
        transaction.execute("UPDATE twitch_activities SET status = 'delivered'")
        delete_events(transaction, ids[:-1])
    assert {"twitch_natural_keys", "twitch_totals"} <= where(database, VIEWER)
    privacy.erase(ADMIN, VIEWER)
    privacy.carry_on()

    assert set() == where(database, VIEWER, LOGIN, NAME)


def test_who_had_a_channel_is_taken_out_of_what_others_did_there(
    database: Database, privacy: Privacy
) -> None:
    """The channel is monitored no more; its viewers' points stay."""
    life(database)
    before = sorted(sums(database).values())
    privacy.erase(ADMIN, "7001")
    privacy.carry_on()

    assert set() == where(database, "7001", "the_channel", "The_Channel")
    assert before == sorted(sums(database).values())
