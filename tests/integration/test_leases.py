"""models/leases.py: of many that want to do a work, one does it."""

import threading

from apps.twitch_module.models import leases
from apps.twitch_module.models.database import Database


def hold(database: Database, owner: str, lease_ms: int = 60_000) -> bool:
    with database.transaction() as transaction:
        return leases.hold(transaction, "work", owner, lease_ms)


def test_who_holds_it_may_prolong_it_and_nobody_else_gets_it(database: Database) -> None:
    assert hold(database, "one")
    assert hold(database, "one")
    assert not hold(database, "two")


def test_it_is_free_again_when_it_ends_or_is_let_go(database: Database) -> None:
    assert hold(database, "one", lease_ms=-1)
    assert hold(database, "two")
    with database.transaction() as transaction:
        leases.let_go(transaction, "work", "one")  # not his any more
    assert not hold(database, "one")
    with database.transaction() as transaction:
        leases.let_go(transaction, "work", "two")
    assert hold(database, "one")


def test_of_many_at_once_one_gets_it(database: Database) -> None:
    got: list[str] = []

    def take(owner: str) -> None:
        if hold(database, owner):
            got.append(owner)

    threads = [threading.Thread(target=take, args=(f"owner {number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == len(got)
