"""What a notification says: who did what, in which channel, how much of it."""

import json
import math
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, TypeGuard

import orjson

from ..subscriptions.subscription import channel_of
from ..text import text, texts
from .catalogue import CATALOGUE, EventType
from .event_type import Variant
from .eventsub import epoch_seconds
from .follow import DERIVED

CONTRIBUTION = f"{DERIVED}contribution"  # a share of an event, as an event of its own
MAX_DECIMAL_PLACES = 8
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
    units: float  # a whole number, but for money
    tier: str | None
    currency: str | None
    fault: str | None  # why it cannot be scored, where its type is
    event: dict[str, Any]  # as it came


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
    variant = row.variant
    if variant is not None and not _is(event.get(variant.field), variant.value):
        variant = None
    channel = _person(event, row.channel)
    if not channel.id:
        faults.append(f"no {row.channel}_id")
        channel = Person(_watched(subscription), "", "")
    user, anonymous = _read_user(row, event, faults)
    units, currency = _read_units(row, variant, event, faults)
    return Notification(
        name,
        version,
        subscription_id,
        channel,
        user,
        (variant.activity if variant else row.activity) or None,
        anonymous,
        units,
        text(event.get(row.tier)) if row.tier else None,
        currency,
        faults[0] if faults else None,
        event,
    )


def contributions(notification: Notification) -> list[Notification] | None:
    """The shares that this event tells of, each as one of its own; None for any other type.

    What is not a share is left out. Twitch says the three largest of a hype train.
    """
    row = CATALOGUE.get(notification.event_type)
    if row is None or row.shares is None:
        return None
    own_id = {row.own_id: notification.event.get(row.own_id)} if row.own_id else {}
    listed = notification.event.get(row.shares)
    return [
        notification._replace(
            event_type=CONTRIBUTION,
            user=_person(share, "user"),
            units=share["total"],
            event={**share, **own_id},
        )
        for share in (listed if isinstance(listed, list) else [])
        if isinstance(share, dict)
        and _person(share, "user").id
        and isinstance(share.get("type"), str)
        and _is_count(share.get("total"))
    ]


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


def _read_units(
    row: EventType, variant: Variant | None, event: dict[str, Any], faults: list[str]
) -> tuple[float, str | None]:
    """How much, and in which currency where it is money."""
    if row.money is not None:
        return _read_money(row.money, event, faults)
    if variant is not None and variant.minutes is not None:
        return _minutes(variant.minutes, event, faults), None
    place = variant.units if variant is not None and variant.units else row.units
    if place is None:
        return 0, None
    value = _at(event, place)
    if not _is_count(value) and row.older_units is not None:
        value = _at(event, row.older_units)
    if not _is_count(value):
        faults.append(f"no usable {place}")
        return 0, None
    return value, None


def _at(event: dict[str, Any], place: str) -> Any:
    """What stands at a place such as reward.cost, or None."""
    value: Any = event
    for key in place.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _read_money(place: str, event: dict[str, Any], faults: list[str]) -> tuple[float, str | None]:
    """An amount in its own currency: 1250 with two decimal places is 12.5."""
    amount = event.get(place)
    said: dict[str, Any] = amount if isinstance(amount, dict) else {}
    value, places, currency = map(said.get, ("value", "decimal_places", "currency"))
    if (
        not _is_count(value)
        or not (_is_count(places) and places <= MAX_DECIMAL_PLACES)
        or not isinstance(currency, str)
        or not currency
    ):
        faults.append(f"no usable {place}")
        return 0, None
    exact = Decimal(value).scaleb(-places)
    return int(exact) if exact == int(exact) else float(exact), currency.upper()


def _minutes(places: tuple[str, str], event: dict[str, Any], faults: list[str]) -> int:
    """The minutes from one time to the other; each that has begun counts."""
    start, end = (
        epoch_seconds(value) if isinstance(value, str) else None for value in map(event.get, places)
    )
    if start is None or end is None or not 0 <= end - start <= MAX_UNITS:
        faults.append(f"no usable {' and '.join(places)}")
        return 0
    return math.ceil((end - start) / 60)


def _is(value: object, wanted: object) -> bool:
    """Whether it is just this: 1 is not true."""
    return type(value) is type(wanted) and value == wanted


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= MAX_UNITS


def _person(event: dict[str, Any], prefix: str) -> Person:
    return Person(*texts([*map(event.get, _keys(prefix))]))


@cache
def _keys(prefix: str) -> tuple[str, str, str]:
    return f"{prefix}_id", f"{prefix}_login", f"{prefix}_name"
