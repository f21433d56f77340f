"""Notifications as Twitch would send them, of every type of the catalogue; signed or forged.

Field names: Twitch, "EventSub Reference"; all values are invented.
"""

import json
import zlib
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from ...domain.events.catalogue import CATALOGUE, EventType
from ...domain.events.eventsub import NOTIFICATION, sign

Event = dict[str, Any]

SUBSCRIPTION_ID = "simulated"


@dataclass(frozen=True)
class Person:
    """An account at Twitch. Login and name are empty where they are not known."""

    id: str
    login: str = ""
    name: str = ""

    def triplet(self, prefix: str) -> Event:
        """The fields under which a payload has it."""
        names = {"id": self.id, "login": self.login, "name": self.name}
        return {f"{prefix}_{key}": value for key, value in names.items()}


@dataclass(frozen=True)
class Act:
    """What happens: who does what, where, how much of it."""

    row: EventType
    channel: Person
    user: Person | None  # None: anonymously
    units: int
    tier: str
    is_flagged: bool  # whether the row's flag is true, such as is_gift
    now: str  # RFC 3339
    client_id: str


def invented(login: str) -> Person:
    """Somebody of this login, always with the same id; it is above all that Twitch gives."""
    return Person(str(9_000_000_000 + zlib.crc32(login.lower().encode())), login.lower(), login)


def event_of(act: Act) -> Event:
    """The event of a notification."""
    row = act.row
    event: Event = act.channel.triplet(row.channel)
    if row.user is not None:
        nobody = dict.fromkeys(Person("").triplet(row.user))
        event |= act.user.triplet(row.user) if act.user else nobody
    if row.anonymous and row.name != "channel.bits.use":
        event["is_anonymous"] = act.user is None
    if row.units is not None:
        _put(event, row.units.split("."), act.units)
    if row.tier is not None:
        event[row.tier] = act.tier
    if is_gift(row):
        event["is_gift"] = act.is_flagged
    if row.own_id is not None:
        event[row.own_id] = str(uuid4())
    if row.time is not None:
        event[row.time] = act.now
    if row.money is not None:
        event[row.money] = {"value": act.units * 100, "decimal_places": 2, "currency": "USD"}
    if row.shares is not None and act.user is not None:
        share = {**act.user.triplet("user"), "type": "bits", "total": act.units}
        event[row.shares] = [share]
    return {**event, **_particulars(act)}


def is_gift(row: EventType) -> bool:
    """Whether its events say that somebody was given something."""
    return row.variant is not None and row.variant.field == "is_gift"


def body_of(act: Act, event: Event | None = None) -> bytes:
    """The body of a notification about this act, or with this event in its place."""
    condition = dict.fromkeys(act.row.condition, act.channel.id)
    if "client_id" in condition:
        condition = {"client_id": act.client_id}
    subscription = {
        "id": SUBSCRIPTION_ID,
        "status": "enabled",
        "type": act.row.name,
        "version": act.row.version,
        "cost": 0,
        "condition": condition,
        "transport": {"method": "webhook", "callback": "https://simulated.invalid"},
        "created_at": act.now,
    }
    document = {"subscription": subscription, "event": event_of(act) if event is None else event}
    return json.dumps(document).encode()


def headers_of(
    event_type: str, body: bytes, *, message_id: str, timestamp: str, secret: bytes
) -> dict[str, str]:
    """The headers of a notification, signed with this secret."""
    prefix = "Twitch-Eventsub"
    return {
        "Content-Type": "application/json",
        f"{prefix}-Message-Id": message_id,
        f"{prefix}-Message-Retry": "0",
        f"{prefix}-Message-Type": NOTIFICATION,
        f"{prefix}-Message-Timestamp": timestamp,
        f"{prefix}-Message-Signature": sign(secret, message_id, timestamp, body),
        f"{prefix}-Subscription-Type": event_type,
        f"{prefix}-Subscription-Version": CATALOGUE[event_type].version,
    }


def _particulars(act: Act) -> Event:
    """What only this type has, for those that score by default."""
    if act.row.name == "channel.cheer":
        return {"message": f"Cheer{act.units}"}
    if act.row.name == "channel.subscription.gift":
        return {"cumulative_total": act.units if act.user else None}
    if act.row.name == "channel.ban":
        return {
            **act.channel.triplet("moderator_user"),
            "reason": "simulated",
            "ends_at": None,
            "is_permanent": True,
        }
    if act.row.name == "user.authorization.revoke":
        return {"client_id": act.client_id}
    return {}


def _put(event: Event, path: list[str], value: int) -> None:
    for key in path[:-1]:
        event = event.setdefault(key, {})
    event[path[-1]] = value
