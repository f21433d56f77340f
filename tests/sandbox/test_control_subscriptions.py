import json
from typing import Any

import pytest

from tests.processes import wait_until

from .callback import Callback
from .client import STREAMER, Client, follow_order

PENDING = "webhook_callback_verification_pending"
MANY = 6_000


def put(client: Client, **order: Any) -> list[dict[str, Any]]:
    known = {
        "type": "stream.online",
        "condition": {"broadcaster_user_id": STREAMER},
        "callback": "https://bot.example.org/hook",
    }
    answer = client.sandbox.post("/control/subscriptions", json={**known, **order})
    assert answer.status_code == 201, answer.text
    made: list[dict[str, Any]] = answer.json()["subscriptions"]
    return made


def listed(client: Client) -> list[dict[str, Any]]:
    """All that Helix lists, over all pages."""
    page = client.subscriptions().json()
    found: list[dict[str, Any]] = page["data"]
    while page["pagination"]:
        page = client.subscriptions(after=page["pagination"]["cursor"]).json()
        found += page["data"]
    return found


def test_put_subscription_is_there_at_once_and_unchallenged(
    client: Client, callback: Callback
) -> None:
    [made] = put(client, callback=callback.url)
    assert (made["client_id"], made["version"], made["status"]) == ("the-client", "1", "enabled")
    assert client.sandbox.control("subscriptions")["subscriptions"] == [made]
    assert made == {
        **listed(client)[0],
        **{key: made[key] for key in ("secret", "callback", "client_id")},
    }

    client.sandbox.control("send", {"type": "stream.online"})

    assert len(callback.received) == len(callback.of_type("notification")) == 1


def test_nobody_is_asked_whether_a_put_subscription_may_be(client: Client) -> None:
    nobody = {"broadcaster_user_id": "9", "moderator_user_id": "9"}
    [removed] = put(client, type="channel.follow", version="1", condition=nobody)
    put(client, type="channel.unheard_of", version="7", condition={})
    put(client, count=5, cost=9_000)
    assert removed["version"] == "1"
    assert client.subscriptions().json()["total_cost"] == 5 * 9_000
    assert len({one["id"] for one in listed(client)}) == 7


def test_put_subscription_can_be_old_pending_and_of_another_client(client: Client) -> None:
    old = {"status": PENDING, "created_at": "2026-03-02T19:04:11Z", "secret": "1234567890"}
    [mine] = put(client, **old)
    put(client, client_id="somebody-else")
    [shown] = listed(client)
    assert (shown["id"], shown["status"], shown["created_at"]) == (
        mine["id"],
        PENDING,
        old["created_at"],
    )
    assert mine["secret"] == "1234567890"
    assert client.subscribe("https://bot.example.org/hook").status_code == 409


@pytest.mark.parametrize(
    "change",
    [
        {"type": None},
        {"type": "channel.unheard_of"},
        {"condition": {"broadcaster_user_id": 1}},
        {"callback": "http://bot.example.org/"},
        {"secret": "short"},
        {"status": 1},
        {"created_at": "yesterday"},
        {"created_at": "2026-03-02T19:04:11"},
        {"cost": -1},
        {"count": 0},
        {"count": True},
        {"subscriptions": "x"},
        {"subscriptions": [{"type": "stream.online"}]},
    ],
)
def test_unusable_subscriptions_are_refused_and_none_is_put(
    client: Client, change: dict[str, Any]
) -> None:
    order = {
        "type": "stream.online",
        "condition": {},
        "callback": "https://bot.example.org/hook",
        **change,
    }
    answer = client.sandbox.post("/control/subscriptions", json=order)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert client.sandbox.control("subscriptions")["subscriptions"] == []


def test_thousands_are_put_in_one_call_and_listed_to_the_end(
    client: Client, callback: Callback
) -> None:
    row = {"type": "channel.follow", "callback": callback.url, "secret": "x" * 100}
    rows = [
        {**row, "condition": {"broadcaster_user_id": str(n), "moderator_user_id": str(n)}}
        for n in range(MANY)
    ]
    made = client.sandbox.control("subscriptions", {"subscriptions": rows})["subscriptions"]

    client.subscribe(callback.url)

    found = listed(client)
    assert [one["id"] for one in found[:MANY]] == [one["id"] for one in made]
    assert found[5]["condition"] == rows[5]["condition"]
    assert client.subscriptions().json()["total"] == len(found) == MANY + 1


def test_put_ones_are_counted_among_those_alike(client: Client) -> None:
    client.sandbox.control("settings", {"challenges": "never"})
    put(client, count=2)
    put(client, status="user_removed")
    url = "https://bot.example.org"
    statuses = [client.subscribe(f"{url}/{name}").status_code for name in ("hook", "a", "b")]
    assert statuses == [409, 202, 429]


def test_deleted_ones_no_longer_stand_in_the_way(client: Client) -> None:
    client.sandbox.control("settings", {"challenges": "never"})
    [made] = put(client)
    client.helix("DELETE", f"/eventsub/subscriptions?id={made['id']}")
    assert client.subscribe("https://bot.example.org/hook").status_code == 202


@pytest.mark.parametrize("status", ["version_removed", "a status of tomorrow"])
def test_silent_end_changes_the_status_alone(
    client: Client, callback: Callback, status: str
) -> None:
    made = client.enabled(callback)
    order = {"subscription_id": made["id"], "status": status, "message": False}
    ended = client.sandbox.control("revoke", order)
    assert (ended["message_id"], ended["status"]) == (None, None)
    assert ended["subscription"]["status"] == client.status_of(made["id"]) == status
    assert callback.of_type("revocation") == []


def test_end_during_the_challenge_outlives_the_right_answer(
    client: Client, callback: Callback
) -> None:
    def end(challenge: bytes) -> None:
        made = json.loads(challenge)["subscription"]["id"]
        client.sandbox.control("revoke", {"subscription_id": made, "message": False})

    callback.before_challenge_answer = end
    made = client.subscribe(callback.url, **follow_order()).json()["data"][0]

    wait_until(lambda: any(one["tries"] for one in client.sandbox.control("messages")["messages"]))

    assert client.status_of(made["id"]) == "authorization_revoked"
