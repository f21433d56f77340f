"""The sandbox's page, and what its buttons and its tables ask for."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import module
from .catalogue import EVENT_TYPES, EventType
from .endpoint import served
from .exchange import Answer, Call, json_answer
from .inbox import Received
from .people import STREAMER
from .security import page_headers
from .simulated_events import happen
from .state import sandbox

# Not named "static": py4web would serve a folder of that name also without SANDBOX=1.
ASSETS = Path(__file__).parent / "assets"
NEWEST_MESSAGES = 30
NEWEST_RECEIVED = 100


@served("/sandbox", "GET")
def page(call: Call) -> Answer:
    return Answer(200, (ASSETS / "page.html").read_bytes(), page_headers())


@served("/sandbox/static/sandbox.css", "GET")
def stylesheet(call: Call) -> Answer:
    return _asset("sandbox.css", "text/css; charset=utf-8")


@served("/sandbox/static/sandbox.js", "GET")
def script(call: Call) -> Answer:
    return _asset("sandbox.js", "text/javascript; charset=utf-8")


@served("/sandbox/api/state", "GET")
def state(call: Call) -> Answer:
    """Everything that the page shows; it asks once a second."""
    received = [_row(one) for one in sandbox.inbox.all("reputation")[-NEWEST_RECEIVED:]]
    return json_answer(
        {
            "run": sandbox.run,
            "people": [asdict(person) for person in sandbox.people.all()],
            "types": [_type(row) for row in EVENT_TYPES.values()],
            "messages": [_message(one) for one in sandbox.messages.all(NEWEST_MESSAGES)],
            "received": received,
            "scores": sandbox.inbox.scores(),
            "counts": sandbox.inbox.counts(),
        }
    )


@served("/sandbox/api/health", "GET")
def health(call: Call) -> Answer:
    return json_answer(module.health())


@served("/sandbox/api/channel", "POST")
def channel(call: Call) -> Answer:
    call.json_object()
    try:
        return json_answer(module.add_channel())
    except module.ModuleProblem as problem:
        return json_answer({"error": str(problem)}, 502)


@served("/sandbox/api/fire", "POST")
def fire(call: Call) -> Answer:
    return json_answer(happen(call.json_object()))


def _asset(name: str, content_type: str) -> Answer:
    headers = {
        "Content-Type": content_type,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
    return Answer(200, (ASSETS / name).read_bytes(), headers)


def _type(row: EventType) -> dict[str, Any]:
    return {
        "type": row.type,
        "title": row.title,
        "unit": row.unit,
        "subscribed": sandbox.subscriptions.find(row.type, STREAMER.id) is not None,
    }


def _message(message: dict[str, Any]) -> dict[str, Any]:
    """Without the event: the log shows only how it went."""
    return {key: value for key, value in message.items() if key != "event"}


def _row(one: Received) -> dict[str, Any]:
    sent = one.json if isinstance(one.json, dict) else {}
    return {
        "number": one.number,
        "at": one.at,
        "text": sent.get("text"),
        "userid": sent.get("userid"),
        "activity": sent.get("activity"),
        "amount": sent.get("amount"),
        "key": one.headers.get("idempotency-key"),
        "repeat": one.repeat,
        "mismatch": one.mismatch,
        "status": one.status,
    }
