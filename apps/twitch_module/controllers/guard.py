"""What stands in front of py4web: no request gets past that it, or ombott, cannot handle.

Path, framing, route, method and size are judged here; every answer gets its headers here. It is
put before the application itself, so that it is there whichever server runs that.
"""

import secrets
import threading
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from http import HTTPStatus
from io import BytesIO
from typing import Any

import structlog
from ombott import default_app
from py4web.core import Reloader

from ..common import services
from ..domain.access import Origin, Rule
from ..domain.addresses import client_address, is_trusted
from ..errors import (
    BadRequest,
    Busy,
    Forbidden,
    MethodNotAllowed,
    ModuleError,
    NotFound,
    TooLarge,
)
from ..late_answer import ANSWER_AFTER, Answer, Headers
from ..logs import unexpected
from .answers import Response, problem_response, wants_page
from .policy import rule_for
from .reading import read_body

# In the WSGI environment: what X-Forwarded-For said, and whether some proxy passed it on.
FORWARDED_FOR, FORWARDED = "waddlebot.forwarded_for", "waddlebot.forwarded"
_ORIGIN = "waddlebot.origin"

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]
Plain = Callable[[Environ], Response]

log = structlog.get_logger("guard")

AT_ONCE = 24  # requests that py4web handles: each may have a connection to the database
TURN_SECONDS = 5.0

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


class _Nowhere:
    """What ombott writes tracebacks to, with the messages of whatever failed."""

    def write(self, text: str) -> None:
        """Forget it."""

    def flush(self) -> None:
        """Do nothing."""


_NOWHERE = _Nowhere()


class Guard:
    """A WSGI application before another. Thread-safe."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._turns = threading.Semaphore(AT_ONCE)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        try:
            _judge_peer(environ)
            rule, plain = _judge(environ)
            if plain is not None:
                return self._give(plain(environ), environ, start_response)
            start = self._start(start_response, ours=rule is not None)
            if rule is None:
                return self._application(environ, start)
            _read_first(environ, rule)
            if not self._turns.acquire(timeout=TURN_SECONDS):
                raise Busy("Others are being served; try again soon")
            try:
                return self._application(environ, start)
            finally:
                self._turns.release()
        except Exception as error:
            return self._give(_refusal(error, environ), environ, start_response)

    def _start(self, start_response: Any, *, ours: bool) -> Any:
        """`start_response` with the headers that every answer gets."""

        def start(status: str, headers: Headers, *error: Any) -> Any:
            if ours:
                _add_missing(headers, _OUR_HEADERS)
            return start_response(status, headers + self._fixed_headers, *error)

        return start

    def _give(self, response: Response, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer: at once, or when what it depends on is durable. Blocks where it must."""
        if response.once is not None:
            answer_after = environ.get(ANSWER_AFTER)
            if answer_after is None:
                try:
                    response.once.wait()
                except Exception as error:
                    response = _refusal(error, environ)
            else:
                answer_after(response.once, partial(self._late_refusal, environ))
        status, headers, body = self._complete(response)
        start_response(_STATUS_LINES[status], headers)
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    def _late_refusal(self, environ: Environ, error: BaseException) -> Answer:
        return self._complete(_refusal(error, environ))

    def _complete(self, response: Response) -> Answer:
        """Status, headers and body of an answer of ours."""
        if response.status == HTTPStatus.NO_CONTENT and not response.headers:
            return 204, self._bare_headers.copy(), b""
        headers = list(response.headers.items())
        _add_missing(headers, _OUR_HEADERS)
        headers += self._fixed_headers
        body = response.body.encode()
        if response.status != HTTPStatus.NO_CONTENT:
            headers.append(("Content-Length", str(len(body))))
        return response.status, headers, body

    @cached_property
    def _fixed_headers(self) -> Headers:
        https = services().settings.twitch_redirect_uri.startswith("https:")
        return [*_HEADERS.items(), *(_HSTS.items() if https else ())]

    @cached_property
    def _bare_headers(self) -> Headers:
        """Those of an answer without a body and headers of its own."""
        return [*_OUR_HEADERS.items(), *self._fixed_headers]


