"""A chat bot with TwitchIO 3 that borrows its account's token: `python -m examples.twitchio_bot`.

It answers !ping. README.md beside this says what it needs in the environment.
"""

import asyncio
import logging
import os

import twitchio
from twitchio import eventsub
from twitchio.authentication import OAuth, RefreshTokenPayload
from twitchio.ext import commands

from apps.twitch_module.client import ClientError, NeedsLogin, TwitchModuleClient

CHECK_SECONDS = 30 * 60
RETRY_SECONDS = 60
log = logging.getLogger("bot")


class Bot(commands.Bot):
    """Answers !ping in one channel. A process runs one of these."""

    def __init__(
        self, module: TwitchModuleClient, *, client_id: str, bot_id: str, channel: str
    ) -> None:
        super().__init__(client_id=client_id, client_secret="", bot_id=bot_id, prefix="!")
        self._module = module
        self._channel = channel
        self._checks: asyncio.Task[None] | None = None
        _renew_by(self._borrowed)

    async def run_for_ever(self) -> None:
        """Borrow a token and chat with it."""
        lent = await asyncio.to_thread(self._module.twitch_token, self.bot_id)
        # In place of a token of the application, for which it would need the secret.
        options = {"load_tokens": False, "save_tokens": False, "with_adapter": False}
        await self.start(lent.access_token, **options)

    async def login(self, **options: object) -> None:
        """Have the token checked before anything is asked with it."""
        await self.check_token()
        await super().login(**options)

    async def setup_hook(self) -> None:
        """Look after the token from now on, and read the channel's chat."""
        self._checks = asyncio.create_task(self._check_again_and_again())
        (streamer,) = await self.fetch_users(logins=[self._channel], token_for=self.bot_id)
        chat = eventsub.ChatMessageSubscription(
            broadcaster_user_id=streamer.id, user_id=self.bot_id
        )
        await self.subscribe_websocket(chat, as_bot=True)

    async def check_token(self) -> None:
        """Validate the token that the module lends at Twitch; TwitchIO renews it on a 401."""
        lent = await asyncio.to_thread(self._module.twitch_token, self.bot_id)
        # Where a refresh token belongs stands whose token to ask for.
        await self.add_token(lent.access_token, self.bot_id)

    async def _borrowed(self, user_id: str) -> RefreshTokenPayload:
        """Another token in place of one that Twitch refused, or that ends soon."""
        try:
            lent = await asyncio.to_thread(self._module.twitch_token, user_id, fresh=True)
        except ClientError as error:  # TwitchIO tries again after a 503
            status = 503 if error.retryable else 400
            raise twitchio.HTTPException(str(error), status=status, extra=error.code) from error
        self.http._app_token = lent.access_token
        return RefreshTokenPayload(
            {
                "access_token": lent.access_token,
                "refresh_token": user_id,
                "expires_in": 0,
                "scope": list(lent.scopes),
                "token_type": "bearer",
            }
        )

    async def _check_again_and_again(self) -> None:
        seconds = CHECK_SECONDS
        while True:
            await asyncio.sleep(seconds)
            seconds = CHECK_SECONDS
            try:
                await self.check_token()
            except NeedsLogin as error:
                log.error("the bot's account has to log in again: %s", error.login_url)
            except (ClientError, twitchio.TwitchioException, OSError) as error:
                log.warning("the token could not be checked: %s", error)
                seconds = RETRY_SECONDS  # until then the one that it has serves

    async def close(self, **options: object) -> None:
        """End, together with the checks."""
        if self._checks is not None:
            self._checks.cancel()
        await super().close(**options)

    @commands.command()
    async def ping(self, context: commands.Context) -> None:
        """Say that the bot is there."""
        await context.send("pong")


def _renew_by(borrow: object) -> None:
    """Have TwitchIO renew tokens by this function, wherever it would use a refresh token."""

    async def refresh_token(_: OAuth, user_id: str, /) -> RefreshTokenPayload:
        return await borrow(user_id)

    OAuth.refresh_token = refresh_token


def main() -> None:
    """Run the bot until it is stopped."""
    logging.basicConfig(level=logging.INFO)
    environ = os.environ
    module = TwitchModuleClient(environ["WADDLEBOT_URL"], environ["WADDLEBOT_TWITCH_TOKEN"])

    async def run() -> None:
        async with Bot(
            module,
            client_id=environ["TWITCH_APP_ID"],
            bot_id=environ["BOT_USER_ID"],
            channel=environ["CHANNEL"],
        ) as bot:
            await bot.run_for_ever()

    asyncio.run(run())


if __name__ == "__main__":
    main()
