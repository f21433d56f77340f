"""api.twitch.tv/helix/eventsub/subscriptions. Twitch: EventSub, and its API Reference."""

import base64
import binascii
from itertools import islice
from typing import Any

from . import sender
from .callback import is_webhook_callback
from .catalogue import EVENT_TYPES, EventType
from .endpoint import played
from .event_type import BATCHED
from .exchange import Answer, Call, json_answer
from .helix import authorize, refusal
from .state import sandbox
from .subscriptions import AlreadyExists, LimitReached, Subscription, cost, is_secret
from .tokens import Token

PATH = "/sandbox/helix/eventsub/subscriptions"
FILTERS = ("status", "type", "user_id", "subscription_id")


@played(PATH, "POST")
def create(call: Call) -> Answer:
    """202 and pending; the challenge may reach the callback before this answer does."""
    token, headers = authorize(call, app_only=True)
    order = call.json()
    if not isinstance(order, dict):
        raise refusal(400, "The request body must be a JSON object", headers)
    row = _known_type(order, headers)
    condition = _condition(order, row, token, headers)
    if row.type == BATCHED and order.get("is_batching_enabled") is not True:
        raise refusal(400, "is_batching_enabled must be true", headers)
    callback, secret = _transport(order, headers)
    if not _is_authorized(row, condition, token.client_id):
        raise refusal(403, "subscription missing proper authorization", headers)
    new = Subscription(
        client_id=token.client_id,
        type=row.type,
        version=row.version,
        condition=condition,
        callback=callback,
        secret=secret,
        cost=cost(row.type, _named_user_agreed(condition, token.client_id)),
    )
    try:
        sandbox.subscriptions.create(new, max_total_cost=sandbox.settings.max_total_cost)
    except AlreadyExists:
        raise refusal(409, "subscription already exists", headers) from None
    except LimitReached as limit:
        raise refusal(429, str(limit), headers) from None
    answer = json_answer({"data": [new.as_dict()], **_costs(token)}, 202, headers)
    sender.start_verification(new)
    return answer


@played(PATH, "GET")
def listing(call: Call) -> Answer:
    token, headers = authorize(call, app_only=True)
    chosen = [name for name in FILTERS if name in call.query]
    if len(chosen) > 1:
        raise refusal(400, "The filters are mutually exclusive", headers)
    name = chosen[0] if chosen else ""
    value = call.param(name) or ""
    after = _number_in(call.param("after"), headers)
    rest = (
        one
        for one in sandbox.subscriptions.of(token.client_id)
        if one.number > after and (not name or _matches(one, name, value))
    )
    size = sandbox.settings.page_size
    found = list(islice(rest, size + 1))
    page = found[:size]
    document: dict[str, Any] = {"data": [one.as_dict() for one in page], **_costs(token)}
    document["pagination"] = {"cursor": _cursor(page[-1])} if len(found) > size else {}
    return json_answer(document, headers=headers)


@played(PATH, "DELETE")
def delete(call: Call) -> Answer:
    token, headers = authorize(call, app_only=True)
    subscription_id = call.param("id")
    if not subscription_id:
        raise refusal(400, 'Missing required parameter "id"', headers)
    if not sandbox.subscriptions.delete(subscription_id, token.client_id):
        raise refusal(404, "subscription does not exist", headers)
    return Answer(204, headers=headers)


def _known_type(order: dict[str, Any], headers: dict[str, str]) -> EventType:
    asked, version = order.get("type"), order.get("version")
    row = EVENT_TYPES.get(asked) if isinstance(asked, str) else None
    if isinstance(asked, str) and asked in sandbox.settings.further_types:
        row = EventType(asked, "1", asked)
    is_removed = asked in sandbox.settings.removed_types
    if is_removed or (row and version in row.removed_versions):
        raise refusal(410, "this subscription type and version has been removed", headers)
    if row is None or version != row.version:
        raise refusal(400, "invalid subscription type and version", headers)
    return row


def _condition(
    order: dict[str, Any], row: EventType, token: Token, headers: dict[str, str]
) -> dict[str, str]:
    condition = order.get("condition")
    if not isinstance(condition, dict) or not all(
        isinstance(value, str) for value in condition.values()
    ):
        raise refusal(400, "condition must be an object of strings", headers)
    if not row.accepts(condition):
        raise refusal(400, f"missing or invalid condition for {row.type}", headers)
    if condition.get("client_id", token.client_id) != token.client_id:
        raise refusal(400, "client_id in the condition must match the token", headers)
    for key, value in condition.items():
        if key.endswith("user_id") and sandbox.people.get(value) is None:
            raise refusal(400, f"user in {key} does not exist", headers)
    return condition


def _transport(order: dict[str, Any], headers: dict[str, str]) -> tuple[str, str]:
    transport = order.get("transport")
    if not isinstance(transport, dict) or transport.get("method") != "webhook":
        raise refusal(400, "invalid transport and auth combination", headers)
    callback, secret = transport.get("callback"), transport.get("secret")
    if not isinstance(callback, str) or not is_webhook_callback(callback):
        raise refusal(400, "callback must be https on port 443", headers)
    if not isinstance(secret, str) or not is_secret(secret):
        raise refusal(400, "secret must be between 10 and 100 ASCII characters", headers)
    return callback, secret


def _is_authorized(row: EventType, condition: dict[str, str], client_id: str) -> bool:
    if sandbox.settings.grants == "all":
        return True
    return all(
        sandbox.tokens.granted(client_id, condition[key]).intersection(scopes)
        for key, scopes in row.grants
    )


def _named_user_agreed(condition: dict[str, str], client_id: str) -> bool:
    named = [value for key, value in condition.items() if key.endswith("user_id")]
    if sandbox.settings.grants == "all":
        return bool(named)
    return any(sandbox.tokens.granted(client_id, user_id) for user_id in named)


def _matches(one: Subscription, name: str, value: str) -> bool:
    if name == "user_id":
        return value in one.condition.values()
    if name == "subscription_id":
        return value == one.id
    return value == (one.status if name == "status" else one.type)


def _costs(token: Token) -> dict[str, int]:
    return {
        "total": sandbox.subscriptions.count(token.client_id),
        "total_cost": sandbox.subscriptions.total_cost(token.client_id),
        "max_total_cost": sandbox.settings.max_total_cost,
    }


def _cursor(last: Subscription) -> str:
    return base64.urlsafe_b64encode(f"after {last.number}".encode()).decode()


def _number_in(cursor: str | None, headers: dict[str, str]) -> int:
    if cursor is None:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        if word == "after":
            return int(number)
    except (ValueError, binascii.Error):
        pass
    raise refusal(400, "The cursor is not valid", headers)
