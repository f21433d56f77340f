"""Who is calling: admins log in with a password, services show a service token.

Both get access tokens for 15 minutes, and a service token serves as one, unless it is for
exchange only. With each request it is looked up whether the session or the service token is
alive, so that ending it holds everywhere at once.
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from ...domain.access.callers import Actor, Caller, Origin
from ...domain.access.credentials import (
    REFRESH_PREFIX,
    fingerprint,
    is_secret_of_ours,
    normal_username,
)
from ...domain.addresses import one_customer
from ...domain.secret import Secret
from ...errors import DatabaseUnavailable, Forbidden, Unauthenticated
from ...models.access import admins, audit, login_attempts, service_tokens
from ...models.access.admins import SESSION_MS, Session, User
from ...models.access.service_tokens import ServiceToken
from ...models.database import Database
from ...models.transaction import Transaction
from .access_tokens import ACCESS_SECONDS, AccessTokens, Claims
from .login_throttle import LoginThrottle
from .passwords import Passwords
from .service_secrets import ServiceSecrets, is_one, not_valid

log = structlog.get_logger("admin_auth")


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a login or a refresh brings. The refresh token is good for one use."""

    access_token: Secret
    expires_in: int
    refresh_token: Secret
    refresh_expires_in: int


class Exchange(NamedTuple):
    """What a service token brings; and when that token itself ends, None for never."""

    access_token: Secret
    expires_in: int
    service_token_expires_at_ms: int | None


class ExchangeOnly(Forbidden):
    """The service token is alive, and not to be sent with requests."""

    code = "exchange_only"


