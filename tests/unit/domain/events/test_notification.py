"""domain/events/notification.py: who did what, in which channel, how much of it."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.sandbox.payloads import Scene
from apps.sandbox.people import FIRST_PEOPLE, STREAMER
from apps.sandbox.simulated_events import BUILDERS
from apps.twitch_module.domain.events.catalogue import CATALOGUE, EventType
from apps.twitch_module.domain.events.notification import (
    MAX_UNITS,
    NOBODY,
    Notification,
    NotUnderstood,
    Person,
    contributions,
    read_notification,
    read_object,
    read_subscription,
    text,
)
from tests.messages import BROADCASTER, EVENTS, RAIDER, VIEWER, Message, person

CHANNEL = Person(**BROADCASTER)
USER = Person(**VIEWER)
MISSING = object()  # a value that takes the key away

_CHANNEL = person("broadcaster_user", BROADCASTER)
_USER = person("user", VIEWER)
_HYPE_TRAIN = {
    **_CHANNEL,
    "id": "train-1",
    "total": 700,
    "progress": 200,
    "goal": 500,
    "level": 2,
    "top_contributions": [{**_USER, "type": "bits", "total": 700}],
    "shared_train_participants": None,
    "is_shared_train": False,
    "type": "regular",
    "started_at": "2026-01-02T03:04:05.1Z",
}
MORE_EVENTS: dict[str, dict[str, Any]] = {
    "channel.subscription.message": {
        **_USER,
        **_CHANNEL,
        "tier": "2000",
        "message": {"text": "still here", "emotes": [{"begin": 0, "end": 4, "id": "25"}]},
        "cumulative_months": 15,
        "streak_months": None,
        "duration_months": 1,
    },
    "channel.bits.use": {
        **_USER,
        **_CHANNEL,
        "bits": 100,
        "type": "cheer",
        "power_up": None,
        "message": {"text": "cheer100", "fragments": []},
    },
    "channel.channel_points_custom_reward_redemption.add": {
        **_USER,
        **_CHANNEL,
        "id": "redemption-1",
        "user_input": "",
        "status": "unfulfilled",
        "reward": {"id": "reward-1", "title": "Hydrate", "cost": 300, "prompt": ""},
        "redeemed_at": "2026-01-02T03:04:05.1Z",
    },
    "channel.hype_train.begin": {**_HYPE_TRAIN, "expires_at": "2026-01-02T03:09:05Z"},
    "channel.hype_train.end": {**_HYPE_TRAIN, "ended_at": "2026-01-02T03:09:05Z"},
    "stream.online": {**_CHANNEL, "id": "stream-1", "type": "live", "started_at": "2026-01-02"},
}


def event_of(row: EventType) -> dict[str, Any]:
    """A well-formed event, made of nothing but what the row says is in it."""
    event: dict[str, Any] = person(row.channel, BROADCASTER)
    if row.user:
        event |= person(row.user, VIEWER)
    if row.units:
        *path, last = row.units.split(".")
        place = event
        for key in path:
            place = place.setdefault(key, {})
        place[last] = 7
    if row.tier:
        event[row.tier] = "3000"
    if row.money:
        event[row.money] = {"value": 725, "decimal_places": 2, "currency": "EUR"}
    if row.variant:
        event[row.variant.field] = "something else"
    if row.anonymous:
        event["is_anonymous"] = False
    return event


KNOWN = {**{name: event_of(row) for name, row in CATALOGUE.items()}, **MORE_EVENTS, **EVENTS}


def read(event_type: str, **changes: Any) -> Notification:
    """What a well-formed event of this type says after these changes."""
    event = {**KNOWN[event_type], **changes}
    event = {key: value for key, value in event.items() if value is not MISSING}
    return read_notification(Message(event_type, event).content())


def refusal(event_type: str, **changes: Any) -> str | None:
    """The reason why this could not be scored."""
    return read(event_type, **changes).fault


def outcome(body: bytes) -> Notification | NotUnderstood:
    """What became of a body; any other exception than NotUnderstood fails the test."""
    try:
        return read_notification(body)
    except NotUnderstood as fault:
        return fault


def texts(notification: Notification) -> Iterator[str]:
    """Every text that would be stored."""
    for value in notification:
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, str):
                yield part


def assert_storable(notification: Notification) -> None:
    """Every database takes every text and the number."""
    for value in texts(notification):
        assert "\x00" not in value
        assert value.encode().decode() == value
    assert 0 <= notification.units <= MAX_UNITS


class TestEveryRowOfTheCatalogue:
    @pytest.mark.parametrize("row", CATALOGUE.values(), ids=CATALOGUE)
    def test_a_well_formed_event_is_read_as_its_row_says(self, row: EventType) -> None:
        message = Message(row.name, event_of(row), version=row.version)

        assert read_notification(message.content()) == Notification(
            event_type=row.name,
            version=row.version,
            subscription_id=message.subscription_id,
            channel=CHANNEL,
            user=USER if row.user else NOBODY,
            activity=row.activity or None,
            anonymous=False,
            units=7.25 if row.money else 7 if row.units else 0,
            tier="3000" if row.tier else None,
            currency="EUR" if row.money else None,
            fault=None,
            event=event_of(row),
        )

    @pytest.mark.parametrize("row", CATALOGUE.values(), ids=CATALOGUE)
    def test_an_event_without_its_channel_cannot_be_scored(self, row: EventType) -> None:
        changes: dict[str, Any] = {f"{row.channel}_id": MISSING}

        assert refusal(row.name, **changes) == f"no {row.channel}_id"

    @pytest.mark.parametrize("row", CATALOGUE.values(), ids=CATALOGUE)
    @pytest.mark.parametrize("event", [None, [], "event", 1, True])
    def test_an_event_that_is_no_object_cannot_be_scored(
        self, row: EventType, event: object
    ) -> None:
        payload = {"subscription": {"id": "1", "type": row.name}, "event": event}

        assert read_notification(json.dumps(payload).encode()).fault == "no event"

    @pytest.mark.parametrize("name", [row.name for row in CATALOGUE.values() if row.units])
    @pytest.mark.parametrize(
        "units",
        [
            MISSING,
            None,
            -1,
            True,
            1.0,
            0.5,
            "7",
            "",
            [],
            [7],
            {},
            {"value": 7},
            MAX_UNITS + 1,
            10**30,
            float("nan"),
            float("inf"),
        ],
    )
    def test_units_that_are_no_sensible_number_cannot_be_scored(
        self, name: str, units: object
    ) -> None:
        path = str(CATALOGUE[name].units)
        event = deepcopy(event_of(CATALOGUE[name]))
        *parents, last = path.split(".")
        place = event
        for key in parents:
            place = place[key]
        if units is MISSING:
            del place[last]
        else:
            place[last] = units

        notification = read_notification(Message(name, event).content())

        assert (notification.fault, notification.units) == (f"no usable {path}", 0)

    @pytest.mark.parametrize(
        "name", [row.name for row in CATALOGUE.values() if row.user and not row.anonymous]
    )
    @pytest.mark.parametrize("user_id", [MISSING, None, "", [], {}, True, 1.5, -1])
    def test_an_event_without_its_user_cannot_be_scored(self, name: str, user_id: object) -> None:
        changes = {f"{CATALOGUE[name].user}_id": user_id}

        assert refusal(name, **changes) == f"no {CATALOGUE[name].user}_id"


class TestEventsAsTwitchSendsThem:
    """Every type, with a payload made after Twitch's reference."""

    scene = Scene(STREAMER, FIRST_PEOPLE[1], amount=7, client_id="app")

    @pytest.mark.parametrize("row", CATALOGUE.values(), ids=CATALOGUE)
    def test_every_type_is_read_and_what_scores_lacks_nothing(self, row: EventType) -> None:
        event = BUILDERS[row.name](self.scene)
        condition = dict.fromkeys(row.condition, STREAMER.id)
        payload = {
            "subscription": {"id": "1", "type": row.name, "condition": condition},
            **({"events": [event]} if row.batched else {"event": event}),
        }

        notification = read_notification(json.dumps(payload).encode())

        assert notification.activity in (*row.activities, None)
        assert bool(notification.activity) or not row.activity
        assert (notification.fault is None) or not row.activities
        if row.is_of_channel and row.name != "user.update":
            assert notification.channel.id == STREAMER.id
        if row.user:
            assert notification.user.id in (FIRST_PEOPLE[1].id, FIRST_PEOPLE[3].id)


