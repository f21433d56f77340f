"""services/retention.py: what is old goes, unless it is still to be delivered."""

import threading
import time
from collections.abc import Iterator

import pytest

from apps.twitch_module.domain.points.limits import Counter, Period
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.events.ingest import Entry, insert
from apps.twitch_module.models.points import limit_counters, totals
from apps.twitch_module.models.points.totals import Change, sum_of
from apps.twitch_module.services import retention
from apps.twitch_module.services.retention import BATCH, Retention

from .rows import activity, columns, event, fill

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def keeper(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Retention]:
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.0)
    yield Retention(database, 30)


def age(database: Database, days: float, where: str) -> None:
    with database.transaction() as transaction:
        transaction.execute(
            f"UPDATE twitch_events SET received_at_ms = received_at_ms - %s WHERE {where}",
            [int(days * DAY_MS)],
        )


def counts(database: Database) -> tuple[int, int]:
    found = columns(
        database,
        "SELECT (SELECT count(*) FROM twitch_events), (SELECT count(*) FROM twitch_activities)",
    )
    return found[0][0], found[0][1]


def test_events_go_with_their_activities_after_so_many_days(
    database: Database, keeper: Retention
) -> None:
    fill(database, 1000, status="delivered")
    age(database, 30.1, "id <= 700")
    age(database, 29.9, "id > 700")

    assert 700 == keeper.forget()
    assert (300, 300) == counts(database)
    assert 0 == keeper.forget()


@pytest.mark.parametrize("status", ["pending", "leased"])
def test_what_is_still_to_be_delivered_stays(
    database: Database, keeper: Retention, status: str
) -> None:
    fill(database, 500, status="dead")
    with database.transaction() as transaction:
        transaction.execute(
            "UPDATE twitch_activities SET status = %s WHERE id IN (3, 250, 499)", [status]
        )
    age(database, 31, "id > 0")

    assert 497 == keeper.forget()
    assert [(3,), (250,), (499,)] == columns(database, "SELECT id FROM twitch_events ORDER BY id")
    assert (3, 3) == counts(database)


def test_events_without_an_activity_go_too(database: Database, keeper: Retention) -> None:
    with database.transaction() as transaction:
        insert(transaction, [Entry(event("raw", outcome="quarantined"))], 1000)

    assert 1 == keeper.forget()


def test_totals_outlast_the_events_and_so_do_the_keys_of_follows(
    database: Database, keeper: Retention
) -> None:
    keys = ["ever:follow:7001:8001", "ever:redemption:1", "near:bits:7001:8001:a"]
    entries = [
        Entry(event(key), activity(natural_key=key, status="delivered"), key, 1000) for key in keys
    ]
    with database.transaction() as transaction:
        insert(transaction, entries, 1000)
        if not database.sqlite:  # there, retention itself sums up
            of = sum_of("7001", "8001", "follow", activity().happened_at_ms)
            totals.add(transaction, [Change(of, 30, 3)])

    assert 3 == keeper.forget()
    assert [(30, 3)] == columns(database, "SELECT points, times FROM twitch_totals")
    assert [(keys[0],)] == columns(database, "SELECT key FROM twitch_natural_keys")


def test_events_come_in_while_old_ones_go(database: Database, keeper: Retention) -> None:
    fill(database, 3000, status="delivered")
    age(database, 31, "id > 0")
    came: list[int] = []
    going = threading.Thread(target=lambda: came.append(-keeper.forget()))
    going.start()
    number = 0
    while going.is_alive() or number < 50:
        with database.transaction() as transaction:
            new = insert(
                transaction,
                [Entry(event(f"new-{number}", outcome="unscored"))],
                transaction.now_ms(),
            )
        number += len(new.new)
    going.join()

    assert [-3000] == came
    assert (number, 0) == counts(database)


def test_it_ends_when_told(database: Database) -> None:
    keeper = Retention(database, 30)
    keeper.start()
    keeper.begin_stop()
    keeper.wait(10)

    assert [] == columns(database, "SELECT id FROM twitch_leases")


def test_counters_of_days_go_and_those_of_all_time_stay(
    database: Database, keeper: Retention
) -> None:
    now_ms, day_ms = int(time.time() * 1000), 86_400_000
    old, new = Counter(5, 1, now_ms - 31 * day_ms), Counter(5, 1, now_ms - 29 * day_ms)
    kept = {Period("7001", "1", "chat", "ever"): old, Period("7001", "2", "chat", "day:2"): new}
    with database.transaction() as transaction:
        gone = {Period("7001", str(n), "chat", "day:1"): old for n in range(BATCH + 1)}
        limit_counters.save(transaction, {**kept, **gone})
    keeper.forget_counters()

    left = columns(database, "SELECT user_id, period FROM twitch_limit_counters ORDER BY 1")
    assert [("1", "ever"), ("2", "day:2")] == left
