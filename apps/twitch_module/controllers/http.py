"""What all actions share: who may call, reading a request, answering, problem documents.

An action is declared with `endpoint`; who may call it stands in the policy. Errors become
problem documents (RFC 9457) here, and in the guard for what does not get this far.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from ombott import HTTPError, default_app
from py4web import action, request, response
from pydantic import BaseModel, ValidationError

from ..common import services
from ..domain.access import Actor, Caller, Origin, Rule
from ..domain.strict_json import NotStrict, is_storable, read_object
from ..errors import (
    BadRequest,
    Forbidden,
    Invalid,
    ModuleError,
    NotFound,
    TooLarge,
    Unauthenticated,
)
from ..logs import unexpected
from ..models.audit import Change
from .answers import Response, page_response, problem_response
from .answers import wants_page as is_browser
from .guard import origin_of
from .policy import rule_for

MAX_BODY_BYTES = 1024 * 1024

Answer = str | bytes
Model = TypeVar("Model", bound=BaseModel)

_CALLER = "waddlebot.caller"  # in the WSGI environment


def endpoint(path: str, method: str) -> Callable[[Callable[..., Answer]], Any]:
    """Register an action at an exact path and method, for those whom the policy names.

    Raises LookupError when the policy does not know the route.
    """
    rule = rule_for(method, path)
    if rule is None:
        raise LookupError(f"{method} {path} is not in controllers/policy.py")

    def register(function: Callable[..., Answer]) -> Callable[..., Answer]:
        @wraps(function)
        def answer(**arguments: str) -> Answer:
            try:
                _admit(rule)
                return function(**arguments)
            except ModuleError as error:
                return problem(error)
            except Exception as error:
                reference = unexpected.report(error, route=f"{method} {path}")
                return problem(ModuleError(f"It is in the log under {reference}"))

        action(path, method=[method])(answer)
        return answer

    return register


def _admit(rule: Rule) -> None:
    """Let the caller pass whom the rule allows. Raises Unauthenticated and Forbidden."""
    request.environ.pop(_CALLER, None)
    if rule.anyone:
        return
    caller = services().admin_auth.identify(bearer(), origin())
    if not rule.allows(caller):
        raise Forbidden(f"This takes {rule.wanted()}")
    request.environ[_CALLER] = caller


def bearer() -> str:
    """The token in the Authorization header, the only place for it. Raises Unauthenticated."""
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send an access token: Authorization: Bearer ...")
    return str(token.strip())


def origin() -> Origin:
    """Where this request comes from."""
    return origin_of(request.environ)


def actor() -> Actor:
    """Who is calling, for the audit log."""
    caller: Caller | None = request.environ.get(_CALLER)
    return caller.actor if caller else Actor("anonymous", origin=origin())


def audited(
    did: str, subject: str, *, before: Change | None = None, after: Change | None = None
) -> None:
    """Note that the caller did something that is no change of our database alone.

    What a service changes in a transaction it notes there: models.audit.record.
    """
    services().audit.record(actor(), did, subject, before=before, after=after)


def reply(value: dict[str, Any] | BaseModel, status: int = 200) -> Answer:
    """A JSON answer."""
    response.status = status
    response.headers["Content-Type"] = "application/json; charset=utf-8"
    response.headers["Cache-Control"] = "no-store"
    return json.dumps(value.model_dump() if isinstance(value, BaseModel) else value)


def no_content() -> Answer:
    """204: done, and there is nothing to say."""
    response.status = 204
    response.headers["Cache-Control"] = "no-store"
    return b""


def problem(error: ModuleError) -> Answer:
    """The error as a problem document, or as a page for a browser."""
    return _give(problem_response(error, as_page=wants_page()))


def wants_page() -> bool:
    """Whether a browser asks, and not a program."""
    return is_browser(request.environ.get("HTTP_ACCEPT", ""))


def page(template: str, **context: Any) -> Answer:
    """A page of `templates/`; the status is what it was set to."""
    return _give(page_response(template, response.status_code, **context))


def _give(given: Response) -> Answer:
    response.status = given.status
    for name, value in given.headers.items():
        response.headers[name] = value
    return given.body


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
        value = read_object(read_body() or b"{}")
    except NotStrict as error:
        raise BadRequest(str(error)) from error
    return _checked(model, value)


def read_form_or_json(model: type[Model]) -> Model:
    """The fields of a form or of a JSON object, by the request's content type."""
    content_type = request.environ.get("CONTENT_TYPE", "")
    if not content_type.startswith("application/x-www-form-urlencoded"):
        return read_json(model)
    try:
        text = read_body().decode("utf-8")
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise BadRequest("The form cannot be read") from error
    if not all(is_storable(value) for _, value in fields):
        raise BadRequest("A text holds a character that cannot be stored")
    return _checked(model, dict(fields))


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


def _answer_unrouted(error: HTTPError) -> Answer:
    """The problem document for what py4web itself refuses; the guard leaves it little."""
    if error.status_code >= 500:
        failure = error.exception or error
        reference = unexpected.report(failure, route=request.environ.get("REQUEST_METHOD", ""))
        return problem(ModuleError(f"It is in the log under {reference}"))
    if error.status_code in (403, 404):  # of files: what is not to be had is not there
        return problem(NotFound("There is nothing at this address"))
    refusal = BadRequest()
    refusal.status = error.status_code
    return problem(refusal)


# In place of py4web's pages, which link to its dashboard, and of ombott's, which show tracebacks.
default_app().error_handlers.clear()
default_app().default_error_handler = _answer_unrouted
