import json
from typing import Any

import pytest

from .callback import Callback
from .client import STREAMER, Client, follow_order

FOLLOWERS = "moderator:read:followers"


def disconnect(client: Client) -> None:
    client.sandbox.control("grants/revoke", {"user_id": STREAMER})


def grant(client: Client, *scopes: str) -> Any:
    return client.sandbox.control("grants", {"user_id": STREAMER, "scopes": list(scopes)})


def test_grant_without_a_login_counts_and_issues_no_token(
    client: Client, callback: Callback
) -> None:
    disconnect(client)
    grant(client, "bits:read")
    assert client.subscribe(callback.url, **follow_order()).status_code == 403
    assert grant(client, FOLLOWERS) == {
        "client_id": "the-client",
        "user_id": STREAMER,
        "scopes": ["bits:read", FOLLOWERS],
    }
    assert client.subscribe(callback.url, **follow_order()).status_code == 202
    issued = client.sandbox.control("tokens")["tokens"]
    assert [one["user_id"] for one in issued] == [None]


def test_revoked_grant_ends_tokens_and_what_needed_it(client: Client, callback: Callback) -> None:
    disconnect(client)
    tokens = client.log_in(scope=FOLLOWERS)
    other = client.log_in("200300401", FOLLOWERS)
    needing = client.enabled(callback, **follow_order())
    free = client.enabled(callback)

    done = client.sandbox.control("grants/revoke", {"user_id": STREAMER})

    assert done["expired"] == 1
    [outcome] = done["revoked"]
    assert (outcome["status"], outcome["subscription"]["id"]) == (204, needing["id"])
    assert client.helix("GET", "/users", tokens["access_token"]).status_code == 401
    assert client.refresh(tokens["refresh_token"]).status_code == 400
    assert client.helix("GET", "/users", other["access_token"]).status_code == 200
    assert client.status_of(needing["id"]) == "authorization_revoked"
    assert client.status_of(free["id"]) == "enabled"
    [(headers, body)] = callback.of_type("revocation")
    assert headers["twitch-eventsub-message-id"] == outcome["message_id"]
    assert json.loads(body)["subscription"]["status"] == "authorization_revoked"
    refused = client.subscribe(callback.url, **follow_order())
    assert refused.status_code == 403


def test_grant_comes_back_with_a_new_login(client: Client, callback: Callback) -> None:
    client.log_in(scope=FOLLOWERS)
    disconnect(client)
    client.log_in(scope=FOLLOWERS)
    client.enabled(callback, **follow_order())


def test_any_of_the_users_whose_grant_is_needed_can_end_a_subscription(
    client: Client, callback: Callback
) -> None:
    condition = {"broadcaster_user_id": STREAMER, "user_id": "200300401"}
    client.log_in("200300401", "user:read:chat user:bot")
    grant(client, "channel:bot")
    chat = {"type": "channel.chat.message", "condition": condition}
    made = client.enabled(callback, version="1", **chat)
    revoke = {"user_id": "200300402"}
    assert client.sandbox.control("grants/revoke", revoke)["revoked"] == []
    client.sandbox.control("grants/revoke", {"user_id": "200300401"})
    assert client.status_of(made["id"]) == "authorization_revoked"


def test_revocation_messages_can_be_lost(client: Client, callback: Callback) -> None:
    made = client.enabled(callback, **follow_order())
    order = {"user_id": STREAMER, "message": False}
    [outcome] = client.sandbox.control("grants/revoke", order)["revoked"]
    assert outcome["message_id"] is None
    assert client.status_of(made["id"]) == "authorization_revoked"
    assert callback.of_type("revocation") == []


def test_pending_ones_end_and_dead_ones_stay_as_they_were(client: Client) -> None:
    order = {**follow_order(), "callback": "https://bot.example.org/hook"}
    pending = "webhook_callback_verification_pending"
    rows = [{**order, "status": status} for status in (pending, "user_removed")]
    client.sandbox.control("subscriptions", {"subscriptions": rows})
    client.sandbox.control("grants/revoke", {"user_id": STREAMER, "message": False})
    statuses = [one["status"] for one in client.subscriptions().json()["data"]]
    assert statuses == ["authorization_revoked", "user_removed"]


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("grants", {"scopes": []}),
        ("grants", {"user_id": STREAMER}),
        ("grants", {"user_id": STREAMER, "scopes": [1]}),
        ("grants/revoke", {}),
        ("grants/revoke", {"user_id": STREAMER, "message": "no"}),
    ],
)
def test_unusable_orders_about_grants_are_refused(
    client: Client, name: str, order: dict[str, Any]
) -> None:
    assert client.sandbox.post(f"/control/{name}", json=order).status_code == 400
