"""domain/subscriptions/subscription.py: what is wanted, compared with what there is."""

from typing import Any

import pytest

from apps.twitch_module.domain.subscriptions.subscription import (
    Known,
    Match,
    Ours,
    Subscription,
    Wanted,
    channel_of,
    from_twitch,
    is_superfluous,
    match,
    needed_grants,
    remedy,
    retry_delay_seconds,
    wanted_for_application,
    wanted_for_channel,
)

OURS = Ours("https://bot.example/twitch/webhook", "secret-1")
NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
WANTED = wanted_for_channel("7001", ["channel.follow"])[0]


def there(**changes: Any) -> Subscription:
    """A subscription to the follows of channel 7001, as good as can be."""
    return Subscription(
        "s-1",
        "channel.follow",
        "2",
        (("broadcaster_user_id", "7001"), ("moderator_user_id", "7001")),
        "enabled",
        0,
        "2027-01-15T07:59:00.123456789Z",
        OURS.callback,
    )._replace(**changes)


def known(**changes: Any) -> dict[str, Known]:
    return {"s-1": Known("enabled", OURS.callback, "secret-1", "created", 0)._replace(**changes)}


def matched(*found: Subscription, record: dict[str, Known] | None = None) -> Match:
    return match(WANTED, found, {} if record is None else record, OURS, NOW)


def test_each_type_gets_the_condition_of_the_catalogue() -> None:
    follow, raid = wanted_for_channel("7001", ["channel.follow", "channel.raid"])

    assert ("2", there().condition) == (follow.version, follow.condition)
    assert (("to_broadcaster_user_id", "7001"),) == raid.condition
    assert (("client_id", "app"),) == wanted_for_application("app").condition


def test_an_account_is_its_own_channel() -> None:
    (update,) = wanted_for_channel("7001", ["user.update"])

    assert (("user_id", "7001"),) == update.condition
    assert "7001" == channel_of(update.condition)
    assert "7001" == channel_of([("user_id", "9"), ("broadcaster_user_id", "7001")])


def test_what_is_not_in_the_catalogue_needs_nothing_that_is_known() -> None:
    wanted = Wanted("channel.new", "1", (("broadcaster_user_id", "7001"),), "7001")

    assert {} == needed_grants(wanted)
    assert {"7001": [("moderator:read:followers",)]} == needed_grants(WANTED)


@pytest.mark.parametrize("record", [{}, known(), known(secret_id="")])
def test_one_that_delivers_to_us_is_right(record: dict[str, Known]) -> None:
    assert Match(WANTED, there(), (), (), "") == matched(there(), record=record)


def test_a_fresh_challenge_is_waited_for() -> None:
    pending = there(status="webhook_callback_verification_pending")

    assert pending == matched(pending).right


def test_a_challenge_that_never_came_blocks() -> None:
    pending = there(
        status="webhook_callback_verification_pending", created_at="2027-01-15T07:48:00Z"
    )
    found = matched(pending)

    assert (None, (pending,)) == (found.right, found.blocking)
    assert "its challenge has not been answered for 12 minutes" == found.why


def test_one_with_an_earlier_secret_blocks() -> None:
    found = matched(there(), record=known(secret_id="secret-0"))

    assert (None, (there(),), ()) == (found.right, found.blocking, found.obsolete)


def test_one_to_our_earlier_callback_is_obsolete() -> None:
    earlier = there(callback="https://old.example/twitch/webhook")
    found = matched(earlier, record=known(callback=earlier.callback))

    assert (None, (), (earlier,)) == (found.right, found.blocking, found.obsolete)


def test_one_to_a_callback_that_was_never_ours_is_not_seen() -> None:
    foreign = there(callback="https://staging.example/twitch/webhook")

    assert Match(WANTED, None, (), (), "") == matched(foreign)


def test_one_that_is_no_webhook_is_not_seen() -> None:
    assert Match(WANTED, None, (), (), "") == matched(there(callback=""))


def test_another_version_blocks() -> None:
    assert (there(version="1"),) == matched(there(version="1")).blocking


def test_the_dead_go_once_there_is_a_living_one() -> None:
    dead = there(id="s-0", status="notification_failures_exceeded")
    alone, both = matched(dead), matched(dead, there())

    assert (None, (), (dead,)) == (alone.right, alone.blocking, alone.obsolete)
    assert (there(), (), (dead,)) == (both.right, both.blocking, both.obsolete)


class TestSuperfluous:
    """What nobody wants goes only where it surely is ours."""

    def check(self, one: Subscription, record: dict[str, Known], monitored: list[str]) -> bool:
        return is_superfluous(one, record, OURS, monitored, int(NOW * 1000))

    def test_of_a_monitored_channel(self) -> None:
        assert self.check(there(), {}, ["7001"])

    def test_made_by_us_for_a_channel_that_is_not_monitored_any_more(self) -> None:
        assert self.check(there(), known(), [])

    @pytest.mark.parametrize(("hours", "goes"), [(23, False), (25, True)])
    def test_a_strangers_has_a_day(self, hours: int, goes: bool) -> None:
        seen = int(NOW * 1000) - hours * 3_600_000

        assert goes is self.check(there(), known(origin="found", first_seen_ms=seen), [])

    def test_one_never_seen_before_stays(self) -> None:
        assert not self.check(there(), {}, [])

    def test_one_of_another_callback_stays(self) -> None:
        assert not self.check(there(callback="https://other.example"), {}, ["7001"])


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("notification_failures_exceeded", "anew"),
        ("webhook_callback_verification_failed", "anew"),
        ("something_that_twitch_adds_later", "anew"),
        ("authorization_revoked", "login"),
        ("moderator_removed", "login"),
        ("chat_user_banned", "later"),
        ("beta_maintenance", "later"),
        ("user_removed", "never"),
        ("version_removed", "never"),
    ],
)
def test_each_end_has_its_remedy(status: str, expected: str) -> None:
    assert expected == remedy(status)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, 0), (2, 60), (3, 240), (6, 60 * 256), (7, 12 * 3600), (1000, 12 * 3600)],
)
def test_delays_grow_to_half_a_day(failures: int, seconds: float) -> None:
    assert seconds == retry_delay_seconds("anew", failures)


def test_what_is_given_up_is_not_tried_again() -> None:
    assert retry_delay_seconds("never", 1) is None
    assert 86_400 == retry_delay_seconds("login", 5)


@pytest.mark.parametrize(
    "described",
    [
        {},
        {"condition": None, "transport": "webhook", "cost": "1"},
        {"id": 7, "condition": {"broadcaster_user_id": 7001}, "transport": {"callback": None}},
        {"cost": -1, "status": ["enabled"], "condition": {"broadcaster_user_id": None}},
    ],
)
def test_whatever_twitch_says_can_be_read(described: dict[str, Any]) -> None:
    read = from_twitch(described)

    assert 0 == read.cost
    assert "" == read.callback
    assert ("7001" if "id" in described else "") == read.channel_id


def test_empty_fields_of_a_condition_do_not_count() -> None:
    raid = from_twitch(
        {"condition": {"from_broadcaster_user_id": "", "to_broadcaster_user_id": "7001"}}
    )

    assert wanted_for_channel("7001", ["channel.raid"])[0].condition == raid.condition
