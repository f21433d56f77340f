"""examples/pytwitchapi_bot.py on the sandbox, as far as it goes without a chat server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from apps.twitch_module.client import NeedsLogin
from examples import pytwitchapi_bot
from examples.pytwitchapi_bot import BorrowingTwitch, look_after
from tests.e2e.tokens.test_logins import STREAMER

from .conftest import Stage

REFRESH = "POST /sandbox/oauth2/token"
VALIDATE = "GET /sandbox/oauth2/validate"


def bot_on(stage: Stage) -> BorrowingTwitch:
    return BorrowingTwitch(
        stage.client,
        client_id="app-id",
        user_id=STREAMER,
        scopes=(),
        base_url=f"{stage.sandbox.url}/helix/",
        auth_base_url=f"{stage.sandbox.url}/oauth2/",
    )


async def login_of(twitch: BorrowingTwitch) -> str:
    """Ask Twitch who the bot is."""
    users: AsyncIterator[Any] = twitch.get_users(user_ids=[STREAMER])
    async for user in users:
        return str(user.login)
    raise AssertionError("Twitch does not know the bot")


def run(stage: Stage, story: Callable[[BorrowingTwitch], Awaitable[None]]) -> None:
    async def told() -> None:
        twitch = bot_on(stage)
        try:
            await asyncio.wait_for(story(twitch), 30)
        finally:
            await twitch.close()

    # On a thread of its own: a browser that is open in this process has an event loop on this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, told()).result()


def test_it_calls_twitch_with_a_token_that_was_validated(stage: Stage) -> None:
    async def story(twitch: BorrowingTwitch) -> None:
        before = stage.calls(VALIDATE)
        await twitch.check_token()

        assert stage.calls(VALIDATE) == before + 1
        assert await login_of(twitch) == "sandbox_streamer"

    run(stage, story)


def test_on_a_401_it_goes_on_with_a_new_token(stage: Stage) -> None:
    async def story(twitch: BorrowingTwitch) -> None:
        await twitch.check_token()
        new = stage.end_the_token()
        refreshes = stage.calls(REFRESH)

        assert twitch.get_user_auth_token() != new
        assert await login_of(twitch) == "sandbox_streamer"
        assert twitch.get_user_auth_token() == new
        assert stage.calls(REFRESH) == refreshes  # the bot itself never refreshes

    run(stage, story)


def test_a_check_finds_the_dead_token_before_a_call_does(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytwitchapi_bot, "CHECK_SECONDS", 0.05)

    async def story(twitch: BorrowingTwitch) -> None:
        await twitch.check_token()
        checks = asyncio.create_task(look_after(twitch))
        new = await asyncio.to_thread(stage.end_the_token)
        while twitch.get_user_auth_token() != new:
            await asyncio.sleep(0.01)
        checks.cancel()

    run(stage, story)


def test_the_chat_connects_with_a_new_token_too(stage: Stage) -> None:
    async def story(twitch: BorrowingTwitch) -> None:
        await twitch.check_token()
        new = await asyncio.to_thread(stage.end_the_token)

        # What the library's chat asks for at each connection.
        assert await twitch.get_refreshed_user_auth_token() == new

    run(stage, story)


def test_without_a_login_it_says_what_is_missing(stage: Stage) -> None:
    stage.sandbox.control("tokens/expire", {"user_id": STREAMER, "refresh_too": True})
    stage.module.call("POST", f"/twitch/auth/refresh/{STREAMER}")

    async def story(twitch: BorrowingTwitch) -> None:
        with pytest.raises(NeedsLogin) as caught:
            await twitch.check_token()
        assert caught.value.login_url == f"{stage.module.url}/twitch/auth/login"

    run(stage, story)
