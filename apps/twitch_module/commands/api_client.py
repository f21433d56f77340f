"""The API of a running service: logging in and out, calling it, what its refusals mean."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import quote

import click

from ..clients.http import HTTPClient
from ..domain.secret import Secret
from ..errors import CallFailed, ModuleError
from .group import Refused, Unreached
from .terminal import note
from .times import end_is_near

TOTAL_SECONDS = 60.0  # for one call: setting a channel up makes many calls to Twitch
MAX_ANSWER_BYTES = 64 * 1024 * 1024  # a list of 10,000 subscriptions has 5 MB
_LOGIN, _EXCHANGE = "/api/auth/login", "/api/auth/service-token/refresh"
VISIBLE = re.compile(r"[!-~]+")  # what a header can carry of a token


class Reply(NamedTuple):
    """A successful answer. `document` is None where there is no body."""

    status: int
    document: Any


@dataclass(frozen=True)
class Identity:
    """Who we are at the service, as far as that was said: a service token, or a person."""

    token: Secret | None = None
    username: str | None = None
    password: Secret | None = None
    is_of_this_installation: bool = False  # from its settings, and not typed for this call

    @property
    def is_complete(self) -> bool:
        """Whether nothing has to be asked."""
        return self.token is not None or None not in (self.username, self.password)


class Api:
    """The API of a running service. Logs in at the first call, and out at the end."""

    def __init__(
        self, url: str, identity: Identity, ask: Callable[[str, Identity], tuple[str, Secret]]
    ) -> None:
        """`ask` has whoever sits there complete the identity."""
        self.url = url
        self._identity = identity
        self._ask = ask
        self._http = HTTPClient(2, total_seconds=TOTAL_SECONDS, max_answer_bytes=MAX_ANSWER_BYTES)
        self._access_token: str | None = None
        self._is_session = False

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        """End the session that was begun. One that cannot be ended ends by itself."""
        if self._access_token is not None and self._is_session:
            try:
                self._send("POST", "/api/auth/logout", self._access_token, body={})
            except ModuleError:
                pass

    def get(self, path: str, **params: Any) -> Any:
        """What the service answers. Raises Refused and Unreached, as all calls do."""
        return self.call("GET", path, params=params).document

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Reply:
        """An answer with a status below 300. Parameters that are None are left out."""
        try:
            return self._send(method, path, self._access(), params=params, body=body)
        except _LoggedOut:  # an access token has 15 minutes; following activities takes longer
            self._access_token = None
            return self._send(method, path, self._access(), params=params, body=body)

    def post_webhook(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
        """Send a message to the webhook, as Twitch does: the status, and the document if any."""
        answer = self._called("POST", "/twitch/webhook", headers=headers, data=body)
        return answer.status, _json(answer.body)

    def _access(self) -> str:
        if self._access_token is None:
            token = self._identity.token
            self._access_token = self._exchanged(token) if token else self._logged_in()
            self._is_session = token is None
        return self._access_token

    def _logged_in(self) -> str:
        if not self._identity.is_complete:
            username, password = self._ask(self.url, self._identity)
            self._identity = replace(self._identity, username=username, password=password)
        username, password = self._identity.username or "", self._identity.password or Secret("")
        body = {"username": username, "password": password.reveal()}
        try:
            answer = self._send("POST", _LOGIN, None, body=body)
        except Refused as error:
            if error.code == "wrong_credentials" and self._identity.is_of_this_installation:
                error.advice = (
                    f"These were {username} and ADMIN_PASSWORD of this machine's settings:"
                    " give others with --username, or run: cli admin password"
                )
            raise
        return _word(answer, "access_token", self.url)

    def _exchanged(self, token: Secret) -> str:
        answer = self._send("POST", _EXCHANGE, token.reveal())
        found = answer.document if isinstance(answer.document, dict) else {}
        warning = end_is_near("this service token", found.get("service_token_expires_at"))
        if warning:
            note(warning)
        return _word(answer, "access_token", self.url)

    def _send(
        self,
        method: str,
        path: str,
        bearer: str | None,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Reply:
        headers = {"Accept": "application/json"}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        given = {name: value for name, value in (params or {}).items() if value is not None}
        answer = self._called(method, path, headers=headers, params=given, json=body)
        document = _json(answer.body)
        if answer.status < 300 and (answer.status == 204 or isinstance(document, dict)):
            return Reply(answer.status, document)
        if 300 <= answer.status < 400:
            raise Unreached(
                f"{self.url} leads elsewhere: {answer.headers.get('Location', '')[:200]}",
                "Give the address that it leads to with --url",
            )
        is_problem = isinstance(document, dict) and isinstance(document.get("code"), str)
        if not is_problem or (answer.status == 404 and path in (_LOGIN, _EXCHANGE)):
            raise Unreached(
                f"what answers at {self.url} is not this module (HTTP {answer.status})",
                "Give the service's address with --url",
            )
        raise _refusal(answer.status, document, answer.headers.get("Retry-After"))

    def _called(self, method: str, path: str, **content: Any) -> Any:
        try:
            return self._http.call(method, self.url + path, **content)
        except CallFailed as error:
            raise _not_reached(self.url, error) from error


class _LoggedOut(Refused):
    """The access token has come to its end."""


def segment(text: str) -> str:
    """An id as a part of a path: whatever is in it, it stays one."""
    if text in (".", ".."):
        raise click.UsageError(f"{text!r} is no id")
    return quote(text, safe="")


def poll(seconds: float, pause_seconds: float = 0.2) -> Iterator[None]:
    """Yield again and again, with pauses, until the time is over."""
    ends = time.monotonic() + seconds
    yield
    while time.monotonic() < ends:
        time.sleep(pause_seconds)
        yield


def _not_reached(url: str, error: CallFailed) -> Unreached:
    advice = {
        "unreachable": "Start it with make serve, or give its address with --url",
        "tls_failed": "Is this its right name, and its certificate valid?",
        "answer_too_large": "Ask for less: --limit, --since",
        "timeout": "Try again; its log says what keeps it",
    }.get(error.code, "Give the service's address with --url")
    if error.code == "unreachable":
        return Unreached(f"nothing listens at {url}, or it broke off", advice)
    return Unreached(f"{url}: {error}", advice)


def _refusal(status: int, problem: Mapping[str, Any], retry_after: str | None) -> Refused:
    code = str(problem["code"])
    detail = str(problem.get("detail") or problem.get("title") or "no reason given")
    advice = ""
    if isinstance(problem.get("login_url"), str):
        advice = f"The streamer logs in at {problem['login_url']}"
    elif retry_after and retry_after.isdigit():
        advice = f"Try again in {retry_after} seconds"
    kind = _LoggedOut if code in ("token_expired", "session_ended") else Refused
    refused = kind(f"{detail} ({status} {code})", advice)
    refused.code = code
    return refused


def _word(answer: Reply, name: str, url: str) -> str:
    value = answer.document.get(name) if isinstance(answer.document, dict) else None
    if not isinstance(value, str) or not VISIBLE.fullmatch(value):
        raise Unreached(f"what answers at {url} is not this module")
    return value


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