class AdminAuth:
    """Logs admins in and out, and knows callers by their tokens. Thread-safe; blocks."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        access_tokens: AccessTokens,
        throttle: LoginThrottle,
        service_secrets: ServiceSecrets,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._access_tokens = access_tokens
        self._throttle = throttle
        self._service_secrets = service_secrets

    def log_in(self, username: str, password: str, origin: Origin) -> TokenPair:
        """Begin a session. Raises TooManyRequests, and Unauthenticated: the same for all faults.

        A user who is disabled, or not there, costs the same work as a wrong password.
        """
        name = normal_username(username)
        attempt = self._throttle.admit(name or "", origin.address)
        user = None
        if name is not None:
            with self._database.transaction(write=False) as transaction:
                user = admins.get_by_name(transaction, name)
        right = self._passwords.verify(user.password_hash if user else None, password)
        pair = self._begin(user, password, attempt, origin) if user and right else None
        if pair is None:
            raise self._refusal(user, origin)
        return pair

    def _begin(self, user: User, password: str, attempt: int, origin: Origin) -> TokenPair | None:
        """A new session, unless the user was disabled or got another password meanwhile."""
        anew = self._passwords.is_outdated(user.password_hash)
        password_hash = self._passwords.hash(password) if anew else user.password_hash
        session_id, refresh_token = secrets.token_hex(16), _new_secret(REFRESH_PREFIX)
        with self._database.transaction() as transaction:
            # Locks the user: a change at the same time is seen here, or finds this session.
            if not admins.replace_password(transaction, user, password_hash):
                return None
            current = admins.get_by_name(transaction, user.username)
            if current is None or not current.is_active:
                return None
            login_attempts.forgive(transaction, attempt)
            customer = one_customer(origin.address)
            token_hash = fingerprint(refresh_token.reveal())
            admins.begin_session(transaction, user, session_id, token_hash, customer)
            actor = Actor("admin", str(user.id), user.username, origin)
            audit.record(transaction, actor, "login", f"session:{session_id}")
        log.info("admin logged in", user=user.username, address=origin.address)
        return self._pair(user.id, session_id, refresh_token, SESSION_MS)

    def _refusal(self, user: User | None, origin: Origin) -> Unauthenticated:
        """The error for a login that failed. Its name is kept only if it is a user's."""
        actor = Actor("anonymous", origin=origin)
        subject = f"user:{user.username}" if user else "user:"
        with self._database.transaction() as transaction:
            audit.record(transaction, actor, "login.failed", subject)
            nobody = not admins.list_all(transaction)
        log.warning("login failed", user=user.username if user else None, address=origin.address)
        if nobody:
            return Unauthenticated(
                "There is no admin yet: set ADMIN_USERNAME and ADMIN_PASSWORD, and restart",
                code="no_admin",
            )
        return Unauthenticated("Wrong name or password", code="wrong_credentials")

    def refresh(self, refresh_token: str, origin: Origin) -> TokenPair:
        """A new pair for the token, which is used up. Raises Unauthenticated.

        The second use of a token ends its session: one of the two who hold it has stolen it.
        """
        token_hash, session = self._known(refresh_token)
        successor = _new_secret(REFRESH_PREFIX)
        with self._database.transaction() as transaction:
            left_ms = session.expires_at_ms - transaction.now_ms()
            used = admins.use_refresh_token(transaction, token_hash)
            if used:
                current = admins.get_session(transaction, session.session_id)
                alive = current is not None and current.is_alive and left_ms > 0
                hashed = fingerprint(successor.reveal())
                admins.add_refresh_token(transaction, session.session_id, hashed)
                admins.note_refresh(transaction, session.session_id)
            else:
                _end(transaction, session, "reuse", origin)
        if not used or not alive:
            raise _ended()
        return self._pair(session.user_id, session.session_id, successor, left_ms)

    def log_out(self, refresh_token: str, origin: Origin) -> None:
        """End the session of a refresh token. Raises Unauthenticated when it is not valid."""
        _, session = self._known(refresh_token)
        with self._database.transaction() as transaction:
            _end(transaction, session, "logout", origin)

    def log_out_caller(self, caller: Caller) -> None:
        """End the session that calls. Raises Forbidden for a service, which has none."""
        if caller.role is None:
            raise Forbidden("A service has no session; an admin can revoke its token")
        with self._database.transaction() as transaction:
            session = admins.get_session(transaction, caller.session_id)
            if session is not None:
                _end(transaction, session, "logout", caller.actor.origin)

    def identify(self, bearer: str, origin: Origin) -> Caller:
        """Who calls with this access token, or with this service token.

        Raises Unauthenticated, also when the session or token has ended, and ExchangeOnly.
        """
        if is_one(bearer):
            token, now_ms = self._by_text(bearer)
            if token.exchange_only:
                raise ExchangeOnly(
                    "This service token is for exchange only: POST /api/auth/service-token/refresh"
                )
            return self._used(token, now_ms, origin)
        claims = self._access_tokens.read(bearer)
        if claims.kind == "service_access":
            return self._used(*self._behind(claims), origin)
        with self._database.transaction(write=False) as transaction:
            caller = _person(transaction, claims, origin)
        if caller is None:
            raise _ended()
        return caller

    def exchange(self, service_token: str) -> Exchange:
        """An access token for a service. Raises Unauthenticated."""
        token, now_ms = self._by_text(service_token)
        self._note_use(token, now_ms)
        seconds = ACCESS_SECONDS
        if token.expires_at_ms is not None:
            seconds = max(1, min(seconds, (token.expires_at_ms - now_ms) // 1000))
        claims = Claims("service_access", str(token.id), str(token.id))
        access_token = Secret(self._access_tokens.issue(claims, seconds))
        return Exchange(access_token, seconds, token.expires_at_ms)

    def _by_text(self, service_token: str) -> tuple[ServiceToken, int]:
        """A service token that is alive, and the time (epoch ms). Raises Unauthenticated."""
        secret_hash = self._service_secrets.hash_of(service_token)
        with self._database.transaction(write=False) as transaction:
            token = service_tokens.get_by_hash(transaction, secret_hash)
            now_ms = transaction.now_ms()
        if token is None or not token.is_alive(now_ms):
            raise not_valid()
        return token, now_ms

    def _behind(self, claims: Claims) -> tuple[ServiceToken, int]:
        """The living service token behind an access token, and the time. Raises Unauthenticated."""
        if not claims.session_id.isascii() or not claims.session_id.isdigit():
            raise _ended()
        with self._database.transaction(write=False) as transaction:
            token = service_tokens.get(transaction, int(claims.session_id[:18]))
            now_ms = transaction.now_ms()
        if token is None or not token.is_alive(now_ms):
            raise _ended()
        return token, now_ms

    def _used(self, token: ServiceToken, now_ms: int, origin: Origin) -> Caller:
        """The service that calls with this token, which is noted."""
        self._note_use(token, now_ms)
        actor = Actor("service", str(token.id), token.name, origin)
        return Caller(actor, str(token.id), scopes=frozenset(token.scopes.split()))

    def _note_use(self, token: ServiceToken, now_ms: int) -> None:
        if token.use_is_noted(now_ms):
            return
        # For people to look at: nobody is turned away because it cannot be written.
        with suppress(DatabaseUnavailable):
            with self._database.transaction(timeout_seconds=0.5) as transaction:
                service_tokens.note_use(transaction, token.id)

    def _known(self, refresh_token: str) -> tuple[str, Session]:
        """The hash of a refresh token, and its session. Raises Unauthenticated."""
        session, token_hash = None, fingerprint(refresh_token)
        if is_secret_of_ours(refresh_token, REFRESH_PREFIX):
            with self._database.transaction(write=False) as transaction:
                session = admins.session_of(transaction, token_hash)
        if session is None:
            raise Unauthenticated("The refresh token is not valid", code="refresh_token_invalid")
        return token_hash, session

    def _pair(
        self, user_id: int, session_id: str, refresh_token: Secret, left_ms: int
    ) -> TokenPair:
        seconds = max(1, min(ACCESS_SECONDS, left_ms // 1000))
        claims = Claims("access", str(user_id), session_id)
        access_token = Secret(self._access_tokens.issue(claims, seconds))
        return TokenPair(access_token, seconds, refresh_token, left_ms // 1000)


def _person(transaction: Transaction, claims: Claims, origin: Origin) -> Caller | None:
    session = admins.get_session(transaction, claims.session_id)
    if session is None or not session.is_alive or str(session.user_id) != claims.subject:
        return None
    actor = Actor("admin", claims.subject, session.username, origin)
    return Caller(actor, session.session_id, role=session.role)


def _end(transaction: Transaction, session: Session, reason: str, origin: Origin) -> None:
    if not admins.end_session(transaction, session.session_id, reason):
        return
    if reason == "reuse":
        log.warning("refresh token used twice", user=session.username, address=origin.address)
        actor, action = Actor("anonymous", origin=origin), "refresh.reuse"
        after = {"ended": True, "user": session.username}
        audit.record(transaction, actor, action, f"session:{session.session_id}", after=after)
        return
    actor = Actor("admin", str(session.user_id), session.username, origin)
    audit.record(transaction, actor, reason, f"session:{session.session_id}")


def _new_secret(prefix: str) -> Secret:
    return Secret(prefix + secrets.token_urlsafe(32))


def _ended() -> Unauthenticated:
    return Unauthenticated("The session has ended; log in again", code="session_ended")
