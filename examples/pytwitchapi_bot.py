"""A chat bot with pyTwitchAPI that borrows its account's token.

`python -m examples.pytwitchapi_bot`. It answers !ping. README.md beside this says what it needs
in the environment.
"""

import asyncio
import logging
import os
from collections.abc import Sequence

from twitchAPI.chat import Chat, ChatCommand
from twitchAPI.oauth import validate_token
from twitchAPI.twitch import Twitch
from twitchAPI.type import AuthScope, TwitchAPIException

from apps.twitch_module.client import ClientError, NeedsLogin, TwitchModuleClient, TwitchToken

CHECK_SECONDS = 30 * 60
RETRY_SECONDS = 60
SCOPES = (AuthScope.CHAT_READ, AuthScope.CHAT_EDIT)
log = logging.getLogger("bot")


class BorrowingTwitch(Twitch):
    """The library's client, on a token that the module lends."""

    def __init__(
        self,
        module: TwitchModuleClient,
        *,
        client_id: str,
        user_id: str,
        scopes: Sequence[AuthScope] = SCOPES,
        **addresses: str,
    ) -> None:
        super().__init__(client_id, authenticate_app=False, **addresses)
        self._module = module
        self._user_id = user_id
        self._scopes = list(scopes)

    async def check_token(self) -> None:
        """Validate the token that the module lends at Twitch; on a 401, take another one."""
        lent = await asyncio.to_thread(self._module.twitch_token, self._user_id)
        found = await validate_token(lent.access_token, auth_base_url=self.auth_base_url)
        if found.get("status") == 401:
            await self.refresh_used_token()
        else:
            await self._use(lent)

    async def refresh_used_token(self) -> None:
        """What the library does on a 401 before it calls once more: borrow another token."""
        lent = await asyncio.to_thread(self._module.twitch_token, self._user_id, fresh=True)
        await self._use(lent)

    async def _use(self, lent: TwitchToken) -> None:
        # The library wants a refresh token. There is none, and it never gets to use this text.
        await self.set_user_authentication(
            lent.access_token, self._scopes, "borrowed", validate=False
        )


async def look_after(twitch: BorrowingTwitch) -> None:
    """Check the token every 30 minutes, for ever."""
    seconds = CHECK_SECONDS
    while True:
        await asyncio.sleep(seconds)
        seconds = CHECK_SECONDS
        try:
            await twitch.check_token()
        except NeedsLogin as error:
            log.error("the bot's account has to log in again: %s", error.login_url)
        except (ClientError, TwitchAPIException, OSError) as error:
            log.warning("the token could not be checked: %s", error)
            seconds = RETRY_SECONDS  # until then the one that it has serves


async def ping(command: ChatCommand) -> None:
    """Say that the bot is there."""
    await command.reply("pong")


async def run(twitch: BorrowingTwitch, channel: str) -> None:
    """Chat until somebody stops the program."""
    await twitch.check_token()
    chat = await Chat(twitch, initial_channel=[channel])
    chat.register_command("ping", ping)
    chat.start()
    try:
        await look_after(twitch)
    finally:
        chat.stop()
        await twitch.close()


def main() -> None:
    """Run the bot until it is stopped."""
    logging.basicConfig(level=logging.INFO)
    environ = os.environ
    module = TwitchModuleClient(environ["WADDLEBOT_URL"], environ["WADDLEBOT_TWITCH_TOKEN"])
    twitch = BorrowingTwitch(
        module, client_id=environ["TWITCH_APP_ID"], user_id=environ["BOT_USER_ID"]
    )
    try:
        asyncio.run(run(twitch, environ["CHANNEL"]))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
