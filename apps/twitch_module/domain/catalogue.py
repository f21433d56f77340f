"""The catalogue of EventSub types: one row per type; nothing else changes for a new one.

Source: Twitch, "EventSub Subscription Types" and "EventSub Reference".
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EventType:
    """How to subscribe to a type, and where its payload says who did what, where, how much."""

    name: str
    version: str
    activity: str  # what it is called in WaddleBot; scores when the points policy names it
    scopes: tuple[str, ...] = ()  # any one of these, granted by the broadcaster
    condition: tuple[str, ...] = ("broadcaster_user_id",)  # each takes the broadcaster's id
    user: str | None = "user"  # prefix of the _id, _login, _name triplet of the one who acted
    channel: str = "broadcaster_user"  # prefix of the same triplet of the channel
    units: str | None = None  # where the number is that `per_unit` multiplies; a dot descends
    tier: str | None = None  # where the subscription's tier is
    anonymous: bool = False  # whether Twitch may leave the user out
    when: tuple[str, str] | None = None  # (flag, activity): the activity when the flag is true


REVOKED = "user.authorization.revoke"  # a user has disconnected this application

_MODERATED = ("broadcaster_user_id", "moderator_user_id")
_SUBSCRIPTIONS = ("channel:read:subscriptions",)
_HYPE_TRAIN = ("channel:read:hype_train",)

_ROWS = (
    EventType("channel.follow", "2", "follow", ("moderator:read:followers",), condition=_MODERATED),
    EventType(
        "channel.subscribe",
        "1",
        "sub",
        _SUBSCRIPTIONS,
        tier="tier",
        when=("is_gift", "sub_gifted"),
    ),
    EventType("channel.cheer", "1", "bits", ("bits:read",), units="bits", anonymous=True),
    EventType(
        "channel.raid",
        "1",
        "raid",
        condition=("to_broadcaster_user_id",),
        user="from_broadcaster_user",
        channel="to_broadcaster_user",
        units="viewers",
    ),
    EventType(
        "channel.subscription.gift",
        "1",
        "subgift",
        _SUBSCRIPTIONS,
        units="total",
        tier="tier",
        anonymous=True,
    ),
    EventType("channel.ban", "1", "ban", ("channel:moderate",)),
    # From here on: recorded, and scored only when the points policy names the activity.
    EventType(
        "channel.subscription.message",
        "1",
        "resub",
        _SUBSCRIPTIONS,
        units="cumulative_months",
        tier="tier",
    ),
    EventType("channel.subscription.end", "1", "sub_end", _SUBSCRIPTIONS, tier="tier"),
    EventType("channel.bits.use", "1", "bits_use", ("bits:read",), units="bits", anonymous=True),
    EventType("channel.unban", "1", "unban", ("channel:moderate",)),
    EventType("channel.moderator.add", "1", "moderator", ("moderation:read",)),
    EventType(
        "channel.channel_points_custom_reward_redemption.add",
        "1",
        "redemption",
        ("channel:read:redemptions", "channel:manage:redemptions"),
        units="reward.cost",
    ),
    EventType(
        "channel.charity_campaign.donate",
        "1",
        "donation",
        ("channel:read:charity",),
        units="amount.value",
    ),
    EventType(
        "channel.shoutout.receive",
        "1",
        "shoutout",
        ("moderator:read:shoutouts", "moderator:manage:shoutouts"),
        condition=_MODERATED,
        user="from_broadcaster_user",
        units="viewer_count",
    ),
    EventType(
        "channel.chat.message",
        "1",
        "chat",
        ("channel:bot",),
        condition=("broadcaster_user_id", "user_id"),
        user="chatter_user",
    ),
    EventType("channel.hype_train.begin", "2", "hype_train_begin", _HYPE_TRAIN, user=None),
    EventType("channel.hype_train.progress", "2", "hype_train_progress", _HYPE_TRAIN, user=None),
    EventType("channel.hype_train.end", "2", "hype_train_end", _HYPE_TRAIN, user=None),
    EventType(
        "channel.poll.end",
        "1",
        "poll_end",
        ("channel:read:polls", "channel:manage:polls"),
        user=None,
    ),
    EventType(
        "channel.prediction.end",
        "1",
        "prediction_end",
        ("channel:read:predictions", "channel:manage:predictions"),
        user=None,
    ),
    EventType("channel.goal.end", "1", "goal_end", ("channel:read:goals",), user=None),
    EventType("channel.update", "2", "channel_update", user=None),
    EventType("stream.online", "1", "stream_online", user=None),
    EventType("stream.offline", "1", "stream_offline", user=None),
    # Of the application, not of a channel: subscribed once. The user is the channel's streamer.
    EventType(
        REVOKED, "1", "authorization_revoke", condition=("client_id",), user=None, channel="user"
    ),
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

# Activities that somebody can get points for: those with a user.
SCORABLE = {row.activity for row in _ROWS if row.user} | {row.when[1] for row in _ROWS if row.when}


def scopes_for(names: Iterable[str]) -> list[tuple[str, ...]]:
    """For each of these types that needs a grant, the scopes of which any one will do."""
    return [CATALOGUE[name].scopes for name in names if CATALOGUE[name].scopes]


def types_in_use(scored_activities: Iterable[str]) -> tuple[str, ...]:
    """The types to subscribe to: the default ones, and those whose activity is scored.

    `channel.bits.use` reports every cheer again, so that with it `channel.cheer` is left out.
    """
    scored = set(scored_activities)
    names = [row.name for row in _ROWS if row.name in DEFAULT_TYPES or row.activity in scored]
    if "channel.bits.use" in names:
        names.remove("channel.cheer")
    return tuple(names)
