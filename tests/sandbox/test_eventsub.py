from typing import Any

import pytest
import requests

from tests.processes import wait_until

from .callback import Callback
from .client import STREAMER, Client, follow_order

PENDING = "webhook_callback_verification_pending"
TRANSPORT = {"method": "webhook", "callback": "http://127.0.0.1:9/", "secret": "0123456789"}


def test_right_answer_to_the_challenge_enables(client: Client, callback: Callback) -> None:
    made = client.subscribe(callback.url, **follow_order())
    assert made.status_code == 202
    [shown] = made.json()["data"]
    assert shown["status"] == PENDING
    assert shown["transport"] == {"method": "webhook", "callback": callback.url}
    wait_until(lambda: client.status_of(shown["id"]) == "enabled")


@pytest.mark.parametrize(
    ("attribute", "value"), [("challenge_type", "text/html"), ("challenge_suffix", "\n")]
)
def test_wrong_answer_to_the_challenge_fails(
    client: Client, callback: Callback, attribute: str, value: str
) -> None:
    setattr(callback, attribute, value)
    made = client.subscribe(callback.url).json()["data"][0]
    failed = "webhook_callback_verification_failed"
    wait_until(lambda: client.status_of(made["id"]) == failed)
    assert client.subscribe(callback.url).status_code == 202, "a dead one does not block"


def test_without_challenges_a_subscription_stays_pending(
    client: Client, callback: Callback
) -> None:
    client.sandbox.control("settings", {"challenges": "never"})
    waiting = client.subscribe(callback.url, **follow_order()).json()["data"][0]
    client.sandbox.control("settings", {"challenges": "send"})

    # This one's challenge comes after the other's would have.
    client.enabled(callback)

    assert client.status_of(waiting["id"]) == PENDING
    assert len(callback.received) == 1
    assert client.subscribe(callback.url, **follow_order()).status_code == 409


def test_removed_type_is_410(client: Client, callback: Callback) -> None:
    client.sandbox.control("settings", {"removed_types": ["channel.follow"]})
    assert client.subscribe(callback.url, **follow_order()).status_code == 410
    assert client.subscribe(callback.url).status_code == 202


def test_same_subscription_is_409_and_the_fourth_alike_429(
    client: Client, callback: Callback
) -> None:
    statuses = [
        client.subscribe(f"{callback.url}/{name}").status_code
        for name in ("one", "one", "two", "three", "four")
    ]
    assert statuses == [202, 409, 202, 202, 429]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({**follow_order(), "version": "1"}, 410),
        ({"version": 1}, 400),
        ({"type": "channel.unheard_of"}, 400),
        ({"condition": {}}, 400),
        ({"condition": {"broadcaster_user_id": "nobody"}}, 400),
        ({"condition": {"broadcaster_user_id": STREAMER, "user_id": STREAMER}}, 400),
        ({"condition": "x"}, 400),
        ({"transport": {**TRANSPORT, "secret": "short"}}, 400),
        ({"transport": {**TRANSPORT, "secret": "x" * 101}}, 400),
        ({"transport": {**TRANSPORT, "callback": "http://bot.example.org/"}}, 400),
        ({"transport": {**TRANSPORT, "callback": "https://bot.example.org:8443/"}}, 400),
        ({"transport": {"method": "websocket", "session_id": "x"}}, 400),
    ],
)
def test_unsound_orders_are_refused_in_the_shape_of_helix(
    client: Client, change: dict[str, Any], status: int
) -> None:
    answer = client.subscribe("http://127.0.0.1:9/", **change)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "status", "message"}
    assert answer.json()["status"] == status


def test_tokens_and_client_ids_are_checked(client: Client) -> None:
    url = f"{client.sandbox.url}/helix/eventsub/subscriptions"
    user_token = client.log_in()["access_token"]
    for headers in (
        {},
        {"Authorization": f"Bearer {user_token}"},
        {"Authorization": "Bearer nothing", "Client-Id": "the-client"},
        {"Authorization": f"Bearer {user_token}", "Client-Id": "another"},
        {"Authorization": f"Bearer {user_token}", "Client-Id": "the-client"},
    ):
        answer = requests.get(url, headers=headers, timeout=10)
        assert answer.status_code == 401
        assert answer.json()["error"] == "Unauthorized"


