"""What too many in a minute came to: released or dropped by an admin, and the sums with it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.twitch_module.domain.points.policy import default_policy
from apps.twitch_module.domain.points.policy_reading import amended
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.events import message_ids
from apps.twitch_module.models.points import held
from apps.twitch_module.services.events.event_storage import record

from ..rows import columns
from .test_limits import follow
from .test_settlement import points, rows_of

POLICY = amended(default_policy(), {"follow": {"base": 10, "burst": 2}}, "test")


@pytest.fixture(autouse=True)
def five(database: Database) -> None:
    """Five follows in a minute: two are paid, three are held (3, 4 and 5)."""
    rows = [row for number in range(5) for row in rows_of(follow(number), POLICY)]
    with database.transaction() as transaction:
        record(transaction, rows)


def status(database: Database) -> list[str]:
    return [one for (one,) in columns(database, "SELECT status FROM twitch_activities ORDER BY id")]


def fold(database: Database) -> None:
    """As it happens some thousands of events later, on SQLite."""
    if database.sqlite:
        with database.transaction() as transaction:
            message_ids.index(transaction)


@pytest.mark.parametrize("folded", [False, True])
def test_what_is_released_is_due_and_counts(database: Database, folded: bool) -> None:
    assert (50, 20) == points(database)
    if folded:
        fold(database)
    with database.transaction() as transaction:
        assert 1 == held.release(transaction, {"id": 4})
        assert 0 == held.release(transaction, {"id": 4})
        assert 0 == held.release(transaction, {"id": 1})

    assert ["pending", "pending", "held", "pending", "held"] == status(database)
    assert (50, 30) == points(database)
    fold(database)
    assert (50, 30) == points(database)


@pytest.mark.parametrize("folded", [False, True])
def test_what_is_dropped_gives_nothing(database: Database, folded: bool) -> None:
    if folded:
        fold(database)
    with database.transaction() as transaction:
        assert 1 == held.drop(transaction, {"id": 3})
        assert 0 == held.release(transaction, {"id": 3})

    assert ("skipped", 0, held.DROPPED) == columns(
        database, "SELECT status, amount, reason FROM twitch_activities WHERE id = 3"
    )[0]
    assert (40, 20) == points(database)


def test_all_that_fit_are_counted_and_released(database: Database) -> None:
    of_channel = {"equal": {"channel_id": "7001"}, "since_ms": None, "until_ms": None}
    elsewhere = {"equal": {"channel_id": "7002"}, "since_ms": None, "until_ms": None}
    with database.transaction() as transaction:
        assert 3 == held.count(transaction, of_channel)
        assert 0 == held.count(transaction, elsewhere) == held.release(transaction, elsewhere)
        assert 3 == held.release(transaction, of_channel)

    assert ["pending"] * 5 == status(database)
    assert (50, 50) == points(database)


def test_two_admins_release_each_once(database: Database) -> None:
    def release(_: int) -> int:
        with database.transaction() as transaction:
            return held.release(transaction, {"equal": {}, "since_ms": None, "until_ms": None})

    with ThreadPoolExecutor(4) as pool:
        assert 3 == sum(pool.map(release, range(8)))
    assert (50, 50) == points(database)
