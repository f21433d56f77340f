"""models/events/ingest.py: each message id once."""

from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from apps.twitch_module.models.database import Database
from apps.twitch_module.models.delivery.activities import NewActivity
from apps.twitch_module.models.events import events, ingest
from apps.twitch_module.models.events.events import NewEvent
from apps.twitch_module.models.events.message_ids import INDEX_AFTER, WEEK_MS, RecentIds
from apps.twitch_module.models.migrations import migrate

MIDNIGHT_MS = 2900 * WEEK_MS  # when one week ends and another begins
DAY_MS = WEEK_MS // 7
MINUTE_MS = 60_000


def entry(event_id: str) -> ingest.Entry:
    """An event, and the activity that it earns."""
    event = NewEvent(
        *(event_id, "channel.follow", "2", "subscription", "7001", "A_Channel"),
        *("42", "viewer", "Viewer", MIDNIGHT_MS, events.SCORED, None, event_id.encode()),
    )
    activity = NewActivity("follow", 0, 10, "{}", "pending", None, MIDNIGHT_MS, None)
    return ingest.Entry(event, activity)


def insert(database: Database, at_ms: int, *event_ids: str) -> list[str]:
    """Those that were new."""
    with database.transaction() as transaction:
        return sorted(ingest.insert(transaction, [entry(one) for one in event_ids], at_ms).new)


def numbers(database: Database) -> tuple[int, int]:
    """How many events and activities there are."""
    with database.transaction(write=False) as transaction:
        return tuple(  # type: ignore[return-value]  # two
            transaction.execute(f"SELECT count(*) FROM {table}")[0][0]
            for table in ("twitch_events", "twitch_activities")
        )


@pytest.mark.parametrize("later_ms", [0, 1, DAY_MS, WEEK_MS - 1, WEEK_MS])
@pytest.mark.parametrize("first_ms", [MIDNIGHT_MS, MIDNIGHT_MS - 1, MIDNIGHT_MS + 3 * DAY_MS])
def test_a_message_id_is_taken_once_for_a_week_at_least(
    database: Database, first_ms: int, later_ms: int
) -> None:
    assert ["a", "b"] == insert(database, first_ms, "a", "b")
    assert ["c"] == insert(database, first_ms + later_ms, "b", "c")
    assert [] == insert(database, first_ms + later_ms, "a", "b", "c")

    assert (3, 3) == numbers(database)


@pytest.mark.parametrize("back_ms", [1, MINUTE_MS, 10 * MINUTE_MS])
@pytest.mark.parametrize("first_ms", [MIDNIGHT_MS, MIDNIGHT_MS + MINUTE_MS])
def test_a_message_id_stays_taken_when_the_clock_is_set_back_over_the_turn_of_a_week(
    database: Database, first_ms: int, back_ms: int
) -> None:
    assert ["a", "b"] == insert(database, first_ms, "a", "b")
    assert ["c"] == insert(database, first_ms - back_ms, "b", "c")
    assert [] == insert(database, first_ms + 2 * MINUTE_MS, "a", "b", "c")


@pytest.mark.parametrize("back_ms", [MINUTE_MS, 10 * MINUTE_MS])
def test_ids_that_are_in_the_index_stay_taken_then_too(database: Database, back_ms: int) -> None:
    many = [f"id-{number:05d}" for number in range(INDEX_AFTER + 1)]
    recent = RecentIds()
    with database.transaction() as transaction:
        ingest.insert(transaction, [entry(one) for one in many], MIDNIGHT_MS, recent=recent)
    for _ in range(2):  # after the first of these, they are in the index
        with database.transaction() as transaction:
            found = ingest.insert(
                transaction, [entry(many[0]), entry(many[-1])], MIDNIGHT_MS - back_ms, recent=recent
            )
            assert {} == found.new


def test_an_event_is_found_by_its_id_however_old_it_is(database: Database) -> None:
    for number in range(10):
        insert(database, MIDNIGHT_MS + number * 40 * DAY_MS, f"id-{number}")
    with database.transaction(write=False) as transaction:
        found = [events.get_event(transaction, f"id-{number}") for number in range(11)]

    assert [f"id-{number}".encode() for number in range(10)] == [
        one["body"] for one in found[:-1] if one
    ]
    assert found[-1] is None


def test_at_the_turn_of_a_week_the_same_id_waits_for_the_other_transaction(
    database: Database,
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as transaction:
            assert {"a"} == ingest.insert(transaction, [entry("a")], MIDNIGHT_MS - 1).new.keys()
            later = pool.submit(insert, database, MIDNIGHT_MS, "a")
            assert not wait([later], timeout=0.3).done

        assert [] == later.result(timeout=10)
    assert (1, 1) == numbers(database)


def test_no_plan_that_was_made_while_the_table_was_empty_reads_it_from_end_to_end(
    postgres_uri: str, tmp_path: Path
) -> None:
    database = Database(postgres_uri, tmp_path)
    migrate(database)
    connection = database.connect_alone()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) twitch_events, twitch_activities")
    connection.close()
    for number in range(20):  # a plan for good is made after five
        insert(database, MIDNIGHT_MS + DAY_MS, f"id-{number}")
    with database.transaction() as transaction:
        plan = transaction.execute("EXPLAIN EXECUTE store_events ('[]', 1)")

    assert "Index Scan using twitch_events_message" in str(plan)
    assert "Seq Scan" not in str(plan)
