"""WaddleBot's context, reputation and gateway APIs, which keep what they are sent."""

from fnmatch import fnmatchcase
from typing import Any

from .endpoint import played
from .exchange import Answer, Call, json_answer
from .inbox import NAMESPACE_ID, NAMESPACE_NAME, Received
from .world import world

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


@played("/sandbox/waddlebot/context", "POST")
def context(call: Call) -> Answer:
    """The identity of a name. What cannot be done is answered with 200 and no data."""
    sent = _record("context", call).json
    name = sent.get("identity_name") if isinstance(sent, dict) else None
    if not isinstance(name, str) or not name:
        return json_answer({"msg": "identity_name is missing"})
    identity = {
        "identity_id": world.inbox.identity(name),
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
    score = world.inbox.score(one.json["userid"], one.json["amount"], key)
    return json_answer({"msg": "Reputation noted", "status": 200, "data": {"score": score}})


@played("/sandbox/waddlebot/gateway", "POST")
def gateway(call: Call) -> Answer:
    """HTTP 200 in every case; the outcome is the status in the body."""
    sent = _record("gateway", call).json
    key = sent.get("activation_key") if isinstance(sent, dict) else None
    if not isinstance(key, str) or not key:
        return json_answer({"msg": "activation_key is missing", "status": 400})
    if not any(fnmatchcase(key, pattern) for pattern in world.settings.gateway_keys):
        return json_answer({"msg": "No gateway waits for this key", "status": 404})
    return json_answer({"msg": "The gateway is active", "status": 200})


def _record(api: str, call: Call) -> Received:
    body = call.body.decode("utf-8", "backslashreplace")
    one = world.inbox.record(api, call.headers, body, call.json())

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
