"""OAuth at Twitch: what is asked for, what its answers mean, when a token is renewed.

Sources: Twitch, "Getting OAuth Access Tokens", "Refreshing Access Tokens", "Validating Tokens".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ..secret import Secret
from ..text import text

STATE_SECONDS = 600  # how long a browser may take at Twitch
NEAR_END_MS = 3600 * 1000  # an access token is renewed when it has less than an hour left
# A login lasts about four hours; a missing or absurd figure is taken for that.
_USUAL_SECONDS = 4 * 3600
_LONGEST_SECONDS = 90 * 24 * 3600

# Seconds until a renewal is tried again after the 1st, 2nd, ... failure in a row.
RENEWAL_DELAYS_SECONDS = (20, 60, 180, 600)


class NotAGrant(ValueError):
    """An answer of the token or validation endpoint that lacks what it is for."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A pair of tokens from the token endpoint."""

    access_token: Secret
    refresh_token: Secret
    scopes: tuple[str, ...]
    expires_in: int  # seconds


@dataclass(frozen=True, slots=True)
class Validation:
    """Whose an access token is and what it may do, as Twitch says itself."""

    client_id: str
    user_id: str
    login: str
    scopes: tuple[str, ...]
    expires_in: int  # seconds


def authorize_url(
    auth_url: str,
    *,
    client_id: str,
    redirect_uri: str,
    scopes: Iterable[str],
    state: str,
    force_verify: bool = False,
) -> str:
    """Where a browser is sent to log in.

    With `force_verify` Twitch asks whoever has agreed before, too, and lets them change the
    account; else their browser is sent straight back.
    """
    query = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": " ".join(scopes),
        "state": state,
    }
    if force_verify:
        query["force_verify"] = "true"
    return f"{auth_url}/authorize?{urlencode(query)}"


def read_grant(body: Mapping[str, Any]) -> Grant:
    """The pair in an answer. Raises NotAGrant; says nothing of what the answer held."""
    access, refresh = body.get("access_token"), body.get("refresh_token")
    if not (isinstance(access, str) and access and isinstance(refresh, str) and refresh):
        raise NotAGrant("the answer holds no pair of tokens")
    return Grant(
        Secret(access),
        Secret(refresh),
        _scopes(body.get("scope")),
        _seconds(body.get("expires_in")),
    )


def read_validation(body: Mapping[str, Any]) -> Validation:
    """What /validate says of a user's token. Raises NotAGrant."""
    user_id, login = text(body.get("user_id")), text(body.get("login"))
    if not user_id or not login:
        raise NotAGrant("the answer names no user")
    return Validation(
        text(body.get("client_id")),
        user_id,
        login,
        _scopes(body.get("scopes")),
        _seconds(body.get("expires_in")),
    )


def is_near_end(expires_at_ms: int, renewed_at_ms: int | None, now_ms: int) -> bool:
    """Whether a token is to be renewed by the clock.

    When less than an hour is left; but one that came from a renewal and lives less than two
    hours at all is used for half of its life first. Otherwise it would be renewed at each use.
    """
    left_ms = expires_at_ms - now_ms
    if left_ms <= 0:
        return True
    if left_ms >= NEAR_END_MS:
        return False
    return renewed_at_ms is None or left_ms < (expires_at_ms - renewed_at_ms) / 2


def is_just_now(at_ms: int | None, now_ms: int) -> bool:
    """Whether that was less than a second ago: too soon to ask Twitch for the same again."""
    return at_ms is not None and 0 <= now_ms - at_ms < 1000


def renewal_delay_seconds(failures: int, retry_after_seconds: float | None = None) -> float:
    """How long to leave a user's token alone after so many failed renewals in a row."""
    delay = RENEWAL_DELAYS_SECONDS[min(failures, len(RENEWAL_DELAYS_SECONDS)) - 1]
    return float(min(max(delay, retry_after_seconds or 0), RENEWAL_DELAYS_SECONDS[-1]))


def is_dead_grant(status: int) -> bool:
    """Whether the token endpoint's answer means that the user has to log in again.

    403 is a wrong client secret: the operator's fault, and no reason to lose tokens.
    """
    return status in (400, 401)


def missing_scopes(needed: Iterable[tuple[str, ...]], granted: Iterable[str]) -> list[str]:
    """Of each group of scopes of which one is enough, the first, where none was granted."""
    have = set(granted)
    return list(dict.fromkeys(group[0] for group in needed if group and not have & set(group)))


def _scopes(value: object) -> tuple[str, ...]:
    """Scopes as a list, as a text with spaces, or missing: all three have been seen."""
    if isinstance(value, str):
        value = value.split()
    if not isinstance(value, list):
        return ()
    return tuple(scope for item in value if (scope := text(item)))


def _seconds(value: object) -> int:
    if type(value) is int and 0 <= value <= _LONGEST_SECONDS:
        return value
    return _USUAL_SECONDS
