"""examples/twitchio_bot.py on the sandbox, as far as it goes without a chat server."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import twitchio
from twitchio.authentication import OAuth
from twitchio.http import Route

from apps.twitch_module.client import TwitchModuleClient
from examples import twitchio_bot
from examples.twitchio_bot import Bot
from tests.e2e.tokens.test_logins import STREAMER

from .conftest import Stage

REFRESH = "POST /sandbox/oauth2/token"
VALIDATE = "GET /sandbox/oauth2/validate"


class WithoutChat(Bot):
    """Does all but read chat, for which there is no server."""

    async def subscribe_websocket(self, *_: object, **__: object) -> None:
        return None


@pytest.fixture(autouse=True)
def on_the_sandbox(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "BASE", f"{stage.sandbox.url}/helix/")
    monkeypatch.setattr(Route, "ID_BASE", f"{stage.sandbox.url}/")
    monkeypatch.setattr(OAuth, "refresh_token", OAuth.refresh_token)  # put back at the end


def run(stage: Stage, story: Callable[[Bot], Awaitable[None]]) -> None:
    async def told() -> None:
        bot = WithoutChat(
            stage.client, client_id="app-id", bot_id=STREAMER, channel="sandbox_streamer"
        )
        async with bot:
            lent = await asyncio.to_thread(stage.client.twitch_token, STREAMER)
            await bot.login(token=lent.access_token, load_tokens=False, save_tokens=False)
            await asyncio.wait_for(story(bot), 30)

    # On a thread of its own: a browser that is open in this process has an event loop on this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, told()).result()


def token_of(bot: Bot) -> str:
    return bot.tokens[STREAMER]["token"]


async def login_of(bot: Bot, token_for: str | None) -> str | None:
    """Ask Twitch who the bot is, with its user's token or the one that stands in for the app's."""
    (user,) = await bot.fetch_users(ids=[STREAMER], token_for=token_for)
    return user.name


def test_it_starts_with_a_token_that_was_validated(stage: Stage) -> None:
    async def story(bot: Bot) -> None:
        assert bot.user is not None and bot.user.name == "sandbox_streamer"
        assert stage.calls(VALIDATE) >= 1
        assert await login_of(bot, STREAMER) == "sandbox_streamer"

    run(stage, story)


@pytest.mark.parametrize("token_for", [STREAMER, None])
def test_on_a_401_it_goes_on_with_a_new_token(stage: Stage, token_for: str | None) -> None:
    async def story(bot: Bot) -> None:
        new = await asyncio.to_thread(stage.end_the_token)
        refreshes = stage.calls(REFRESH)

        assert token_of(bot) != new
        assert await login_of(bot, token_for) == "sandbox_streamer"
        assert token_of(bot) == new
        assert await login_of(bot, None) == "sandbox_streamer"
        assert stage.calls(REFRESH) == refreshes  # the bot itself never refreshes

    run(stage, story)


def test_a_check_finds_the_dead_token_before_a_call_does(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twitchio_bot, "CHECK_SECONDS", 0.05)

    async def story(bot: Bot) -> None:
        new = await asyncio.to_thread(stage.end_the_token)
        while token_of(bot) != new:
            await asyncio.sleep(0.01)

    run(stage, story)


def test_a_token_that_ends_within_the_hour_is_no_reason_to_stop(stage: Stage) -> None:
    stage.sandbox.control("settings", {"user_token_seconds": 1800})
    stage.end_the_token()

    async def story(bot: Bot) -> None:
        assert await login_of(bot, STREAMER) == "sandbox_streamer"

    run(stage, story)


def test_while_the_module_is_away_the_bot_goes_on_with_what_it_has(stage: Stage) -> None:
    async def story(bot: Bot) -> None:
        bot._module = TwitchModuleClient("http://127.0.0.1:9", "a-token")
        with pytest.raises(twitchio.HTTPException) as caught:
            await bot._borrowed(STREAMER)

        assert caught.value.status == 503
        assert await login_of(bot, STREAMER) == "sandbox_streamer"

    run(stage, story)