class TestScoredTypes:
    @pytest.mark.parametrize(
        ("event_type", "user", "activity", "units", "tier"),
        [
            ("channel.follow", USER, "follow", 0, None),
            ("channel.subscribe", USER, "sub", 0, "1000"),
            ("channel.cheer", USER, "bits", 250, None),
            ("channel.raid", Person(**RAIDER), "raid", 42, None),
            ("channel.subscription.gift", USER, "subgift", 5, "1000"),
            ("channel.ban", USER, "ban", 0, None),
            ("channel.subscription.message", USER, "resub", 15, "2000"),
            ("channel.bits.use", USER, "bits_use", 100, None),
            (
                "channel.channel_points_custom_reward_redemption.add",
                USER,
                "redemption",
                300,
                None,
            ),
            ("channel.hype_train.begin", NOBODY, None, 0, None),
            ("channel.hype_train.end", NOBODY, "hype_train", 0, None),
            ("stream.online", NOBODY, None, 0, None),
        ],
    )
    def test_an_event_as_twitch_sends_it_is_read(
        self, event_type: str, user: Person, activity: str | None, units: int, tier: str | None
    ) -> None:
        notification = read(event_type)

        assert CHANNEL == notification.channel
        assert user == notification.user
        assert activity == notification.activity
        assert units == notification.units
        assert tier == notification.tier
        assert notification.anonymous is False

    def test_a_gifted_subscription_is_an_activity_of_its_own(self) -> None:
        assert read("channel.subscribe", is_gift=True).activity == "sub_gifted"

    @pytest.mark.parametrize("flag", [MISSING, None, False, 1, "true", [True]])
    def test_a_gift_flag_that_is_not_true_is_a_subscription(self, flag: object) -> None:
        assert read("channel.subscribe", is_gift=flag).activity == "sub"

    def test_the_channel_of_a_raid_is_the_raided_one(self) -> None:
        assert "broadcaster_user_id" not in KNOWN["channel.raid"]
        assert read("channel.raid").channel == CHANNEL

    def test_a_raid_with_a_usual_channel_but_no_raided_one_cannot_be_scored(self) -> None:
        changes = {**_CHANNEL, "to_broadcaster_user_id": MISSING}

        assert refusal("channel.raid", **changes) == "no to_broadcaster_user_id"

    def test_a_raid_is_whose_who_raids_even_when_a_user_is_named(self) -> None:
        assert read("channel.raid", **_USER).user == Person(**RAIDER)

    @pytest.mark.parametrize("units", [0, 1, MAX_UNITS])
    def test_units_between_nought_and_the_bound_are_taken(self, units: int) -> None:
        assert read("channel.cheer", bits=units).units == units

    @pytest.mark.parametrize(
        ("tier", "expected"), [("2000", "2000"), (2000, "2000"), (None, ""), (MISSING, "")]
    )
    def test_a_tier_is_read_as_text(self, tier: object, expected: str) -> None:
        assert read("channel.subscribe", tier=tier).tier == expected

    def test_fields_that_twitch_has_added_since_are_ignored(self) -> None:
        more = read("channel.follow", new_field={"deep": [1]})

        assert more._replace(event={}) == read("channel.follow")._replace(event={})

    def test_missing_names_are_empty(self) -> None:
        notification = read("channel.follow", user_login=MISSING, user_name=None)

        assert notification.user == Person(VIEWER["id"], "", "")


