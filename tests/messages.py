"""EventSub messages as Twitch sends them, signed independently of the module's own code."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from .environment import SECRET

BROADCASTER = {"id": "7001", "login": "the_channel", "name": "The_Channel"}
VIEWER = {"id": "8001", "login": "a_viewer", "name": "A_Viewer"}
RAIDER = {"id": "9001", "login": "a_raider", "name": "A_Raider"}


def person(prefix: str, who: dict[str, str]) -> dict[str, str]:
    """The id, login and name of somebody under a prefix."""
    return {f"{prefix}_{key}": value for key, value in who.items()}


_CHANNEL = person("broadcaster_user", BROADCASTER)
_VIEWER = person("user", VIEWER)
_SUB = {**_VIEWER, **_CHANNEL, "tier": "1000"}
_BAN = {"moderator_user_id": "1", "reason": "", "is_permanent": True, "ends_at": None}

EVENTS: dict[str, dict[str, Any]] = {
    "channel.follow": {**_VIEWER, **_CHANNEL, "followed_at": "2026-01-02T03:04:05.123456789Z"},
    "channel.subscribe": {**_SUB, "is_gift": False},
    "channel.cheer": {**_VIEWER, **_CHANNEL, "is_anonymous": False, "message": "", "bits": 250},
    "channel.raid": {
        **person("from_broadcaster_user", RAIDER),
        **person("to_broadcaster_user", BROADCASTER),
        "viewers": 42,
    },
    "channel.subscription.gift": {
        **_SUB,
        "total": 5,
        "cumulative_total": 9,
        "is_anonymous": False,
    },
    "channel.ban": {**_VIEWER, **_CHANNEL, **_BAN},
}


def follow_of(number: int) -> dict[str, Any]:
    """The event of a follow, by a viewer with this number; two of one viewer are twins."""
    who = {"id": str(80_000 + number), "login": f"viewer{number}", "name": f"viewer{number}"}
    return {**EVENTS["channel.follow"], **person("user", who)}


@dataclass
class Message:
    """One message; every part can be changed before it is signed."""

    event_type: str = "channel.follow"
    event: dict[str, Any] | None = None  # the usual one of the type, unless given
    message_type: str = "notification"
    message_id: str = field(default_factory=lambda: str(uuid4()))
    at: float | None = None  # epoch seconds; now, unless given
    secret: str = SECRET
    version: str = "1"
    subscription_id: str = "5e5e0001-aaaa-4bbb-8ccc-000000000001"
    status: str = "enabled"
    challenge: str | None = None
    body: bytes | None = None  # in place of all the above

    @property
    def channel_id(self) -> str:
        """The channel of a notification; empty where it has none."""
        event = EVENTS.get(self.event_type) if self.event is None else self.event
        if self.body is not None or self.message_type != "notification" or not event:
            return ""
        for prefix in ("to_broadcaster_user", "broadcaster_user"):
            if channel_id := event.get(f"{prefix}_id"):
                return str(channel_id)
        return ""

    def content(self) -> bytes:
        """The body."""
        if self.body is not None:
            return self.body
        payload: dict[str, Any] = {
            "subscription": {
                "id": self.subscription_id,
                "status": self.status,
                "type": self.event_type,
                "version": self.version,
                "cost": 0,
                "condition": {"broadcaster_user_id": BROADCASTER["id"]},
                "transport": {"method": "webhook", "callback": "https://bot.example"},
                "created_at": "2026-01-01T00:00:00.1Z",
            }
        }
        if self.message_type == "notification":
            payload["event"] = EVENTS[self.event_type] if self.event is None else self.event
        if self.challenge is not None:
            payload["challenge"] = self.challenge
        return json.dumps(payload).encode()

    def headers(self) -> dict[str, str]:
        """The headers, with the signature over id, timestamp and body."""
        instant = datetime.now(UTC) if self.at is None else datetime.fromtimestamp(self.at, UTC)
        timestamp = instant.strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z"
        signed = self.message_id.encode() + timestamp.encode() + self.content()
        signature = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "Twitch-Eventsub-Message-Id": self.message_id,
            "Twitch-Eventsub-Message-Retry": "0",
            "Twitch-Eventsub-Message-Type": self.message_type,
            "Twitch-Eventsub-Message-Signature": f"sha256={signature}",
            "Twitch-Eventsub-Message-Timestamp": timestamp,
            "Twitch-Eventsub-Subscription-Type": self.event_type,
            "Twitch-Eventsub-Subscription-Version": self.version,
        }

    def environ(self) -> dict[str, object]:
        """The headers as a WSGI server hands them on."""
        return {
            f"HTTP_{name.upper().replace('-', '_')}": value
            for name, value in self.headers().items()
        }
