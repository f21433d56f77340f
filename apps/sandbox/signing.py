"""Signs EventSub messages, and writes and reads times as Twitch does.

Twitch: Handling Webhook Events, "Verifying the event message".
"""

import hashlib
import hmac
import time
from datetime import UTC, datetime


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of the signature header: over id, time and raw body, nothing in between."""
    signed = message_id.encode() + timestamp.encode() + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def timestamp(seconds_ago: float = 0) -> str:
    """RFC 3339 in UTC with nanoseconds, as Twitch writes it."""
    seconds, nanoseconds = divmod(time.time_ns() - int(seconds_ago * 1e9), 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanoseconds:09d}Z"


def moment(text: str) -> datetime:
    """The instant that an RFC 3339 time names; ValueError for anything else. What is finer than
    microseconds is dropped."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError("a time without its zone")
    return parsed.astimezone(UTC)


def whole_seconds(instant: datetime) -> str:
    """A time in UTC as Helix writes it, where an event has nanoseconds."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
