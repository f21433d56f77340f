"""clients/twitch.py: every call to Helix gets its token, its second try and its deadline."""

import time
from typing import Any

import pytest

from apps.twitch_module.clients.http import HTTPClient
from apps.twitch_module.clients.twitch import AppCredential, TwitchClient
from apps.twitch_module.clients.twitch_auth import TwitchAuth
from apps.twitch_module.configuration import load_settings
from apps.twitch_module.errors import RateLimited, TwitchRefused, TwitchUnavailable
from tests.environment import environment
from tests.processes import Sandbox

USERS = "/sandbox/helix/users"


@pytest.fixture
def twitch(sandbox: Sandbox) -> TwitchClient:
    settings = load_settings(
        environment(
            TWITCH_API_URL=f"{sandbox.url}/helix",
            TWITCH_AUTH_URL=f"{sandbox.url}/oauth2",
        )
    )
    http = HTTPClient(2)
    return TwitchClient(http, settings, AppCredential(TwitchAuth(http, settings)))


def calls(sandbox: Sandbox, call: str = f"GET {USERS}") -> int:
    counted: dict[str, int] = sandbox.control("calls")["calls"]
    return counted.get(call, 0)


def fault(sandbox: Sandbox, times: int = 1, **order: Any) -> None:
    sandbox.control("faults", {"path": USERS, "times": times, **order})


def find(twitch: TwitchClient) -> str | None:
    user = twitch.find_user(login="sandbox_streamer")
    return user["id"] if user else None


def test_a_user_is_found_by_login_and_by_id(twitch: TwitchClient) -> None:
    assert "100200300" == find(twitch)
    assert twitch.find_user(user_id="100200300")
    assert twitch.find_user(login="nobody_at_all") is None


def test_the_applications_token_is_fetched_once(twitch: TwitchClient, sandbox: Sandbox) -> None:
    for _ in range(3):
        find(twitch)

    assert 1 == calls(sandbox, "POST /sandbox/oauth2/token")


def test_a_refused_token_is_renewed_once_and_the_call_repeated(
    twitch: TwitchClient, sandbox: Sandbox
) -> None:
    find(twitch)
    sandbox.control("tokens/expire", {"user_id": None})

    assert "100200300" == find(twitch)
    assert 2 == calls(sandbox, "POST /sandbox/oauth2/token")


def test_a_second_401_is_final(twitch: TwitchClient, sandbox: Sandbox) -> None:
    fault(sandbox, times=-1, status=401)
    with pytest.raises(TwitchRefused) as caught:
        find(twitch)

    assert 401 == caught.value.twitch_status
    assert 2 == calls(sandbox)
    assert 2 == calls(sandbox, "POST /sandbox/oauth2/token")


def test_a_503_is_tried_once_more(twitch: TwitchClient, sandbox: Sandbox) -> None:
    fault(sandbox, status=503)

    assert "100200300" == find(twitch)
    fault(sandbox, times=-1, status=503)
    with pytest.raises(TwitchUnavailable):
        find(twitch)
    assert 4 == calls(sandbox)


def test_an_empty_bucket_is_waited_for(twitch: TwitchClient, sandbox: Sandbox) -> None:
    reset = int(time.time()) + 2
    headers = {"Ratelimit-Remaining": "0", "Ratelimit-Reset": str(reset)}
    fault(sandbox, status=429, headers=headers)

    assert "100200300" == find(twitch)
    assert time.time() >= reset


def test_a_bucket_that_fills_too_late_is_not_waited_for(
    twitch: TwitchClient, sandbox: Sandbox
) -> None:
    headers = {"Ratelimit-Remaining": "0", "Ratelimit-Reset": str(int(time.time()) + 600)}
    fault(sandbox, status=429, headers=headers)
    started = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        find(twitch)

    assert time.monotonic() - started < 5
    assert 590 < caught.value.seconds < 601


def test_a_429_about_another_limit_is_an_answer(twitch: TwitchClient, sandbox: Sandbox) -> None:
    fault(sandbox, status=429, headers={"Ratelimit-Remaining": "799"})
    with pytest.raises(TwitchRefused) as caught:
        find(twitch)

    assert 429 == caught.value.twitch_status
    assert 1 == calls(sandbox)


@pytest.mark.parametrize("order", [{"status": 500}, {"garbage": True}, {"hang_up": True}])
def test_nonsense_is_unavailable(
    twitch: TwitchClient, sandbox: Sandbox, order: dict[str, Any]
) -> None:
    fault(sandbox, **order)
    with pytest.raises(TwitchUnavailable):
        find(twitch)


def test_a_list_is_read_to_its_end(twitch: TwitchClient, sandbox: Sandbox) -> None:
    sandbox.control("settings", {"page_size": 2, "redeliveries": 0})
    for name in ("channel.cheer", "channel.ban", "channel.subscribe", "stream.online"):
        twitch.create_subscription(name, "1", {"broadcaster_user_id": "100200300"})

    assert 4 == len(twitch.list_subscriptions().subscriptions)
    assert 2 == calls(sandbox, "GET /sandbox/helix/eventsub/subscriptions")
