"""models/pages.py: every filter, on every page, finds exactly what a plain search would."""

import itertools
import random
from typing import Any

import pytest

from apps.twitch_module.models.database import Database
from apps.twitch_module.models.delivery import activities
from apps.twitch_module.models.events import events
from apps.twitch_module.models.events.ingest import Entry, insert
from apps.twitch_module.models.pages import id_bounds
from apps.twitch_module.models.transaction import Transaction

from .rows import activity, event

ROWS = 300
STATES = ("pending", "leased", "delivered", "skipped", "dead")
TYPES = {"channel.follow": "follow", "channel.cheer": "bits", "stream.online": ""}
Row = dict[str, Any]


@pytest.fixture
def rows(database: Database) -> list[Row]:
    """Events at a second's distance; some without an activity, the others in every state."""
    chance = random.Random(4)
    made: list[Row] = []
    with database.transaction() as transaction:
        for number in range(ROWS):
            event_type = chance.choice(list(TYPES))
            outcome = "scored" if TYPES[event_type] else chance.choice(["unscored", "quarantined"])
            row: Row = {
                "event_id": f"message-{number:04}",
                "event_type": event_type,
                "activity_type": TYPES[event_type],
                "user_id": chance.choice(["1", "2", "3"]),
                "channel_id": chance.choice(["71", "72"]),
                "at_ms": 1_000_000 + number * 1000,
                "status": chance.choice(STATES) if outcome == "scored" else None,
            }
            who = {"user_id": row["user_id"], "channel_id": row["channel_id"]}
            new = event(row["event_id"], event_type=event_type, outcome=outcome, **who)
            earned = None
            if row["status"]:
                earned = activity(activity_type=TYPES[event_type], status=row["status"])
            insert(transaction, [Entry(new, earned)], row["at_ms"])
            made.append(row)
    return made[::-1]


def walk(database: Database, page_of: Any, **query: Any) -> list[str]:
    """The message ids on all pages."""
    found: list[str] = []
    before_id = None
    while True:
        with database.transaction(write=False) as transaction:
            page = page_of(transaction, **query, before_id=before_id, limit=7)
        found += [row["event_id"] for row in page.rows]
        before_id = page.next_before_id
        if before_id is None:
            return found


def filters(type_column: str, types: list[str]) -> list[dict[str, str]]:
    """Every combination of the filters, and of none."""
    choices = {"user_id": ["1", "9"], "channel_id": ["72"], type_column: types}
    columns = [[(name, value) for value in ("", *values)] for name, values in choices.items()]
    return [dict(pair for pair in one if pair[1]) for one in itertools.product(*columns)]


TIMES = [(None, None), (1_100_000, None), (None, 1_200_000), (1_100_500, 1_100_501), (0, 1)]


def expected(rows: list[Row], equal: dict[str, str], since: Any, until: Any) -> list[str]:
    return [
        row["event_id"]
        for row in rows
        if all(row[column] == value for column, value in equal.items())
        and (since is None or row["at_ms"] >= since)
        and (until is None or row["at_ms"] < until)
    ]


def test_events_by_every_filter(database: Database, rows: list[Row]) -> None:
    for equal in filters("event_type", ["channel.follow", "stream.online", "other"]):
        for since, until in TIMES:
            query = {"equal": equal, "since_ms": since, "until_ms": until}
            found = walk(database, events.list_events, **query)

            assert expected(rows, equal, since, until) == found, query


def test_activities_by_every_filter(database: Database, rows: list[Row]) -> None:
    scored = [row for row in rows if row["status"]]
    for equal in filters("activity_type", ["bits", "other"]):
        for status, (since, until) in itertools.product((None, *STATES), TIMES):
            wanted = {**equal, "status": status} if status else equal
            query = {"equal": wanted, "since_ms": since, "until_ms": until}
            found = walk(database, activities.list_activities, **query)

            assert expected(scored, wanted, since, until) == found, query


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps of SQLite's plans for the lists that a test asks for."""
    steps: list[str] = []
    select = Transaction.select

    def explained(self: Transaction, sql: str, parameters: Any = ()) -> list[Row]:
        plan = self.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
        steps.extend(row[3] for row in plan)
        return select(self, sql, parameters)

    monkeypatch.setattr(Transaction, "select", explained)
    return steps


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("page_of", [events.list_events, activities.list_activities])
def test_a_users_rows_in_a_channel_are_found_by_the_user(
    database: Database, rows: list[Row], plans: list[str], page_of: Any
) -> None:
    with database.transaction(write=False) as transaction:
        page_of(transaction, equal={"user_id": "1", "channel_id": "71"})

    assert any("twitch_activities_user (user_id=?)" in step for step in plans)
    assert not any("_channel" in step for step in plans)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("status", ["dead", "skipped"])
def test_a_channels_dead_are_found_among_the_dead(
    database: Database, rows: list[Row], plans: list[str], status: str
) -> None:
    with database.transaction(write=False) as transaction:
        activities.list_activities(transaction, equal={"channel_id": "71", "status": status})

    assert any("twitch_activities_undelivered (channel_id=? AND status=?)" in one for one in plans)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_no_filter_reads_a_whole_table(
    database: Database, rows: list[Row], plans: list[str]
) -> None:
    with database.transaction(write=False) as transaction:
        for column in ("user_id", "channel_id", "event_type"):
            events.list_events(transaction, equal={column: "1"})
        for column in ("user_id", "channel_id", "activity_type"):
            activities.list_activities(transaction, equal={column: "1"})
        for status in ("pending", "leased", "dead", "skipped"):
            activities.list_activities(transaction, equal={"status": status})

    # What is left is a page's own rows, and the indexes of all that is dead, or skipped.
    scans = {step for step in plans if step.startswith("SCAN") and "SCAN part" not in step}
    small = {
        f"SCAN twitch_activities USING {kind} twitch_activities_{status}"
        for kind in ("INDEX", "COVERING INDEX")
        for status in ("dead", "skipped")
    }
    assert scans <= small
    assert any("twitch_activities_user" in step for step in plans)


@pytest.mark.parametrize("gaps", [False, True])
def test_a_time_becomes_a_bound_of_ids(database: Database, rows: list[Row], gaps: bool) -> None:
    with database.transaction() as transaction:
        if gaps:
            transaction.execute("DELETE FROM twitch_activities WHERE id / 3 * 3 <> id")
        ids = [row[0] for row in transaction.execute("SELECT id FROM twitch_activities")]
        bounds = id_bounds(transaction, "twitch_activities", "created_at_ms", 1_160_000, 1_200_000)

    # Five seconds more on both sides, for processes that commit out of order.
    assert bounds[0] is not None and bounds[1] is not None
    inside = [one for one in ids if bounds[0] < one < bounds[1]]
    assert [one for one in ids if 155 < one <= 205] == inside
