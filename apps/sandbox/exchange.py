"""One HTTP exchange as plain values: the call that came in and the answer to it.

Knows nothing of py4web, so that every played API can be read as call in, answer out.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs


@dataclass
class Answer:
    status: int = 204
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    # Sent instead of the body when set; the faults use it to answer badly.
    stream: Iterator[bytes] | None = None


class RefusedCall(Exception):
    """Raised by a handler to answer at once with a refusal."""

    def __init__(self, answer: Answer):
        super().__init__(answer.status)
        self.answer = answer


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, list[str]]
    # Lower-case names.
    headers: dict[str, str]
    body: bytes
    # Told the status that was sent in the end, also when a fault replaced the answer.
    on_answer: Callable[[int], None] | None = None

    def param(self, name: str) -> str | None:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else None

    def form(self) -> dict[str, str]:
        """The fields of a form body; the first value of each."""
        pairs = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[0] for name, values in pairs.items()}

    def json(self) -> Any:
        """The parsed body, or None when it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def json_object(self) -> dict[str, Any]:
        """The body as an object, {} when there is none; refused with 400 or 415 otherwise.

        Demanding the content type keeps pages of other sites from posting here: a browser
        asks first, and is not answered.
        """
        if not self.body:
            return {}
        if self.headers.get("content-type", "").split(";")[0].strip() != "application/json":
            raise RefusedCall(json_answer({"error": "send application/json"}, 415))
        parsed = self.json()
        if not isinstance(parsed, dict):
            raise RefusedCall(json_answer({"error": "send a JSON object"}, 400))
        return parsed


def json_answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    body = json.dumps(document).encode()
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(status, body, {**kind, **(headers or {})})


def reason(status: int) -> str:
    """The standard phrase of a status, as Twitch repeats it in its error bodies."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
