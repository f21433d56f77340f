"""EventSub types about what viewers do. The catalogue's rows; see there."""

from .event_type import (
    CHAT,
    RAIDED,
    REDEMPTION_CANCELED,
    WITH_MODERATOR,
    WITH_READER,
    EventType,
    Variant,
    by_broadcaster,
    by_moderator,
    read_or_manage,
)

_BITS = by_broadcaster("bits:read")
_MODERATE = by_broadcaster("channel:moderate")
_SUBS = by_broadcaster("channel:read:subscriptions")
_REDEMPTIONS = by_broadcaster(*read_or_manage("channel:redemptions"))
_VIPS = by_broadcaster(*read_or_manage("channel:vips"))
_POINTS = "channel.channel_points"

ROWS = (
    EventType(
        "channel.follow",
        "2",
        "follow",
        by_moderator("moderator:read:followers"),
        WITH_MODERATOR,
        user="user",
        time="followed_at",
    ),
    EventType(
        "channel.subscribe",
        "1",
        "sub",
        _SUBS,
        user="user",
        tier="tier",
        variant=Variant("is_gift", True, "sub_gifted"),
    ),
    EventType("channel.cheer", "1", "bits", _BITS, user="user", units="bits", anonymous=True),
    EventType(
        "channel.raid",
        "1",
        "raid",
        condition=(RAIDED,),
        user="from_broadcaster_user",
        channel="to_broadcaster_user",
        units="viewers",
    ),
    EventType(
        "channel.subscription.gift",
        "1",
        "subgift",
        _SUBS,
        user="user",
        units="total",
        tier="tier",
        anonymous=True,
    ),
    EventType(
        "channel.ban",
        "1",
        "ban",
        _MODERATE,
        user="user",
        time="banned_at",
        variant=Variant("is_permanent", False, "timeout", minutes=("banned_at", "ends_at")),
    ),
    # From here on: recorded, and scored only when the points policy names the activity.
    EventType(
        "channel.subscription.message",
        "1",
        "resub",
        _SUBS,
        user="user",
        units="cumulative_months",
        tier="tier",
    ),
    EventType("channel.subscription.end", "1", "sub_end", _SUBS, user="user", tier="tier"),
    EventType(
        "channel.bits.use", "1", "bits_use", _BITS, user="user", units="bits", anonymous=True
    ),
    EventType("channel.unban", "1", "unban", _MODERATE, user="user"),
    EventType(
        "channel.moderator.add", "1", "moderator", by_broadcaster("moderation:read"), user="user"
    ),
    EventType(
        f"{_POINTS}_custom_reward_redemption.add",
        "1",
        "redemption",
        _REDEMPTIONS,
        optional=("reward_id",),
        user="user",
        units="reward.cost",
        own_id="id",
        time="redeemed_at",
    ),
    EventType(
        f"{_POINTS}_automatic_reward_redemption.add",
        "2",
        "automatic_redemption",
        _REDEMPTIONS,
        user="user",
        units="reward.channel_points",
        older_units="reward.cost",
        own_id="id",
        time="redeemed_at",
    ),
    EventType(
        "channel.charity_campaign.donate",
        "1",
        "donation",
        by_broadcaster("channel:read:charity"),
        user="user",
        money="amount",
        own_id="id",
    ),
    EventType(
        "channel.shoutout.receive",
        "1",
        "shoutout",
        by_moderator(*read_or_manage("moderator:shoutouts")),
        WITH_MODERATOR,
        user="from_broadcaster_user",
        units="viewer_count",
    ),
    EventType(
        "channel.chat.message",
        "1",
        "chat",
        CHAT,
        WITH_READER,
        user="chatter_user",
        own_id="message_id",
    ),
    EventType(
        "channel.chat.notification",
        "1",
        "",
        CHAT,
        WITH_READER,
        user="chatter_user",
        own_id="message_id",
        variant=Variant(
            "notice_type", "watch_streak", "watch_streak", units="watch_streak.streak_count"
        ),
    ),
    EventType(
        "channel.hype_train.end",
        "2",
        "hype_train",
        by_broadcaster("channel:read:hype_train"),
        own_id="id",
        time="ended_at",
        shares="top_contributions",
    ),
    EventType("channel.vip.add", "1", "vip", _VIPS, user="user"),
    # From here on: what follows from the above, or has no known amount; it never scores.
    EventType("channel.vip.remove", "1", "", _VIPS, user="user"),
    EventType("channel.moderator.remove", "1", "", by_broadcaster("moderation:read"), user="user"),
    EventType(
        f"{_POINTS}_custom_reward_redemption.update",
        "1",
        "",
        _REDEMPTIONS,
        optional=("reward_id",),
        user="user",
        own_id="id",
        variant=Variant("status", "canceled", REDEMPTION_CANCELED),
    ),
    EventType(
        "channel.custom_power_up_redemption.add",
        "1",
        "",
        _BITS,
        optional=("reward_id",),
        user="user",
    ),
)
