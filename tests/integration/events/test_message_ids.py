"""models/events/message_ids.py: what one writer has entered, each other one knows."""

import random
from pathlib import Path

import pytest

from apps.twitch_module.models import key_values, migrations
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.events import events, ingest, message_ids
from apps.twitch_module.models.events.message_ids import INDEXED_TO, WEEK_MS, RecentIds
from apps.twitch_module.models.migrations import migrate
from apps.twitch_module.models.retention import delete_events

from ..rows import columns, event

NOW_MS = 2900 * WEEK_MS + 1000


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """On SQLite, the only one that has this index."""
    database = Database("sqlite://storage.db", tmp_path)
    migrate(database)
    return database


class Undone(Exception):
    """A transaction that is not to be committed."""


def enter(
    database: Database, recent: RecentIds, *ids: str, at_ms: int = NOW_MS, undone: bool = False
) -> set[str]:
    """Those of the ids that were new."""
    new: set[str] = set()
    try:
        with database.transaction() as transaction:
            entries = [ingest.Entry(event(one, outcome="unscored")) for one in ids]
            new |= ingest.insert(transaction, entries, at_ms, recent=recent).new.keys()
            if undone:
                raise Undone
    except Undone:
        pass
    return new


def indexed_to(database: Database) -> int:
    with database.transaction(write=False) as transaction:
        found = key_values.read(transaction, INDEXED_TO)
    assert found is not None
    return int(found[0])


def delete(database: Database, last: int) -> None:
    """What retention does when all events up to a row id are too old."""
    with database.transaction() as transaction:
        delete_events(transaction, range(1, last + 1))
        message_ids.forget(transaction, last, 0, 200)


def test_ids_are_known_before_they_are_indexed_and_after(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_ids, "INDEX_AFTER", 10)
    recent = RecentIds()
    for number in range(35):
        assert {f"id-{number}"} == enter(database, recent, f"id-{number}")

    assert 30 == indexed_to(database)
    for writer in (recent, RecentIds()):
        assert set() == enter(database, writer, *(f"id-{number}" for number in range(35)))


def test_the_index_goes_back_with_the_transaction_that_made_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_ids, "INDEX_AFTER", 3)
    recent = RecentIds()
    assert {"a", "b", "c"} == enter(database, recent, "a", "b", "c")

    assert {"d"} == enter(database, recent, "d", undone=True)
    assert 0 == indexed_to(database)
    assert {"d"} == enter(database, recent, "a", "b", "c", "d")
    assert 3 == indexed_to(database)


def test_an_id_that_was_undone_may_come_again(database: Database) -> None:
    recent, other = RecentIds(), RecentIds()

    assert {"a"} == enter(database, recent, "a", undone=True)
    assert {"b"} == enter(database, other, "b")  # under the row id that "a" had
    assert {"a"} == enter(database, recent, "a", "b")


def test_row_ids_that_are_given_again_hide_nothing(database: Database) -> None:
    recent = RecentIds()
    enter(database, recent, "a", "b", "c")
    enter(database, recent)
    delete(database, last=3)

    assert {"d", "e", "f", "g"} == enter(database, RecentIds(), "d", "e", "f", "g")
    assert {"h"} == enter(database, recent, "d", "e", "f", "g", "h")


def test_ids_of_two_weeks_are_known(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_ids, "INDEX_AFTER", 1)
    recent = RecentIds()
    enter(database, recent, "old")
    enter(database, recent, "next")  # the old one goes into the index

    assert set() == enter(database, recent, "old", at_ms=NOW_MS + WEEK_MS)
    assert {"old"} == enter(database, recent, "old", at_ms=NOW_MS + 2 * WEEK_MS)


def test_old_ids_are_forgotten_a_few_at_a_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_ids, "INDEX_AFTER", 1)
    recent = RecentIds()
    for week in range(4):
        enter(database, recent, f"{week}-a", f"{week}-b", at_ms=NOW_MS + week * WEEK_MS)
    enter(database, recent, "last", at_ms=NOW_MS + 4 * WEEK_MS)
    left = "SELECT event_id FROM twitch_message_ids ORDER BY event_id"
    for limit, expected in ((3, ["1-b", "2-a", "2-b", "3-a", "3-b"]), (3, ["2-a", "2-b"])):
        with database.transaction() as transaction:
            message_ids.forget(transaction, 0, NOW_MS // WEEK_MS + 2, limit)
        assert expected[:2] == [one for (one,) in columns(database, left)][:2]

    assert ["2-a", "2-b", "3-a", "3-b"] == [one for (one,) in columns(database, left)]


def test_a_database_with_the_earlier_index_keeps_what_it_knew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = migrations._STEPS
    database = Database("sqlite://storage.db", tmp_path)
    monkeypatch.setattr(migrations, "_STEPS", steps[:7])
    monkeypatch.setattr(migrations, "VERSION", 7)
    migrate(database)
    with database.transaction() as transaction:
        for number in range(3):
            transaction.execute(
                "INSERT INTO twitch_events VALUES (%s, %s, 't', '1', 's', 'c', 'c', 'u', 'u', 'u',"
                " %s, 'unscored', NULL, x'00')",
                [number + 1, f"id-{number}", NOW_MS],
            )
    monkeypatch.setattr(migrations, "_STEPS", steps)
    monkeypatch.setattr(migrations, "VERSION", len(steps))
    migrate(database)

    assert {"new"} == enter(database, RecentIds(), "id-0", "id-1", "id-2", "new")
    with database.transaction(write=False) as transaction:
        assert events.get_event(transaction, "id-1") is not None


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_each_id_is_taken_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(message_ids, "INDEX_AFTER", 7)
    chance = random.Random(seed)
    writers = [RecentIds(), RecentIds()]
    there: set[str] = set()
    for _ in range(120):
        what = chance.random()
        if what < 0.03:
            newest = columns(database, "SELECT coalesce(max(id), 0) FROM twitch_events")[0][0]
            delete(database, newest)
            with database.transaction() as transaction:  # with them, in this test
                transaction.execute("DELETE FROM twitch_message_ids")
            there.clear()
            continue
        if what < 0.1:
            writers[chance.randrange(2)] = RecentIds()  # a process that starts
        ids = {f"id-{chance.randrange(60)}" for _ in range(chance.randrange(1, 6))}
        undone = chance.random() < 0.2
        new = enter(database, chance.choice(writers), *ids, undone=undone)

        assert ids - there == new
        there |= set() if undone else ids
