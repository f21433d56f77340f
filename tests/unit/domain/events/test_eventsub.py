"""domain/events/eventsub.py: which requests are Twitch's, and when they are fresh."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.twitch_module.domain.events.eventsub import authenticate, epoch_seconds, sign
from apps.twitch_module.errors import MessageRefused
from tests.environment import SECRET
from tests.messages import Message

NOW = 1_790_000_000.0
SECRETS = (SECRET.encode(),)
ID, TIMESTAMP, SIGNATURE, TYPE = (
    f"HTTP_TWITCH_EVENTSUB_MESSAGE_{part}" for part in ("ID", "TIMESTAMP", "SIGNATURE", "TYPE")
)


def refusal(environ: dict[str, object], body: bytes, now: float = NOW) -> str:
    with pytest.raises(MessageRefused) as caught:
        authenticate(environ, body, SECRETS, now)
    assert caught.value.status == 403
    return caught.value.code


class TestAuthenticate:
    good = Message(at=NOW)

    def test_a_genuine_message_is_taken_with_its_body_as_received(self) -> None:
        message = authenticate(self.good.environ(), self.good.content(), SECRETS, NOW)

        assert message.message_id == self.good.message_id
        assert message.message_type == "notification"
        assert message.subscription_type == "channel.follow"
        assert message.body == self.good.content()

    def test_a_message_signed_with_the_previous_secret_is_taken(self) -> None:
        old = Message(at=NOW, secret="the-previous-secret")

        message = authenticate(
            old.environ(), old.content(), (*SECRETS, b"the-previous-secret"), NOW
        )

        assert message.message_id == old.message_id

    def test_another_secret_is_refused(self) -> None:
        forged = Message(at=NOW, secret="somebody-elses-secret")

        assert refusal(forged.environ(), forged.content()) == "bad_signature"

    @pytest.mark.parametrize("name", [ID, TIMESTAMP, SIGNATURE, TYPE])
    @pytest.mark.parametrize("value", [None, ""])
    def test_a_missing_header_is_refused(self, name: str, value: str | None) -> None:
        environ = self.good.environ()
        environ.pop(name)
        if value is not None:
            environ[name] = value

        assert refusal(environ, self.good.content()) == "missing_header"

    @pytest.mark.parametrize("message_id", ["a b", "x" * 256, "\x00", "é", "a\r\nb"])
    def test_a_message_id_that_twitch_would_not_send_is_refused(self, message_id: str) -> None:
        environ = {**self.good.environ(), ID: message_id}

        assert refusal(environ, self.good.content()) == "missing_header"

    @pytest.mark.parametrize("seconds", [-599, 0, 599])
    def test_a_timestamp_within_ten_minutes_is_taken(self, seconds: int) -> None:
        message = Message(at=NOW + seconds)

        assert authenticate(message.environ(), message.content(), SECRETS, NOW)

    @pytest.mark.parametrize("seconds", [-86_400, -601, 602])
    def test_a_timestamp_beyond_ten_minutes_is_refused(self, seconds: int) -> None:
        message = Message(at=NOW + seconds)

        assert refusal(message.environ(), message.content()) == "stale_timestamp"

    def test_the_timestamp_is_judged_before_the_signature(self) -> None:
        message = Message(at=NOW - 3600, secret="somebody-elses-secret")

        assert refusal(message.environ(), message.content()) == "stale_timestamp"

    @pytest.mark.parametrize(
        "change",
        [
            str.upper,
            lambda value: value.removeprefix("sha256="),
            lambda value: value.replace("sha256=", "sha1="),
            lambda value: value[:-1],
            lambda value: value + "0",
            lambda value: f"{value},{value}",
            lambda value: "sha256=",
            lambda value: "\xff" * 71,
            lambda value: "☃",
        ],
    )
    def test_any_other_spelling_of_the_signature_is_refused(self, change: object) -> None:
        environ = self.good.environ()
        environ[SIGNATURE] = change(environ[SIGNATURE])  # type: ignore[operator]

        assert refusal(environ, self.good.content()) == "bad_signature"

    @settings(max_examples=2000, deadline=None)
    @given(st.data())
    def test_a_changed_bit_anywhere_is_refused(self, data: st.DataObject) -> None:
        body = bytearray(self.good.content())
        bit = data.draw(st.integers(0, len(body) * 8 - 1))
        body[bit // 8] ^= 1 << bit % 8

        assert refusal(self.good.environ(), bytes(body)) == "bad_signature"

    @settings(max_examples=500, deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from([ID, TIMESTAMP, SIGNATURE, TYPE]), st.text(max_size=300), max_size=4
        ),
        st.binary(max_size=100),
    )
    def test_rubbish_is_refused_and_never_breaks(
        self, headers: dict[str, object], body: bytes
    ) -> None:
        assert refusal(headers, body) in ("missing_header", "stale_timestamp", "bad_signature")


def test_the_signature_is_over_id_timestamp_and_body_in_this_order() -> None:
    # Computed with: printf 'id2026-01-01T00:00:00Z{}' | openssl dgst -sha256 -hmac 0123456789
    expected = "sha256=338fcffb7c617f989c6280405b69dc070be39b21c05cb98b0abd2987670d23b5"

    assert sign(b"0123456789", "id", "2026-01-01T00:00:00Z", b"{}") == expected


class TestEpochSeconds:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-01-01T00:00:00Z", 1767225600.0),
            ("2026-01-01T00:00:00.123456789Z", 1767225600.123456),
            ("2026-01-01T00:00:00.1Z", 1767225600.1),
            ("2026-01-01T05:30:00+05:30", 1767225600.0),
            ("2016-12-31T23:59:60Z", 1483228799.0),
        ],
    )
    def test_rfc3339_in_all_its_spellings_is_read(self, text: str, expected: float) -> None:
        assert epoch_seconds(text) == pytest.approx(expected, abs=1e-6)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "now",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-13-01T00:00:00Z",
            "\uff11",
            "2026-01-01T00:60:00Z",
        ],
    )
    def test_anything_else_is_none(self, text: str) -> None:
        assert epoch_seconds(text) is None

    @settings(max_examples=500, deadline=None)
    @given(st.text(max_size=60))
    def test_no_text_breaks_it(self, text: str) -> None:
        result = epoch_seconds(text)

        assert result is None or isinstance(result, float)


def test_messages_of_now_are_fresh_by_the_real_clock() -> None:
    message = Message()

    assert authenticate(message.environ(), message.content(), SECRETS, time.time())