class TestVariants:
    """Events of a type that are another activity than the others."""

    ENDS: ClassVar = {"banned_at": "2026-01-02T03:04:05.1Z", "ends_at": "2026-01-02T03:14:05.2Z"}

    def test_a_ban_that_ends_is_a_timeout_of_so_many_minutes(self) -> None:
        notification = read("channel.ban", is_permanent=False, **self.ENDS)

        assert (notification.activity, notification.units) == ("timeout", 11)

    @pytest.mark.parametrize("flag", [MISSING, None, True, 0, "false"])
    def test_every_other_ban_is_one(self, flag: object) -> None:
        notification = read("channel.ban", is_permanent=flag, **self.ENDS)

        assert (notification.activity, notification.units) == ("ban", 0)

    @pytest.mark.parametrize("ends_at", [MISSING, None, "", 7, "soon", "2026-01-02T03:04:05Z"])
    def test_a_timeout_without_an_end_cannot_be_scored(self, ends_at: object) -> None:
        changes = {**self.ENDS, "is_permanent": False, "ends_at": ends_at}

        assert refusal("channel.ban", **changes) == "no usable banned_at and ends_at"

    @pytest.mark.parametrize(
        ("status", "expected"), [("canceled", "redemption_canceled"), ("fulfilled", None)]
    )
    def test_a_redemption_is_taken_back_when_it_is_canceled(
        self, status: str, expected: str | None
    ) -> None:
        name = "channel.channel_points_custom_reward_redemption.update"

        assert read(name, status=status).activity == expected

    def test_a_streak_of_watching_is_told_in_chat(self) -> None:
        streak = {"notice_type": "watch_streak", "watch_streak": {"streak_count": 5}}
        notification = read("channel.chat.notification", **streak)

        assert (notification.activity, notification.units) == ("watch_streak", 5)
        assert read("channel.chat.notification", notice_type="raid").activity is None