def test_the_scope_must_have_been_granted(client: Client, callback: Callback) -> None:
    client.sandbox.control("grants/revoke", {"user_id": STREAMER})
    refused = client.subscribe(callback.url, **follow_order())
    assert refused.status_code == 403
    assert refused.json()["message"] == "subscription missing proper authorization"

    client.log_in(scope="moderator:read:followers")

    assert client.subscribe(callback.url, **follow_order()).status_code == 202


def test_listing_pages_to_the_end_and_counts(client: Client, callback: Callback) -> None:
    client.sandbox.control("settings", {"page_size": 2, "grants": "all"})
    made = [
        client.subscribe(callback.url, type=name, version="1").json()["data"][0]["id"]
        for name in ("stream.online", "stream.offline", "channel.goal.end")
    ]
    first = client.subscriptions().json()
    second = client.subscriptions(after=first["pagination"]["cursor"]).json()
    assert [one["id"] for one in first["data"] + second["data"]] == made
    assert second["pagination"] == {}
    assert (first["total"], first["max_total_cost"]) == (3, 10_000)
    client.sandbox.control("settings", {"page_size": 3})
    assert client.subscriptions().json()["pagination"] == {}


def test_filters_exclude_each_other(client: Client, callback: Callback) -> None:
    client.enabled(callback)
    assert len(client.subscriptions(type="stream.online").json()["data"]) == 1
    assert len(client.subscriptions(user_id=STREAMER).json()["data"]) == 1
    assert client.subscriptions(status=PENDING).json()["data"] == []
    assert client.subscriptions(status="enabled", type="stream.online").status_code == 400
    assert client.subscriptions(after="nonsense").status_code == 400


def test_delete_is_204_then_404(client: Client, callback: Callback) -> None:
    path = f"/eventsub/subscriptions?id={client.enabled(callback)['id']}"
    assert [client.helix("DELETE", path).status_code for _ in range(2)] == [204, 404]
    assert client.helix("DELETE", "/eventsub/subscriptions").status_code == 400


def test_subscription_can_vanish_behind_the_back(client: Client, callback: Callback) -> None:
    made = client.enabled(callback)
    [known] = client.sandbox.control("subscriptions")["subscriptions"]
    assert (known["secret"], known["callback"]) == ("a-webhook-secret", callback.url)
    answer = client.sandbox.delete("/control/subscriptions", params={"id": made["id"]})
    assert answer.status_code == 204
    assert client.subscriptions().json()["data"] == []


def test_users_are_found_by_repeated_ids_and_logins(client: Client) -> None:
    path = "/users?id=100200300&id=200300401&login=LUMEN42&login=nobody"
    found = client.helix("GET", path).json()["data"]
    assert [one["login"] for one in found] == ["sandbox_streamer", "quiet_heron", "lumen42"]
    assert client.helix("GET", "/users").status_code == 400
    token = client.log_in()["access_token"]
    assert client.helix("GET", "/users", token).json()["data"][0]["id"] == STREAMER


def test_followers_are_those_who_followed(client: Client, callback: Callback) -> None:
    client.enabled(callback, **follow_order())
    client.sandbox.control("send", {"type": "channel.follow"})
    path = f"/channels/followers?broadcaster_id={STREAMER}"
    without_scope = client.helix("GET", path).json()
    token = client.log_in(scope="moderator:read:followers")["access_token"]
    with_scope = client.helix("GET", path, token).json()
    assert (without_scope["total"], without_scope["data"]) == (1, [])
    assert [one["user_login"] for one in with_scope["data"]] == ["quiet_heron"]


def test_ratelimit_is_a_bucket_with_headers(client: Client) -> None:
    client.sandbox.control("settings", {"ratelimit": 2})
    answers = [client.helix("GET", f"/users?id={STREAMER}") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[0].headers["Ratelimit-Limit"] == "2"
    assert [one.headers["Ratelimit-Remaining"] for one in answers] == ["1", "0", "0"]
    assert int(answers[2].headers["Ratelimit-Reset"]) > 0
