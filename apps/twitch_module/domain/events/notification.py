"""What a notification says: who did what, in which channel, how much of it."""

import json
from functools import cache
from typing import Any, NamedTuple

import orjson

from ..subscriptions.subscription import channel_of
from ..text import text, texts
from .catalogue import CATALOGUE, EventType

MAX_UNITS = 10**12  # far beyond any real number of bits or viewers; what is above is a fault


class NotUnderstood(ValueError):
    """A properly signed body that does not say what its type should say; str() says why."""


class Person(NamedTuple):
    """A Twitch account as one event saw it; only the id never changes."""

    id: str
    login: str
    name: str


_OF_SUBSCRIPTION = ("type", "version", "id")
NOBODY = Person("", "", "")


class Notification(NamedTuple):
    """One event, read. `activity` is None for types that never score."""

    event_type: str
    version: str
    subscription_id: str
    channel: Person
    user: Person  # NOBODY when the type names no user, or hides it
    activity: str | None
    anonymous: bool
    units: int
    tier: str | None
    fault: str | None = None  # why it cannot be scored, where its type is


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises NotUnderstood for everything else, however deep."""
    try:
        try:
            value = orjson.loads(body)
        except ValueError:  # it takes no byte order mark, no half of a surrogate pair, no NaN
            value = json.loads(body.decode().removeprefix("\ufeff"))
    except RecursionError as error:
        raise NotUnderstood("nested too deeply") from error
    except ValueError as error:
        raise NotUnderstood("not JSON") from error
    if not isinstance(value, dict):
        raise NotUnderstood("not a JSON object")
    return value


def read_subscription(payload: dict[str, Any]) -> dict[str, Any]:
    """The `subscription` of any message. Raises NotUnderstood when it is missing."""
    subscription = payload.get("subscription")
    if not isinstance(subscription, dict) or not text(subscription.get("id")):
        raise NotUnderstood("no subscription")
    return subscription


def read_notification(body: bytes) -> Notification:
    """What the body of a notification says. Raises NotUnderstood, with the reason."""
    return understand(read_object(body))


def understand(payload: dict[str, Any]) -> Notification:
    """What a notification says, read as JSON. Raises NotUnderstood, with the reason, when it
    does not say what it is about; what else is missing is its `fault`.

    The type is taken from the body, which is signed, and not from the header, which is not.
    """
    subscription = read_subscription(payload)
    name, version, subscription_id = texts([*map(subscription.get, _OF_SUBSCRIPTION)])
    if not name:
        raise NotUnderstood("no subscription type")
    row = CATALOGUE.get(name) or EventType(name, "", user="user")
    event, faults = payload.get("event"), []
    if not isinstance(event, dict):
        event, faults = {}, ["no event"]
    activity = row.when[1] if row.when and event.get(row.when[0]) is True else row.activity
    channel = _person(event, row.channel)
    if not channel.id:
        faults.append(f"no {row.channel}_id")
        channel = Person(_watched(subscription), "", "")
    user, anonymous = _read_user(row, event, faults)
    return Notification(
        name,
        version,
        subscription_id,
        channel,
        user,
        activity or None,
        anonymous,
        _read_units(row, event, faults),
        text(event.get(row.tier)) if row.tier else None,
        faults[0] if faults else None,
    )


def _watched(subscription: dict[str, Any]) -> str:
    """The channel that the subscription names, for events that do not say it themselves."""
    condition = subscription.get("condition")
    condition = condition if isinstance(condition, dict) else {}
    return channel_of([(key, text(value)) for key, value in condition.items()])


def _read_user(row: EventType, event: dict[str, Any], faults: list[str]) -> tuple[Person, bool]:
    """Who acted, and whether it is somebody who stays unnamed.

    The flag counts before the id: test tools send a placeholder account for anonymous gifts.
    """
    if row.user is None:
        return NOBODY, False
    if row.anonymous and event.get("is_anonymous") is True:
        return NOBODY, True
    user = _person(event, row.user)
    if user.id:
        return user, False
    if row.anonymous:
        return NOBODY, True
    faults.append(f"no {row.user}_id")
    return NOBODY, False


def _read_units(row: EventType, event: dict[str, Any], faults: list[str]) -> int:
    if row.units is None:
        return 0
    value: Any = event
    for key in row.units.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if type(value) is not int or not 0 <= value <= MAX_UNITS:
        faults.append(f"no usable {row.units}")
        return 0
    return value


def _person(event: dict[str, Any], prefix: str) -> Person:
    return Person(*texts([*map(event.get, _keys(prefix))]))


@cache
def _keys(prefix: str) -> tuple[str, str, str]:
    return f"{prefix}_id", f"{prefix}_login", f"{prefix}_name"
