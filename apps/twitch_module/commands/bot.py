"""The bot's own account: what the wizard writes of it, and what it may do at Twitch."""

from collections.abc import Iterable

BOT_NAME, CHANNEL = "TWITCH_BOT_NAME", "TWITCH_CHANNEL"  # logins, in `.env`

# To read chat and to write in it as the bot: Twitch, "channel.chat.message", "Send Chat Message".
BOT_SCOPES = ("user:bot", "user:read:chat", "user:write:chat")


def scopes_of_login(bot: str, channel: str, streamer_scopes: Iterable[str]) -> list[str]:
    """What the bot's account is asked for; also a streamer's scopes when it is the channel."""
    return sorted({*BOT_SCOPES, *(streamer_scopes if bot == channel else ())})
