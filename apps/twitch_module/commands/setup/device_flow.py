"""The bot's login with a code that is entered on another device. Twitch: Device code flow."""

import time
import webbrowser
from dataclasses import dataclass
from typing import Any

from ...clients.http import Answer, HTTPClient
from ...clients.twitch_answer import accepted, message
from ...domain.secret import Secret
from ...domain.text import text
from ...domain.tokens.oauth import Grant, NotAGrant, read_grant
from ...errors import CallFailed, ModuleError, TwitchUnavailable
from ...settings import Settings
from ..terminal import say
from .failure import SetupFailed, explained

_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
_PENDING = "authorization_pending"


@dataclass(frozen=True, slots=True)
class _Device:
    device_code: Secret
    user_code: str
    verification_uri: str
    expires_in: int  # seconds
    interval: int  # seconds


def log_in_by_device(
    settings: Settings, scopes: list[str], *, open_browser: bool, wait_seconds: float
) -> Grant:
    """The pair of whoever enters the code. Raises SetupFailed."""
    http = HTTPClient(2)
    device = _begin(http, settings, scopes)
    say(f"Open {device.verification_uri}")
    say(f"log in at Twitch as the bot, and enter {device.user_code}")
    if open_browser:
        webbrowser.open(device.verification_uri)
    ends = time.monotonic() + min(device.expires_in, wait_seconds)
    while time.monotonic() < ends:
        time.sleep(min(device.interval, max(0.0, ends - time.monotonic())))
        if (grant := _poll(http, settings, scopes, device)) is not None:
            return grant
    raise SetupFailed("Nobody entered the code in time. Run setup again")


def _begin(http: HTTPClient, settings: Settings, scopes: list[str]) -> _Device:
    form = {"client_id": settings.twitch_app_id, "scopes": " ".join(scopes)}
    try:
        body = accepted(_post(http, settings, "/device", form))
    except ModuleError as error:
        raise explained(error, settings.twitch_redirect_uri) from error
    code, uri = text(body.get("device_code")), body.get("verification_uri")
    if not code or not isinstance(uri, str) or not uri.startswith(("https://", "http://")):
        raise SetupFailed("Twitch's answer holds no code. Run setup again, without --device")
    return _Device(
        Secret(code),
        text(body.get("user_code")),
        uri,
        _seconds(body.get("expires_in"), 1800),
        _seconds(body.get("interval"), 5),
    )


def _poll(http: HTTPClient, settings: Settings, scopes: list[str], device: _Device) -> Grant | None:
    """The pair, or None while it is to be asked for again. Raises SetupFailed."""
    form = {
        "client_id": settings.twitch_app_id,
        "scopes": " ".join(scopes),
        "device_code": device.device_code.reveal(),
        "grant_type": _GRANT_TYPE,
    }
    try:
        answer = _post(http, settings, "/token", form)
        if answer.status == 429 or message(answer) == _PENDING:
            return None
        return read_grant(accepted(answer))
    except TwitchUnavailable:
        return None  # it may be back before the code ends
    except NotAGrant as error:
        raise SetupFailed(f"Twitch: {error}. Run setup again") from error
    except ModuleError as error:
        raise SetupFailed(
            f"It was declined at Twitch, or the code has ended ({error}). Run setup again"
        ) from error


def _post(http: HTTPClient, settings: Settings, path: str, form: dict[str, str]) -> Answer:
    try:
        return http.call("POST", f"{settings.twitch_auth_url}{path}", data=form)
    except CallFailed as error:
        raise TwitchUnavailable(f"Twitch: {error}") from error


def _seconds(value: Any, usual: int) -> int:
    return value if type(value) is int and 1 <= value <= 7200 else usual
