"""A client of WaddleBot's Twitch module for other Python services, in one file.

Copy the file or import it: it needs Python 3.11 and requests, and nothing else of the module.
It holds a service token, exchanges it for the short-lived access tokens that calls carry, and
hands out Twitch tokens, so that the module stays the only place that ever refreshes them.
"""

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter

EXCHANGE_EARLY_SECONDS = 300  # a new access token is fetched this long before the old one ends
REUSE_ENDS_EARLY_SECONDS = 60  # a Twitch token is handed out again until this long before its end
MAX_TWITCH_TOKENS = 1000  # that are kept for handing out again

T = TypeVar("T")

_EXCHANGE_PATH = "/api/auth/service-token/refresh"
_REFUSED_HEADER = "Twitch-Token-Refused"
_TOKEN = re.compile(r"[!-~]+")  # visible ASCII: what a header can carry
_CODE = re.compile(r"[a-z0-9_]{1,64}")


class ClientError(Exception):
    """The module did not do what it was asked for. No message holds a token.

    `status` is the HTTP status, None when there was no answer. `code` is the stable word of the
    module's problem document, or `http_<status>` when an error came without one.
    """

    def __init__(
        self, message: str = "", *, status: int | None = None, code: str = "client_error"
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later without anybody changing anything."""
        return self.status is not None and (self.status == 429 or self.status >= 500)


class NeedsLogin(ClientError):
    """The user has to log in with Twitch again, at `login_url` where the module names it."""

    login_url: str | None = None


class TokenRefused(Exception):
    """For functions that `call_twitch` calls: Twitch has answered 401 to the token."""


class NotAllowed(ClientError):
    """The service token is not taken (any more), or lacks the scope for this call."""


class Unreachable(ClientError):
    """No answer that is the module's: `timeout`, `unreachable` or `broken_answer`."""

    @property
    def retryable(self) -> bool:
        """True: the module may be back in a moment."""
        return True


@dataclass(frozen=True, slots=True, repr=False)
class TwitchToken:
    """A user's access token for Twitch. `expires_at` is in UTC."""

    access_token: str
    token_type: str
    expires_at: datetime
    scopes: tuple[str, ...]
    user_id: str
    login: str

    def sha256(self) -> str:
        """By what the module knows a token that it is told of."""
        return hashlib.sha256(self.access_token.encode()).hexdigest()

    def __repr__(self) -> str:
        return (
            f"TwitchToken(access_token='***', token_type={self.token_type!r},"
            f" expires_at={self.expires_at.isoformat()}, scopes={self.scopes!r},"
            f" user_id={self.user_id!r}, login={self.login!r})"
        )


@dataclass(frozen=True, slots=True, repr=False)
class _Access:
    """An access token of the module; times are monotonic seconds."""

    text: str
    due: float  # from here on a new one is fetched
    ends: float


@dataclass(frozen=True, slots=True, repr=False)
class _HandedOut:
    """A Twitch token that is handed out again; times are monotonic seconds."""

    token: TwitchToken
    asked: float
    reuse_ends: float


class TwitchModuleClient:
    """Calls the Twitch module as a service. Thread-safe; blocks while it calls.

    Redirects are not followed, TLS is verified, and proxies, .netrc and certificates named in
    the environment are not used.
    """

    def __init__(self, base_url: str, service_token: str, *, timeout_seconds: float = 10) -> None:
        """`timeout_seconds` limits connecting, and each wait for something to arrive.

        Raises ValueError when an argument cannot be right. White space around the service
        token, as the end of a line in a file, does not count.
        """
        address = urlsplit(base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError("base_url must start with http:// or https:// and name a host")
        if "@" in address.netloc or address.query or address.fragment:
            raise ValueError("base_url must hold no user, no query and no fragment")
        if not _TOKEN.fullmatch(service_token.strip()):
            raise ValueError("service_token must be visible ASCII characters without spaces")
        if not timeout_seconds > 0:
            raise ValueError("timeout_seconds must be more than 0")
        self._base_url = base_url.rstrip("/")
        self._service_token = service_token.strip()
        self._timeout_seconds = timeout_seconds
        self._session = _session()
        self._lock = threading.Lock()  # for what follows; never held during a call
        self._access: _Access | None = None
        self._exchange: Future[_Access] | None = None  # the one that is on its way
        self._handed_out: dict[str, _HandedOut] = {}  # by user id, oldest first

    def __repr__(self) -> str:
        return f"TwitchModuleClient({self._base_url!r})"

    def close(self) -> None:
        """Close the connections that are kept. A later call opens new ones."""
        self._session.close()

    def twitch_token(
        self, user_id: str, *, fresh: bool = False, refused: TwitchToken | None = None
    ) -> TwitchToken:
        """A user's token for Twitch, the same again until 60 seconds before its end.

        For a caller whom Twitch has told 401: `refused` is the token that Twitch did not take,
        `fresh` means the last one that was handed out. The module then asks Twitch, and renews
        it where it is dead; when the same token comes again, Twitch does take it, and its 401
        meant something else, such as a missing scope. Raises NeedsLogin, NotAllowed,
        Unreachable, ClientError with status 404 for a user whom the module does not know, and
        ValueError for what cannot be a user id.
        """
        if user_id in ("", ".", ".."):
            raise ValueError("this is no user id")  # dots would lead to another path
        asked = time.monotonic()
        with self._lock:
            kept = self._handed_out.get(user_id)
            if kept and fresh and refused is None:
                refused = kept.token
            is_other = not refused or (kept and kept.token.access_token != refused.access_token)
            if kept and is_other and not fresh and asked < kept.reuse_ends:
                return kept.token
            if kept and (fresh or not is_other):
                # Nobody gets it again, whatever comes of asking for another.
                self._handed_out[user_id] = replace(kept, asked=asked, reuse_ends=asked)
        return self._lent(user_id, asked, refused)

    def call_twitch(self, user_id: str, call: Callable[[TwitchToken], T]) -> T:
        """What `call` gives, which calls Twitch with the token that it is given.

        When that is an answer with the `status_code` 401, as those of requests and httpx have,
        or `call` raises TokenRefused, the token is replaced, and `call` is done once more; not
        when the module says that Twitch still takes the token. Raises as `twitch_token` does,
        and what `call` raises.
        """
        token, refusal = self.twitch_token(user_id), None
        try:
            answer = call(token)
            if getattr(answer, "status_code", None) != 401:
                return answer
        except TokenRefused as error:
            refusal = error
        other = self.twitch_token(user_id, refused=token)
        if other.access_token != token.access_token:
            return call(other)
        if refusal is not None:
            raise refusal
        return answer

    def get(self, path: str, /, **params: str | int | bool | None) -> Any:
        """The JSON answer of one of the module's lists: `get("/twitch/events", limit=50)`.

        Parameters that are None are left out. Raises NotAllowed, Unreachable and ClientError.
        """
        if not path.startswith("/"):
            raise ValueError("path must start with /")  # else it could change the host
        return self._call(path, {name: _parameter(value) for name, value in params.items()})

    def _lent(self, user_id: str, asked: float, refused: TwitchToken | None) -> TwitchToken:
        """A token that the module lends, which is kept for handing out again."""
        path = f"/twitch/auth/token/{quote(user_id, safe='')}"
        headers = {_REFUSED_HEADER: f"sha256={refused.sha256()}"} if refused else None
        body = self._call(path, {}, headers)
        token = _read_twitch_token(body, user_id)
        if token is None:
            raise _broken(f"GET {path}", 200)
        reuse_ends = asked + body["expires_in"] - REUSE_ENDS_EARLY_SECONDS
        with self._lock:
            kept = self._handed_out.pop(user_id, None)
            # A slow answer must not take the place of one that was asked for later.
            if kept is None or kept.asked <= asked:
                kept = _HandedOut(token, asked, reuse_ends)
            self._handed_out[user_id] = kept
            while len(self._handed_out) > MAX_TWITCH_TOKENS:
                del self._handed_out[next(iter(self._handed_out))]
        return token

    def _call(
        self, path: str, params: dict[str, Any], headers: dict[str, str] | None = None
    ) -> Any:
        access = self._access_token()
        status, body = self._send("GET", path, access, params, headers)
        if status == 401:
            access = self._access_token(refused=access)
            status, body = self._send("GET", path, access, params, headers)
        if not 200 <= status < 300 or body is None:
            raise self._error(f"GET {path}", status, body, access)
        return body

    def _access_token(self, refused: str | None = None) -> str:
        """An access token that is not the refused one.

        Fetched by one thread; the others that come meanwhile wait for it, and share its failure.
        """
        with self._lock:
            held = self._access
            if held and held.text != refused and time.monotonic() < held.due:
                return held.text
            exchange, leads = self._exchange, self._exchange is None
            if exchange is None:
                exchange = self._exchange = Future()
        if leads:
            self._run(exchange)
        try:
            return exchange.result().text
        except ClientError as error:
            # The five minutes are there for this: the old one serves while it can.
            serves = held and held.text != refused and time.monotonic() < held.ends
            if held and serves and error.retryable:
                return held.text
            raise

    def _run(self, exchange: "Future[_Access]") -> None:
        """Exchange the service token; whatever happens, those who wait learn of it."""
        try:
            access = self._exchanged()
        except BaseException as error:  # also a KeyboardInterrupt must not leave them waiting
            with self._lock:
                self._exchange = None
            if isinstance(error, ClientError):
                exchange.set_exception(error)
                return
            exchange.set_exception(Unreachable("the exchange was interrupted", code="unreachable"))
            raise
        with self._lock:
            self._access, self._exchange = access, None
        exchange.set_result(access)

    def _exchanged(self) -> _Access:
        asked = time.monotonic()
        status, body = self._send("POST", _EXCHANGE_PATH, self._service_token)
        what = f"POST {_EXCHANGE_PATH}"
        if not 200 <= status < 300:
            raise self._error(what, status, body, self._service_token)
        if (
            not isinstance(body, dict)
            or not _is_token(body.get("access_token"))
            or not _is_seconds(body.get("expires_in"))
            or str(body.get("token_type")).lower() != "bearer"
        ):
            raise _broken(what, status)
        ends = asked + body["expires_in"]
        return _Access(body["access_token"], ends - EXCHANGE_EARLY_SECONDS, ends)

    def _send(
        self,
        method: str,
        path: str,
        bearer: str,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """The status, and the body's JSON or None. Raises Unreachable."""
        try:
            response = self._session.request(
                method,
                self._base_url + path,
                params=params,
                headers={**(headers or {}), "Authorization": f"Bearer {bearer}"},
                timeout=self._timeout_seconds,
                allow_redirects=False,
            )
        # ValueError: what requests says of a Location that it cannot read.
        except (requests.RequestException, OSError, ValueError) as error:
            failure = _unreachable(f"{method} {path}", error)
        else:
            return response.status_code, _json(response.content)
        # Out here, so that it has no cause: what requests says can quote the answer, tokens too.
        raise failure

    def _error(self, what: str, status: int, body: Any, bearer: str) -> ClientError:
        """The error that an answer is, in the words of its problem document."""
        if status < 400:
            return _broken(what, status)
        problem = body if isinstance(body, dict) else {}
        code, detail, title, login_url = (
            _shown(problem.get(name), self._service_token, bearer)
            for name in ("code", "detail", "title", "login_url")
        )
        if not _CODE.fullmatch(code):
            code = f"http_{status}"
        message = f"{what}: {detail or title or 'no reason given'} ({status} {code})"
        if status in (401, 403):
            return NotAllowed(message, status=status, code=code)
        if status == 409 and code == "needs_login":
            error = NeedsLogin(message, status=status, code=code)
            error.login_url = login_url or None
            return error
        return ClientError(message, status=status, code=code)


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a .netrc would put its own Authorization in place of ours
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["Accept"] = "application/json"
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=32))
    return session


def _read_twitch_token(body: Any, user_id: str) -> TwitchToken | None:
    """The token in an answer; None when anything is amiss, as a token of another user."""
    if not isinstance(body, dict) or body.get("user_id") != user_id:
        return None
    scopes = body.get("scopes")
    texts = [body.get(name) for name in ("token_type", "expires_at", "login")]
    if not isinstance(scopes, list) or not all(isinstance(text, str) for text in texts + scopes):
        return None
    if not _is_token(body.get("access_token")) or not _is_seconds(body.get("expires_in")):
        return None
    try:
        expires_at = datetime.fromisoformat(body["expires_at"])
        if expires_at.tzinfo is None:
            return None
        expires_at = expires_at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return TwitchToken(
        body["access_token"], body["token_type"], expires_at, tuple(scopes), user_id, body["login"]
    )


def _json(body: bytes) -> Any:
    """What a body says, or None when it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _parameter(value: str | int | bool | None) -> str | int | None:
    return str(value).lower() if isinstance(value, bool) else value


def _is_token(value: object) -> bool:
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def _is_seconds(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**31


def _shown(value: object, *secrets: str) -> str:
    """Text of an answer as one short line without these secrets; empty when it is no text."""
    if not isinstance(value, str):
        return ""
    for secret in secrets:
        value = value.replace(secret, "***")
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:300]


def _unreachable(what: str, error: Exception) -> Unreachable:
    """Why there was no answer, by the name of the reason alone: its text could hold anything."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    name = type(reason if isinstance(reason, Exception) else error).__name__
    timed_out = isinstance(error, requests.Timeout) or name.endswith("TimeoutError")
    code = "timeout" if timed_out else "unreachable"
    return Unreachable(f"{what}: no complete answer ({code}, {name})", code=code)


def _broken(what: str, status: int) -> Unreachable:
    message = f"{what}: the answer is not what the module says ({status})"
    return Unreachable(message, status=status, code="broken_answer")
