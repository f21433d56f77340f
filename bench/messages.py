"""Signed EventSub messages as complete HTTP requests, and who they are about.

Every message has an id of its own and is about a new follow of about 640 bytes, in one of a few
hundred channels, by one of 50,000 users.
"""

import hmac
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import count
from uuid import UUID, uuid4

SECRET = "a-secret-for-the-benchmark"
CHANNELS = 500
USERS = 50_000

_BODY = (
    '{"subscription":{"id":"%s","status":"enabled","type":"channel.follow","version":"2",'
    '"condition":{"broadcaster_user_id":"%s","moderator_user_id":"%s"},"transport":{"method":'
    '"webhook","callback":"https://bot.example.com/twitch/webhook"},"created_at":'
    '"2026-01-01T00:00:00.123456789Z","cost":0},"event":{"user_id":"%s","user_login":"%s",'
    '"user_name":"%s","broadcaster_user_id":"%s","broadcaster_user_login":"%s",'
    '"broadcaster_user_name":"%s","followed_at":"2026-01-01T00:00:00.123456789Z"}}'
)
_HEAD = (
    "POST %s HTTP/1.1\r\n"
    "Host: 127.0.0.1\r\n"
    "User-Agent: Go-http-client/1.1\r\n"
    "Content-Type: application/json\r\n"
    "Twitch-Eventsub-Message-Id: %s\r\n"
    "Twitch-Eventsub-Message-Retry: 0\r\n"
    "Twitch-Eventsub-Message-Type: notification\r\n"
    "Twitch-Eventsub-Message-Signature: sha256=%s\r\n"
    "Twitch-Eventsub-Message-Timestamp: %s\r\n"
    "Twitch-Eventsub-Subscription-Type: channel.follow\r\n"
    "Twitch-Eventsub-Subscription-Version: 2\r\n"
    "Content-Length: %d\r\n\r\n"
)

_numbers = count()  # of all messages of this run


@cache
def channel(number: int) -> tuple[str, str, str]:
    """Id, login and display name of a channel, by its number below CHANNELS."""
    return (
        str(70_000_000 + number),
        f"streamer_of_waddles_{number}",
        f"Streamer_of_Waddles_{number}",
    )


def user(number: int) -> tuple[str, str, str]:
    """Id, login and display name of a user, by its number below USERS."""
    return str(100_000_000 + number), f"waddling_viewer_{number}", f"Waddling_Viewer_{number}"


@cache
def subscription_id(channel_number: int) -> str:
    """The id of a channel's subscription to its follows."""
    return str(UUID(int=channel_number, version=4))


def follow_body(channel_number: int, user_number: int) -> bytes:
    """What Twitch posts when this user follows this channel."""
    channel_id, *channel_names = channel(channel_number)
    fields = (subscription_id(channel_number), channel_id, channel_id)
    return (_BODY % (*fields, *user(user_number), channel_id, *channel_names)).encode()


def follows(number: int, path: str, *, secret: str = SECRET) -> list[bytes]:
    """So many signed requests, all different, with the present time."""
    return [_request(follow_body(*who), path, secret.encode()) for who in _who(number)]


def half_repeated(number: int, path: str) -> list[bytes]:
    """So many signed requests, of which every second one was sent before."""
    new = follows(number - number // 2, path)
    pairs = ((request, new[place // 2]) for place, request in enumerate(new))
    return [request for pair in pairs for request in pair][:number]


def get(path: str, token: str) -> bytes:
    """A GET request with an access token."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )


def gets(paths: Sequence[str], token: str) -> list[bytes]:
    """A GET request for each path."""
    return [get(path, token) for path in paths]


def _who(number: int) -> Iterator[tuple[int, int]]:
    """Channel and user of the next messages: neighbours differ in both, and no pair comes twice."""
    for _, place in zip(range(number), _numbers, strict=False):
        yield (place * 7 + place // USERS) % CHANNELS, place * 7919 % USERS


def _request(body: bytes, path: str, secret: bytes) -> bytes:
    message_id = str(uuid4())
    timestamp = datetime.now(UTC).isoformat(timespec="microseconds")[:-6] + "000Z"
    signed = message_id.encode() + timestamp.encode() + body
    signature = hmac.digest(secret, signed, "sha256").hex()
    return (_HEAD % (path, message_id, signature, timestamp, len(body))).encode() + body
