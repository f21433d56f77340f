"""domain/points/policy.py: which activity gives how many points, and why."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.twitch_module.domain.events.catalogue import SCORABLE
from apps.twitch_module.domain.events.notification import MAX_UNITS, read_notification
from apps.twitch_module.domain.points.policy import (
    MAX_POINTS,
    Asked,
    Policy,
    Rule,
    default_policy,
)
from apps.twitch_module.domain.points.policy_reading import (
    MAX_FIGURE,
    BadPolicy,
    amended,
    described,
)
from tests.messages import EVENTS, Message

SOURCE = "ACTIVITY_POINTS"


def points(policy: Policy, event_type: str, **changes: Any) -> int | None:
    """What an event of this type scores; None when nothing scores it."""
    body = Message(event_type, {**EVENTS[event_type], **changes}).content()
    notification = read_notification(body)
    rule = policy.rule_for(notification)
    return rule.points(Asked(notification.units, notification.tier)) if rule else None


def changed(**entries: Any) -> Policy:
    """The default policy with these entries."""
    return amended(default_policy(), entries, SOURCE)


def problems(**entries: Any) -> list[str]:
    """What is wrong with these entries."""
    with pytest.raises(BadPolicy) as caught:
        changed(**entries)
    return caught.value.problems


class TestDefaultPolicy:
    @pytest.mark.parametrize(
        ("event_type", "changes", "expected"),
        [
            ("channel.follow", {}, 10),
            ("channel.subscribe", {}, 50),
            ("channel.subscribe", {"is_gift": True}, None),
            ("channel.subscribe", {"tier": "3000"}, 50),
            ("channel.cheer", {"bits": 1}, 1),
            ("channel.cheer", {"bits": 250}, 250),
            ("channel.cheer", {"bits": 0}, 0),
            ("channel.raid", {"viewers": 1}, 30),
            ("channel.raid", {"viewers": 5000}, 30),
            ("channel.subscription.gift", {"total": 1}, 60),
            ("channel.subscription.gift", {"total": 100}, 60),
            ("channel.ban", {}, -10),
        ],
    )
    def test_each_event_scores_what_the_table_says(
        self, event_type: str, changes: dict[str, Any], expected: int | None
    ) -> None:
        assert expected == points(default_policy(), event_type, **changes)

    def test_nothing_else_is_scored(self) -> None:
        scored = {"follow", "sub", "bits", "raid", "subgift", "ban", "timeout"}

        assert scored == set(default_policy().rules)

    def test_a_type_that_is_not_in_the_catalogue_is_not_scored(self) -> None:
        notification = read_notification(Message("channel.new", {}).content())

        assert default_policy().rule_for(notification) is None

    @pytest.mark.parametrize("activity", ["follow", "sub", "bits", "raid", "subgift", "ban"])
    def test_its_rules_say_that_they_are_the_default(self, activity: str) -> None:
        assert default_policy().rules[activity].source == "default"


class TestPoints:
    @pytest.mark.parametrize(
        ("rule", "units", "tier", "expected"),
        [
            (Rule("a", "s"), 5, None, 0),
            (Rule("a", "s", base=10), 5, None, 10),
            (Rule("a", "s", per_unit=2), 5, None, 10),
            (Rule("a", "s", base=10, per_unit=2), 5, None, 20),
            (Rule("a", "s", base=-10), 0, None, -10),
            (Rule("a", "s", base=10, per_unit=-1), 25, None, -15),
            # (50 + 2 * 5) * 3
            (Rule("a", "s", base=50, per_unit=2, tiers=(("3000", 3),)), 5, "3000", 180),
            (Rule("a", "s", base=50, tiers=(("2000", 2), ("3000", 5))), 0, "2000", 100),
            (Rule("a", "s", base=50, tiers=(("2000", 2),)), 0, "1000", 50),
            (Rule("a", "s", base=50, tiers=(("2000", 2),)), 0, "", 50),
            (Rule("a", "s", base=50, tiers=(("2000", 2),)), 0, None, 50),
            (Rule("a", "s", base=50, tiers=(("2000", 0),)), 0, "2000", 0),
            (Rule("a", "s", base=50, tiers=(("2000", 1.5),)), 0, "2000", 75),
        ],
    )
    def test_base_units_and_tier_make_the_points(
        self, rule: Rule, units: int, tier: str | None, expected: int
    ) -> None:
        assert expected == rule.points(Asked(units, tier))

    @pytest.mark.parametrize(
        ("per_unit", "units", "expected"),
        [(0.01, 49, 0), (0.01, 51, 1), (0.5, 1, 0), (0.5, 3, 2), (0.5, 5, 2), (-0.01, 151, -2)],
    )
    def test_points_are_rounded_and_halves_go_to_the_even(
        self, per_unit: float, units: int, expected: int
    ) -> None:
        assert expected == Rule("a", "s", per_unit=per_unit).points(Asked(units, None))

    def test_points_are_whole_numbers(self) -> None:
        assert type(Rule("a", "s", base=10.0).points(Asked(0, None))) is int

    @pytest.mark.parametrize(
        ("base", "maximum", "expected"), [(99, 100, 99), (100, 100, 100), (101, 100, 100)]
    )
    def test_points_are_never_above_the_maximum(
        self, base: int, maximum: int, expected: int
    ) -> None:
        assert expected == Rule("a", "s", base=base, max=maximum).points(Asked(0, None))

    def test_the_maximum_counts_after_the_tier(self) -> None:
        rule = Rule("a", "s", base=50, tiers=(("3000", 6),), max=200)

        assert rule.points(Asked(0, "3000")) == 200

    def test_the_maximum_leaves_a_penalty_alone(self) -> None:
        assert Rule("a", "s", base=-10, max=5).points(Asked(0, None)) == -10

    def test_a_maximum_of_nought_is_a_maximum(self) -> None:
        assert Rule("a", "s", base=10, max=0).points(Asked(0, None)) == 0

    @pytest.mark.parametrize("sign", [1, -1])
    def test_no_policy_scores_beyond_what_json_keeps_exactly(self, sign: int) -> None:
        rule = Rule("a", "s", per_unit=sign * MAX_FIGURE, tiers=(("1000", MAX_FIGURE),))

        assert rule.points(Asked(MAX_UNITS, "1000")) == sign * MAX_POINTS


class TestExplain:
    def test_the_rule_and_what_went_into_it_are_told(self) -> None:
        rule = Rule("sub", "points.toml", 50, 2, (("2000", 1.5),), 500)

        assert json.loads(rule.explain(Asked(7, "2000"))) == {
            "activity": "sub",
            "source": "points.toml",
            "base": 50,
            "per_unit": 2,
            "units": 7,
            "tier": "2000",
            "tier_multiplier": 1.5,
            "max": 500,
        }

    @pytest.mark.parametrize("tier", [None, "", "1000"])
    def test_a_tier_without_a_factor_counts_once(self, tier: str | None) -> None:
        explained = json.loads(Rule("sub", "s", tiers=(("2000", 2),)).explain(Asked(0, tier)))

        assert explained["tier"] == tier
        assert explained["tier_multiplier"] == 1

    def test_no_maximum_is_null(self) -> None:
        assert json.loads(Rule("sub", "s").explain(Asked(0, None)))["max"] is None

    @settings(max_examples=200, deadline=None)
    @given(
        st.integers(-MAX_FIGURE, MAX_FIGURE),
        st.floats(-MAX_FIGURE, MAX_FIGURE),
        st.floats(-MAX_FIGURE, MAX_FIGURE),
        st.integers(0, MAX_UNITS),
    )
    def test_the_points_can_be_worked_out_from_the_explanation(
        self, base: int, per_unit: float, factor: float, units: int
    ) -> None:
        rule = Rule("sub", "s", base, per_unit, (("1000", factor),))

        told = json.loads(rule.explain(Asked(units, "1000")))

        exact = (told["base"] + told["per_unit"] * told["units"]) * told["tier_multiplier"]
        assert round(min(max(exact, -MAX_POINTS), MAX_POINTS)) == rule.points(Asked(units, "1000"))


class TestAmended:
    def test_no_entries_change_nothing(self) -> None:
        assert changed().rules == default_policy().rules

    def test_the_policy_that_is_amended_stays_as_it_was(self) -> None:
        policy = default_policy()

        amended(policy, {"follow": 99, "ban": False}, SOURCE)

        assert policy.rules == default_policy().rules

    def test_a_number_is_the_base(self) -> None:
        assert changed(raid=5).rules["raid"] == Rule("raid", SOURCE, base=5)

    @pytest.mark.parametrize("activity", ["bits", "bits_use"])
    def test_a_number_for_bits_is_per_bit(self, activity: str) -> None:
        entries = {"bits": False, activity: 0.5}

        assert changed(**entries).rules[activity] == Rule(activity, SOURCE, per_unit=0.5)

    def test_a_table_is_the_whole_rule(self) -> None:
        entry = {"base": 10, "per_unit": 2, "tiers": {"2000": 1.5, "3000": 3}, "max": 400}

        assert changed(sub=entry).rules["sub"] == Rule(
            "sub", SOURCE, 10, 2, (("2000", 1.5), ("3000", 3)), 400
        )

    def test_what_a_table_leaves_out_is_nought_and_not_what_was_before(self) -> None:
        assert changed(follow={"max": 5}).rules["follow"] == Rule("follow", SOURCE, max=5)

    def test_an_empty_table_scores_nought(self) -> None:
        assert points(changed(follow={}), "channel.follow") == 0

    @pytest.mark.parametrize("entry", [False, None])
    @pytest.mark.parametrize("event_type", ["channel.follow", "channel.cheer", "channel.ban"])
    def test_false_and_null_take_the_score_away(self, event_type: str, entry: object) -> None:
        activity = {"channel.follow": "follow", "channel.cheer": "bits", "channel.ban": "ban"}

        assert points(changed(**{activity[event_type]: entry}), event_type) is None

    def test_taking_away_what_is_not_scored_is_no_fault(self) -> None:
        assert "resub" not in changed(resub=False).rules

    def test_nought_is_a_score(self) -> None:
        assert points(changed(follow=0), "channel.follow") == 0

    def test_what_is_not_named_keeps_its_rule(self) -> None:
        assert points(changed(follow=99), "channel.ban") == -10

    @pytest.mark.parametrize("activity", sorted(SCORABLE - {"bits_use"}))
    def test_every_activity_with_a_user_can_be_scored(self, activity: str) -> None:
        assert changed(**{activity: 7}).rules[activity].source == SOURCE

    def test_later_entries_win_over_earlier_ones(self) -> None:
        policy = amended(changed(follow=20, raid=20), {"follow": 30}, "channel 7001")

        assert policy.rules["follow"] == Rule("follow", "channel 7001", base=30)
        assert policy.rules["raid"] == Rule("raid", SOURCE, base=20)

    @pytest.mark.parametrize("figure", [MAX_FIGURE, -MAX_FIGURE, 0.5])
    def test_figures_up_to_the_bound_are_taken(self, figure: float) -> None:
        assert changed(follow=figure).rules["follow"].base == figure


class TestGiftedSubscriptions:
    def test_who_receives_one_gets_nothing_unless_the_policy_says_so(self) -> None:
        assert points(changed(sub=70), "channel.subscribe", is_gift=True) is None

    def test_a_rule_of_their_own_wins(self) -> None:
        policy = changed(sub=70, sub_gifted=5)

        assert points(policy, "channel.subscribe", is_gift=True) == 5
        assert points(policy, "channel.subscribe", is_gift=False) == 70

    def test_a_rule_of_their_own_outlasts_a_later_change_of_the_subscription(self) -> None:
        policy = amended(changed(sub_gifted=5), {"sub": 70}, "channel 7001")

        assert points(policy, "channel.subscribe", is_gift=True) == 5

    def test_they_can_be_scored_alone(self) -> None:
        policy = changed(sub=False, sub_gifted=5)

        assert points(policy, "channel.subscribe", is_gift=True) == 5
        assert points(policy, "channel.subscribe", is_gift=False) is None


class TestBadPolicy:
    @pytest.mark.parametrize("activity", ["folow", "", "Follow", "stream_online", "base"])
    def test_an_unknown_activity_is_named_with_those_there_are(self, activity: str) -> None:
        (problem,) = problems(**{activity: 10})

        assert problem.startswith(f"{SOURCE}: {activity} is no activity")
        assert all(name in problem for name in SCORABLE)

    @pytest.mark.parametrize("entry", [False, None])
    def test_an_unknown_activity_cannot_be_taken_away_either(self, entry: object) -> None:
        assert len(problems(folow=entry)) == 1

    def test_an_unknown_key_is_named_with_those_there_are(self) -> None:
        assert problems(sub={"bonus": 1}) == [
            f"{SOURCE}: sub.bonus is unknown; a rule has base, per_unit, tiers, max,"
            " currencies, once, per_day, per_stream, cooldown, min, burst"
        ]

    @pytest.mark.parametrize("entry", [True, "10", [], [10], "false"])
    def test_an_entry_that_is_no_rule_is_named(self, entry: object) -> None:
        assert problems(follow=entry) == [f"{SOURCE}: follow.base must be a number, not {entry!r}"]

    @pytest.mark.parametrize("key", ["base", "per_unit", "max"])
    @pytest.mark.parametrize("figure", [True, False, None, "10", [], {}])
    def test_a_figure_of_another_type_is_named(self, key: str, figure: object) -> None:
        assert problems(sub={key: figure}) == [
            f"{SOURCE}: sub.{key} must be a number, not {figure!r}"
        ]

    @pytest.mark.parametrize("key", ["base", "per_unit", "max"])
    @pytest.mark.parametrize(
        "figure",
        [float("nan"), float("inf"), float("-inf"), 1e300, MAX_FIGURE + 1, -MAX_FIGURE - 1, 10**30],
    )
    def test_a_figure_beyond_the_bound_is_named(self, key: str, figure: float) -> None:
        assert problems(sub={key: figure}) == [
            f"{SOURCE}: sub.{key} must be between -{MAX_FIGURE} and {MAX_FIGURE}"
        ]

    @pytest.mark.parametrize("tiers", [None, 2, "2000", [2], True])
    def test_tiers_that_are_no_table_are_named(self, tiers: object) -> None:
        (problem,) = problems(sub={"tiers": tiers})

        assert problem.startswith(f"{SOURCE}: sub.tiers must map tiers to factors")

    @pytest.mark.parametrize("factor", [True, None, "2", [2], {}])
    def test_a_factor_of_another_type_is_named_with_its_tier(self, factor: object) -> None:
        assert problems(sub={"tiers": {"2000": factor, "3000": 2}}) == [
            f"{SOURCE}: sub.tiers.2000 must be a number, not {factor!r}"
        ]

    @pytest.mark.parametrize("factor", [float("nan"), float("inf"), MAX_FIGURE + 1])
    def test_a_factor_beyond_the_bound_is_named_with_its_tier(self, factor: float) -> None:
        assert problems(sub={"tiers": {"2000": factor}}) == [
            f"{SOURCE}: sub.tiers.2000 must be between -{MAX_FIGURE} and {MAX_FIGURE}"
        ]

    def test_bits_cannot_be_counted_by_two_types(self) -> None:
        (problem,) = problems(bits_use=1)

        assert problem.startswith(f"{SOURCE}: bits_use counts every cheer that bits counts")

    @pytest.mark.parametrize("entry", [False, None])
    def test_bits_use_without_bits_is_fine(self, entry: object) -> None:
        rules = changed(bits=entry, bits_use=2).rules

        assert rules["bits_use"] == Rule("bits_use", SOURCE, per_unit=2)
        assert "bits" not in rules

    def test_bits_cannot_come_back_while_bits_use_counts(self) -> None:
        policy = changed(bits=False, bits_use=2)

        with pytest.raises(BadPolicy):
            amended(policy, {"bits": 1}, "channel 7001")

    def test_all_faults_are_named_at_once(self) -> None:
        found = problems(
            folow=10,
            sub={"base": "50", "bonus": 1, "tiers": {"2000": None}},
            raid=float("nan"),
            bits_use=1,
            ban=-20,
        )

        places = [problem.split(" ")[1] for problem in found]
        assert sorted(places) == [
            "bits_use",
            "folow",
            "raid.base",
            "sub.base",
            "sub.bonus",
            "sub.tiers.2000",
        ]

    def test_each_fault_names_where_the_policy_was_written(self) -> None:
        with pytest.raises(BadPolicy) as caught:
            amended(default_policy(), {"folow": 1, "sub": "x"}, "points.toml")

        assert all(problem.startswith("points.toml: ") for problem in caught.value.problems)

    def test_the_message_holds_every_problem(self) -> None:
        with pytest.raises(BadPolicy) as caught:
            changed(folow=1, sub="x")

        assert all(problem in str(caught.value) for problem in caught.value.problems)


class TestEdges:
    @pytest.mark.parametrize("off", [False, None])
    def test_gifted_subscriptions_can_be_left_unscored(self, off: object) -> None:
        policy = amended(default_policy(), {"sub_gifted": off}, "x")

        assert "sub_gifted" not in policy.rules
        assert "sub" in policy.rules
        assert "sub_gifted" not in amended(policy, {"sub": 70}, "y").rules

    def test_without_subscriptions_gifted_ones_do_not_score_either(self) -> None:
        assert "sub_gifted" not in amended(default_policy(), {"sub": False}, "x").rules

    def test_a_number_beyond_all_floats_is_a_problem_and_no_crash(self) -> None:
        with pytest.raises(BadPolicy, match="follow"):
            amended(default_policy(), {"follow": 10**400}, "x")

    def test_points_stay_below_a_maximum_that_is_not_whole(self) -> None:
        policy = amended(default_policy(), {"bits": {"per_unit": 1, "max": 10.6}}, "x")

        assert 10 == policy.rules["bits"].points(Asked(100, None))


WHOLE = {
    "follow": {"base": 5, "once": "ever", "burst": 20},
    "bits": False,
    "bits_use": {"per_unit": 0.5, "max": 100, "min": 10, "per_day": 50, "per_stream": 20},
    "sub": {"base": 50, "tiers": {"2000": 2, "3000": 5}, "cooldown": 2.5},
    "donation": {"per_unit": 1, "currencies": {"EUR": 1, "JPY": 0.006}},
    "ignore": ["12", "11"],
    "ignore_bots": False,
    "multipliers": [
        {"factor": 2},
        {
            "name": "night",
            "factor": 1.5,
            "activities": ["sub"],
            "days": ["fri", "sat"],
            "from": "22:00",
            "until": "02:05",
            "timezone": "Europe/Berlin",
            "tiers": ["3000"],
            "badges": ["vip"],
            "live": True,
        },
    ],
}


@pytest.mark.parametrize(
    "entries", [{}, WHOLE, dict.fromkeys(default_policy().rules, False)], ids=["none", "all", "off"]
)
def test_a_description_of_a_policy_makes_that_policy_again(entries: dict[str, object]) -> None:
    policy = amended(default_policy(), entries, "x")

    described_again = json.loads(json.dumps(described(policy)))
    again = amended(default_policy(), described_again, "x")

    def rules(one: Policy) -> dict[str, Rule]:
        return {name: rule._replace(source="x") for name, rule in one.rules.items()}

    assert rules(again) == rules(policy)
    assert replace(again, rules={}) == replace(policy, rules={})
