"""Signed EventSub messages as complete HTTP requests: unique follows of about 640 bytes."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from uuid import UUID

SECRET = "a-secret-for-the-benchmark"


def follow_request(number: int, path: str = "/twitch/webhook") -> bytes:
    """One request; each number gives another message and another follower."""
    body = json.dumps(
        {
            "subscription": {
                "id": "0a1b2c3d-0000-4000-8000-000000000001",
                "status": "enabled",
                "type": "channel.follow",
                "version": "2",
                "cost": 0,
                "condition": {"broadcaster_user_id": "7001", "moderator_user_id": "7001"},
                "transport": {"method": "webhook", "callback": "https://bot.example/twitch"},
                "created_at": "2026-01-01T00:00:00.123456789Z",
            },
            "event": {
                "user_id": str(10_000_000 + number % 50_000),
                "user_login": f"viewer_{number % 50_000}",
                "user_name": f"Viewer_{number % 50_000}",
                "broadcaster_user_id": "7001",
                "broadcaster_user_login": "a_channel",
                "broadcaster_user_name": "A_Channel",
                "followed_at": "2026-01-01T00:00:00.123456789Z",
            },
        }
    ).encode()
    message_id = str(UUID(bytes=hashlib.md5(f"{number}".encode(), usedforsecurity=False).digest()))
    timestamp = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "000Z")
    signed = message_id.encode() + timestamp.encode() + body
    signature = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return (
        f"POST {path} HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        "Content-Type: application/json\r\n"
        f"Twitch-Eventsub-Message-Id: {message_id}\r\n"
        "Twitch-Eventsub-Message-Retry: 0\r\n"
        "Twitch-Eventsub-Message-Type: notification\r\n"
        f"Twitch-Eventsub-Message-Signature: sha256={signature}\r\n"
        f"Twitch-Eventsub-Message-Timestamp: {timestamp}\r\n"
        "Twitch-Eventsub-Subscription-Type: channel.follow\r\n"
        "Twitch-Eventsub-Subscription-Version: 2\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
