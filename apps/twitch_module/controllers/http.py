"""What all actions share: who may call, reading a request, answering, problem documents.

An action is declared with `endpoint`, which says who may call it; errors become problem
documents (RFC 9457) here and nowhere else.
"""

import json
import uuid
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl

import structlog
from ombott import HTTPError, default_app
from py4web import action, request, response
from py4web.core import render
from pydantic import BaseModel, ValidationError

from ..common import services
from ..errors import BadRequest, Invalid, ModuleError, NotFound, TooLarge, Unauthenticated

MAX_BODY_BYTES = 1024 * 1024

Who = Literal["anyone", "admin"]
Answer = str | bytes
Model = TypeVar("Model", bound=BaseModel)

log = structlog.get_logger("http")

_TEMPLATES = str(Path(__file__).resolve().parent.parent / "templates")
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def endpoint(path: str, method: str, *, who: Who) -> Callable[[Callable[..., Answer]], Any]:
    """Register an action at an exact path and method, for the given callers."""

    def register(function: Callable[..., Answer]) -> Callable[..., Answer]:
        @wraps(function)
        def answer(**arguments: str) -> Answer:
            try:
                if who == "admin":
                    require_admin()
                return function(**arguments)
            except ModuleError as error:
                return problem(error)
            except Exception as error:
                reference = uuid.uuid4().hex[:12]
                log.error("unexpected error", path=path, reference=reference, exc_info=error)
                return problem(ModuleError(f"It is in the log under {reference}"))

        action(path, method=[method])(answer)
        return answer

    return register


def reply(value: dict[str, Any], status: int = 200) -> Answer:
    """A JSON answer."""
    response.status = status
    response.headers["Content-Type"] = "application/json; charset=utf-8"
    response.headers["Cache-Control"] = "no-store"
    return json.dumps(value)


def problem(error: ModuleError) -> Answer:
    """The error as a problem document, or as a page for a browser."""
    response.status = error.status
    response.headers["Cache-Control"] = "no-store"
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.retryable and error.status == 503:
        response.headers["Retry-After"] = "2"
    if wants_page():
        return page("problem.html", title=error.title, detail=str(error))
    response.headers["Content-Type"] = "application/problem+json"
    return json.dumps(
        {
            "type": "about:blank",
            "title": error.title,
            "status": error.status,
            "detail": str(error),
            "code": error.code,
            **error.extra,
        }
    )


def wants_page() -> bool:
    """Whether a browser asks, and not a program."""
    accept = request.environ.get("HTTP_ACCEPT", "")
    return "text/html" in accept and "application/json" not in accept


def page(template: str, **context: Any) -> Answer:
    """A page of `templates/`. What is put into it is escaped; nothing comes from elsewhere."""
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    text: str = render(filename=template, path=_TEMPLATES, context=context)
    return text


def read_body(limit_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The request's body, read once, whatever its encoding. Raises TooLarge, BadRequest.

    Not through py4web's request: that takes chunks apart which the server took apart already,
    and has no limit.
    """
    environ = request.environ
    declared = environ.get("CONTENT_LENGTH") or ""
    if declared:
        if not (declared.isascii() and declared.isdigit()):
            raise BadRequest("Content-Length is not a number")
        length = int(declared[:20])
        if length > limit_bytes:
            raise TooLarge(f"At most {limit_bytes} bytes are taken")
        body: bytes = environ["wsgi.input"].read(length)
        if len(body) < length:
            raise BadRequest("The body is shorter than Content-Length says")
        return body
    if not environ.get("wsgi.input_terminated"):
        return b""  # the server cannot tell where the body ends; reading on would block
    body = environ["wsgi.input"].read(limit_bytes + 1)
    if len(body) > limit_bytes:
        raise TooLarge(f"At most {limit_bytes} bytes are taken")
    return body


def read_json(model: type[Model]) -> Model:
    """The JSON object in the body, checked. Raises BadRequest, Invalid, TooLarge."""
    try:
        value = json.loads(read_body() or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON") from error
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object")
    return _checked(model, value)


def read_form_or_json(model: type[Model]) -> Model:
    """The fields of a form or of a JSON object, by the request's content type."""
    content_type = request.environ.get("CONTENT_TYPE", "")
    if not content_type.startswith("application/x-www-form-urlencoded"):
        return read_json(model)
    try:
        text = read_body().decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("The form is not UTF-8") from error
    return _checked(model, dict(parse_qsl(text, keep_blank_values=True)))


def read_query(model: type[Model]) -> Model:
    """The query string's parameters, checked. Raises Invalid."""
    query = request.environ.get("QUERY_STRING", "")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise BadRequest("The query string cannot be read") from error
    return _checked(model, dict(pairs))


def read_body_or_query(model: type[Model]) -> Model:
    """The values of the query string, or of the JSON object in the body where there is none."""
    return read_query(model) if request.environ.get("QUERY_STRING") else read_json(model)


def _checked(model: type[Model], value: dict[str, Any]) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        detail = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: "
            f"{fault['msg'].removeprefix('Value error, ')}".removeprefix(": ")
            for fault in faults
        )
        raise Invalid(detail[:1000]) from error


def require_admin() -> None:
    """Raise Unauthenticated unless an admin calls."""
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send an access token: Authorization: Bearer ...")
    services().admin_auth.identify(token.strip())


def _answer_unrouted(error: HTTPError) -> Answer:
    """The problem document for what py4web itself refuses, such as unknown paths and methods."""
    status = error.status_code
    if status == 405:
        refusal = ModuleError(f"Allowed here: {error.headers.get('Allow')}")
        refusal.code, refusal.title = "method_not_allowed", "The method is not allowed"
    elif status == 404:
        refusal = NotFound("There is nothing at this address")
    else:
        refusal = BadRequest() if status < 500 else ModuleError()
    refusal.status = status
    return problem(refusal)


# In place of py4web's pages, which link to its dashboard, and of ombott's, which show tracebacks.
default_app().error_handlers.clear()
default_app().default_error_handler = _answer_unrouted
