"""The control API about tokens, and about what users have granted."""

from . import orders
from .control_subscriptions import told
from .endpoint import served
from .exchange import Answer, Call, json_answer
from .orders import refused
from .settings import expected_client_id
from .state import sandbox
from .subscriptions import ALIVE


@served("/sandbox/control/tokens", "GET")
def tokens(call: Call) -> Answer:
    return json_answer({"tokens": sandbox.tokens.all()})


@served("/sandbox/control/tokens/expire", "POST")
def expire(call: Call) -> Answer:
    """Ends the access tokens of one user, or of the app when user_id is null; with
    `refresh_too` the refresh tokens die as well, as after a changed password."""
    order = call.json_object()
    if "user_id" not in order:
        raise refused(400, "user_id is missing")
    user_id = None if order["user_id"] is None else str(order["user_id"])
    ended = sandbox.tokens.expire(user_id, refresh_too=bool(order.get("refresh_too")))
    return json_answer({"expired": ended})


@served("/sandbox/control/grants", "POST")
def grant(call: Call) -> Answer:
    """Grants `scopes` to a client without a login, besides what was granted before; answers
    with all of it. Settings "strict" asks for such grants."""
    order = call.json_object()
    client_id = orders.text(order, "client_id", expected_client_id())
    user_id = orders.text(order, "user_id")
    scopes = sandbox.tokens.grant(client_id, user_id, orders.texts(order, "scopes"))
    granted = {"client_id": client_id, "user_id": user_id, "scopes": sorted(scopes)}
    return json_answer(granted, 201)


@served("/sandbox/control/grants/revoke", "POST")
def revoke(call: Call) -> Answer:
    """The user disconnects every client: its tokens die, its grants are forgotten, and what
    needed them ends, with a revocation message each unless `message` is false."""
    order = call.json_object()
    user_id = orders.text(order, "user_id")
    with_message = orders.flag(order, "message", True)
    expired = sandbox.tokens.forget_user(user_id)
    ended = [
        one
        for one in sandbox.subscriptions.all()
        if one.status in ALIVE and one.needs_grant_of(user_id)
    ]
    for one in ended:
        one.status = "authorization_revoked"
    # All have ended before the first message comes: its receiver may look at the others.
    outcomes = [told(one, with_message=with_message) for one in ended]
    return json_answer({"expired": expired, "revoked": outcomes})
