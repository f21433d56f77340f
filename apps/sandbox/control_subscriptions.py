"""The control API about subscriptions: puts them into Twitch's state, and ends them."""

from typing import Any

from . import orders, sender
from .callback import is_webhook_callback
from .catalogue import EVENT_TYPES
from .endpoint import served
from .exchange import Answer, Call, json_answer
from .orders import Order, refused
from .settings import expected_client_id
from .signing import timestamp
from .state import sandbox
from .subscriptions import ENABLED, Subscription, is_secret

PATH = "/sandbox/control/subscriptions"
DEFAULT_SECRET = "nobody-was-told-this"
LARGEST_NUMBER_AT_ONCE = 10_000
LARGEST_COST = 10_000


@served(PATH, "GET")
def listing(call: Call) -> Answer:
    """All of them, of every client, with their secrets."""
    return json_answer(
        {"subscriptions": [_with_secret(one) for one in sandbox.subscriptions.all()]}
    )


@served(PATH, "POST")
def put(call: Call) -> Answer:
    """Puts subscriptions there without a challenge, and without asking for grants, for users or
    for Twitch's limits. Either all that were ordered, or none and a refusal.

    Keys: client_id, type, version, condition, callback, secret, status, created_at, cost,
    count (so many that differ in nothing but the id); or subscriptions, a list of such.
    """
    order = call.json_object()
    each = orders.rows(order, "subscriptions") if "subscriptions" in order else [order]
    made = [one for row in each for one in _made(row)]
    for one in made:
        sandbox.subscriptions.put(one)
    return json_answer({"subscriptions": [_with_secret(one) for one in made]}, 201)


@served(PATH, "DELETE")
def vanish(call: Call) -> Answer:
    """Nobody is told."""
    if not sandbox.subscriptions.delete(call.param("id") or ""):
        raise refused(404, "no such subscription")
    return Answer(204)


@served("/sandbox/control/revoke", "POST")
def revoke(call: Call) -> Answer:
    """Ends a subscription the way Twitch does: status first, then the signed message, which
    is lost on its way when `message` is false."""
    order = call.json_object()
    found = _named(order)
    status = orders.text(order, "status", "authorization_revoked")
    with_message = orders.flag(order, "message", True)
    found.status = status
    return json_answer(told(found, with_message=with_message))


def told(ended: Subscription, *, with_message: bool) -> dict[str, Any]:
    """The outcome of telling the callback that its subscription has ended; message_id and status
    (the callback's) are None without a message."""
    shown = {"message_id": None, "status": None, "subscription": ended.as_dict()}
    if not with_message:
        return shown
    message = sender.revocation(ended)
    return {**shown, "message_id": message.message_id, "status": sender.send(message).status}


def _named(order: Order) -> Subscription:
    if order.get("subscription_id"):
        found = sandbox.subscriptions.get(str(order["subscription_id"]))
    else:
        broadcaster_id = str(order.get("broadcaster_user_id", ""))
        found = sandbox.subscriptions.find(str(order.get("type")), broadcaster_id)
    if found is None:
        raise refused(404, "no such subscription")
    return found


def _made(order: Order) -> list[Subscription]:
    event_type = orders.text(order, "type")
    row = EVENT_TYPES.get(event_type)
    fields: dict[str, Any] = {
        "client_id": orders.text(order, "client_id", expected_client_id()),
        "type": event_type,
        "version": orders.text(order, "version", row.version if row else None),
        "condition": _condition(order),
        "callback": _callback(order),
        "secret": _secret(order),
        "cost": orders.number(order, "cost", 0, least=0, most=LARGEST_COST),
        "status": orders.text(order, "status", ENABLED),
        "created_at": orders.time(order, "created_at", timestamp()),
    }
    count = orders.number(order, "count", 1, least=1, most=LARGEST_NUMBER_AT_ONCE)
    return [Subscription(**fields) for _ in range(count)]


def _condition(order: Order) -> dict[str, str]:
    condition = order.get("condition")
    if not isinstance(condition, dict) or not all(
        isinstance(value, str) for value in condition.values()
    ):
        raise refused(400, "condition must be an object of texts")
    return condition


def _callback(order: Order) -> str:
    callback = orders.text(order, "callback")
    if not is_webhook_callback(callback):
        raise refused(400, "callback must be https on port 443, or on this machine")
    return callback


def _secret(order: Order) -> str:
    secret = orders.text(order, "secret", DEFAULT_SECRET)
    if not is_secret(secret):
        raise refused(400, "secret must be between 10 and 100 ASCII characters")
    return secret


def _with_secret(one: Subscription) -> dict[str, Any]:
    secret = {"secret": one.secret, "callback": one.callback, "client_id": one.client_id}
    return {**one.as_dict(), **secret}
