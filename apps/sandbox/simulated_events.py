"""Lets something happen on the sandbox's Twitch: from an order to a sent message."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from . import payloads, payloads_channel, payloads_more, sender
from .catalogue import EVENT_TYPES
from .messages import Message, Try
from .orders import refused
from .people import STREAMER, Person
from .state import sandbox
from .subscriptions import Subscription

BUILDERS = {**payloads.BUILDERS, **payloads_channel.BUILDERS, **payloads_more.BUILDERS}
WAYS = ("normal", "forged", "stale", "repeat")
LARGEST_NUMBER_OF_TIMES = 1_000
LARGEST_NUMBER_AT_ONCE = 32


def happen(order: dict[str, Any]) -> dict[str, Any]:
    """Sends what was ordered and says how it went; refused with 400, 404 or 409.

    Keys: type, broadcaster_user_id, user_id, anonymous, amount, tier, event (replaces fields
    of the built event), how, message_id, times, at_once.
    """
    message = _message(order)
    times = order.get("times", 1)
    if not isinstance(times, int) or not 1 <= times <= LARGEST_NUMBER_OF_TIMES:
        raise refused(400, f"times must be between 1 and {LARGEST_NUMBER_OF_TIMES}")
    tries = _send(message, times, at_once=bool(order.get("at_once")))
    result: dict[str, Any] = {
        "message_id": message.message_id,
        "status": tries[0].status,
        "event": message.event,
    }
    if tries[0].error:
        result["error"] = tries[0].error
    if times > 1:
        result["statuses"] = [made.status for made in tries]
    return result


def _send(message: Message, times: int, *, at_once: bool) -> list[Try]:
    if not at_once:
        return [sender.send(message) for _ in range(times)]
    with ThreadPoolExecutor(min(times, LARGEST_NUMBER_AT_ONCE)) as pool:
        return list(pool.map(sender.send, [message] * times))


def _message(order: dict[str, Any]) -> Message:
    how = order.get("how", "normal")
    if how not in WAYS:
        raise refused(400, f"how must be one of {', '.join(WAYS)}")
    if how == "repeat":
        last = sandbox.messages.last(order.get("type"))
        if last is None:
            raise refused(409, "nothing was sent yet that could be repeated")
        return last
    subscription = _subscription(order)
    event = {**_event(order, subscription), **_overrides(order)}
    message_id = str(order["message_id"]) if order.get("message_id") else None
    return sender.notification(subscription, event, how=how, message_id=message_id)


def _subscription(order: dict[str, Any]) -> Subscription:
    event_type = order.get("type")
    if event_type not in EVENT_TYPES and event_type not in sandbox.settings.further_types:
        raise refused(400, f"unknown type: {event_type}")
    broadcaster_id = str(order.get("broadcaster_user_id") or STREAMER.id)
    found = sandbox.subscriptions.find(str(event_type), broadcaster_id)
    if found is None:
        text = f"no enabled subscription to {event_type} for broadcaster {broadcaster_id}"
        raise refused(409, text)
    return found


def _event(order: dict[str, Any], subscription: Subscription) -> dict[str, Any]:
    row = EVENT_TYPES.get(subscription.type)
    if row is None:  # a type that Twitch has added: its event is what the order says
        return {}
    anonymous = bool(order.get("anonymous")) and row.can_be_anonymous
    amount = order.get("amount") or 0
    if not isinstance(amount, int) or amount < 0:
        raise refused(400, "amount must be a whole number")
    scene = payloads.Scene(
        broadcaster=_person(order.get("broadcaster_user_id") or STREAMER.id),
        person=None if anonymous else _actor(order, subscription),
        amount=amount,
        tier=str(order.get("tier") or "1000"),
        client_id=subscription.client_id,
    )
    if "from_broadcaster_user_id" in subscription.condition and scene.person:
        # The watched channel is the one that raids.
        scene = replace(scene, broadcaster=scene.person, person=scene.broadcaster)
    return BUILDERS[subscription.type](scene)


def _actor(order: dict[str, Any], subscription: Subscription) -> Person:
    """The user that the subscription is about, whoever is named, or a usual suspect."""
    if subscription.type == "user.update":
        return _person(subscription.condition["user_id"])
    if order.get("user_id"):
        return _person(order["user_id"])
    is_raid = subscription.type == "channel.raid"
    return sandbox.people.raider() if is_raid else sandbox.people.viewer()


def _person(person_id: object) -> Person:
    found = sandbox.people.get(str(person_id))
    if found is None:
        raise refused(404, f"no user with id {person_id}")
    return found


def _overrides(order: dict[str, Any]) -> dict[str, Any]:
    overrides = order.get("event") or {}
    if not isinstance(overrides, dict):
        raise refused(400, "event must be an object")
    return overrides
