"""domain/events/catalogue.py: one row per event type, and which types are subscribed to."""

import pytest

from apps.sandbox.catalogue import EVENT_TYPES
from apps.twitch_module.domain.events.catalogue import (
    CATALOGUE,
    DEFAULT_TYPES,
    SCORABLE,
    EventType,
    scopes_for,
    types_in_use,
)
from apps.twitch_module.domain.points.policy import default_policy

ROWS = list(CATALOGUE.values())
SEVEN = {
    "channel.follow",
    "channel.subscribe",
    "channel.cheer",
    "channel.raid",
    "channel.subscription.gift",
    "channel.ban",
    "channel.unban",
}
each_row = pytest.mark.parametrize("row", ROWS, ids=list(CATALOGUE))

_B = ("broadcaster_user_id",)
_MODERATED = ("broadcaster_user_id", "moderator_user_id")
_SUBSCRIPTIONS = ("channel:read:subscriptions",)
_REDEMPTION = "channel.channel_points_custom_reward_redemption.add"
_POLLS = ("channel:read:polls", "channel:manage:polls")
_PREDICTIONS = ("channel:read:predictions", "channel:manage:predictions")
_HYPE_TRAIN = ("channel:read:hype_train",)
# Twitch, "EventSub Subscription Types": version, condition, scopes.
DOCUMENTED = {
    "channel.follow": ("2", _MODERATED, ("moderator:read:followers",)),
    "channel.subscribe": ("1", _B, _SUBSCRIPTIONS),
    "channel.cheer": ("1", _B, ("bits:read",)),
    "channel.raid": ("1", ("to_broadcaster_user_id",), ()),
    "channel.subscription.gift": ("1", _B, _SUBSCRIPTIONS),
    "channel.ban": ("1", _B, ("channel:moderate",)),
    "channel.subscription.message": ("1", _B, _SUBSCRIPTIONS),
    "channel.subscription.end": ("1", _B, _SUBSCRIPTIONS),
    "channel.bits.use": ("1", _B, ("bits:read",)),
    "channel.unban": ("1", _B, ("channel:moderate",)),
    "channel.moderator.add": ("1", _B, ("moderation:read",)),
    _REDEMPTION: ("1", _B, ("channel:read:redemptions", "channel:manage:redemptions")),
    "channel.charity_campaign.donate": ("1", _B, ("channel:read:charity",)),
    "channel.shoutout.receive": (
        "1",
        _MODERATED,
        ("moderator:read:shoutouts", "moderator:manage:shoutouts"),
    ),
    "channel.hype_train.begin": ("2", _B, _HYPE_TRAIN),
    "channel.hype_train.progress": ("2", _B, _HYPE_TRAIN),
    "channel.hype_train.end": ("2", _B, _HYPE_TRAIN),
    "channel.poll.end": ("1", _B, _POLLS),
    "channel.prediction.end": ("1", _B, _PREDICTIONS),
    "channel.goal.end": ("1", _B, ("channel:read:goals",)),
    "channel.update": ("2", _B, ()),
    "stream.online": ("1", _B, ()),
    "stream.offline": ("1", _B, ()),
}


