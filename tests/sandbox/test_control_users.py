from typing import Any

import pytest

from .callback import Callback
from .client import STREAMER, Client, follow_order

NEWEST = "2026-03-02T19:04:11.123456789Z"


def follower(number: int, followed_at: str) -> dict[str, str]:
    names = {"user_login": f"viewer{number}", "user_name": f"Viewer{number}"}
    return {"user_id": str(number), **names, "followed_at": followed_at}


def follow(client: Client, *followers: dict[str, str]) -> None:
    order = {"broadcaster_user_id": STREAMER, "followers": list(followers)}
    total = client.sandbox.control("followers", order)["total"]
    assert total >= len(followers)


def followers(client: Client, **query: Any) -> dict[str, Any]:
    """What Helix answers to the streamer."""
    token = client.log_in(scope="moderator:read:followers")["access_token"]
    params = {"broadcaster_id": STREAMER, **query}
    answer = client.helix("GET", "/channels/followers", token, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def names(client: Client, query: str) -> list[tuple[str, str]]:
    found = client.helix("GET", f"/users?{query}").json()["data"]
    return [(one["login"], one["display_name"]) for one in found]


def test_thousands_of_users_are_added_in_one_call(client: Client) -> None:
    users = [{"login": f"user{n}", "display_name": f"User{n}", "id": str(n)} for n in range(5_000)]
    added = client.sandbox.control("users", {"users": users})["users"]
    assert [one["id"] for one in added] == [one["id"] for one in users]
    hundred = "&".join(f"id={n}" for n in range(100))
    assert names(client, hundred)[99] == ("user99", "User99")
    assert len(names(client, hundred)) == 100
    assert client.helix("GET", f"/users?{hundred}&id=100").status_code == 400


def test_one_user_gets_an_id_that_is_free(client: Client) -> None:
    first = client.sandbox.control("users", {"login": "Mira"})
    taken = str(int(first["id"]) + 1)
    client.sandbox.control("users", {"login": "taker", "id": taken})
    second = client.sandbox.control("users", {"login": "ole"})
    assert (first["login"], first["display_name"]) == ("mira", "Mira")
    assert second["id"] not in (first["id"], taken)


def test_login_or_id_of_somebody_else_is_409(client: Client) -> None:
    for order in (
        {"login": "LUMEN42"},
        {"login": "new", "id": STREAMER},
        {"users": [{"login": "a"}, {"login": "A"}]},
    ):
        assert client.sandbox.post("/control/users", json=order).status_code == 409
    assert client.sandbox.post("/control/users", json={"users": [{}]}).status_code == 400


def test_renamed_user_keeps_the_id_and_frees_the_login(client: Client, callback: Callback) -> None:
    order = {"id": "200300401", "login": "Loud_Heron", "display_name": "LoudHeron"}
    client.sandbox.control("users/rename", order)
    assert names(client, "id=200300401&login=quiet_heron") == [("loud_heron", "LoudHeron")]
    assert names(client, "login=loud_heron") == [("loud_heron", "LoudHeron")]
    client.sandbox.control("users", {"login": "quiet_heron"})

    client.enabled(callback, **follow_order())

    event = client.sandbox.control("send", {"type": "channel.follow"})["event"]
    assert (event["user_id"], event["user_login"]) == ("200300401", "loud_heron")


def test_rename_to_the_own_login_changes_the_display_name(client: Client) -> None:
    client.sandbox.control("users/rename", {"id": "200300402", "login": "LUMEN42"})
    assert names(client, "login=lumen42") == [("lumen42", "LUMEN42")]


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"id": STREAMER, "login": "LUMEN42"}, 409),
        ({"id": "nobody", "login": "new"}, 404),
        ({"id": STREAMER}, 400),
        ({"login": "new"}, 400),
    ],
)
def test_rename_that_cannot_be_changes_nothing(
    client: Client, order: dict[str, str], status: int
) -> None:
    assert client.sandbox.post("/control/users/rename", json=order).status_code == status
    assert names(client, f"id={STREAMER}") == [("sandbox_streamer", "Sandbox Streamer")]


def test_vanished_user_is_left_out(client: Client) -> None:
    answers = [
        client.sandbox.delete("/control/users", params={"id": "200300401"}) for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [204, 404]
    query = "id=200300401&id=200300402&login=quiet_heron"
    assert names(client, query) == [("lumen42", "Lumen42")]
    assert client.sandbox.control("users", {"login": "quiet_heron"})["id"] != "200300401"


def test_missed_follows_are_listed_newest_first_in_whole_seconds(
    client: Client, callback: Callback
) -> None:
    client.enabled(callback, **follow_order())
    event = {"followed_at": NEWEST}
    client.sandbox.control("send", {"type": "channel.follow", "event": event})
    follow(
        client,
        follower(1, "2024-01-01T00:00:00Z"),
        follower(2, "2026-03-02T19:04:11Z"),
        follower(3, "2026-03-02T20:04:11.9+01:00"),
        follower(4, "2025-06-01T00:00:00Z"),
    )

    found = followers(client)

    assert [one["user_id"] for one in found["data"]] == ["3", "200300401", "2", "4", "1"]
    assert found["data"][1]["followed_at"] == "2026-03-02T19:04:11Z"
    assert found["data"][3] == follower(4, "2025-06-01T00:00:00Z")
    assert found["total"] == 5
    assert len(callback.of_type("notification")) == 1
    [sent] = [one for one in client.sandbox.control("messages")["messages"] if one["event"]]
    assert sent["event"]["followed_at"] == NEWEST


def test_who_follows_again_is_listed_once_with_the_new_time(client: Client) -> None:
    follow(client, follower(1, "2024-01-01T00:00:00Z"), follower(2, "2025-01-01T00:00:00Z"))
    follow(client, follower(1, "2026-01-01T00:00:00Z"))
    assert [one["user_id"] for one in followers(client)["data"]] == ["1", "2"]
    assert followers(client, user_id="1")["data"] == [follower(1, "2026-01-01T00:00:00Z")]


def test_hundreds_of_followers_are_paged_to_the_end(client: Client) -> None:
    times = [f"2026-01-{1 + n // 24:02}T{n % 24:02}:00:00Z" for n in range(350)]
    follow(client, *(follower(n, moment) for n, moment in enumerate(times)))
    seen: list[str] = []
    query: dict[str, Any] = {"first": 100}
    while page := followers(client, **query):
        seen += [one["user_id"] for one in page["data"]]
        if not page["pagination"]:
            break
        query["after"] = page["pagination"]["cursor"]
    assert seen == [str(n) for n in reversed(range(350))]
    assert len(followers(client)["data"]) == 20


def test_follow_with_a_nonsense_time_is_the_oldest(client: Client, callback: Callback) -> None:
    client.enabled(callback, **follow_order())
    event = {"followed_at": "soon"}
    client.sandbox.control("send", {"type": "channel.follow", "event": event})
    follow(client, follower(1, "2024-01-01T00:00:00Z"))
    shown = [one["followed_at"] for one in followers(client)["data"]]
    assert shown == ["2024-01-01T00:00:00Z", "soon"]


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"broadcaster_user_id": STREAMER},
        {"broadcaster_user_id": STREAMER, "followers": [{}]},
        {"broadcaster_user_id": STREAMER, "followers": [follower(1, "soon")]},
    ],
)
def test_unusable_followers_are_refused(client: Client, order: dict[str, Any]) -> None:
    assert client.sandbox.post("/control/followers", json=order).status_code == 400
    assert followers(client)["total"] == 0
