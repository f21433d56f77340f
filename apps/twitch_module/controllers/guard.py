"""What stands in front of py4web: no request gets past that it, or ombott, cannot handle.

Path, framing, route, method and size are judged here; every answer gets its headers here. It is
put before the application itself, so that it is there whichever server runs that.
"""

import secrets
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from http import HTTPStatus
from io import BytesIO
from typing import Any

import structlog
from ombott import default_app

from ..common import services
from ..domain.access.callers import Origin
from ..domain.addresses import client_address, is_trusted
from ..errors import (
    BadRequest,
    HeadersTooLarge,
    MethodNotAllowed,
    ModuleError,
    TooLarge,
)
from ..logs import unexpected
from .answers import Response, problem_response, wants_page
from .reading import read_body
from .routes import Environ, Judged, judged_route

# In the WSGI environment: what X-Forwarded-For said, and whether some proxy passed it on.
FORWARDED_FOR, FORWARDED = "waddlebot.forwarded_for", "waddlebot.forwarded"
_ORIGIN = "waddlebot.origin"

# Of all headers with their names, and of the cookies alone. Python's own parser of cookies takes
# time that grows with the square of their length; what comes later need not know of that.
MAX_HEADER_CHARACTERS = 16 * 1024
MAX_COOKIE_CHARACTERS = 4 * 1024

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]  # status, headers, body
Application = Callable[[Environ, Any], Iterable[bytes]]

log = structlog.get_logger("guard")

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
# What a proxy says of its client. ombott and py4web believe anybody.
_OF_PROXIES = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")
_BY_PROXIES = (*_OF_PROXIES, "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
_OF_NOBODY = ("HTTP_X_SCRIPT_NAME", "HTTP_X_PY4WEB_APPNAME")
_CLAIMS = (*_OF_PROXIES, *_OF_NOBODY)


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

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        try:
            check_headers({name: environ[name] for name in environ if name.startswith("HTTP_")})
            judged = judge(environ)
            if judged.rule is None:
                return self.pass_on(judged, environ, start_response)
            body = read_body(environ, judged.max_body_bytes) if has_body(environ) else b""
            if judged.plain is None:
                put_body(environ, body)
                return self.pass_on(judged, environ, start_response)
            response = judged.plain.answer(environ, body)
            if response.once is not None:
                response.once.wait()
            return self._give(response, environ, start_response)
        except Exception as error:
            return self._give(refusal(error, environ), environ, start_response)

    def pass_on(self, judged: Judged, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Have py4web answer, with the headers that every answer gets."""

        def start(status: str, headers: Headers, *error: Any) -> Any:
            if judged.rule is not None:
                _add_missing(headers, _OUR_HEADERS)
            return start_response(status, headers + self._fixed_headers, *error)

        return self._application(environ, start)

    def _give(self, response: Response, environ: Environ, start_response: Any) -> Iterable[bytes]:
        status, headers, body = self.complete(response)
        start_response(_STATUS_LINES[status], list(headers))  # servers add to it
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    def complete(self, response: Response) -> Answer:
        """Status, headers and body of an answer that is not py4web's."""
        if response.status == HTTPStatus.NO_CONTENT and not response.headers:
            return 204, self._bare_headers, b""
        headers = list(response.headers.items())
        _add_missing(headers, _OUR_HEADERS)
        headers += self._fixed_headers
        body = response.body.encode()
        if response.status != HTTPStatus.NO_CONTENT:
            headers.append(("Content-Length", str(len(body))))
        return response.status, headers, body

    @cached_property
    def _fixed_headers(self) -> Headers:
        https = services().base.settings.twitch_redirect_uri.startswith("https:")
        return [*_HEADERS.items(), *(_HSTS.items() if https else ())]

    @cached_property
    def _bare_headers(self) -> Headers:
        """Those of an answer without a body and headers of its own."""
        return [*_OUR_HEADERS.items(), *self._fixed_headers]


_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def refusal(error: BaseException, environ: Environ) -> Response:
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
    """Drop what only a trusted proxy may say, and keep what it says of its client."""
    environ["wsgi.errors"] = _NOWHERE
    environ[FORWARDED_FOR] = environ.get("HTTP_X_FORWARDED_FOR", "")
    environ[FORWARDED] = not environ.keys().isdisjoint(_BY_PROXIES)
    if environ.keys().isdisjoint(_CLAIMS):
        return
    trusted = services().base.settings.trusted_proxies
    ours = bool(trusted) and is_trusted(environ.get("REMOTE_ADDR", ""), trusted)
    for name in _OF_NOBODY if ours else _CLAIMS:
        environ.pop(name, None)


def has_body(environ: Environ) -> bool:
    """Whether the request says that a body comes with it."""
    return bool(environ.get("CONTENT_LENGTH")) or "HTTP_TRANSFER_ENCODING" in environ


def put_body(environ: Environ, body: bytes) -> None:
    """Let the application find a body that has been read: nobody waits for it any more."""
    environ.pop("HTTP_TRANSFER_ENCODING", None)  # the server has taken the chunks apart
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = BytesIO(body)


def origin_of(environ: Environ) -> Origin:
    """Where a request comes from, by a proxy's word where the proxy is ours."""
    trusted = services().base.settings.trusted_proxies
    peer = environ.get("REMOTE_ADDR", "")
    found: Origin | None = environ.get(_ORIGIN)
    if found is None:
        address = client_address(peer, environ[FORWARDED_FOR], trusted)
        found = environ[_ORIGIN] = Origin(address, secrets.token_hex(8))
    return found


def check_headers(headers: Environ) -> None:
    """Raises HeadersTooLarge. To be asked before anything reads what is in them."""
    # The quickest way to add up lengths in Python.
    if len("".join([*headers, *headers.values()])) > MAX_HEADER_CHARACTERS:
        raise HeadersTooLarge(f"At most {MAX_HEADER_CHARACTERS} characters are taken")
    if len(headers.get("HTTP_COOKIE", "")) > MAX_COOKIE_CHARACTERS:
        raise HeadersTooLarge(f"At most {MAX_COOKIE_CHARACTERS} characters of cookies are taken")


def judge(environ: Environ) -> Judged:
    """Let a request pass, or not: then raises what the answer is to be.

    To be asked once for each request: it keeps, and takes out, what proxies say.
    """
    _judge_peer(environ)
    try:
        path = environ.get("PATH_INFO", "")
        if not path.isascii():
            path = path.encode("latin-1").decode("utf-8")
    except UnicodeError as error:
        raise BadRequest("The path is not UTF-8") from error
    if "\ufffd" in path:  # what granian makes of bytes that are no UTF-8
        raise BadRequest("The path is not UTF-8")
    if "\0" in path or "%00" in environ.get("QUERY_STRING", ""):
        raise BadRequest("There is a NUL in the address")
    length = _content_length(environ)
    method = environ.get("REQUEST_METHOD", "")
    judged = judged_route(method, path)
    if length > judged.max_body_bytes:
        raise TooLarge(f"At most {judged.max_body_bytes} bytes are taken")
    return judged


def _content_length(environ: Environ) -> int:
    declared = environ.get("CONTENT_LENGTH") or "0"
    if not (declared.isascii() and declared.isdigit()):
        raise BadRequest("Content-Length is not a number")
    return int(declared[:20])
