"""domain/subscriptions/channel_rules.py and domain/events/follow.py: what holds for one channel."""

import pytest

from apps.twitch_module.domain.events.catalogue import CATALOGUE, DEFAULT_TYPES
from apps.twitch_module.domain.events.follow import follow_id, origin
from apps.twitch_module.domain.points.policy import default_policy
from apps.twitch_module.domain.points.policy_reading import BadPolicy, amended
from apps.twitch_module.domain.subscriptions.channel_rules import (
    policy_of,
    type_problems,
    types_of,
    usable_policy,
)


def test_a_channel_has_the_usual_points_and_types() -> None:
    policy = policy_of(default_policy(), None)

    assert default_policy() == policy
    assert DEFAULT_TYPES == types_of(policy, None)


def test_a_channels_own_points_hold_beside_the_usual_ones() -> None:
    policy = policy_of(default_policy(), {"follow": 25})

    assert (25, 50) == (policy.rules["follow"].base, policy.rules["sub"].base)


def test_points_for_a_further_activity_bring_its_type() -> None:
    policy = policy_of(default_policy(), {"resub": 40})

    assert "channel.subscription.message" in types_of(policy, None)
    assert ("channel.raid",) == types_of(policy, ["channel.raid"])


def test_bad_points_are_named() -> None:
    with pytest.raises(BadPolicy, match=r"points: jump is no activity"):
        policy_of(default_policy(), {"jump": 1})


def test_points_that_fit_the_usual_ones_no_more_give_way() -> None:
    usual = amended(default_policy(), {"bits": False, "bits_use": 1}, "ACTIVITY_POINTS")

    assert usual == usable_policy(usual, {"bits": 2})


@pytest.mark.parametrize(
    ("types", "problems"),
    [
        (list(DEFAULT_TYPES), 0),
        ([], 0),
        (["channel.cheer", "channel.bits.use"], 1),
        (["user.authorization.revoke"], 1),
        (["channel.jump", "stream.online", "x"], 2),
    ],
)
def test_types_that_a_channel_cannot_have_are_named(types: list[str], problems: int) -> None:
    assert problems == len(type_problems(types))


def test_every_type_of_a_channel_can_be_had() -> None:
    names = set(CATALOGUE) - {
        "user.authorization.grant",
        "user.authorization.revoke",
        "conduit.shard.disabled",
        "drop.entitlement.grant",
        "extension.bits_transaction.create",
    }

    assert [] == type_problems(names - {"channel.bits.use"})
    assert 5 == len(type_problems(set(CATALOGUE) - {"channel.bits.use"}))


def test_a_type_without_a_channel_is_refused_with_what_it_needs() -> None:
    (drop,) = type_problems(["drop.entitlement.grant"])
    (unknown,) = type_problems(["channel.folow"])

    assert "drop.entitlement.grant is not about a channel" in drop
    assert "(organization_id)" in drop
    assert "'channel.folow' is not in the catalogue" in unknown
    assert "with its version and its condition, and without a channel" in unknown


def test_a_follow_is_the_same_by_webhook_and_by_list() -> None:
    by_webhook = follow_id("7001", "8001", "2026-03-02T19:04:11.520617331Z")

    assert "7001:8001:1772478251" == by_webhook == follow_id("7001", "8001", "2026-03-02T19:04:11Z")
    assert by_webhook != follow_id("7001", "8001", "2026-03-02T19:04:12Z")


@pytest.mark.parametrize("followed_at", [None, 17, "", "yesterday", "2026-03-02"])
def test_a_follow_without_a_time_cannot_be_known_again(followed_at: object) -> None:
    assert follow_id("7001", "8001", followed_at) is None


def test_where_an_event_comes_from_shows_in_its_id() -> None:
    assert "backfill" == origin("backfill:7001:8001:1772478251", "channel.follow")
    assert "simulated" == origin("simulated-5b0d7c1e88a44a0e", "channel.follow")
    assert "webhook" == origin("5b0d7c1e-88a4-4a0e-9f5d-2f6f0c8b4a11", "channel.follow")
    assert "derived" == origin("reversal:5b0d7c1e", "waddlebot.reversal")
