"""Authorization codes, tokens and grants, as id.twitch.tv keeps them."""

import secrets
import threading
import time
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from .people import FIRST_GRANTS


@dataclass(frozen=True)
class Code:
    client_id: str
    redirect_uri: str
    user_id: str
    scopes: tuple[str, ...]


@dataclass
class Token:
    """One access token, and the refresh token that came with it. A token of the app itself has
    neither a user nor a refresh token."""

    access_token: str
    refresh_token: str | None
    client_id: str
    user_id: str | None
    scopes: tuple[str, ...]
    issued_at: float
    expires_at: float
    # The refresh token was exchanged for a new pair.
    used: bool = False
    # Nothing of this pair is accepted any more.
    revoked: bool = False
    # How often the refresh token came again after it had been used.
    refresh_reuse: int = 0

    def is_valid(self) -> bool:
        return not self.revoked and time.time() < self.expires_at

    def seconds_left(self) -> int:
        return max(0, int(self.expires_at - time.time()))

    def as_dict(self) -> dict[str, Any]:
        shown = dict(vars(self))
        return {**shown, "scopes": list(self.scopes), "valid": self.is_valid()}


class Tokens:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._codes: dict[str, Code] = {}
        self._by_access: dict[str, Token] = {}
        self._by_refresh: dict[str, Token] = {}
        # (client, user) -> every scope that the user ever granted to the client.
        self._grants: dict[tuple[str, str], set[str]] = {}
        # user -> what each client has been granted from the start.
        self._first_grants = dict(FIRST_GRANTS)

    def issue_code(self, code: Code) -> str:
        text = secrets.token_hex(15)
        with self._lock:
            self._codes[text] = code
        return text

    def take_code(self, text: str, client_id: str) -> Code | None:
        """The code, once; None for everybody after the first and for other clients."""
        with self._lock:
            code = self._codes.get(text)
            if code is None or code.client_id != client_id:
                return None
            return self._codes.pop(text)

    def issue(
        self, client_id: str, user_id: str | None, scopes: tuple[str, ...], *, seconds: int
    ) -> Token:
        """A new pair; what it may do is remembered as granted by its user."""
        now = time.time()
        # Twitch's refresh tokens may need URL encoding, so these do.
        refresh = None if user_id is None else f"{secrets.token_urlsafe(24)}%/+="
        token = Token(
            secrets.token_hex(15), refresh, client_id, user_id, scopes, now, now + seconds
        )
        with self._lock:
            self._by_access[token.access_token] = token
            if user_id is not None and refresh is not None:
                self._by_refresh[refresh] = token
                self._grants.setdefault((client_id, user_id), set()).update(scopes)
        return token

    def refresh(self, refresh_token: str, client_id: str, *, seconds: int) -> Token | None:
        """A new pair for an unused refresh token; None, and counted, for a used one."""
        with self._lock:
            old = self._by_refresh.get(refresh_token)
            if old is None or old.client_id != client_id or old.revoked:
                return None
            if old.used:
                old.refresh_reuse += 1
                return None
            old.used = True
            return self.issue(client_id, old.user_id, old.scopes, seconds=seconds)

    def valid(self, access_token: str) -> Token | None:
        with self._lock:
            token = self._by_access.get(access_token)
        return token if token and token.is_valid() else None

    def revoke(self, access_token: str, client_id: str) -> bool:
        with self._lock:
            token = self._by_access.get(access_token)
            if token is None or token.client_id != client_id or not token.is_valid():
                return False
            token.revoked = True
            return True

    def expire(self, user_id: str | None, *, refresh_too: bool) -> int:
        """Ends a user's access tokens now (None: the app's own); how many were alive.
        With `refresh_too` the refresh tokens die as well, as after a changed password."""
        with self._lock:
            ended = 0
            for token in self._by_access.values():
                if token.user_id != user_id:
                    continue
                ended += token.is_valid()
                token.expires_at = min(token.expires_at, time.time())
                token.revoked = token.revoked or refresh_too
            return ended

    def grant(self, client_id: str, user_id: str, scopes: list[str]) -> Set[str]:
        """Adds to what the user has granted; all of it. Issues no token."""
        with self._lock:
            self._grants.setdefault((client_id, user_id), set()).update(scopes)
            return self.granted(client_id, user_id)

    def forget_user(self, user_id: str) -> int:
        """Ends every token of a user and forgets what it granted, for all clients; how many
        access tokens were alive."""
        with self._lock:
            for key in [key for key in self._grants if key[1] == user_id]:
                del self._grants[key]
            self._first_grants.pop(user_id, None)
            return self.expire(user_id, refresh_too=True)

    def granted(self, client_id: str, user_id: str) -> Set[str]:
        with self._lock:
            first = self._first_grants.get(user_id, frozenset())
            return first | self._grants.get((client_id, user_id), set())

    def all(self) -> list[dict[str, Any]]:
        """Every token ever issued, oldest first."""
        with self._lock:
            return [token.as_dict() for token in self._by_access.values()]
