"""Access tokens: JWTs of 15 minutes that say which session, or which service token, calls.

What the caller may do is not in them; that is looked up with each request.
"""

import base64
import secrets
import time
from dataclasses import dataclass
from typing import Literal

import jwt

from ...domain.strict_json import read_object
from ...errors import Unauthenticated

ACCESS_SECONDS = 900
MAX_CHARACTERS = 4096

Kind = Literal["access", "service_access"]

_ALGORITHM = "HS256"  # the only one, when signing and when checking (RFC 8725, 3.1)
_ISSUER = "waddlebot-twitch"
_AUDIENCE = "waddlebot-twitch-api"
_LEEWAY_SECONDS = 10
_TEXTS = ("iss", "aud", "typ", "sub", "sid", "jti")
_TIMES = ("iat", "exp")
_CLAIMS = frozenset(_TEXTS + _TIMES)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid access token says."""

    kind: Kind
    subject: str  # the id of the user, or of the service token
    session_id: str


class AccessTokens:
    """Makes and reads access tokens. Asks nobody; whether the session lives is not known here."""

    def __init__(self, key: str) -> None:
        """`key` has 32 bytes or more."""
        self._key = key
        # Whatever else a header could say (kid, jku, crit, ...), we never say it.
        self._header = jwt.encode({}, key, algorithm=_ALGORITHM).partition(".")[0]

    def issue(self, claims: Claims, seconds: int = ACCESS_SECONDS) -> str:
        """A token with these claims."""
        now = int(time.time())
        return jwt.encode(
            {
                "iss": _ISSUER,
                "aud": _AUDIENCE,
                "typ": claims.kind,
                "sub": claims.subject,
                "sid": claims.session_id,
                "jti": secrets.token_hex(16),
                "iat": now,
                "exp": now + seconds,
            },
            self._key,
            algorithm=_ALGORITHM,
        )

    def read(self, token: str) -> Claims:
        """What a valid token says. Raises Unauthenticated."""
        if len(token) > MAX_CHARACTERS or token.partition(".")[0] != self._header:
            raise _invalid()
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                audience=_AUDIENCE,
                leeway=_LEEWAY_SECONDS,
                options={"require": sorted(_CLAIMS)},
            )
            read_object(_payload(token))  # nothing twice: readers differ in which one counts
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The token has expired", code="token_expired") from error
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError) as error:
            raise _invalid() from error
        if (
            claims.keys() != _CLAIMS
            or not all(isinstance(claims[name], str) for name in _TEXTS)
            or not all(type(claims[name]) is int for name in _TIMES)
            or not 0 < claims["exp"] - claims["iat"] <= ACCESS_SECONDS
            or claims["typ"] not in ("access", "service_access")
        ):
            raise _invalid()
        return Claims(claims["typ"], claims["sub"], claims["sid"])


def _invalid() -> Unauthenticated:
    return Unauthenticated("The token is not valid", code="token_invalid")


def _payload(token: str) -> bytes:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
