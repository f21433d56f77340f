"""EventSub types about a channel's chat, and about who moderates it. See the catalogue."""

from .event_type import (
    CHAT,
    MODERATOR,
    READ_CHAT,
    WITH_MODERATOR,
    WITH_READER,
    EventType,
    Grant,
    by_moderator,
    read_or_manage,
)

_AUTOMOD = by_moderator("moderator:manage:automod")
_AUTOMOD_SETTINGS = by_moderator("moderator:read:automod_settings")
_SHIELD = by_moderator(*read_or_manage("moderator:shield_mode"))
_SUSPICIOUS = by_moderator("moderator:read:suspicious_users")
_UNBAN_REQUESTS = by_moderator(*read_or_manage("moderator:unban_requests"))
_WARNINGS = by_moderator(*read_or_manage("moderator:warnings"))
_ALL = (
    *(
        Grant(MODERATOR, read_or_manage(f"moderator:{topic}"))
        for topic in (
            "blocked_terms",
            "chat_settings",
            "unban_requests",
            "banned_users",
            "chat_messages",
            "warnings",
        )
    ),
    *by_moderator("moderator:read:moderators"),
    *by_moderator("moderator:read:vips"),
)

ROWS = (
    EventType("channel.chat.clear", "1", "", CHAT, WITH_READER),
    EventType("channel.chat.clear_user_messages", "1", "", CHAT, WITH_READER, user="target_user"),
    EventType("channel.chat.message_delete", "1", "", CHAT, WITH_READER, user="target_user"),
    EventType("channel.chat_settings.update", "1", "", CHAT, WITH_READER),
    EventType("channel.chat.user_message_hold", "1", "", READ_CHAT, WITH_READER, user="user"),
    EventType("channel.chat.user_message_update", "1", "", READ_CHAT, WITH_READER, user="user"),
    EventType("channel.shared_chat.begin", "1"),
    EventType("channel.shared_chat.update", "1"),
    EventType("channel.shared_chat.end", "1"),
    EventType("automod.message.hold", "2", "", _AUTOMOD, WITH_MODERATOR, user="user"),
    EventType("automod.message.update", "2", "", _AUTOMOD, WITH_MODERATOR, user="user"),
    EventType("automod.settings.update", "1", "", _AUTOMOD_SETTINGS, WITH_MODERATOR),
    EventType("automod.terms.update", "1", "", _AUTOMOD, WITH_MODERATOR),
    EventType("channel.moderate", "2", "", _ALL, WITH_MODERATOR),
    EventType("channel.shield_mode.begin", "1", "", _SHIELD, WITH_MODERATOR),
    EventType("channel.shield_mode.end", "1", "", _SHIELD, WITH_MODERATOR),
    EventType("channel.suspicious_user.message", "1", "", _SUSPICIOUS, WITH_MODERATOR, user="user"),
    EventType("channel.suspicious_user.update", "1", "", _SUSPICIOUS, WITH_MODERATOR, user="user"),
    EventType(
        "channel.unban_request.create", "1", "", _UNBAN_REQUESTS, WITH_MODERATOR, user="user"
    ),
    EventType(
        "channel.unban_request.resolve", "1", "", _UNBAN_REQUESTS, WITH_MODERATOR, user="user"
    ),
    EventType("channel.warning.acknowledge", "1", "", _WARNINGS, WITH_MODERATOR, user="user"),
    EventType("channel.warning.send", "1", "", _WARNINGS, WITH_MODERATOR, user="user"),
)
