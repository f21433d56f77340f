"""domain/delivery/retry.py: when a failed delivery is tried again."""

import pytest

from apps.twitch_module.domain.delivery.retry import next_delay_seconds

TRIES = range(1, 10)  # the failures after which there is another try
HOUR = 3600
MIDDLE = [5, 30, 120, 600, HOUR, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR]


@pytest.mark.parametrize(("attempts", "delay"), list(zip(TRIES, MIDDLE, strict=True)))
def test_the_middle_chance_gives_the_plain_delay(attempts: int, delay: int) -> None:
    assert next_delay_seconds(attempts, 0.5) == pytest.approx(delay)


@pytest.mark.parametrize(
    ("attempts", "chance", "delay"),
    [
        (1, 0.0, 4),  # 5 - 20 %
        (1, 0.25, 4.5),
        (1, 1.0, 6),  # 5 + 20 %
        (3, 0.0, 96),
        (3, 1.0, 144),
        (9, 0.0, 28_800),
        (9, 1.0, 43_200),
    ],
)
def test_chance_spreads_the_delay_by_a_fifth(attempts: int, chance: float, delay: float) -> None:
    assert next_delay_seconds(attempts, chance) == pytest.approx(delay)


@pytest.mark.parametrize("attempts", [10, 11, 1000])
@pytest.mark.parametrize("retry_after", [None, 1, 10**6])
def test_after_the_tenth_try_it_is_given_up(attempts: int, retry_after: float | None) -> None:
    assert next_delay_seconds(attempts, 0.5, retry_after) is None


def test_the_retries_go_on_for_at_least_a_day() -> None:
    total = sum(next_delay_seconds(attempts, 0.5) or 0 for attempts in TRIES)

    assert total >= 24 * HOUR


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_no_delay_is_shorter_than_the_one_before(chance: float) -> None:
    delays = [next_delay_seconds(attempts, chance) or 0 for attempts in TRIES]

    assert delays == sorted(delays)


@pytest.mark.parametrize(
    ("attempts", "chance", "retry_after", "delay"),
    [
        (3, 0.5, 0, 120),
        (3, 0.5, 60, 120),
        (3, 0.5, 119.9, 120),
        (3, 0.5, 150, 150),
        (3, 0.5, 240, 240),
        (3, 0.5, 241, 240),
        (3, 0.5, 10**9, 240),
        (3, 0.5, -5, 120),
        (3, 0.0, 100, 100),  # the delay is 96 by chance, twice it 192
        (3, 0.0, 200, 192),
        (3, 1.0, 100, 144),
    ],
)
def test_retry_after_is_honoured_between_the_delay_and_twice_it(
    attempts: int, chance: float, retry_after: float, delay: float
) -> None:
    assert next_delay_seconds(attempts, chance, retry_after) == pytest.approx(delay)
