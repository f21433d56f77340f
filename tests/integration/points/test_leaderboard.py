"""Who has how many points: pages, ties, periods; and how somebody was last called."""

import pytest

from apps.twitch_module.models.database import Database
from apps.twitch_module.models.events import message_ids
from apps.twitch_module.models.points import leaderboard, totals
from apps.twitch_module.models.points.leaderboard import Selection, Standing, Total
from apps.twitch_module.models.points.totals import Change, Sum

from .test_settlement import NOON_MS, ban, cheer, store, told

TODAY = NOON_MS // totals.DAY_MS


def cheers(database: Database, *given: tuple[str, int, int]) -> None:
    """User, bits, and how many days ago."""
    store(
        database,
        [
            cheer(-days * 86_400, bits, user_id=user, user_name=f"N{user}")
            for user, bits, days in given
        ],
    )


def board(database: Database, selection: Selection, size: int = 200) -> list[Standing]:
    """All of it, by pages."""
    found: list[Standing] = []
    while True:
        after = (found[-1].points, found[-1].user_id) if found else None
        with database.transaction(write=False) as transaction:
            page = leaderboard.page(transaction, selection, after=after, limit=size)
        found += page
        if len(page) < size:
            return found


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 200])
def test_equal_points_are_an_equal_rank_on_whatever_page(
    database: Database, size: int, folded: bool
) -> None:
    cheers(database, ("1", 30, 0), ("2", 50, 1), ("3", 30, 2), ("4", 7, 0), ("5", 20, 3))
    cheers(database, ("5", 10, 0))
    store(database, [ban(0, user_id="4"), ban(0, user_id="6")])
    if folded and database.sqlite:
        with database.transaction() as transaction:
            message_ids.index(transaction)

    assert [
        Standing(1, "2", 50, 1),
        Standing(2, "1", 30, 1),
        Standing(2, "3", 30, 1),
        Standing(2, "5", 30, 2),
        Standing(5, "4", -3, 2),
        Standing(6, "6", -10, 1),
    ] == board(database, Selection(), size)


def test_only_what_is_asked_for_counts(database: Database) -> None:
    cheers(database, ("1", 30, 0), ("1", 5, 7), ("2", 20, 7))
    store(database, [told("channel.follow", user_id="1", broadcaster_user_id="7002")])

    def places(**wanted: object) -> list[tuple[str, int]]:
        found = board(database, Selection(**wanted))  # type: ignore[arg-type]
        return [(one.user_id, one.points) for one in found]

    assert [("1", 45), ("2", 20)] == places()
    assert [("1", 35), ("2", 20)] == places(channel_id="7001")
    assert [("1", 10)] == places(activity_type="follow")
    assert [("2", 20), ("1", 5)] == places(until_day=TODAY - 1, since_day=TODAY - 7)
    assert [("1", 30)] == places(since_day=TODAY, activity_type="bits")
    assert [("2", 20)] == places(user_id="2")
    assert [] == places(channel_id="7003")


def test_a_users_sums_by_channel_and_activity(database: Database) -> None:
    cheers(database, ("1", 30, 0), ("1", 5, 7), ("2", 20, 7))
    store(database, [told("channel.follow", user_id="1", broadcaster_user_id="7002")])
    with database.transaction(write=False) as transaction:
        found = leaderboard.by_activity(transaction, Selection(user_id="1"))

    assert [Total("7001", "bits", 35, 2), Total("7002", "follow", 10, 1)] == found


def test_a_name_is_the_newest_of_what_is_kept(database: Database) -> None:
    cheers(database, ("1", 30, 1))
    store(database, [cheer(0, 5, user_id="1", user_name="New_Name")])
    with database.transaction() as transaction:
        transaction.execute("UPDATE twitch_activities SET status = 'delivered'")
        totals.add(transaction, [Change(Sum("7001", "2", "bits", TODAY), 9, 1)])
        names = leaderboard.names(transaction, ["1", "2"])

    assert {"1": "New_Name", "2": None} == names