class TestMoney:
    @pytest.mark.parametrize(
        ("value", "places", "expected"),
        [(1250, 2, 12.5), (1250, 0, 1250), (1000, 2, 10), (1, 3, 0.001), (0, 2, 0)],
    )
    def test_an_amount_is_in_its_own_currency(
        self, value: int, places: int, expected: float
    ) -> None:
        amount = {"value": value, "decimal_places": places, "currency": "jpy"}
        notification = read("channel.charity_campaign.donate", amount=amount)

        assert (notification.units, notification.currency) == (expected, "JPY")

    @pytest.mark.parametrize(
        "amount",
        [
            MISSING,
            None,
            12.5,
            {},
            {"value": 1250, "decimal_places": 2},
            {"value": -1, "decimal_places": 2, "currency": "EUR"},
            {"value": 1250, "decimal_places": 2000000000, "currency": "EUR"},
            {"value": 1250, "decimal_places": -2, "currency": "EUR"},
            {"value": 12.5, "decimal_places": 2, "currency": "EUR"},
            {"value": 1250, "decimal_places": 2, "currency": ""},
            {"value": 1250, "decimal_places": 2, "currency": ["EUR"]},
        ],
    )
    def test_what_is_no_amount_cannot_be_scored(self, amount: object) -> None:
        assert refusal("channel.charity_campaign.donate", amount=amount) == "no usable amount"


class TestContributions:
    def test_each_share_of_a_hype_train_is_one(self) -> None:
        shares = contributions(read("channel.hype_train.end"))

        assert shares is not None
        assert [(one.user, one.units, one.event["id"]) for one in shares] == [
            (USER, 700, "train-1")
        ]

    @pytest.mark.parametrize(
        "listed",
        [
            MISSING,
            None,
            {},
            [None],
            [{}],
            [{**_USER, "type": None, "total": 7}],
            [{**_USER, "type": "bits", "total": -7}],
            [{"user_id": "", "type": "bits", "total": 7}],
        ],
    )
    def test_what_is_no_share_is_left_out(self, listed: object) -> None:
        assert contributions(read("channel.hype_train.end", top_contributions=listed)) == []

    def test_other_types_have_none(self) -> None:
        assert contributions(read("channel.follow")) is None


class TestAnonymous:
    @pytest.mark.parametrize("event_type", ["channel.cheer", "channel.subscription.gift"])
    @pytest.mark.parametrize(
        "who",
        [
            {"user_id": None, "user_login": None, "user_name": None},
            {"user_id": "", "user_login": "", "user_name": ""},
            {"user_id": MISSING, "user_login": MISSING, "user_name": MISSING},
            # The account that Twitch's own test tool puts in the place of an anonymous giver.
            {
                "user_id": "274598607",
                "user_login": "ananonymousgifter",
                "user_name": "AnAnonymousGifter",
            },
        ],
        ids=["null", "empty", "missing", "placeholder"],
    )
    def test_what_is_given_anonymously_belongs_to_nobody(
        self, event_type: str, who: dict[str, object]
    ) -> None:
        notification = read(event_type, is_anonymous=True, **who)

        assert notification.user == NOBODY
        assert notification.anonymous is True

    @pytest.mark.parametrize("event_type", ["channel.cheer", "channel.subscription.gift"])
    def test_the_amount_of_an_anonymous_gift_is_kept(self, event_type: str) -> None:
        assert read(event_type, is_anonymous=True).units == read(event_type).units

    @pytest.mark.parametrize(
        "event_type", ["channel.cheer", "channel.subscription.gift", "channel.bits.use"]
    )
    @pytest.mark.parametrize("user_id", [None, "", MISSING])
    def test_without_an_id_it_belongs_to_nobody_whatever_the_flag_says(
        self, event_type: str, user_id: object
    ) -> None:
        notification = read(event_type, is_anonymous=False, user_id=user_id)

        assert notification.user == NOBODY
        assert notification.anonymous is True

    def test_a_name_without_an_id_belongs_to_nobody(self) -> None:
        assert read("channel.cheer", user_id=None).user == NOBODY

    @pytest.mark.parametrize("event_type", ["channel.follow", "channel.subscribe", "channel.ban"])
    def test_the_flag_hides_nobody_where_twitch_knows_no_anonymity(self, event_type: str) -> None:
        notification = read(event_type, is_anonymous=True)

        assert notification.user == USER
        assert notification.anonymous is False


