"""The control API: how a test sets the sandbox up, disturbs it and asks what it saw."""

from dataclasses import asdict
from typing import Any

from . import sender
from .endpoint import served
from .exchange import Answer, Call, RefusedCall, json_answer
from .faults import fault_from
from .happening import happen
from .subscriptions import Subscription
from .world import world


@served("/sandbox/control/reset", "POST")
def reset(call: Call) -> Answer:
    world.reset()
    return Answer(204)


@served("/sandbox/control/settings", "GET", "POST")
def settings(call: Call) -> Answer:
    """Changes what is named and leaves the rest; answers with all of them."""
    try:
        world.settings = world.settings.changed(call.json_object())
    except ValueError as problem:
        raise _refused(400, str(problem)) from problem
    return json_answer(world.settings.as_dict())


@served("/sandbox/control/faults", "GET", "POST", "DELETE")
def faults(call: Call) -> Answer:
    if call.method == "POST":
        try:
            fault = fault_from(call.json_object())
        except ValueError as problem:
            raise _refused(400, str(problem)) from problem
        world.faults.add(fault)
        return json_answer(asdict(fault), 201)
    if call.method == "DELETE":
        world.faults.clear(call.param("path"))
        return Answer(204)
    return json_answer({"faults": world.faults.left()})


@served("/sandbox/control/received", "GET")
def received(call: Call) -> Answer:
    """What WaddleBot's APIs got, oldest first; `api` chooses one, `after` skips numbers."""
    after = call.param("after") or "0"
    if not after.isdecimal():
        raise _refused(400, "after must be a number")
    calls = world.inbox.all(call.param("api"), int(after))
    return json_answer({"received": [asdict(one) for one in calls]})


@served("/sandbox/control/scores", "GET")
def scores(call: Call) -> Answer:
    return json_answer({"scores": world.inbox.scores()})


@served("/sandbox/control/calls", "GET")
def calls(call: Call) -> Answer:
    return json_answer({"calls": world.calls()})


@served("/sandbox/control/subscriptions", "GET", "DELETE")
def subscriptions(call: Call) -> Answer:
    """All of them with their secrets; DELETE makes one vanish and tells nobody."""
    if call.method == "DELETE":
        if not world.subscriptions.delete(call.param("id") or ""):
            raise _refused(404, "no such subscription")
        return Answer(204)
    return json_answer({"subscriptions": [_with_secret(one) for one in world.subscriptions.all()]})


@served("/sandbox/control/revoke", "POST")
def revoke(call: Call) -> Answer:
    """Ends a subscription the way Twitch does: status first, then the signed message."""
    order = call.json_object()
    found = _named_subscription(order)
    found.status = str(order.get("status") or "authorization_revoked")
    message = sender.revocation(found)
    made = sender.send(message)
    return json_answer(
        {"message_id": message.message_id, "status": made.status, "subscription": found.as_dict()}
    )


@served("/sandbox/control/send", "POST")
def send(call: Call) -> Answer:
    return json_answer(happen(call.json_object()))


@served("/sandbox/control/messages", "GET")
def messages(call: Call) -> Answer:
    return json_answer({"messages": world.messages.all()})


@served("/sandbox/control/users", "GET", "POST")
def users(call: Call) -> Answer:
    if call.method == "GET":
        return json_answer({"users": [asdict(person) for person in world.people.all()]})
    order = call.json_object()
    login = order.get("login")
    if not isinstance(login, str) or not login:
        raise _refused(400, "login is missing")
    person_id = str(order["id"]) if order.get("id") else None
    try:
        added = world.people.add(login, str(order.get("display_name") or login), person_id)
    except ValueError as problem:
        raise _refused(409, str(problem)) from problem
    return json_answer(asdict(added), 201)


@served("/sandbox/control/tokens", "GET")
def tokens(call: Call) -> Answer:
    return json_answer({"tokens": world.tokens.all()})


@served("/sandbox/control/tokens/expire", "POST")
def expire(call: Call) -> Answer:
    """Ends the access tokens of one user, or of the app when user_id is null; with
    `refresh_too` the refresh tokens die as well, as after a changed password."""
    order = call.json_object()
    if "user_id" not in order:
        raise _refused(400, "user_id is missing")
    user_id = None if order["user_id"] is None else str(order["user_id"])
    ended = world.tokens.expire(user_id, refresh_too=bool(order.get("refresh_too")))
    return json_answer({"expired": ended})


def _named_subscription(order: dict[str, Any]) -> Subscription:
    if order.get("subscription_id"):
        found = world.subscriptions.get(str(order["subscription_id"]))
    else:
        broadcaster_id = str(order.get("broadcaster_user_id", ""))
        found = world.subscriptions.find(str(order.get("type")), broadcaster_id)
    if found is None:
        raise _refused(404, "no such subscription")
    return found


def _with_secret(one: Subscription) -> dict[str, Any]:
    secret = {"secret": one.secret, "callback": one.callback, "client_id": one.client_id}
    return {**one.as_dict(), **secret}


def _refused(status: int, text: str) -> RefusedCall:
    return RefusedCall(json_answer({"error": text}, status))
