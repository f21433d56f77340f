"""How a handler becomes a route: reads the request, asks the faults, sends the answer."""

import functools
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from py4web import action, request, response

from .exchange import Answer, Call, RefusedCall, json_answer
from .state import sandbox

Handler = Callable[[Call], Answer]
Decorator = Callable[[Handler], Handler]

# Twitch and WaddleBot are never sent more than a few KiB; a test may set up thousands of
# subscriptions in one call.
LARGEST_PLAYED_BYTES = 1024 * 1024
LARGEST_SERVED_BYTES = 16 * LARGEST_PLAYED_BYTES

log = logging.getLogger("sandbox")


def played(path: str, *methods: str) -> Decorator:
    """A route of an API that is being played: its calls are counted and can be disturbed."""

    def answer(call: Call, handler: Handler) -> Answer:
        sandbox.count_call(call.method, call.path)
        fault = sandbox.faults.take(call.method, call.path)
        return fault.disturb(lambda: attempt(call, handler)) if fault else attempt(call, handler)

    return _route(path, methods, answer, LARGEST_PLAYED_BYTES)


def served(path: str, *methods: str) -> Decorator:
    """A route of the sandbox itself: the page and the control API."""
    return _route(path, methods, attempt, LARGEST_SERVED_BYTES)


def attempt(call: Call, handler: Handler) -> Answer:
    """The handler's answer; a mistake of the sandbox is logged and answered as JSON too."""
    try:
        return handler(call)
    except RefusedCall as refused:
        return refused.answer
    except Exception:
        log.exception("%s %s failed", call.method, call.path)
        error = {"error": "Internal Server Error", "status": 500, "message": "sandbox failure"}
        return json_answer(error, 500)


def _route(
    path: str,
    methods: tuple[str, ...],
    answer: Callable[[Call, Handler], Answer],
    largest_bytes: int,
) -> Decorator:
    def decorate(handler: Handler) -> Handler:
        @action(path, method=list(methods))
        @functools.wraps(handler)
        def run() -> object:
            call = _read_call(largest_bytes)
            if len(call.body) > largest_bytes:
                return _send(json_answer({"status": 413, "message": "body too large"}, 413))
            reply = answer(call, handler)
            if call.on_answer:
                call.on_answer(reply.status)
            return _send(reply)

        return handler

    return decorate


def _read_call(largest_bytes: int) -> Call:
    environ = request.environ
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") and isinstance(value, str)
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return Call(
        method=environ["REQUEST_METHOD"].upper(),
        path=environ["PATH_INFO"],
        query=parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True),
        headers=headers,
        body=_read_body(environ, largest_bytes),
    )


def _read_body(environ: dict[str, Any], largest_bytes: int) -> bytes:
    """The raw body, up to one byte more than is allowed. A server that marks the end of its
    input has already undone chunking, which ombott would then try a second time."""
    is_plain = environ.get("wsgi.input_terminated")
    stream = environ["wsgi.input"] if is_plain else request.body
    body: bytes = stream.read(largest_bytes + 1)
    return body


def _send(answer: Answer) -> object:
    response.status = answer.status
    for name, value in answer.headers.items():
        response.headers[name] = value
    return answer.body if answer.stream is None else answer.stream
