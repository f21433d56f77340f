"""domain/connections.py."""

from apps.twitch_module.domain.connections import (
    FILES_FOR_OTHERS,
    MOST,
    Connection,
    most_connections,
    superfluous,
)


def of(address: str, *idle_ms: int) -> list[Connection]:
    return [Connection(one, address, 1000 + one, one) for one in idle_ms]


def ended(connections: list[Connection], *, most: int = 1000, per_address: int = 1000) -> list[int]:
    found = superfluous(
        connections, most=most, per_address=per_address, is_exempt=lambda one: one == "10.0.0.1"
    )
    return sorted(one.file for one in found)


def test_whoever_has_too_many_loses_those_that_idle_longest() -> None:
    several = of("203.0.113.1", 5, 90, 3, 70) + of("203.0.113.2", 100, 101)

    assert [70, 90] == ended(several, per_address=2)
    assert [] == ended(several, per_address=4)


def test_a_subnet_of_ipv6_is_one_customer() -> None:
    several = of("2001:db8::1", 1) + of("2001:db8::2", 2) + of("2001:db8:0:1::1", 3)

    assert [2] == ended(several, per_address=1)


def test_a_proxy_may_have_any_number_until_they_run_short() -> None:
    of_proxy = of("10.0.0.1", *range(1, 11))

    assert [] == ended(of_proxy, per_address=1)
    assert [] == ended(of_proxy, per_address=1, most=14)
    assert [10] == ended(of_proxy, per_address=1, most=12)


def test_a_quarter_stays_free_for_others() -> None:
    several = [one for n in range(10) for one in of(f"203.0.113.{n}", n, 100 + n)]

    assert list(range(105, 110)) == ended(several, most=20)


def test_files_are_left_for_what_is_not_a_connection() -> None:
    assert MOST == most_connections(1_000_000) == most_connections(-1)
    assert 1024 - FILES_FOR_OTHERS == most_connections(1024)
    assert 64 == most_connections(256)
