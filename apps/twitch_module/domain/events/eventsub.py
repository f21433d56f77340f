"""EventSub's webhook protocol: which requests are Twitch's, and when they are fresh.

Sources: Twitch, "Handling Webhook Events" (dev.twitch.tv/docs/eventsub/handling-webhook-events).
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from ...errors import MessageRefused

MAX_BODY_BYTES = 256 * 1024  # Twitch's largest documented message is 250 KB
FRESH_SECONDS = 600  # Twitch advises to refuse what is older than ten minutes
MAX_MESSAGE_ID_CHARACTERS = 255

NOTIFICATION = "notification"
VERIFICATION = "webhook_callback_verification"
REVOCATION = "revocation"

# The WSGI spelling of the headers (PEP 3333), and what each is called when it is missing.
MESSAGE_TYPE = "HTTP_TWITCH_EVENTSUB_MESSAGE_TYPE"
_HEADERS = (
    "HTTP_TWITCH_EVENTSUB_MESSAGE_ID",
    "HTTP_TWITCH_EVENTSUB_MESSAGE_TIMESTAMP",
    "HTTP_TWITCH_EVENTSUB_MESSAGE_SIGNATURE",
    MESSAGE_TYPE,
)
_SUBSCRIPTION_TYPE = "HTTP_TWITCH_EVENTSUB_SUBSCRIPTION_TYPE"
_SUBSCRIPTION_VERSION = "HTTP_TWITCH_EVENTSUB_SUBSCRIPTION_VERSION"


class Message(NamedTuple):
    """A message whose signature holds and whose timestamp is fresh; `body` is as received."""

    message_id: str
    message_type: str
    subscription_type: str
    subscription_version: str
    body: bytes
    secret_index: int  # which of the secrets it is signed with; 0 is the current one
    sent_at_ms: int  # by its timestamp


def sign(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The signature header that Twitch sends for these three, in this order, unseparated."""
    keyed = _keyed(secret).copy()
    keyed.update((message_id + timestamp).encode("latin-1") + body)
    return "sha256=" + keyed.hexdigest()


@lru_cache(maxsize=8)
def _keyed(secret: bytes) -> hmac.HMAC:
    """The HMAC when only the secret has gone into it. To be copied.

    Half the time of hmac.digest, which also gives up Python's lock for each message, so that
    other threads take it.
    """
    return hmac.new(secret, digestmod="sha256")


def secret_id(secret: bytes) -> str:
    """A fingerprint by which two secrets are told apart. 32 bits: too short to find one by."""
    return hmac.digest(secret, b"which secret is this", "sha256").hex()[:8]


def authenticate(
    environ: Mapping[str, Any], body: bytes, secrets: Sequence[bytes], now: float
) -> Message:
    """The message in this request, if it is Twitch's and fresh at `now` (epoch seconds).

    `environ` is a WSGI environment; its header texts are latin-1, as PEP 3333 has it, so that
    encoding them back gives the very bytes that Twitch signed. Raises MessageRefused with the
    code `missing_header`, `stale_timestamp` or `bad_signature`, checked in this order.
    """
    message_id, timestamp, signature, message_type = map(environ.get, _HEADERS)
    if not (message_id and timestamp and signature and message_type):
        missing = next(name for name in _HEADERS if not environ.get(name))
        written = missing.removeprefix("HTTP_").replace("_", "-").title()
        raise MessageRefused(f"The header {written} is missing", code="missing_header")
    if len(message_id) > MAX_MESSAGE_ID_CHARACTERS or not _is_visible_ascii(message_id):
        raise MessageRefused("The message id is not one of Twitch's", code="missing_header")
    sent_at = epoch_seconds(timestamp)
    if sent_at is None or abs(now - sent_at) > FRESH_SECONDS:
        raise MessageRefused("The timestamp is not within ten minutes", code="stale_timestamp")
    if not signature.isascii():  # which compare_digest does not take
        signature = ""
    # No early exit: how many secrets there are must not show in the time it takes.
    matches = [
        hmac.compare_digest(sign(secret, message_id, timestamp, body), signature)
        for secret in secrets
    ]
    if True not in matches:
        raise MessageRefused("The signature does not match", code="bad_signature")
    return Message(
        message_id,
        message_type,
        environ.get(_SUBSCRIPTION_TYPE, ""),
        environ.get(_SUBSCRIPTION_VERSION, ""),
        body,
        matches.index(True),
        int(sent_at * 1000),
    )


def _is_visible_ascii(written: str) -> bool:
    return written.isascii() and written.isprintable() and " " not in written


def epoch_seconds(timestamp: str) -> float | None:
    """The instant of an RFC 3339 text, or None. Takes nanoseconds and the leap second :60."""
    if not timestamp.isascii():
        return None
    if timestamp[17:19] == "60":
        timestamp = f"{timestamp[:17]}59{timestamp[19:]}"
    try:
        instant = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return instant.timestamp() if instant.tzinfo is not None else None