class TestRows:
    @pytest.mark.parametrize("name", DOCUMENTED)
    def test_version_condition_and_scopes_are_the_documented_ones(self, name: str) -> None:
        row = CATALOGUE[name]
        version, condition, scopes = DOCUMENTED[name]
        # Where the condition names a moderator it is he who has to consent.
        by = "moderator_user_id" if condition == _MODERATED else "broadcaster_user_id"

        assert (row.version, row.condition) == (version, condition)
        assert row.grants == (((by, scopes),) if scopes else ())

    @pytest.mark.parametrize("name", CATALOGUE)
    def test_the_catalogue_and_the_sandboxs_twitch_agree(self, name: str) -> None:
        row, there = CATALOGUE[name], EVENT_TYPES[name]

        assert (row.version, row.grants) == (there.version, there.grants)
        if name == "channel.raid":  # Twitch takes either end
            assert set(row.condition) <= set(there.either)
        else:
            assert (row.condition, row.optional) == (there.condition, there.optional)

    def test_every_type_of_twitch_is_known(self) -> None:
        assert CATALOGUE.keys() == EVENT_TYPES.keys()
        assert len(CATALOGUE) == 79

    def test_a_reader_of_his_own_chat_needs_three_grants(self) -> None:
        chat = CATALOGUE["channel.chat.message"]
        own = chat.grants_for({"broadcaster_user_id": "1", "user_id": "1"})
        guest = chat.grants_for({"broadcaster_user_id": "1", "user_id": "2"})

        assert own == [("1", ("user:read:chat",)), ("1", ("user:bot",)), ("1", ("channel:bot",))]
        # He may be a moderator there, who needs nothing of the broadcaster: Twitch knows.
        assert guest == [("2", ("user:read:chat",)), ("2", ("user:bot",))]
        assert scopes_for(["channel.chat.message", "channel.new"]) == [g for _, g in own]

    @each_row
    def test_a_row_is_found_under_its_own_name(self, row: EventType) -> None:
        assert CATALOGUE[row.name] is row

    @each_row
    def test_the_version_is_a_string_of_digits_or_beta(self, row: EventType) -> None:
        assert row.version.isdigit() or row.version == "beta"

    @each_row
    def test_a_row_has_a_condition_and_what_scores_has_a_user(self, row: EventType) -> None:
        assert row.condition
        assert all(name.isidentifier() for name in row.activities)
        assert not row.activities or row.user or row.shares

    @each_row
    def test_texts_are_never_given_where_tuples_are_meant(self, row: EventType) -> None:
        assert all(isinstance(scopes, tuple) for _, scopes in row.grants)
        assert isinstance(row.condition, tuple)
        assert isinstance(row.optional, tuple)

    @each_row
    def test_only_a_type_with_a_user_can_be_anonymous(self, row: EventType) -> None:
        assert row.user or not row.anonymous

    def test_no_two_rows_share_an_activity(self) -> None:
        activities = [name for row in ROWS for name in row.activities]

        assert len(activities) == len(set(activities))

    def test_the_gifted_subscription_is_told_by_its_flag(self) -> None:
        assert CATALOGUE["channel.subscribe"].variant == ("is_gift", True, "sub_gifted", None, None)

    def test_the_raided_channel_is_the_channel_of_a_raid(self) -> None:
        raid = CATALOGUE["channel.raid"]

        assert raid.channel == "to_broadcaster_user"
        assert raid.user == "from_broadcaster_user"

    @pytest.mark.parametrize(
        ("name", "units"),
        [
            ("channel.cheer", "bits"),
            ("channel.raid", "viewers"),
            ("channel.subscription.gift", "total"),
            ("channel.bits.use", "bits"),
        ],
    )
    def test_bits_viewers_and_gifts_are_the_units(self, name: str, units: str) -> None:
        assert CATALOGUE[name].units == units

    @pytest.mark.parametrize("name", ["channel.cheer", "channel.subscription.gift"])
    def test_cheers_and_gifts_can_be_anonymous(self, name: str) -> None:
        assert CATALOGUE[name].anonymous

    @pytest.mark.parametrize("name", ["channel.follow", "channel.subscribe", "channel.ban"])
    def test_follows_subscriptions_and_bans_cannot_be_anonymous(self, name: str) -> None:
        assert not CATALOGUE[name].anonymous


class TestScorable:
    def test_what_can_score(self) -> None:
        assert SCORABLE == {
            *("follow", "sub", "sub_gifted", "bits", "raid", "subgift", "ban", "resub", "sub_end"),
            *("bits_use", "unban", "moderator", "redemption", "donation", "shoutout", "chat"),
            *("automatic_redemption", "vip", "timeout", "watch_streak", "hype_train"),
        }

    def test_a_gifted_subscription_can_score(self) -> None:
        assert "sub_gifted" in SCORABLE


class TestTypesInUse:
    def test_the_default_types_are_those_of_the_points_table_and_what_takes_a_ban_back(
        self,
    ) -> None:
        assert set(DEFAULT_TYPES) == SEVEN

    @pytest.mark.parametrize("scored", [[], ["follow"], ["sub_gifted"], ["no_such_activity"]])
    def test_the_default_types_are_always_in_use(self, scored: list[str]) -> None:
        assert set(types_in_use(scored)) == SEVEN

    def test_the_default_policy_uses_them(self) -> None:
        assert set(types_in_use(default_policy().rules)) == SEVEN

    def test_scoring_an_activity_adds_its_type(self) -> None:
        assert set(types_in_use(["resub"])) == {*SEVEN, "channel.subscription.message"}

    def test_scoring_bits_use_takes_the_place_of_the_cheer(self) -> None:
        types = set(types_in_use(["bits_use"]))

        assert types == SEVEN - {"channel.cheer"} | {"channel.bits.use"}

    def test_what_takes_a_redemption_back_comes_with_it(self) -> None:
        both = {_REDEMPTION, _REDEMPTION.replace(".add", ".update")}

        assert set(types_in_use(["redemption"])) == SEVEN | both

    def test_streams_are_looked_at_where_it_matters(self) -> None:
        streams = {"stream.online", "stream.offline"}

        assert set(types_in_use([], with_streams=True)) == SEVEN | streams

    def test_no_type_is_named_twice(self) -> None:
        types = types_in_use(SCORABLE)

        assert len(types) == len(set(types))

    def test_cheers_are_never_reported_by_two_types(self) -> None:
        types = types_in_use(["bits", "bits_use"])

        assert "channel.bits.use" in types
        assert "channel.cheer" not in types