class TestUnknownTypes:
    unknown = Message("channel.something.new", {**_USER, **_CHANNEL, "bits": -1}, version="beta")

    def test_an_unknown_type_is_kept_and_has_no_activity(self) -> None:
        notification = read_notification(self.unknown.content())

        assert notification.event_type == "channel.something.new"
        assert notification.version == "beta"
        assert notification.activity is None
        assert notification.units == 0

    def test_an_unknown_type_is_shown_with_the_usual_channel_and_user(self) -> None:
        notification = read_notification(self.unknown.content())

        assert notification.channel == CHANNEL
        assert notification.user == USER

    def test_an_unknown_type_without_channel_or_user_is_kept(self) -> None:
        notification = read_notification(Message("user.something", {}).content())

        # The channel is the one that the subscription watches.
        assert notification.channel == Person(BROADCASTER["id"], "", "")
        assert notification.user == NOBODY

    @pytest.mark.parametrize("event", [None, [], "event", 1])
    def test_an_unknown_type_without_an_event_object_is_kept(self, event: object) -> None:
        payload = {"subscription": {"id": "1", "type": "drop.something.new"}, "event": event}

        notification = read_notification(json.dumps(payload).encode())

        assert notification.event_type == "drop.something.new"


class TestSubscription:
    @pytest.mark.parametrize("subscription", [None, [], "sub", 1, {}, {"id": ""}, {"id": None}])
    def test_a_message_without_a_subscription_is_not_understood(self, subscription: object) -> None:
        with pytest.raises(NotUnderstood, match="no subscription"):
            read_subscription({"subscription": subscription})

    def test_a_message_that_lacks_the_key_is_not_understood(self) -> None:
        with pytest.raises(NotUnderstood, match="no subscription"):
            read_subscription({})

    def test_the_subscription_is_given_as_it_is(self) -> None:
        subscription = {"id": "1", "status": "enabled", "more": [1]}

        assert read_subscription({"subscription": subscription}) == subscription

    @pytest.mark.parametrize("name", [None, "", [], {}, True, 1.5])
    def test_a_notification_without_a_type_is_not_understood(self, name: object) -> None:
        body = json.dumps({"subscription": {"id": "1", "type": name}, "event": {}}).encode()

        with pytest.raises(NotUnderstood, match="no subscription type"):
            read_notification(body)


class TestReadObject:
    def test_an_object_is_read(self) -> None:
        assert read_object(b'{"a": [1, null]}') == {"a": [1, None]}

    def test_a_byte_order_mark_is_no_fault(self) -> None:
        assert read_object(b"\xef\xbb\xbf{}") == {}

    @pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"true", b"null", b"NaN"])
    def test_json_that_is_no_object_is_not_understood(self, body: bytes) -> None:
        with pytest.raises(NotUnderstood, match="not a JSON object"):
            read_object(body)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b" ",
            b"\x00",
            b"{",
            b"{}{}",
            b"{'a': 1}",
            b"<html>",
            b"\xff\xfe",
            b'{"a": "\xff"}',
            b'{"a": %b}' % (b"9" * 5001),
        ],
    )
    def test_what_is_not_json_is_not_understood(self, body: bytes) -> None:
        with pytest.raises(NotUnderstood, match="not JSON"):
            read_object(body)

    @pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
    def test_a_hundred_thousand_levels_are_not_understood(self, opening: bytes) -> None:
        with pytest.raises(NotUnderstood, match="nested too deeply"):
            read_object(opening * 100_000)


