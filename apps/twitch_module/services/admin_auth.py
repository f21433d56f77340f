"""Who is an admin: a login with name and password gives an access token for 15 minutes."""

import hmac
import secrets
import time

import jwt

from ..errors import Unauthenticated

ACCESS_SECONDS = 900
_ALGORITHM = "HS256"  # the only one, when signing and when checking (RFC 8725, 3.1)
_ISSUER = "waddlebot-twitch"
_AUDIENCE = "waddlebot-twitch-api"
_TYPE = "access"
_LEEWAY_SECONDS = 10


class AdminAuth:
    """Logs the configured admin in, and knows him by his token. Thread-safe."""

    def __init__(self, username: str | None, password: str | None, key: str) -> None:
        self._username = username
        self._password = password
        self._key = key

    def log_in(self, username: str, password: str) -> str:
        """An access token. Raises Unauthenticated, the same for a wrong name and password."""
        if self._username is None or self._password is None:
            raise Unauthenticated(
                "No admin is configured: set ADMIN_USERNAME and ADMIN_PASSWORD",
                code="no_admin",
            )
        # Both are compared always, so that the time does not tell which one is wrong.
        right = [
            hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
            for given, expected in ((username, self._username), (password, self._password))
        ]
        if not all(right):
            raise Unauthenticated("Wrong name or password", code="wrong_credentials")
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "typ": _TYPE,
            "sub": username,
            "jti": secrets.token_hex(16),
            "iat": now,
            "exp": now + ACCESS_SECONDS,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def identify(self, token: str) -> str:
        """The admin's name in a valid access token. Raises Unauthenticated."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                audience=_AUDIENCE,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["iss", "aud", "typ", "sub", "jti", "iat", "exp"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The token has expired", code="token_expired") from error
        except (jwt.InvalidTokenError, ValueError) as error:
            raise Unauthenticated("The token is not valid", code="token_invalid") from error
        if claims["typ"] != _TYPE:
            raise Unauthenticated("The token is not an access token", code="token_invalid")
        return str(claims["sub"])
