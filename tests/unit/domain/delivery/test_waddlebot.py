"""domain/delivery/waddlebot.py: what is sent to WaddleBot's APIs, and what an answer means."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.twitch_module.domain.delivery.waddlebot import (
    Context,
    Failure,
    activation_request,
    context_request,
    heartbeat,
    idempotency_key,
    read_activation,
    read_context,
    read_outcome,
    registration,
)

CONTEXT = Context(17, 3, "the_channel", "A_Viewer")
DATA = {
    "identity_id": 17,
    "identity_name": "A_Viewer",
    "namespace_id": 3,
    "namespace_name": "the_channel",
}
FINAL = [400, 401, 403, 404, 405, 409, 410, 422, 451, 499]
PASSING = [408, 425, 429, 500, 502, 503, 504, 599, 301, 302, 307, 308, 100]
GARBAGE = [b"<html>", b"{", b"\xff", b"\x00", b"[" * 100_000, b'{"a": %b}' % (b"9" * 5000)]


def answer(**changes: Any) -> bytes:
    """A body of the context API, with changes in its data."""
    return json.dumps({"msg": "ok", "data": {**DATA, **changes}}).encode()


class TestContextRequest:
    def test_the_name_is_all_that_is_sent(self) -> None:
        assert context_request("A_Viewer") == b'{"identity_name":"A_Viewer"}'

    @pytest.mark.parametrize("name", ["日本語", "🎉", 'a"b\\c', "a\nb", "\ufffd"])
    def test_every_name_arrives_as_it_is(self, name: str) -> None:
        assert json.loads(context_request(name)) == {"identity_name": name}

    def test_a_name_beyond_ascii_is_sent_as_utf8(self) -> None:
        assert context_request("é") == b'{"identity_name":"\xc3\xa9"}'


@pytest.mark.parametrize(
    ("message_id", "activity", "expected"),
    [
        ("befa7b53-d79d", "follow", "befa7b53-d79d:follow"),
        ("befa7b53-d79d", "sub_gifted", "befa7b53-d79d:sub_gifted"),
    ],
)
def test_the_idempotency_key_is_message_id_and_activity(
    message_id: str, activity: str, expected: str
) -> None:
    assert expected == idempotency_key(message_id, activity)


class TestReadContext:
    def test_a_full_answer_is_the_context(self) -> None:
        assert read_context(200, {}, answer()) == CONTEXT

    def test_further_fields_are_ignored(self) -> None:
        body = json.dumps({"data": {**DATA, "more": [1]}, "more": {}}).encode()

        assert read_context(200, {}, body) == CONTEXT

    def test_the_context_is_kept_under_the_names_of_the_api(self) -> None:
        assert CONTEXT.to_json() == DATA

    @pytest.mark.parametrize("data", [None, {}, [], "data", 1, False])
    def test_an_answer_without_data_is_final(self, data: object) -> None:
        body = json.dumps({"msg": "Unable to find identity", "data": data}).encode()

        assert read_context(200, {}, body) == Failure(
            "context: no identity (Unable to find identity)", passing=False
        )

    def test_an_answer_with_a_message_alone_is_final(self) -> None:
        failure = read_context(200, {}, b'{"msg": "no"}')

        assert failure == Failure("context: no identity (no)", passing=False)

    @pytest.mark.parametrize("message", [None, 1, [], {}])
    def test_a_message_that_is_no_text_is_left_out(self, message: object) -> None:
        failure = read_context(200, {}, json.dumps({"msg": message}).encode())

        assert failure == Failure("context: no identity (no message)", passing=False)

    def test_a_long_message_is_cut(self) -> None:
        failure = read_context(200, {}, json.dumps({"msg": "x" * 5000}).encode())

        assert isinstance(failure, Failure)
        assert len(failure.reason) < 300

    @pytest.mark.parametrize("body", [*GARBAGE, b"", b"[]", b"null", b'"ok"', b"200"])
    def test_what_is_no_object_may_pass(self, body: bytes) -> None:
        failure = read_context(200, {}, body)

        assert isinstance(failure, Failure)
        assert failure.passing

    @pytest.mark.parametrize("key", sorted(DATA.keys() - {"identity_name"}))
    def test_data_without_one_of_its_fields_may_pass(self, key: str) -> None:
        data = {name: value for name, value in DATA.items() if name != key}

        failure = read_context(200, {}, json.dumps({"data": data}).encode())

        assert failure == Failure(f"context: the data lacks a usable {key}", passing=True)

    @pytest.mark.parametrize("key", ["identity_id", "namespace_id"])
    @pytest.mark.parametrize("value", [None, "17", 1.0, True, [], {}, float("nan")])
    def test_an_id_that_is_no_whole_number_may_pass(self, key: str, value: object) -> None:
        failure = read_context(200, {}, answer(**{key: value}))

        assert isinstance(failure, Failure)
        assert failure.passing

    @pytest.mark.parametrize("status", FINAL)
    def test_a_refusal_is_final(self, status: int) -> None:
        assert read_context(status, {}, answer()) == Failure(
            f"context: HTTP {status}", passing=False
        )

    @pytest.mark.parametrize("status", [*PASSING, 201, 202, 204])
    def test_any_other_status_may_pass(self, status: int) -> None:
        assert read_context(status, {}, answer()) == Failure(
            f"context: HTTP {status}", passing=True
        )

    def test_what_retry_after_asks_for_is_passed_on(self) -> None:
        failure = read_context(503, {"Retry-After": "30"}, b"")

        assert failure == Failure("context: HTTP 503", passing=True, retry_after_seconds=30.0)


class TestReadReputation:
    @pytest.mark.parametrize("status", [200, 201])
    @pytest.mark.parametrize(
        "body",
        [b"", b"  \r\n", b"{}", b'{"msg": "ok"}', b'{"msg": "ok", "status": null}']
        + [b'{"status": %d}' % inner for inner in (200, 201, 204, 299)],
    )
    def test_the_points_have_arrived(self, status: int, body: bytes) -> None:
        assert read_outcome(status, {}, body) is None

    @pytest.mark.parametrize("body", [b"[]", b'[{"status": 500}]', b'"ok"', b"1", b"null"])
    def test_json_that_can_hold_no_status_has_arrived(self, body: bytes) -> None:
        assert read_outcome(200, {}, body) is None

    @pytest.mark.parametrize("status", [200, 201])
    @pytest.mark.parametrize("inner", FINAL)
    def test_a_refusal_in_the_body_is_final(self, status: int, inner: int) -> None:
        body = json.dumps({"status": inner, "msg": "no such user"}).encode()

        assert read_outcome(status, {}, body) == Failure(
            f"reputation: status {inner} in the answer (no such user)", passing=False
        )

    @pytest.mark.parametrize("inner", [*PASSING, 0, -1, 199, 300, 600])
    def test_another_status_in_the_body_may_pass(self, inner: int) -> None:
        body = json.dumps({"status": inner}).encode()

        assert read_outcome(200, {}, body) == Failure(
            f"reputation: status {inner} in the answer (no message)", passing=True
        )

    @pytest.mark.parametrize("body", GARBAGE)
    def test_an_answer_that_is_not_the_apis_own_may_pass(self, body: bytes) -> None:
        assert read_outcome(200, {}, body) == Failure(
            "reputation: the answer is not JSON", passing=True
        )

    @pytest.mark.parametrize("status", FINAL)
    def test_a_refusal_is_final(self, status: int) -> None:
        assert read_outcome(status, {}, b'{"status": 200}') == Failure(
            f"reputation: HTTP {status}", passing=False
        )

    @pytest.mark.parametrize("status", [*PASSING, 202, 204])
    def test_any_other_status_may_pass(self, status: int) -> None:
        assert read_outcome(status, {}, b'{"status": 200}') == Failure(
            f"reputation: HTTP {status}", passing=True
        )

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [("0", 0.0), ("120", 120.0), ("9999999", 9999999.0)],
    )
    def test_what_retry_after_asks_for_is_passed_on(self, header: str, seconds: float) -> None:
        failure = read_outcome(429, {"Retry-After": header}, b"")

        assert failure == Failure("reputation: HTTP 429", True, seconds)

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "-1",
            "1.5",
            "soon",
            "1e9",
            "²",
            "\uff11",
            "99999999",
            " 5",
            "nan",
            "Wed, 21 Oct 2026 07:28:00 GMT",
        ],
    )
    def test_any_other_retry_after_is_ignored(self, header: str) -> None:
        failure = read_outcome(503, {"Retry-After": header}, b"")

        assert failure == Failure("reputation: HTTP 503", passing=True)


class TestNothingBreaksIt:
    @settings(max_examples=500, deadline=None)
    @given(st.integers(100, 599), st.text(max_size=20), st.binary(max_size=200))
    def test_any_answer_is_a_context_or_a_failure(
        self, status: int, retry_after: str, body: bytes
    ) -> None:
        result = read_context(status, {"Retry-After": retry_after}, body)

        assert isinstance(result, Context | Failure)

    @settings(max_examples=500, deadline=None)
    @given(st.integers(100, 599), st.text(max_size=20), st.binary(max_size=200))
    def test_any_answer_is_a_success_or_a_failure(
        self, status: int, retry_after: str, body: bytes
    ) -> None:
        result = read_outcome(status, {"Retry-After": retry_after}, body)

        assert result is None or isinstance(result, Failure)


class TestTextsThatCannotBeKept:
    """A NUL is refused by PostgreSQL, half a surrogate pair by every encoder."""

    @pytest.mark.parametrize("odd", ["a\x00b", "\ud800"])
    def test_a_message_is_made_storable(self, odd: str) -> None:
        body = json.dumps({"msg": odd, "status": 404}).encode()
        failures = [read_context(200, {}, body), read_outcome(200, {}, body)]

        for failure in failures:
            assert isinstance(failure, Failure)
            failure.reason.encode()
            assert "\x00" not in failure.reason

    @pytest.mark.parametrize("name", [None, 5, {}, "a\x00b", "\ud800"])
    def test_no_call_needs_the_identitys_own_name(self, name: object) -> None:
        data = {"identity_id": 1, "identity_name": name, "namespace_id": 2, "namespace_name": "n"}
        missing = {key: value for key, value in data.items() if key != "identity_name"}

        for sent in (data, missing):
            answer = json.dumps({"data": sent}).encode()
            assert Context(1, 2, "n", None) == read_context(200, {}, answer)

    @pytest.mark.parametrize("name", [None, 5, {}, "a\x00b", "\ud800"])
    def test_a_name_that_could_not_be_sent_on_is_no_context(self, name: object) -> None:
        data = {"identity_id": 1, "identity_name": "n", "namespace_id": 2, "namespace_name": name}
        failure = read_context(200, {}, json.dumps({"data": data}).encode())

        assert isinstance(failure, Failure)
        assert failure.passing


@pytest.mark.parametrize("status", [500, 404.0, "500"])
def test_a_refusal_in_the_body_counts_however_its_status_is_written(status: object) -> None:
    assert read_outcome(200, {}, json.dumps({"status": status}).encode()) is not None


class TestReadActivation:
    def test_200_in_the_body_is_activated(self) -> None:
        assert read_activation(200, {}, b'{"msg": "ok", "status": 200}') is None

    @pytest.mark.parametrize("status", [400, 404, 500])
    def test_another_status_in_the_body_is_a_refusal_with_its_message(self, status: int) -> None:
        body = json.dumps({"msg": "no such key", "status": status}).encode()
        failure = read_activation(200, {}, body)

        assert failure is not None
        assert (failure.reason, failure.passing) == ("no such key", False)

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"msg": "hello"}'])
    def test_an_answer_without_a_status_is_no_activation(self, body: bytes) -> None:
        assert read_activation(200, {}, body) is not None

    def test_an_http_error_is_no_activation(self) -> None:
        assert read_activation(502, {}, b'{"status": 200}') is not None

    def test_the_key_is_all_that_is_sent(self) -> None:
        assert json.loads(activation_request("k")) == {"activation_key": "k"}


class TestOutcome:
    """An answer of the newer servers, which say `success`."""

    @pytest.mark.parametrize("body", [b'{"success": true, "new_score": 7}', b'{"success": 1}'])
    def test_success_is_success(self, body: bytes) -> None:
        assert read_outcome(200, {}, body) is None

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b'{"success": false}', "no message"),
            (b'{"success": false, "error": "no entity"}', "no entity"),
            (b'{"success": false, "message": "later"}', "later"),
            (b'{"success": false, "error": ["x"]}', "no message"),
        ],
    )
    def test_no_success_is_a_failure_that_may_pass(self, body: bytes, reason: str) -> None:
        assert read_outcome(200, {}, body, "router") == Failure(
            f"router: no success ({reason})", passing=True
        )


class TestCore:
    def test_what_the_module_says_of_itself(self) -> None:
        body = registration("1.2.3", "https://bot.example/twitch/webhook", ["channel.follow"])

        assert json.loads(body) == {
            "module_name": "twitch",
            "module_version": "1.2.3",
            "platform": "twitch",
            "endpoint_url": "https://bot.example/twitch",
            "health_check_url": "https://bot.example/twitch/health",
            "status": "active",
            "config": {
                "supported_events": ["channel.follow"],
                "webhook_url": "https://bot.example/twitch/webhook",
            },
        }

    def test_the_heartbeat(self) -> None:
        sent = json.loads(heartbeat(datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)))

        assert sent == {
            "module_name": "twitch",
            "timestamp": "2026-03-01T12:00:05+00:00",
            "status": "active",
        }
