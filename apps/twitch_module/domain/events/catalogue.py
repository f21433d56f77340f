"""The catalogue of EventSub types: one row per type; nothing else changes for a new one.

The rows stand in catalogue_*.py, by topic. For a type that has several versions it is the newest.
Source: Twitch, "EventSub Subscription Types" and "EventSub Reference".
"""

from collections.abc import Iterable
from functools import lru_cache

from . import catalogue_accounts, catalogue_channel, catalogue_moderation, catalogue_viewers
from .catalogue_accounts import REVOKED
from .event_type import REDEMPTION_CANCELED, EventType, Grant

__all__ = [
    "CATALOGUE",
    "DEFAULT_TYPES",
    "REVOKED",
    "SCORABLE",
    "EventType",
    "Grant",
    "scopes_for",
    "types_in_use",
]

_ROWS = (
    *catalogue_viewers.ROWS,
    *catalogue_channel.ROWS,
    *catalogue_moderation.ROWS,
    *catalogue_accounts.ROWS,
)

CATALOGUE = {row.name: row for row in _ROWS}

# The types that every channel has unless somebody says otherwise.
DEFAULT_TYPES = (
    "channel.follow",
    "channel.subscribe",
    "channel.cheer",
    "channel.raid",
    "channel.subscription.gift",
    "channel.ban",
    "channel.unban",
)

# Activities that somebody can get points for.
SCORABLE = {name for row in _ROWS for name in row.activities} - {REDEMPTION_CANCELED}

# What takes points back, or decides when they count, comes along with what is scored.
_REDEMPTION = "channel.channel_points_custom_reward_redemption"
_COMPANIONS = {f"{_REDEMPTION}.add": f"{_REDEMPTION}.update"}
_OF_STREAMS = ("stream.online", "stream.offline")


def scopes_for(names: Iterable[str]) -> list[tuple[str, ...]]:
    """What these types need of a streamer who reads and moderates his own channel: of each of
    these groups of scopes, any one."""
    grants = (grant for name in names if name in CATALOGUE for grant in CATALOGUE[name].grants)
    return list(dict.fromkeys(grant.scopes for grant in grants))


def types_in_use(
    scored_activities: Iterable[str], *, with_streams: bool = False
) -> tuple[str, ...]:
    """The types to subscribe to: the default ones, those whose activity is scored, and those that
    take such points back. `with_streams`: whether it matters when a channel is live.

    `channel.bits.use` reports every cheer again, so that with it `channel.cheer` is left out.
    """
    return _types_in_use(frozenset(scored_activities), with_streams)


@lru_cache(maxsize=256)  # asked for each channel whenever the channels are read
def _types_in_use(scored: frozenset[str], with_streams: bool) -> tuple[str, ...]:
    names = {
        row.name
        for row in _ROWS
        if row.name in DEFAULT_TYPES or not scored.isdisjoint(row.activities)
    }
    names.update(more for name, more in _COMPANIONS.items() if name in names)
    if with_streams:
        names.update(_OF_STREAMS)
    if "channel.bits.use" in names:
        names.remove("channel.cheer")
    return tuple(row.name for row in _ROWS if row.name in names)
