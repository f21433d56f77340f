"""WaddleBot's APIs: who a user is, and what an answer means.

What is sent about an activity: reputation_contract.py.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..text import text

MODULE_NAME = "twitch"
# Refusals that may pass: the server was busy, too early, or slow.
_PASSING = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class Context:
    """Who a user is in WaddleBot, and in which namespace the points count."""

    identity_id: int
    namespace_id: int
    namespace_name: str
    identity_name: str | None = None  # for people: no call needs it

    def to_json(self) -> dict[str, Any]:
        """The four fields as an activity keeps them."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that did not do its work. `passing` failures are worth another try."""

    reason: str
    passing: bool
    retry_after_seconds: float | None = None


def context_request(identity_name: str) -> bytes:
    """The body for the context API."""
    return to_bytes({"identity_name": identity_name})


def read_context(status: int, headers: Mapping[str, str], body: bytes) -> Context | Failure:
    """The context in an answer. "No such identity" is HTTP 200 without `data`: final."""
    if status != 200:
        return _http_failure("context", status, headers)
    answer = _object(body)
    if answer is None:
        return Failure("context: the answer is not a JSON object", passing=True)
    data = answer.get("data")
    if not isinstance(data, dict) or not data:
        return Failure(f"context: no identity ({_excerpt(answer.get('msg'))})", passing=False)
    try:
        return Context(
            _whole(data, "identity_id"),
            _whole(data, "namespace_id"),
            _name(data, "namespace_name"),
            _usable_name(data.get("identity_name")),
        )
    except ValueError as error:
        return Failure(f"context: the data lacks a usable {error}", passing=True)


def activation_request(activation_key: str) -> bytes:
    """The body for the gateway API."""
    return to_bytes({"activation_key": activation_key})


def read_activation(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """None when the gateway is activated. The outcome is in the body: HTTP is always 200."""
    if status != 200:
        return _http_failure("gateway", status, headers)
    answer = _object(body)
    inner = _inner_status(answer)
    if inner == 200:
        return None
    message = _excerpt((answer or {}).get("msg"))
    return Failure(message, passing=inner is None)


def registration(version: str, webhook_url: str, events: Sequence[str]) -> bytes:
    """The body that tells the core of this module; `webhook_url` is Twitch's way in."""
    module_url = webhook_url.removesuffix("/webhook")
    return to_bytes(
        {
            "module_name": MODULE_NAME,
            "module_version": version,
            "platform": "twitch",
            "endpoint_url": module_url,
            "health_check_url": f"{module_url}/health",
            "status": "active",
            "config": {"supported_events": list(events), "webhook_url": webhook_url},
        }
    )


def heartbeat(now: datetime) -> bytes:
    """The body that tells the core that this module still works."""
    beat = {"module_name": MODULE_NAME, "timestamp": now.isoformat(), "status": "active"}
    return to_bytes(beat)


def idempotency_key(message_id: str, activity: str) -> str:
    """The key that makes a repeated delivery recognisable: the same on every try."""
    return f"{message_id}:{activity}"


def read_outcome(
    status: int, headers: Mapping[str, str], body: bytes, api: str = "reputation"
) -> Failure | None:
    """None when the call did its work. A `status` in the body outside 200-299 is a refusal."""
    if status not in (200, 201):
        return _http_failure(api, status, headers)
    if not body.strip():
        return None
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        # Not the API itself answered: a proxy's page, or half an answer. The key makes a
        # repetition harmless, while a lost one would be lost for good.
        return Failure(f"{api}: the answer is not JSON", passing=True)
    inner = _inner_status(answer)
    if inner is not None and not 200 <= inner <= 299:
        message = _excerpt(answer.get("msg"))
        return Failure(f"{api}: status {inner} in the answer ({message})", _passes(inner))
    if isinstance(answer, dict) and answer.get("success") is False:
        # It does not say whether that is final, so that it is tried until there are no tries.
        message = _excerpt(answer.get("error") or answer.get("message"))
        return Failure(f"{api}: no success ({message})", passing=True)
    return None


def _inner_status(answer: object) -> int | None:
    """The `status` in a body, also when it is written as 404.0 or "404"."""
    status = answer.get("status") if isinstance(answer, dict) else None
    if isinstance(status, str) and status.isascii() and status.isdigit():
        return int(status[:4])
    if isinstance(status, bool) or not isinstance(status, int | float):
        return None
    return int(status) if math.isfinite(status) else 0


def _http_failure(api: str, status: int, headers: Mapping[str, str]) -> Failure:
    return Failure(f"{api}: HTTP {status}", _passes(status), _retry_after(headers))


def _passes(status: int) -> bool:
    """4xx is the other side's final word. A redirect is a mistake somebody may yet mend."""
    return status in _PASSING or not 400 <= status <= 499


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header (RFC 9110 10.2.3); its date form is not used here."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 8 else None


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _whole(data: Mapping[str, Any], key: str) -> int:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(key)
    return value


def _name(data: Mapping[str, Any], key: str) -> str:
    name = _usable_name(data.get(key))
    if name is None:
        raise ValueError(key)
    return name


def _usable_name(value: object) -> str | None:
    """A text that is kept and sent on; half a surrogate pair could be neither."""
    return value if isinstance(value, str) and value == text(value) else None


def _excerpt(message: object) -> str:
    return text(message)[:200] if isinstance(message, str) else "no message"


def to_bytes(value: object) -> bytes:
    """JSON as it is sent: the same value gives the same bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
