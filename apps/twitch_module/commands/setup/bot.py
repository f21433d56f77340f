"""The bot's own account: what the wizard writes of it, and what it may do at Twitch."""

from collections.abc import Iterable

from ...domain.events.catalogue import scopes_for
from ...settings import Settings

BOT_NAME, CHANNEL = "TWITCH_BOT_NAME", "TWITCH_CHANNEL"  # logins, in `.env`


def scopes_of_login(
    settings: Settings, bot: str, channel: str, streamer_scopes: Iterable[str]
) -> list[str]:
    """What the bot's account is asked for; also a streamer's scopes when it is the channel."""
    bot_scopes = settings.twitch_bot_scopes.split()
    return sorted({*bot_scopes, *(streamer_scopes if bot == channel else ())})


def scopes_needed(
    settings: Settings, *, is_bot: bool, types: Iterable[str] | None
) -> list[tuple[str, ...]]:
    """Groups of scopes of which an account must have granted one each.

    `types` are those of its own channel; None where it is no streamer's account.
    """
    needed: list[tuple[str, ...]] = []
    if is_bot:
        needed += [(scope,) for scope in settings.twitch_bot_scopes.split()]
    if types is not None:
        needed += scopes_for(types)
        needed += [(scope,) for scope in settings.twitch_scopes.split()]
    return needed
