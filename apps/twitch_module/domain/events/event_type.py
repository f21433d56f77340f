"""What a row of the catalogue says: how to subscribe to a type, and what its events hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

REDEMPTION_CANCELED = "redemption_canceled"  # never scored: it takes a redemption's points back
BROADCASTER, RAIDED = "broadcaster_user_id", "to_broadcaster_user_id"
MODERATOR, READER = "moderator_user_id", "user_id"
# Fields of a condition that take a channel's own id unless somebody says otherwise: the
# broadcaster moderates and reads his own channel.
OF_CHANNEL = frozenset((BROADCASTER, RAIDED, MODERATOR, READER))


class Grant(NamedTuple):
    """Consent that a type needs: any one of `scopes`, from the user in this field."""

    field: str  # of the condition
    scopes: tuple[str, ...]


class Variant(NamedTuple):
    """Events of a type that are another activity than the others: by the value of a field."""

    field: str
    value: object
    activity: str
    units: str | None = None  # where their number is; None: where that of the others is
    minutes: tuple[str, str] | None = None  # or two times; the minutes between are the number


@dataclass(frozen=True, slots=True)
class EventType:
    """How to subscribe to a type, and where its payload says who did what, where, how much."""

    name: str
    version: str
    activity: str = ""  # its name in WaddleBot; scores when the points policy names it
    grants: tuple[Grant, ...] = ()  # all of these
    condition: tuple[str, ...] = (BROADCASTER,)  # the fields that have to be there
    optional: tuple[str, ...] = ()  # further fields of the condition, such as reward_id
    user: str | None = None  # prefix of the _id, _login, _name triplet of the one who acted
    channel: str = "broadcaster_user"  # prefix of the same triplet of the channel
    units: str | None = None  # where the number is that `per_unit` multiplies; a dot descends
    older_units: str | None = None  # where an older version of the type has it
    tier: str | None = None  # where the subscription's tier is
    anonymous: bool = False  # whether Twitch may leave the user out
    variant: Variant | None = None  # what some of its events are instead
    own_id: str | None = None  # where Twitch's own id of what happened is
    time: str | None = None  # where the time is when it happened
    money: str | None = None  # where {value, decimal_places, currency} is; units are that amount
    shares: str | None = None  # where a list is of {user triplet, type, total}, one activity each
    batched: bool = False  # its messages have `events` in place of `event`

    @property
    def activities(self) -> tuple[str, ...]:
        """What its events can be."""
        found = (self.activity, self.variant.activity if self.variant else "")
        return tuple(name for name in found if name)

    @property
    def is_of_channel(self) -> bool:
        """Whether the channel is enough to subscribe to it."""
        return OF_CHANNEL.issuperset(self.condition)

    def grants_for(self, condition: Mapping[str, str]) -> list[tuple[str, tuple[str, ...]]]:
        """Whose consent this condition needs: user ids, and scopes of which one is enough."""
        # Somebody else who reads the chat may be a moderator there, who needs no channel:bot.
        is_guest = condition.get(READER, "") != condition.get(BROADCASTER, "")
        return [
            (condition.get(field, ""), scopes)
            for field, scopes in self.grants
            if not (is_guest and scopes == _BOT_IN_CHANNEL)
        ]


_BOT_IN_CHANNEL = ("channel:bot",)


def by_broadcaster(*scopes: str) -> tuple[Grant, ...]:
    """One of these from the broadcaster."""
    return (Grant(BROADCASTER, scopes),)


def by_moderator(*scopes: str) -> tuple[Grant, ...]:
    """One of these from the moderator whom the condition names."""
    return (Grant(MODERATOR, scopes),)


def by_reader(*scopes: str) -> tuple[Grant, ...]:
    """One of these from the user whom the condition names."""
    return (Grant(READER, scopes),)


def read_or_manage(topic: str) -> tuple[str, str]:
    """Twitch takes the right to change something for the right to see it."""
    who, _, what = topic.partition(":")
    return f"{who}:read:{what}", f"{who}:manage:{what}"


WITH_MODERATOR = (BROADCASTER, MODERATOR)
WITH_READER = (BROADCASTER, READER)

# By the application's own token the reader has to let the application act for him as well.
READ_CHAT = by_reader("user:read:chat") + by_reader("user:bot")
CHAT = READ_CHAT + by_broadcaster(*_BOT_IN_CHANNEL)
