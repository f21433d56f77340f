"""The channels that are monitored."""

from typing import Any

import structlog

from ..clients.twitch import TwitchClient
from ..domain.access import Actor
from ..domain.text import text
from ..errors import NotFound, TwitchUnavailable
from ..models import audit, channels
from ..models.database import Database

log = structlog.get_logger("channels")


class Channels:
    """Adds and shows channels. Blocks on Twitch when a channel is added."""

    def __init__(self, database: Database, twitch: TwitchClient) -> None:
        self._database = database
        self._twitch = twitch

    def add(
        self, actor: Actor, *, channel_id: str | None = None, channel_name: str | None = None
    ) -> tuple[dict[str, Any], bool]:
        """The channel with this id or login, and whether it is new here.

        Twitch is asked for the rest. Raises NotFound when it knows no such user, and what
        TwitchClient raises.
        """
        login = channel_name.lower() if channel_name else None
        user = self._twitch.find_user(user_id=channel_id, login=login)
        if user is None:
            raise NotFound(f"Twitch knows no user {channel_id or login!r}")
        channel = channels.NewChannel(
            text(user.get("id")), text(user.get("login")), text(user.get("display_name"))
        )
        if not channel.channel_id or not channel.channel_name:
            raise TwitchUnavailable("Twitch's answer describes no user")
        with self._database.transaction() as transaction:
            new = channels.add(transaction, channel)
            row = channels.get(transaction, channel.channel_id)
            if new:
                subject = f"channel:{channel.channel_id}"
                after = {"channel_name": channel.channel_name}
                audit.record(transaction, actor, "channel.add", subject, after=after)
        if row is None:
            raise NotFound("The channel has been removed meanwhile")
        if new:
            log.info("channel added", channel_id=channel.channel_id, name=channel.channel_name)
        return row, new

    def get(self, channel_id: str) -> dict[str, Any]:
        """One channel. Raises NotFound."""
        with self._database.transaction(write=False) as transaction:
            row = channels.get(transaction, channel_id)
        if row is None:
            raise NotFound(f"No channel {channel_id!r} is monitored here")
        return row

    def list(self) -> list[dict[str, Any]]:
        """Every channel, by name."""
        with self._database.transaction(write=False) as transaction:
            return channels.list_all(transaction)