class TestText:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("A_Viewer", "A_Viewer"),
            ("日本語🎉é", "日本語🎉é"),
            (141981764, "141981764"),
            (0, "0"),
            ("", ""),
        ],
    )
    def test_texts_and_whole_numbers_are_kept(self, value: object, expected: str) -> None:
        assert text(value) == expected

    @pytest.mark.parametrize("value", [None, True, False, 1.5, -1, 10**30, [], {}, b"x"])
    def test_anything_else_is_empty(self, value: object) -> None:
        assert text(value) == ""

    def test_a_number_too_long_to_be_written_is_empty(self) -> None:
        assert text(10**5000) == ""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("a\x00b", "a\ufffdb"),
            ("\x00", "\ufffd"),
            ("a\ud83d", "a\ufffd"),
            ("\ude00b", "\ufffdb"),
            ("\ud83d\x00\ude00", "\ufffd\ufffd\ufffd"),
            ("\ud83d\ude00", "😀"),
            ("\ufeffmark", "\ufeffmark"),
        ],
    )
    def test_what_no_database_takes_becomes_the_replacement_character(
        self, value: str, expected: str
    ) -> None:
        assert text(value) == expected

    def test_a_text_without_end_is_cut(self) -> None:
        assert text("x" * 10_000) == "x" * 500

    @settings(max_examples=1000, deadline=None)
    @given(st.text(st.characters(codec=None), max_size=600))
    def test_every_text_becomes_storable(self, value: str) -> None:
        result = text(value)

        assert result.encode().decode() == result
        assert "\x00" not in result
        assert len(result) <= 500

    def test_names_with_a_nul_or_half_a_pair_are_storable(self) -> None:
        notification = read("channel.follow", user_name="a\x00\ud800", user_login="\udfff")

        assert notification.user.name == "a\ufffd\ufffd"
        assert notification.user.login == "\ufffd"

    def test_ids_as_numbers_are_the_ids(self) -> None:
        notification = read("channel.follow", user_id=8001, broadcaster_user_id=7001)

        assert notification.user.id == "8001"
        assert notification.channel.id == "7001"


def leaves(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to everything in a payload, the payload itself left out."""
    if path:
        yield path
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items:
        yield from leaves(inner, (*path, key))


PAYLOADS = [json.loads(Message(name, event).content()) for name, event in KNOWN.items()]
PLACES = [(payload, path) for payload in PAYLOADS for path in leaves(payload)]
# With lone surrogates in texts and keys, numbers of any size, NaN, nesting.
TEXTS = st.text(st.characters(codec=None), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
JSON = st.recursive(
    SCALARS | st.sampled_from([10**400, -(10**400), "x" * 1000, ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


class TestNothingBreaksIt:
    @settings(max_examples=2500, deadline=None)
    @given(st.sampled_from(PLACES), JSON | st.just(MISSING))
    def test_any_value_anywhere_is_read_or_not_understood(
        self, place: tuple[dict[str, Any], tuple[Any, ...]], value: object
    ) -> None:
        payload, path = deepcopy(place[0]), place[1]
        target: Any = payload
        for key in path[:-1]:
            target = target[key]
        if value is MISSING:
            del target[path[-1]]
        else:
            target[path[-1]] = value

        result = outcome(json.dumps(payload).encode())

        if isinstance(result, Notification):
            assert_storable(result)
        else:
            assert str(result).encode()

    @settings(max_examples=1000, deadline=None)
    @given(st.binary(max_size=300))
    def test_any_bytes_are_not_understood(self, body: bytes) -> None:
        assert isinstance(outcome(body), NotUnderstood)

    @settings(max_examples=1000, deadline=None)
    @given(st.sampled_from(PAYLOADS), st.data())
    def test_a_broken_byte_anywhere_is_read_or_not_understood(
        self, payload: dict[str, Any], data: st.DataObject
    ) -> None:
        body = bytearray(json.dumps(payload).encode())
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

        result = outcome(bytes(body))

        if isinstance(result, Notification):
            assert_storable(result)
        else:
            assert str(result).encode()
