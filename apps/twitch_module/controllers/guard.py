"""What stands in front of py4web: no request gets past that it, or ombott, cannot handle.

Path, framing, route, method and size are judged here; every answer gets its headers here. It is
put before the application itself, so that it is there whichever server runs that.
"""

import secrets
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from io import StringIO
from typing import Any

import structlog
from ombott import default_app
from py4web.core import Reloader

from ..common import services
from ..domain.access import Origin, Rule
from ..domain.addresses import client_address, is_trusted
from ..errors import (
    BadRequest,
    Forbidden,
    MethodNotAllowed,
    ModuleError,
    NotFound,
    TooLarge,
)
from ..logs import unexpected
from .answers import Response, problem_response, wants_page
from .policy import rule_for

# In the WSGI environment: the Origin of the request, and whether some proxy passed it on.
ORIGIN, FORWARDED = "waddlebot.origin", "waddlebot.forwarded"

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Application = Callable[[Environ, Any], Iterable[bytes]]

log = structlog.get_logger("guard")

_APP = "twitch_module"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Where an answer has not said its own. For our routes alone: the sandbox has pages of its own.
_OUR_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
}
_HSTS = {"Strict-Transport-Security": "max-age=31536000"}
_OTHERS_MAX_BODY_BYTES = 1024 * 1024
# What a proxy says of its client. ombott and py4web believe anybody.
_OF_PROXIES = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")
_BY_PROXIES = (*_OF_PROXIES, "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
_OF_NOBODY = ("HTTP_X_SCRIPT_NAME", "HTTP_X_PY4WEB_APPNAME")


def install() -> None:
    """Stand before the application that py4web's servers, and ours, call."""
    application = default_app()
    # The class's own, so that a reload of the app does not put a second guard before the first.
    application.wsgi = Guard(partial(type(application).wsgi, application))


class Guard:
    """A WSGI application before another. Thread-safe."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        settings = services().settings
        https = settings.twitch_redirect_uri.startswith("https:")
        defaults: dict[str, str] = dict(_OUR_HEADERS)

        def start(status: str, headers: Headers, *error: Any) -> Any:
            given = {name.lower() for name, _ in headers}
            missing = [(name, text) for name, text in defaults.items() if name.lower() not in given]
            fixed = {**_HEADERS, **(_HSTS if https else {})}
            return start_response(status, [*headers, *missing, *fixed.items()], *error)

        try:
            _judge_origin(environ)
            if _judge(environ) is None:
                defaults.clear()
            return self._application(environ, start)
        except ModuleError as error:
            refusal = error
        except Exception as error:  # the last one who can answer
            reference = unexpected.report(error, route=environ.get("REQUEST_METHOD", ""))
            refusal = ModuleError(f"It is in the log under {reference}")
        as_page = wants_page(environ.get("HTTP_ACCEPT", ""))
        response = problem_response(refusal, as_page=as_page)
        if isinstance(refusal, MethodNotAllowed):
            response.headers["Allow"] = refusal.allowed
        return _send(response, environ, start)


def _judge_origin(environ: Environ) -> None:
    """Note where the request comes from, and drop what only a proxy of ours may say."""
    trusted = services().settings.trusted_proxies
    peer = environ.get("REMOTE_ADDR", "")
    address = client_address(peer, environ.get("HTTP_X_FORWARDED_FOR", ""), trusted)
    environ[FORWARDED] = any(name in environ for name in _BY_PROXIES)
    environ[ORIGIN] = Origin(address, secrets.token_hex(8))
    for name in _OF_NOBODY if is_trusted(peer, trusted) else (*_OF_NOBODY, *_OF_PROXIES):
        environ.pop(name, None)
    # ombott writes tracebacks there, with the messages of whatever failed.
    environ["wsgi.errors"] = StringIO()


def _judge(environ: Environ) -> Rule | None:
    """The rule of the route, or None for another app's. Raises what the answer is to be."""
    try:
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8")
    except UnicodeError as error:
        raise BadRequest("The path is not UTF-8") from error
    if "\0" in path or "%00" in environ.get("QUERY_STRING", ""):
        raise BadRequest("There is a NUL in the address")
    length = _content_length(environ)
    route, rule = _route(environ.get("REQUEST_METHOD", ""), path)
    if rule is None and not _is_anothers(route):
        log.error("route without a policy", route=route)
        raise Forbidden("Nobody may call this", code="no_policy")
    limit = rule.max_body_bytes if rule else _OTHERS_MAX_BODY_BYTES
    if length > limit:
        raise TooLarge(f"At most {limit} bytes are taken")
    return rule


def _route(method: str, path: str) -> tuple[str, Rule | None]:
    """The route as it is declared, and its rule. Raises NotFound and MethodNotAllowed."""
    router = default_app().router
    found = router.resolve(path)
    if found is None:
        raise NotFound("There is nothing at this address")
    methods = set(found.methods)
    if not {method, "GET" if method == "HEAD" else method, "ANY"} & methods:
        allowed = methods | {"HEAD"} if "GET" in methods else methods
        raise MethodNotAllowed(", ".join(sorted(allowed)))
    return found.rule, rule_for(method, found.rule)


def _is_anothers(route: str) -> bool:
    """Whether another app has declared the route: the sandbox, in the demo."""
    return any(
        app != _APP and any(route == declared["rule"] for declared in routes)
        for app, routes in Reloader.ROUTES.items()
    )


def _content_length(environ: Environ) -> int:
    declared = environ.get("CONTENT_LENGTH") or "0"
    if not (declared.isascii() and declared.isdigit()):
        raise BadRequest("Content-Length is not a number")
    return int(declared[:20])


def _send(response: Response, environ: Environ, start: Any) -> list[bytes]:
    body = response.body.encode()
    status = f"{response.status} {HTTPStatus(response.status).phrase}"
    start(status, [*response.headers.items(), ("Content-Length", str(len(body)))])
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]
