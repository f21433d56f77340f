"""What a service holds: a signed JWT, so that it can read itself when its token ends.

A JWT says nothing that is believed. Whether the token lives, and what it may do, is looked up
with each request by the hash of its whole text. The signature keeps from the database what was
never issued; its key belongs to the database, and no change of JWT_SECRET ends a service's token.
"""

import base64
import hashlib
import hmac
import secrets

import jwt

from ...domain.access.credentials import SERVICE_PREFIX, fingerprint, is_secret_of_ours
from ...domain.secret import Secret
from ...errors import Unauthenticated
from ...models import key_values
from ...models.access.service_tokens import ServiceToken
from ...models.database import Database

MAX_CHARACTERS = 1024
SHOWN_CHARACTERS = 6  # at the end of a token, to know it by: of 43 that nobody can guess

_ALGORITHM = "HS256"
_TYPE = "waddlebot-service+jwt"
# {"alg":"HS256","typ":"waddlebot-service+jwt"}: what every token begins with, and no other JWT
# (RFC 8725, 3.11). Those who look for leaked tokens look for this.
JWT_PREFIX = "eyJhbGciOiJIUzI1NiIsInR5cCI6IndhZGRsZWJvdC1zZXJ2aWNlK2p3dCJ9."
_ISSUER = "waddlebot-twitch"
_AUDIENCE = "waddlebot-twitch-service"
_SIGNING_KEY = "service_token_key"  # the fact's name


def signing_key(database: Database) -> str:
    """The key of this database's service tokens; the first who asks makes it.

    It opens nothing by itself: a token that it signs is refused while its hash is not there.
    """
    with database.transaction(write=False) as transaction:
        found = key_values.read(transaction, _SIGNING_KEY)
    if found is None:
        with database.transaction() as transaction:
            found = key_values.keep_first(transaction, _SIGNING_KEY, secrets.token_hex(32))
    return str(found[0])


class ServiceSecrets:
    """Makes service tokens' texts, and knows them again. Asks nobody."""

    def __init__(self, signing_key: str, renewal_key: str) -> None:
        """`renewal_key` is one that no copy of the database comes with."""
        self._signing_key = signing_key
        self._renewal_key = renewal_key.encode()

    def issue(self, token: ServiceToken, identifier: str) -> Secret:
        """The text of a token; `identifier` has the 256 bits that make it a secret."""
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "typ": "service",
            "sub": str(token.id),
            "jti": identifier,
            "iat": token.created_at_ms // 1000,
        }
        if token.expires_at_ms is not None:
            claims["exp"] = token.expires_at_ms // 1000
        return Secret(
            jwt.encode(claims, self._signing_key, algorithm=_ALGORITHM, headers={"typ": _TYPE})
        )

    def successor_identifier(self, text: str) -> str:
        """The identifier of what a token is renewed to: the same whenever it is asked for."""
        digest = hmac.digest(self._renewal_key, b"renewal of " + text.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def hash_of(self, text: str) -> str:
        """What a token is looked up by. Raises Unauthenticated for what was never issued."""
        if not is_secret_of_ours(text, SERVICE_PREFIX) and not self._is_signed(text):
            raise not_valid()
        return fingerprint(text)

    def _is_signed(self, text: str) -> bool:
        if len(text) > MAX_CHARACTERS or not text.startswith(JWT_PREFIX):
            return False
        try:
            jwt.decode(
                text,
                self._signing_key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                audience=_AUDIENCE,
                # The database says whether it has ended, by its own clock.
                options={"verify_exp": False, "verify_iat": False},
            )
        except (jwt.InvalidTokenError, ValueError, TypeError):
            return False
        return True


def new_identifier() -> str:
    """256 bits, as text."""
    return secrets.token_urlsafe(32)


def is_one(text: str) -> bool:
    """Whether a text means to be a service token, and no access token."""
    return text.startswith((JWT_PREFIX, SERVICE_PREFIX))


def not_valid() -> Unauthenticated:
    """The error for a token that does not live, whatever the reason."""
    return Unauthenticated("The service token is not valid", code="service_token_invalid")
