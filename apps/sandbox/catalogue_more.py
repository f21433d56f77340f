"""The subscription types that the sandbox can be asked for, and has no figures for.

Twitch: EventSub Subscription Types.
"""

from .event_type import (
    CHAT,
    MODERATOR,
    READ_CHAT,
    READER,
    WITH_MODERATOR,
    WITH_READER,
    EventType,
    Grant,
    by_broadcaster,
    by_moderator,
    by_reader,
)

POINTS = "channel.channel_points_"
CHARITY = by_broadcaster("channel:read:charity")
GOALS = by_broadcaster("channel:read:goals")
GUESTS = by_moderator(
    "channel:read:guest_star",
    "channel:manage:guest_star",
    "moderator:read:guest_star",
    "moderator:manage:guest_star",
)
POLLS = by_broadcaster("channel:read:polls", "channel:manage:polls")
PREDICTIONS = by_broadcaster("channel:read:predictions", "channel:manage:predictions")
REWARDS = by_broadcaster("channel:read:redemptions", "channel:manage:redemptions")
VIPS = by_broadcaster("channel:read:vips", "channel:manage:vips")
AUTOMOD = by_moderator("moderator:manage:automod")
SHIELD = by_moderator("moderator:read:shield_mode", "moderator:manage:shield_mode")
SUSPICIOUS = by_moderator("moderator:read:suspicious_users")
UNBAN = by_moderator("moderator:read:unban_requests", "moderator:manage:unban_requests")
WARNINGS = by_moderator("moderator:read:warnings", "moderator:manage:warnings")
SHOUTOUTS = by_moderator("moderator:read:shoutouts", "moderator:manage:shoutouts")
WHISPERS = by_reader("user:read:whispers", "user:manage:whispers")
ACTIONS = (
    "blocked_terms",
    "chat_settings",
    "unban_requests",
    "banned_users",
    "chat_messages",
    "warnings",
)
MODERATES: tuple[Grant, ...] = (
    *((MODERATOR, (f"moderator:read:{one}", f"moderator:manage:{one}")) for one in ACTIONS),
    (MODERATOR, ("moderator:read:moderators",)),
    (MODERATOR, ("moderator:read:vips",)),
)


def _row(
    name: str,
    version: str = "1",
    condition: tuple[str, ...] = ("broadcaster_user_id",),
    grants: tuple[Grant, ...] = (),
    optional: tuple[str, ...] = (),
) -> EventType:
    title = name.removeprefix("channel.").replace(".", " ").replace("_", " ").capitalize()
    return EventType(name, version, title, condition, grants=grants, optional=optional)


MORE = (
    _row(f"{POINTS}automatic_reward_redemption.add", "2", grants=REWARDS),
    _row(f"{POINTS}custom_reward_redemption.update", grants=REWARDS, optional=("reward_id",)),
    _row(f"{POINTS}custom_reward.add", grants=REWARDS),
    _row(f"{POINTS}custom_reward.update", grants=REWARDS, optional=("reward_id",)),
    _row(f"{POINTS}custom_reward.remove", grants=REWARDS, optional=("reward_id",)),
    _row(
        "channel.custom_power_up_redemption.add",
        grants=by_broadcaster("bits:read"),
        optional=("reward_id",),
    ),
    _row("channel.vip.add", grants=VIPS),
    _row("channel.vip.remove", grants=VIPS),
    _row("channel.moderator.remove", grants=by_broadcaster("moderation:read")),
    _row("channel.poll.begin", grants=POLLS),
    _row("channel.poll.progress", grants=POLLS),
    _row("channel.prediction.begin", grants=PREDICTIONS),
    _row("channel.prediction.progress", grants=PREDICTIONS),
    _row("channel.prediction.lock", grants=PREDICTIONS),
    _row("channel.goal.begin", grants=GOALS),
    _row("channel.goal.progress", grants=GOALS),
    _row("channel.charity_campaign.start", grants=CHARITY),
    _row("channel.charity_campaign.progress", grants=CHARITY),
    _row("channel.charity_campaign.stop", grants=CHARITY),
    _row("channel.ad_break.begin", grants=by_broadcaster("channel:read:ads")),
    _row("channel.shoutout.create", "1", WITH_MODERATOR, SHOUTOUTS),
    _row("channel.guest_star_session.begin", "beta", WITH_MODERATOR, GUESTS),
    _row("channel.guest_star_session.end", "beta", WITH_MODERATOR, GUESTS),
    _row("channel.guest_star_guest.update", "beta", WITH_MODERATOR, GUESTS),
    _row("channel.guest_star_settings.update", "beta", WITH_MODERATOR, GUESTS),
    _row("channel.chat.clear", "1", WITH_READER, CHAT),
    _row("channel.chat.clear_user_messages", "1", WITH_READER, CHAT),
    _row("channel.chat.message_delete", "1", WITH_READER, CHAT),
    _row("channel.chat.notification", "1", WITH_READER, CHAT),
    _row("channel.chat_settings.update", "1", WITH_READER, CHAT),
    _row("channel.chat.user_message_hold", "1", WITH_READER, READ_CHAT),
    _row("channel.chat.user_message_update", "1", WITH_READER, READ_CHAT),
    _row("channel.shared_chat.begin"),
    _row("channel.shared_chat.update"),
    _row("channel.shared_chat.end"),
    _row("automod.message.hold", "2", WITH_MODERATOR, AUTOMOD),
    _row("automod.message.update", "2", WITH_MODERATOR, AUTOMOD),
    _row(
        "automod.settings.update",
        "1",
        WITH_MODERATOR,
        by_moderator("moderator:read:automod_settings"),
    ),
    _row("automod.terms.update", "1", WITH_MODERATOR, AUTOMOD),
    _row("channel.moderate", "2", WITH_MODERATOR, MODERATES),
    _row("channel.shield_mode.begin", "1", WITH_MODERATOR, SHIELD),
    _row("channel.shield_mode.end", "1", WITH_MODERATOR, SHIELD),
    _row("channel.suspicious_user.message", "1", WITH_MODERATOR, SUSPICIOUS),
    _row("channel.suspicious_user.update", "1", WITH_MODERATOR, SUSPICIOUS),
    _row("channel.unban_request.create", "1", WITH_MODERATOR, UNBAN),
    _row("channel.unban_request.resolve", "1", WITH_MODERATOR, UNBAN),
    _row("channel.warning.acknowledge", "1", WITH_MODERATOR, WARNINGS),
    _row("channel.warning.send", "1", WITH_MODERATOR, WARNINGS),
    _row("user.whisper.message", "1", (READER,), WHISPERS),
    _row("conduit.shard.disabled", "1", ("client_id",), optional=("conduit_id",)),
    _row(
        "drop.entitlement.grant",
        "1",
        ("organization_id",),
        optional=("category_id", "campaign_id"),
    ),
    _row("extension.bits_transaction.create", "1", ("extension_client_id",)),
)
