"""What all actions share: who may call, what is read and answered, problem documents.

An action is declared with `endpoint`, which also describes it; who may call it stands in the
policy. Errors become problem documents (RFC 9457) here, and in the guard for what does not get
this far.
"""

import json
from collections.abc import Callable
from functools import wraps
from inspect import getdoc
from typing import (
    Any,
    Concatenate,
    NotRequired,
    TypedDict,
    TypeVar,
    Unpack,
    overload,
)

from ombott import HTTPError, default_app
from py4web import action, request, response
from pydantic import BaseModel

from ..common import services
from ..domain.access.callers import Actor, Caller, Origin, Rule
from ..errors import BadRequest, Forbidden, ModuleError, NotFound, Unauthenticated
from ..logs import unexpected
from ..models.access.audit import Change
from .answers import Response, page_response, problem_response
from .answers import wants_page as is_browser
from .guard import origin_of
from .operations import Answers, Failure, Message, Operation, Tag, Token, declare, described
from .policy import rule_for
from .reading import Takes
from .routes import Environ, Plain, answer_here

Answer = str | bytes
Model = TypeVar("Model", bound=BaseModel)

# In the WSGI environment.
_CALLER = "waddlebot.caller"
_OPERATION = "waddlebot.operation"


class Description(TypedDict):
    """What a route says of itself, beside its docstring and what it takes."""

    tag: Tag
    answers: Answers
    errors: NotRequired[tuple[Failure, ...]]  # beside those that all routes of its kind have
    token: NotRequired[Token]
    message: NotRequired[Message]


@overload
def endpoint(
    path: str, method: str, *, takes: Takes[Model], **description: Unpack[Description]
) -> Callable[[Callable[Concatenate[Model, ...], Answer]], Any]: ...


@overload
def endpoint(
    path: str, method: str, **description: Unpack[Description]
) -> Callable[[Callable[..., Answer]], Any]: ...


def endpoint(
    path: str,
    method: str,
    *,
    takes: Takes[Any] | None = None,
    **description: Unpack[Description],
) -> Callable[[Callable[..., Answer]], Any]:
    """Register an action at an exact path and method, for those whom the policy names.

    What the request holds is checked by `takes` and given to the action first, its model; then
    come the path's parts by name. Raises LookupError when the policy does not know the route.
    """
    rule = _rule(path, method)

    def register(function: Callable[..., Answer]) -> Callable[..., Answer]:
        operation = _declared(function, path, method, rule, takes, description)

        @wraps(function)
        def answer(**arguments: str) -> Answer:
            try:
                request.environ[_OPERATION] = operation
                _admit(rule)
                if takes is None:
                    return function(**arguments)
                return function(takes.read(), **arguments)
            except ModuleError as error:
                return problem(error)
            except Exception as error:
                reference = unexpected.report(error, route=f"{method} {path}")
                return problem(ModuleError(f"It is in the log under {reference}"))

        action(path, method=[method])(answer)
        return answer

    return register


def plain_endpoint(
    path: str,
    method: str,
    *,
    may_wait: Callable[[Environ], bool],
    **description: Unpack[Description],
) -> Callable[[Callable[[Environ, bytes], Response]], Callable[[Environ, bytes], Response]]:
    """Register what answers an exact path and method without py4web, for anyone.

    It gets the WSGI environment and the body, and gives an answer or raises. `may_wait` says of
    a request whether it could block. py4web knows of the route and is never asked: the guard
    answers. Raises LookupError as `endpoint` does.
    """
    rule = _rule(path, method)
    if not rule.anyone:
        raise LookupError(f"{method} {path} is not for anyone, and nobody would look at the token")

    def register(
        function: Callable[[Environ, bytes], Response],
    ) -> Callable[[Environ, bytes], Response]:
        _declared(function, path, method, rule, None, description)
        action(path, method=[method])(_behind_the_guard)
        answer_here(method, path, Plain(function, may_wait))
        return function

    return register


def _behind_the_guard() -> Answer:
    raise RuntimeError("The guard has not answered this")


def _rule(path: str, method: str) -> Rule:
    rule = rule_for(method, path)
    if rule is None:
        raise LookupError(f"{method} {path} is not in controllers/policy.py")
    return rule


def _declared(
    function: Callable[..., Any],
    path: str,
    method: str,
    rule: Rule,
    takes: Takes[Any] | None,
    description: Description,
) -> Operation:
    operation = Operation(
        method=method,
        path=path,
        name=function.__name__,
        text=getdoc(function) or "",
        rule=rule,
        tag=description["tag"],
        takes=takes,
        answers=described(description["answers"]),
        own_failures=description.get("errors", ()),
        token=description.get("token", "none"),
        message=description.get("message"),
    )
    declare(operation)
    return operation


def _admit(rule: Rule) -> None:
    """Let the caller pass whom the rule allows. Raises Unauthenticated and Forbidden."""
    request.environ.pop(_CALLER, None)
    if rule.anyone:
        return
    caller = services().access.admin_auth.identify(bearer(), origin())
    if not rule.allows(caller):
        raise Forbidden(f"This takes {rule.wanted()}")
    request.environ[_CALLER] = caller


def bearer() -> str:
    """The token in the Authorization header, the only place for it. Raises Unauthenticated."""
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send a token: Authorization: Bearer ...")
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
    services().access.audit.record(actor(), did, subject, before=before, after=after)


def reply(value: BaseModel, status: int = 200) -> Answer:
    """A JSON answer, one of those that the route has declared."""
    operation: Operation = request.environ[_OPERATION]
    operation.check(status, value)
    response.status = status
    response.headers["Content-Type"] = "application/json; charset=utf-8"
    response.headers["Cache-Control"] = "no-store"
    return json.dumps(value.model_dump())


def no_content() -> Answer:
    """204: done, and there is nothing to say."""
    response.status = 204
    response.headers["Cache-Control"] = "no-store"
    return b""


def problem(error: ModuleError) -> Answer:
    """The error as a problem document, or as a page for a browser."""
    return give(problem_response(error, as_page=wants_page()))


def wants_page() -> bool:
    """Whether a browser asks, and not a program."""
    return is_browser(request.environ.get("HTTP_ACCEPT", ""))


def page(template: str, **context: Any) -> Answer:
    """A page of `templates/`; the status is what it was set to."""
    return give(page_response(template, response.status_code, **context))


def give(given: Response) -> Answer:
    """An answer that stands already."""
    response.status = given.status
    for name, value in given.headers.items():
        response.headers[name] = value
    return given.body


def _answer_unrouted(error: HTTPError) -> Answer:
    """The problem document for what py4web itself refuses; the guard leaves it little."""
    if error.status_code >= 500:
        failure = error.exception or error
        reference = unexpected.report(failure, route=request.environ.get("REQUEST_METHOD", ""))
        return problem(ModuleError(f"It is in the log under {reference}"))
    if error.status_code in (
        403,
        404,
    ):  # a file that may not be read is answered as if it did not exist
        return problem(NotFound("There is nothing at this address"))
    refusal = BadRequest()
    refusal.status = error.status_code
    return problem(refusal)


# In place of py4web's pages, which link to its dashboard, and of ombott's, which show tracebacks.
default_app().error_handlers.clear()
default_app().default_error_handler = _answer_unrouted
