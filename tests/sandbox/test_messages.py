import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.sandbox.catalogue import EVENT_TYPES
from apps.sandbox.payloads import Scene
from apps.sandbox.people import FIRST_PEOPLE, STREAMER
from apps.sandbox.simulated_events import BUILDERS
from tests.processes import Sandbox, wait_until

from .callback import Callback
from .client import WEBHOOK_SECRET, Client, follow_order

FAST = {"redelivery_seconds": 0.02}


def is_signed(headers: dict[str, str], body: bytes) -> bool:
    """Checks the signature as Twitch documents it, with nothing of the sandbox's own."""
    name = "twitch-eventsub-message-"
    signed = headers[name + "id"].encode() + headers[name + "timestamp"].encode() + body
    expected = hmac.new(WEBHOOK_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return headers[name + "signature"] == f"sha256={expected}"


def age(headers: dict[str, str]) -> timedelta:
    sent = datetime.fromisoformat(headers["twitch-eventsub-message-timestamp"])
    return datetime.now(UTC) - sent


def test_every_message_is_signed_and_complete(client: Client, callback: Callback) -> None:
    made = client.enabled(callback, **follow_order())
    sent = client.sandbox.control("send", {"type": "channel.follow", "event": {"user_name": "Åse"}})
    client.sandbox.control("revoke", {"subscription_id": made["id"], "status": "user_removed"})

    assert [is_signed(*one) for one in callback.received] == [True, True, True]
    [(headers, body)] = callback.of_type("notification")
    assert headers["twitch-eventsub-message-id"] == sent["message_id"]
    assert headers["twitch-eventsub-message-retry"] == "0"
    assert headers["twitch-eventsub-subscription-type"] == "channel.follow"
    assert headers["twitch-eventsub-subscription-version"] == "2"
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["event"] == sent["event"]
    assert sent["event"]["user_name"] == "Åse"
    [(_, revocation)] = callback.of_type("revocation")
    assert json.loads(revocation)["subscription"]["status"] == "user_removed"
    assert client.status_of(made["id"]) == "user_removed"


def test_failed_notification_comes_again_under_the_same_id(
    client: Client, callback: Callback
) -> None:
    client.sandbox.control("settings", FAST)
    client.enabled(callback)
    callback.statuses = [500, 503]

    sent = client.sandbox.control("send", {"type": "stream.online"})

    tries = wait_until(lambda: three_tries(client.sandbox, sent["message_id"]))
    assert sent["status"] == 500
    assert [one["status"] for one in tries] == [500, 503, 204]
    got = callback.of_type("notification")
    assert {headers["twitch-eventsub-message-id"] for headers, _ in got} == {sent["message_id"]}
    assert [headers["twitch-eventsub-message-retry"] for headers, _ in got] == ["0", "1", "2"]
    assert len({body for _, body in got}) == 1


def test_nothing_is_sent_again_after_the_subscription_ended(
    client: Client, callback: Callback
) -> None:
    client.sandbox.control("settings", {"redelivery_seconds": 0.2})
    made = client.enabled(callback)
    callback.statuses = [500]
    client.sandbox.control("send", {"type": "stream.online"})
    client.helix("DELETE", f"/eventsub/subscriptions?id={made['id']}")

    # A message that fails later and comes again marks the time when the first one was due.
    client.enabled(callback)
    callback.statuses = [500]
    later = client.sandbox.control("send", {"type": "stream.online"})["message_id"]
    wait_until(lambda: len(callback.of_type("notification")) == 3)
    ids = [headers["twitch-eventsub-message-id"] for headers, _ in callback.of_type("notification")]
    assert ids[1:] == [later, later]


def three_tries(sandbox: Sandbox, message_id: str) -> list[dict[str, Any]] | None:
    messages = sandbox.control("messages")["messages"]
    [tries] = [one["tries"] for one in messages if one["message_id"] == message_id]
    return tries if len(tries) == 3 else None


def test_callback_that_is_gone_is_an_error_without_status(
    client: Client, callback: Callback
) -> None:
    client.sandbox.control("settings", {"redeliveries": 0})
    client.enabled(callback)
    callback.close()
    sent = client.sandbox.control("send", {"type": "stream.online"})
    assert (sent["status"], sent["error"]) == (None, "ConnectionError")


def test_forged_stale_and_repeated_messages(client: Client, callback: Callback) -> None:
    client.enabled(callback)
    sent = client.sandbox.control("send", {"type": "stream.online"})
    for how in ("forged", "stale", "repeat"):
        client.sandbox.control("send", {"type": "stream.online", "how": how})

    normal, forged, stale, repeat = callback.of_type("notification")
    assert [is_signed(*one) for one in (normal, forged, stale, repeat)] == [True, False, True, True]
    assert age(stale[0]) > timedelta(minutes=10) > age(forged[0])
    assert repeat[0]["twitch-eventsub-message-id"] == sent["message_id"]
    assert repeat[1] == normal[1]


@pytest.mark.parametrize("end", ["from", "to"])
def test_raid_is_told_from_the_watched_end(client: Client, callback: Callback, end: str) -> None:
    key = f"{end}_broadcaster_user_id"
    client.enabled(callback, type="channel.raid", condition={key: STREAMER.id})
    event = client.sandbox.control("send", {"type": "channel.raid", "amount": 9})["event"]
    assert (event[key], event["viewers"]) == (STREAMER.id, 9)
    assert not [name for name in event if name.startswith(("user_", "broadcaster_"))]


def test_same_message_many_times_at_once(client: Client, callback: Callback) -> None:
    client.enabled(callback)
    order = {"type": "stream.online", "message_id": "mine", "times": 5, "at_once": True}
    sent = client.sandbox.control("send", order)
    assert (sent["message_id"], sent["statuses"]) == ("mine", [204] * 5)
    ids = {one[0]["twitch-eventsub-message-id"] for one in callback.of_type("notification")}
    assert ids == {"mine"}


def test_half_a_surrogate_pair_survives_as_an_escape(client: Client, callback: Callback) -> None:
    client.enabled(callback)
    order = '{"type": "stream.online", "event": {"odd": "\\ud83d"}}'
    headers = {"Content-Type": "application/json"}
    client.sandbox.post("/control/send", data=order, headers=headers).raise_for_status()
    [(headers, body)] = callback.of_type("notification")
    assert is_signed(headers, body)
    assert b'"odd":"\\ud83d"' in body


def test_type_without_enabled_subscription_is_409(sandbox: Sandbox) -> None:
    answer = sandbox.post("/control/send", json={"type": "channel.cheer"})
    assert answer.status_code == 409
    assert "no enabled subscription to channel.cheer" in answer.json()["error"]


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_type_has_an_event_that_names_its_channel(event_type: str) -> None:
    event = BUILDERS[event_type](Scene(STREAMER, FIRST_PEOPLE[1], client_id="c"))
    json.dumps(event)
    if not event_type.startswith(("user.", "conduit.", "drop.")):
        assert STREAMER.id in event.values()


@pytest.mark.parametrize("event_type", ["channel.cheer", "channel.subscription.gift"])
def test_anonymous_events_name_nobody(event_type: str) -> None:
    event = BUILDERS[event_type](Scene(STREAMER, None, amount=7))
    assert event["is_anonymous"] is True
    assert [event[f"user_{part}"] for part in ("id", "login", "name")] == [None] * 3
    assert 7 in event.values()