_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def _refusal(error: BaseException, environ: Environ) -> Response:
    """The problem document, or page, for what went wrong; also what nobody foresaw."""
    if not isinstance(error, ModuleError):
        reference = unexpected.report(error, route=environ.get("REQUEST_METHOD", ""))
        error = ModuleError(f"It is in the log under {reference}")
    response = problem_response(error, as_page=wants_page(environ.get("HTTP_ACCEPT", "")))
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = error.allowed
    return response


def _add_missing(headers: Headers, wanted: dict[str, str]) -> None:
    given = [name.lower() for name, _ in headers]
    headers += [(name, text) for name, text in wanted.items() if name.lower() not in given]


def _judge_peer(environ: Environ) -> None:
    """Drop what only a proxy of ours may say, and keep what it says of its client."""
    trusted = services().settings.trusted_proxies
    environ[FORWARDED_FOR] = environ.get("HTTP_X_FORWARDED_FOR", "")
    environ[FORWARDED] = any(map(environ.__contains__, _BY_PROXIES))
    ours = bool(trusted) and is_trusted(environ.get("REMOTE_ADDR", ""), trusted)
    for name in _OF_NOBODY if ours else (*_OF_NOBODY, *_OF_PROXIES):
        environ.pop(name, None)
    environ["wsgi.errors"] = _NOWHERE


def _read_first(environ: Environ, rule: Rule) -> None:
    """Have the body here before anything is done: whoever sends it slowly holds up nobody."""
    if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
        body = read_body(environ, rule.max_body_bytes)
        environ.pop("HTTP_TRANSFER_ENCODING", None)  # the server has taken the chunks apart
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = BytesIO(body)


def origin_of(environ: Environ) -> Origin:
    """Where a request comes from, by a proxy's word where the proxy is ours."""
    trusted = services().settings.trusted_proxies
    peer = environ.get("REMOTE_ADDR", "")
    found: Origin | None = environ.get(_ORIGIN)
    if found is None:
        address = client_address(peer, environ[FORWARDED_FOR], trusted)
        found = environ[_ORIGIN] = Origin(address, secrets.token_hex(8))
    return found


def _judge(environ: Environ) -> tuple[Rule | None, Plain | None]:
    """The rule of the route, or None for another app's, and what answers it, if not py4web.

    Raises what the answer is to be.
    """
    try:
        path = environ.get("PATH_INFO", "")
        if not path.isascii():
            path = path.encode("latin-1").decode("utf-8")
    except UnicodeError as error:
        raise BadRequest("The path is not UTF-8") from error
    if "\0" in path or "%00" in environ.get("QUERY_STRING", ""):
        raise BadRequest("There is a NUL in the address")
    length = _content_length(environ)
    method = environ.get("REQUEST_METHOD", "")
    route, rule = _plain_routes.get((method, path)) or _route(method, path)
    if rule is None and not _is_anothers(route):
        log.error("route without a policy", route=route)
        raise Forbidden("Nobody may call this", code="no_policy")
    limit = rule.max_body_bytes if rule else _OTHERS_MAX_BODY_BYTES
    if length > limit:
        raise TooLarge(f"At most {limit} bytes are taken")
    return rule, _answered_here.get((method, route))


# Routes that are not left to py4web, by method and route.
_answered_here: dict[tuple[str, str], Plain] = {}


def answer_here(method: str, route: str, function: Plain) -> None:
    """Have a route answered without py4web, whose request and response objects take longer than
    to verify, read and hand over a message. All that is judged here holds for it, too."""
    _answered_here[method, route] = function


# Routes without parameters, by method and path, as soon as they have been asked for once.
_plain_routes: dict[tuple[str, str], tuple[str, Rule | None]] = {}


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
    answer = found.rule, rule_for(method, found.rule)
    if found.rule == path:
        _plain_routes[method, path] = answer
    return answer


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
