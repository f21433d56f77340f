"""Which route a request is for, who may call it, and what answers it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import structlog
from ombott import default_app
from py4web.core import Reloader

from ..domain.access.callers import Rule
from ..errors import Forbidden, MethodNotAllowed, NotFound
from .answers import Response
from .policy import rule_for

Environ = dict[str, Any]

log = structlog.get_logger("guard")

_APP = "twitch_module"
_OTHERS_MAX_BODY_BYTES = 1024 * 1024


class Plain(NamedTuple):
    """What answers a route without py4web, given the body, too.

    `may_wait` says of a request whether that could block.
    """

    answer: Callable[[Environ, bytes], Response]
    may_wait: Callable[[Environ], bool]


class Judged(NamedTuple):
    """A request that may pass: the rule of its route, or None for another app's."""

    rule: Rule | None
    plain: Plain | None

    @property
    def max_body_bytes(self) -> int:
        """How much body is taken."""
        return self.rule.max_body_bytes if self.rule else _OTHERS_MAX_BODY_BYTES


# Routes that are not left to py4web, by method and route.
_answered_here: dict[tuple[str, str], Plain] = {}


def answer_here(method: str, route: str, plain: Plain) -> None:
    """Have a route answered without py4web, whose request and response objects take longer than
    to verify, read and hand over a message. All that is judged here holds for it, too."""
    _answered_here[method, route] = plain


# Routes without parameters, by method and path, as soon as they have been asked for once.
_plain_routes: dict[tuple[str, str], Judged] = {}


def judged_route(method: str, path: str) -> Judged:
    """What is at this address. Raises NotFound, MethodNotAllowed, and Forbidden without a rule."""
    return _plain_routes.get((method, path)) or _judge_route(method, path)


def _judge_route(method: str, path: str) -> Judged:
    route = _route(method, path)
    rule = rule_for(method, route)
    if rule is None and not _is_anothers(route):
        log.error("route without a policy", route=route)
        raise Forbidden("Nobody may call this", code="no_policy")
    judged = Judged(rule, _answered_here.get((method, route)))
    if route == path:
        _plain_routes[method, path] = judged
    return judged


def _route(method: str, path: str) -> str:
    """The route as it is declared. Raises NotFound and MethodNotAllowed."""
    found = default_app().router.resolve(path)
    if found is None or "\r" in path:  # the router uses \r as a marker
        raise NotFound("There is nothing at this address")
    methods = set(found.methods)
    if not {method, "GET" if method == "HEAD" else method, "ANY"} & methods:
        allowed = methods | {"HEAD"} if "GET" in methods else methods
        raise MethodNotAllowed(", ".join(sorted(allowed)))
    return str(found.rule)


def _is_anothers(route: str) -> bool:
    """Whether another app has declared the route: the sandbox, in the demo."""
    return any(
        app != _APP and any(route == declared["rule"] for declared in routes)
        for app, routes in Reloader.ROUTES.items()
    )
