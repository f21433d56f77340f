"""The subscription types that the sandbox knows: version, condition, and who must agree.

Twitch: EventSub Subscription Types. Adding a type is one row here and one builder in
`payloads`.
"""

from .catalogue_more import MORE
from .event_type import (
    CHAT,
    READER,
    WITH_MODERATOR,
    WITH_READER,
    EventType,
    by_broadcaster,
    by_moderator,
)

__all__ = ["EVENT_TYPES", "EventType"]

SUBSCRIPTIONS = by_broadcaster("channel:read:subscriptions")
BITS = by_broadcaster("bits:read")
HYPE = by_broadcaster("channel:read:hype_train")
RAID_ENDS = ("from_broadcaster_user_id", "to_broadcaster_user_id")

_ROWS = (
    EventType(
        "channel.follow",
        "2",
        "Follow",
        WITH_MODERATOR,
        grants=by_moderator("moderator:read:followers"),
        removed_versions=("1",),
    ),
    EventType("channel.subscribe", "1", "Subscription", grants=SUBSCRIPTIONS),
    EventType(
        "channel.subscription.gift",
        "1",
        "Gifted subscriptions",
        grants=SUBSCRIPTIONS,
        unit="gifts",
        can_be_anonymous=True,
    ),
    EventType("channel.cheer", "1", "Cheer", grants=BITS, unit="bits", can_be_anonymous=True),
    EventType("channel.raid", "1", "Raid", (), either=RAID_ENDS, unit="viewers"),
    EventType("channel.ban", "1", "Ban", grants=by_broadcaster("channel:moderate")),
    EventType("channel.subscription.message", "1", "Resubscription", grants=SUBSCRIPTIONS),
    EventType("channel.subscription.end", "1", "Subscription ends", grants=SUBSCRIPTIONS),
    EventType("channel.bits.use", "1", "Bits used", grants=BITS, unit="bits"),
    EventType("channel.unban", "1", "Unban", grants=by_broadcaster("channel:moderate")),
    EventType(
        "channel.moderator.add", "1", "New moderator", grants=by_broadcaster("moderation:read")
    ),
    EventType("channel.chat.message", "1", "Chat message", WITH_READER, grants=CHAT),
    EventType(
        "channel.channel_points_custom_reward_redemption.add",
        "1",
        "Reward redeemed",
        optional=("reward_id",),
        grants=by_broadcaster("channel:read:redemptions", "channel:manage:redemptions"),
    ),
    EventType(
        "channel.hype_train.begin",
        "2",
        "Hype train begins",
        grants=HYPE,
        removed_versions=("1",),
        unit="bits",
    ),
    EventType(
        "channel.hype_train.progress",
        "2",
        "Hype train goes on",
        grants=HYPE,
        removed_versions=("1",),
        unit="bits",
    ),
    EventType(
        "channel.hype_train.end",
        "2",
        "Hype train ends",
        grants=HYPE,
        removed_versions=("1",),
        unit="bits",
    ),
    EventType(
        "channel.poll.end",
        "1",
        "Poll ends",
        grants=by_broadcaster("channel:read:polls", "channel:manage:polls"),
    ),
    EventType(
        "channel.prediction.end",
        "1",
        "Prediction ends",
        grants=by_broadcaster("channel:read:predictions", "channel:manage:predictions"),
    ),
    EventType("channel.goal.end", "1", "Goal ends", grants=by_broadcaster("channel:read:goals")),
    EventType(
        "channel.charity_campaign.donate",
        "1",
        "Charity donation",
        grants=by_broadcaster("channel:read:charity"),
    ),
    EventType(
        "channel.shoutout.receive",
        "1",
        "Shoutout received",
        WITH_MODERATOR,
        grants=by_moderator("moderator:read:shoutouts", "moderator:manage:shoutouts"),
        unit="viewers",
    ),
    EventType("stream.online", "1", "Stream goes live"),
    EventType("stream.offline", "1", "Stream ends"),
    EventType("channel.update", "2", "Channel changed"),
    EventType("user.authorization.grant", "1", "User connects the app", ("client_id",)),
    EventType("user.authorization.revoke", "1", "User disconnects the app", ("client_id",)),
    EventType("user.update", "1", "User changed", (READER,)),
)

EVENT_TYPES = {row.type: row for row in (*_ROWS, *MORE)}
