"""What makes an activity the same one, under whichever message id it is heard of.

Twitch sends something twice under two message ids when two subscriptions ask for it, and reports
some things by two types. A key that begins with `ever` stands for one thing for all times. One
that begins with `near` stands for the same again only within a short time: see `judgement`.
"""

import hashlib
from typing import Any

import orjson

from ..events.catalogue import CATALOGUE
from ..events.event_type import REDEMPTION_CANCELED
from ..events.eventsub import epoch_seconds
from ..events.notification import CONTRIBUTION, Notification
from ..text import text

EVER, NEAR = "ever:", "near:"
FOLLOWS = f"{EVER}follow:"  # of these nothing is forgotten: they pay once in all

# Activities that stand for the same thing, or take it back, share keys.
FAMILY = {
    "resub": "sub",
    "timeout": "ban",
    "unban": "ban",
    "bits_use": "bits",
    REDEMPTION_CANCELED: "redemption",
}
_WITHOUT_PAYLOAD = ("sub", "ban")
_OF_NAMES_AND_IDS = ("id", "_id", "_login", "_name")


def natural_key(notification: Notification) -> str | None:
    """The key of a notification's activity; None where nobody gets points for it."""
    activity, event = notification.activity, notification.event
    if activity is None or notification.anonymous:
        return None
    family = FAMILY.get(activity, activity)
    row = CATALOGUE.get(notification.event_type)
    who = f"{family}:{notification.channel.id}:{notification.user.id}"
    if notification.event_type == CONTRIBUTION:
        return f"{EVER}{who}:{text(event.get('id'))}:{text(event.get('type'))}"
    if row is not None and row.own_id is not None and (own_id := text(event.get(row.own_id))):
        return f"{EVER}{family}:{own_id}"
    if family == "follow":
        return EVER + who
    if family in _WITHOUT_PAYLOAD:
        return NEAR + who
    said = _of_bits(event) if family == "bits" else _without_ids(event)
    return f"{NEAR}{who}:{_digest(said)}"


def happened_at_ms(notification: Notification, sent_at_ms: int) -> int:
    """When it happened (epoch ms), by the event; else when the message was sent."""
    row = CATALOGUE.get(notification.event_type)
    if row is None or row.time is None:
        return sent_at_ms
    said = notification.event.get(row.time)
    seconds = epoch_seconds(said) if isinstance(said, str) else None
    return sent_at_ms if seconds is None else int(seconds * 1000)


def _without_ids(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if not key.endswith(_OF_NAMES_AND_IDS)}


def _of_bits(event: dict[str, Any]) -> list[Any]:
    """The same for channel.cheer and for channel.bits.use, which write the message in two ways."""
    message = event.get("message")
    if isinstance(message, dict):
        message = message.get("text")
    kind = event.get("type", "cheer")
    return [event.get("bits"), message or "", kind]


def _digest(said: object) -> str:
    written = orjson.dumps(said, default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(written, digest_size=12).hexdigest()
