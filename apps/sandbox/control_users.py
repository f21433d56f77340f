"""The control API about users: who there is, what they are called, and whom they follow."""

from dataclasses import asdict

from . import orders
from .endpoint import served
from .exchange import Answer, Call, json_answer
from .followers import NAMES
from .orders import Order, refused
from .people import Person
from .state import sandbox

PATH = "/sandbox/control/users"


@served(PATH, "GET")
def listing(call: Call) -> Answer:
    return json_answer({"users": [asdict(person) for person in sandbox.people.all()]})


@served(PATH, "POST")
def add(call: Call) -> Answer:
    """Adds one user, or the list `users`. With 409 those before the one whose login or id is
    taken have been added."""
    order = call.json_object()
    if "users" not in order:
        return json_answer(asdict(_added(_names(order))), 201)
    names = [_names(row) for row in orders.rows(order, "users")]
    return json_answer({"users": [asdict(_added(one)) for one in names]}, 201)


@served(PATH, "DELETE")
def vanish(call: Call) -> Answer:
    """Helix knows the user no more; tokens, subscriptions and follows stay as they are."""
    if not sandbox.people.remove(call.param("id") or ""):
        raise refused(404, "no such user")
    return Answer(204)


@served(PATH + "/rename", "POST")
def rename(call: Call) -> Answer:
    """The new login is the display name too when none is given. Lists of followers keep the
    names that they got."""
    order = call.json_object()
    person_id, login = orders.text(order, "id"), orders.text(order, "login")
    display_name = orders.text(order, "display_name", login)
    try:
        renamed = sandbox.people.rename(person_id, login, display_name)
    except ValueError as problem:
        raise refused(409, str(problem)) from problem
    if renamed is None:
        raise refused(404, "no such user")
    return json_answer(asdict(renamed))


@served("/sandbox/control/followers", "POST")
def follow(call: Call) -> Answer:
    """Lists followers whose messages never came; answers with how many the channel has now.

    Keys: broadcaster_user_id, followers (a list of user_id, user_login, user_name,
    followed_at). Whether the users exist is not asked.
    """
    order = call.json_object()
    broadcaster_id = orders.text(order, "broadcaster_user_id")
    follows = [_follow(row) for row in orders.rows(order, "followers")]
    for one in follows:
        sandbox.followers.add(broadcaster_id, one)
    return json_answer({"total": sandbox.followers.count(broadcaster_id)}, 201)


# Login, display name, and the id when it is to be a certain one.
_Names = tuple[str, str, str | None]


def _names(order: Order) -> _Names:
    login = orders.text(order, "login")
    person_id = str(order["id"]) if order.get("id") else None
    return login, orders.text(order, "display_name", login), person_id


def _added(names: _Names) -> Person:
    try:
        return sandbox.people.add(*names)
    except ValueError as problem:
        raise refused(409, str(problem)) from problem


def _follow(order: Order) -> dict[str, str]:
    names = {name: orders.text(order, name) for name in NAMES}
    return {**names, "followed_at": orders.time(order, "followed_at")}
