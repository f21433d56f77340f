"""Words that a shell completes: event types, activities, people."""

import difflib
from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from ..domain.events.catalogue import CATALOGUE
from .api_client import Api, segment
from .group import Refused


class Word(click.ParamType[str]):
    """One of some words. Others are refused with the nearest one, or taken where `open`."""

    def __init__(self, name: str, words: Iterable[str], *, is_open: bool = False) -> None:
        self.name = name
        self._words = tuple(words)
        self._is_open = is_open

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word."""
        if value in self._words or self._is_open:
            return value
        near = difflib.get_close_matches(value, self._words, 3, 0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"see {', '.join(self._words)}"
        self.fail(f"{value!r} is no {self.name}; {hint}", param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The words that begin like this."""
        return [CompletionItem(word) for word in self._words if word.startswith(incomplete)]


EVENT_TYPE = Word("event type", CATALOGUE)
ANY_EVENT_TYPE = Word("event type", CATALOGUE, is_open=True)
_ACTIVITIES = {row.activity: None for row in CATALOGUE.values()} | {"sub_gifted": None}
ACTIVITY_TYPE = Word("activity", _ACTIVITIES, is_open=True)
STATUS = click.Choice(["pending", "leased", "delivered", "skipped", "dead", "held"])


def channel_id(api: Api, channel: str | None) -> str | None:
    """The id of a monitored channel that is given by its id or login. None stays None."""
    if channel is None or channel.isdigit():
        return channel
    login = channel.removeprefix("@").lower()
    for one in api.get("/twitch/api/channels")["channels"]:
        if login in (one["channel_name"].lower(), one["channel_id"]):
            return str(one["channel_id"])
    raise Refused(f"No channel {channel!r} is monitored", "See them: cli channels list")


def user_id(api: Api, user: str | None) -> str | None:
    """The id of a Twitch user who is given by id or login. None stays None."""
    if user is None or user.isdigit():
        return user
    login = user.removeprefix("@")
    return str(api.get(f"/twitch/api/user/{segment(login)}")["user"]["id"])
