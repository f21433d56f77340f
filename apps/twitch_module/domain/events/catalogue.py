"""The catalogue of EventSub types: one row per type; nothing else changes for a new one.

The rows stand in catalogue_*.py, by topic. For a type that has several versions it is the newest.
Source: Twitch, "EventSub Subscription Types" and "EventSub Reference".
"""

from collections.abc import Iterable

from . import catalogue_accounts, catalogue_channel, catalogue_moderation, catalogue_viewers
from .catalogue_accounts import REVOKED
from .event_type import EventType, Grant

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
)

# Activities that somebody can get points for.
SCORABLE = {row.activity for row in _ROWS if row.activity} | {
    row.when[1] for row in _ROWS if row.when
}


def scopes_for(names: Iterable[str]) -> list[tuple[str, ...]]:
    """What these types need of a streamer who reads and moderates his own channel: of each of
    these groups of scopes, any one."""
    grants = (grant for name in names if name in CATALOGUE for grant in CATALOGUE[name].grants)
    return list(dict.fromkeys(grant.scopes for grant in grants))


def types_in_use(scored_activities: Iterable[str]) -> tuple[str, ...]:
    """The types to subscribe to: the default ones, and those whose activity is scored.

    `channel.bits.use` reports every cheer again, so that with it `channel.cheer` is left out.
    """
    scored = set(scored_activities)
    names = [row.name for row in _ROWS if row.name in DEFAULT_TYPES or row.activity in scored]
    if "channel.bits.use" in names:
        names.remove("channel.cheer")
    return tuple(names)
