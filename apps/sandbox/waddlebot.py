"""WaddleBot's APIs, which keep what they are sent: those of the core, and the two servers that
decide the points themselves."""

from fnmatch import fnmatchcase
from typing import Any

from .endpoint import played
from .exchange import Answer, Call, json_answer
from .inbox import NAMESPACE_ID, NAMESPACE_NAME, Received
from .state import sandbox

# The seven keys of a reputation call, all of them and no others.
REPUTATION_KEYS = {
    "userid": int,
    "activity": str,
    "amount": int,
    "text": str,
    "namespace": str,
    "namespaceid": int,
    "platform": str,
}

# What the reputation module and the router pay; a cheer is as much as its bits.
POINTS = {"follow": 10, "sub": 50, "resub": 30, "subgift": 60, "raid": 30, "ban": -50}
POINTS |= {"timeout": -10, "subscription": 50}
EVENT = ("platform", "server_id", "channel_id", "message_content")
MODULE = ("module_name", "module_version", "platform", "endpoint_url", "health_check_url")


@played("/sandbox/waddlebot/context", "POST")
def context(call: Call) -> Answer:
    """The identity of a name. What cannot be done is answered with 200 and no data."""
    sent = _record("context", call).json
    name = sent.get("identity_name") if isinstance(sent, dict) else None
    if not isinstance(name, str) or not name:
        return json_answer({"msg": "identity_name is missing"})
    identity = {
        "identity_id": sandbox.inbox.identity(name),
        "identity_name": name,
        "namespace_id": NAMESPACE_ID,
        "namespace_name": NAMESPACE_NAME,
    }
    return json_answer({"msg": "Here is the context", "data": identity})


@played("/sandbox/waddlebot/reputation", "POST")
def reputation(call: Call) -> Answer:
    one = _record("reputation", call)
    problem = _reputation_problem(one.json)
    if problem:
        return json_answer({"msg": problem, "status": 400}, 400)
    key = one.headers.get("idempotency-key")
    score = sandbox.inbox.score(one.json["userid"], one.json["amount"], key)
    return json_answer({"msg": "Reputation noted", "status": 200, "data": {"score": score}})


@played("/sandbox/waddlebot/reputation/process", "POST")
def process(call: Call) -> Answer:
    """The reputation module, which decides the points."""
    one = _record("reputation", call)
    sent = one.json if isinstance(one.json, dict) else {}
    data = sent.get("event_data")
    if not _are_texts(sent, "user_id", "entity_id", "event_name") or not isinstance(data, dict):
        return json_answer({"success": False, "error": "a field is missing"}, 400)
    if not _are_texts(data, *EVENT, "timestamp"):
        return json_answer({"success": False, "error": "a field of event_data is missing"}, 400)
    score = _pay(one, sent["user_id"], sent["event_name"], data.get("bits"))
    return json_answer({"success": True, "new_score": score})


@played("/sandbox/waddlebot/router/events", "POST")
def route(call: Call) -> Answer:
    """The router, which tells the reputation module itself."""
    one = _record("reputation", call)
    sent = one.json if isinstance(one.json, dict) else {}
    if "x-api-key" not in one.headers:
        return json_answer({"success": False, "error": "no X-API-Key"}, 401)
    if not _are_texts(sent, *EVENT, "user_id", "user_name", "message_type"):
        return json_answer({"success": False, "error": "a field is missing"}, 400)
    _pay(one, sent["user_id"], sent["message_type"], sent.get("bits"))
    return json_answer({"success": True, "processed": False})


@played("/sandbox/waddlebot/api/modules/register", "POST")
def register(call: Call) -> Answer:
    sent = _record("core", call).json
    is_whole = isinstance(sent, dict) and _are_texts(sent, *MODULE, "status")
    return json_answer({"success": is_whole}, 201 if is_whole else 400)


@played("/sandbox/waddlebot/api/modules/heartbeat", "POST")
def heartbeat(call: Call) -> Answer:
    """Of a module that it knows; one that starts anew knows none."""
    sent = _record("core", call).json
    is_whole = isinstance(sent, dict) and _are_texts(sent, "module_name", "timestamp", "status")
    return json_answer({"success": is_whole}, 200 if is_whole else 400)


@played("/sandbox/waddlebot/gateway", "POST")
def gateway(call: Call) -> Answer:
    """HTTP 200 in every case; the outcome is the status in the body."""
    sent = _record("gateway", call).json
    key = sent.get("activation_key") if isinstance(sent, dict) else None
    if not isinstance(key, str) or not key:
        return json_answer({"msg": "activation_key is missing", "status": 400})
    if not any(fnmatchcase(key, pattern) for pattern in sandbox.settings.gateway_keys):
        return json_answer({"msg": "No gateway waits for this key", "status": 404})
    return json_answer({"msg": "The gateway is active", "status": 200})


def _are_texts(sent: dict[str, Any], *names: str) -> bool:
    return all(isinstance(sent.get(name), str) for name in names)


def _pay(one: Received, user_id: str, event: str, bits: object) -> int:
    """The user's new score."""
    points = bits if event == "cheer" and type(bits) is int else POINTS.get(event, 0)
    key = one.headers.get("idempotency-key")
    return sandbox.inbox.score(sandbox.inbox.identity(user_id), points, key)


def _record(api: str, call: Call) -> Received:
    body = call.body.decode("utf-8", "backslashreplace")
    one = sandbox.inbox.record(api, call.headers, body, call.json())

    def note(status: int) -> None:
        one.status = status

    call.on_answer = note
    return one


def _reputation_problem(sent: Any) -> str | None:
    if not isinstance(sent, dict) or set(sent) != set(REPUTATION_KEYS):
        return f"send exactly {', '.join(REPUTATION_KEYS)}"
    # type() and not isinstance(): true is no number here.
    wrong = [name for name, kind in REPUTATION_KEYS.items() if type(sent[name]) is not kind]
    return f"wrong type: {', '.join(wrong)}" if wrong else None
