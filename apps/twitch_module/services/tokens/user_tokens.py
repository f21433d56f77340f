"""Users' tokens: kept sealed, renewed by one caller at a time, handed out while they last.

Across threads, processes and machines one request goes to Twitch per renewal. Who finds
another at it waits for the outcome in the database, and gets the new token.
"""

import hashlib
import time

import structlog

from ...clients.twitch_auth import DeadGrant, TwitchAuth
from ...domain.access.callers import Actor
from ...domain.secret import Secret
from ...domain.tokens.oauth import (
    Grant,
    Validation,
    is_just_now,
    is_near_end,
    renewal_delay_seconds,
)
from ...errors import ModuleError, NotFound, TwitchRefused, TwitchUnavailable
from ...models.access import audit
from ...models.database import Database
from ...models.subscriptions import channels, subscription_failures
from ...models.tokens import tokens
from ...models.tokens.tokens import TokenRow
from ...vault import Vault
from .renewal_queues import Queues
from .sealed_pairs import Seal
from .user_token import NeedsLogin, UserToken

WAIT_SECONDS = 5.0  # for somebody else's renewal
_POLL_SECONDS = (0.02, 0.05, 0.1, 0.2)  # then the last again

log = structlog.get_logger("tokens")


class UserTokens:
    """The users' tokens. Thread-safe; blocks on the database, and on Twitch while renewing."""

    def __init__(self, database: Database, vault: Vault, auth: TwitchAuth) -> None:
        self._database = database
        self._seal = Seal(vault)
        self._auth = auth
        # Threads of this process queue here, so that one of them asks the database.
        self._queues = Queues()
        # By user: the SHA-256 of a token that lived in spite of what a caller said, and when.
        self._found_alive: dict[str, tuple[str, float]] = {}

    def keep_login(
        self,
        validation: Validation,
        display_name: str,
        grant: Grant,
        *,
        imported_by: Actor | None = None,
    ) -> None:
        """Store what a login brought; the channel's subscriptions are then looked after.

        `imported_by` is who brought the pair, where the user did not log in here.
        """
        with self._database.transaction() as transaction:
            now_ms = transaction.now_ms()
            tokens.save_login(
                transaction,
                user_id=validation.user_id,
                login=validation.login,
                display_name=display_name,
                pair=self._seal.pair(validation.user_id, grant, now_ms),
                check_at_ms=now_ms + 30 * 60 * 1000,
            )
            channels.warn(transaction, validation.user_id, None)
            subscription_failures.forgive_login(transaction, validation.user_id)
            channels.compare_soon(transaction, validation.user_id)
            if imported_by is not None:
                subject, after = f"user:{validation.user_id}", {"scopes": list(grant.scopes)}
                audit.record(transaction, imported_by, "token.import", subject, after=after)
        log.info("logged in", user_id=validation.user_id, login=validation.login)

    def find(self, user_id: str) -> TokenRow | None:
        """What is stored for a user, without asking Twitch."""
        with self._database.transaction(write=False) as transaction:
            return tokens.get(transaction, user_id)

    def list(self) -> list[TokenRow]:
        """What is stored for everybody, without asking Twitch."""
        with self._database.transaction(write=False) as transaction:
            return tokens.list_all(transaction)

    def valid(self, user_id: str) -> UserToken:
        """A token that Twitch takes, renewed first when it is near its end.

        When a renewal fails, and the old token has time left, that one serves. Raises NotFound,
        NeedsLogin, and TwitchUnavailable when there is no token that could serve.
        """
        row, now_ms = self._usable(user_id)
        if not is_near_end(row.expires_at_ms, row.renewed_at_ms, now_ms):
            return self._open(row)
        try:
            return self.renewed(user_id, row.version)
        except (TwitchUnavailable, TwitchRefused):
            if row.expires_at_ms > now_ms:
                return self._open(row)
            raise

    def instead_of(self, user_id: str, refused_sha256: str) -> UserToken:
        """A token for a caller whom Twitch has refused one, known by its SHA-256 in hexadecimal.

        One that is not the current one has been replaced already. About the current one Twitch
        is asked first: its APIs also say 401 where a scope is missing, and nobody is to use
        renewals up by saying so. Only a dead one is renewed, once for all who ask; one that
        lives is lent again. Raises as `valid` does.
        """
        with self._queues.entered(f"refused:{user_id}", WAIT_SECONDS):
            row, now_ms = self._usable(user_id)
            if (
                _sha256(self._seal.access_token(row)) == refused_sha256
                and row.expires_at_ms > now_ms
            ):
                self._find_out(row, refused_sha256)
        return self.valid(user_id)

    def renewed_now(self, user_id: str) -> UserToken:
        """A token that was renewed within the last second, for who asks for it by hand.

        Tries at once also where the last renewal has failed, but not within that second. Those
        who ask together share one renewal, and its failure. Raises as `renewed` does.
        """
        row, now_ms = self._usable(user_id)
        if is_just_now(row.renewed_at_ms, now_ms):
            return self._open(row)
        return self.renewed(user_id, row.version, at_once=True)

    def renewed(self, user_id: str, version: int, *, at_once: bool = False) -> UserToken:
        """A token newer than `version`, which is near its end or which Twitch has refused.

        Renews at Twitch unless somebody else has done so or is doing so: then it waits for
        that, five seconds at most. After a failure it is left alone for a while; with `at_once`
        for a second. Raises NotFound, NeedsLogin and TwitchUnavailable.
        """
        ends = time.monotonic() + WAIT_SECONDS
        with self._queues.entered(user_id, WAIT_SECONDS):
            polls = iter(_POLL_SECONDS)
            while True:
                row, now_ms = self._usable(user_id)
                if row.version > version:
                    return self._open(row)
                is_paused = row.retry_at_ms > now_ms
                if at_once:
                    is_paused = is_just_now(row.failed_at_ms, now_ms)
                if is_paused:
                    message = f"The last renewal failed ({row.reason}); it is tried later"
                    raise TwitchUnavailable(message, code="renewal_paused")
                with self._database.transaction() as transaction:
                    lease = tokens.take_lease(transaction, row)
                if lease is not None:
                    return self._renew(row, lease)
                if time.monotonic() > ends:
                    raise TwitchUnavailable(
                        "Another process is renewing the token, and has not ended yet",
                        code="renewal_in_progress",
                    )
                time.sleep(next(polls, _POLL_SECONDS[-1]))

    def seconds_left(self, expires_at_ms: int) -> int:
        """How many whole seconds a token has left."""
        with self._database.transaction(write=False) as transaction:
            return max(0, (expires_at_ms - transaction.now_ms()) // 1000)

    def forget(self, user_id: str) -> bool:
        """Revoke a user's tokens at Twitch, and delete them here; whether Twitch confirmed it.

        Raises NotFound. When Twitch does not answer they are deleted all the same.
        """
        row = self.find(user_id)
        if row is None:
            raise NotFound(f"There are no tokens of user {user_id!r}")
        confirmed = self._auth.revoke(self._seal.access_token(row))
        with self._database.transaction() as transaction:
            tokens.delete(transaction, user_id)
        log.info("tokens deleted", user_id=user_id, revoked_at_twitch=confirmed)
        return confirmed

    def ask_twitch(self, row: TokenRow) -> Validation | None:
        """What Twitch says of a token now, None when it refuses it; nothing is kept of it.

        Raises CannotOpen, and what TwitchAuth.validate raises.
        """
        return self._auth.validate(self._seal.access_token(row))

    def validate(self, row: TokenRow) -> bool:
        """Ask Twitch about a token, keep what it says, and renew it where that is needed.

        Whether Twitch took it. Raises NeedsLogin, and TwitchUnavailable when there was no answer.
        """
        validation = self.ask_twitch(row)
        if validation is None:
            log.info("token refused", user_id=row.user_id)
            with self._database.transaction() as transaction:
                tokens.save_end(transaction, row)  # nobody is lent it, should the renewal fail
            self.renewed(row.user_id, row.version)
            return False
        if validation.user_id != row.user_id:
            raise TwitchUnavailable("Twitch says that the token is somebody else's")
        with self._database.transaction() as transaction:
            now_ms = transaction.now_ms()
            expires_at_ms = now_ms + validation.expires_in * 1000
            tokens.save_validation(
                transaction,
                row,
                login=validation.login,
                scopes=" ".join(validation.scopes),
                expires_at_ms=expires_at_ms,
            )
        if is_near_end(expires_at_ms, row.renewed_at_ms, now_ms):
            self.renewed(row.user_id, row.version)
        return True

    def _find_out(self, row: TokenRow, refused_sha256: str) -> None:
        """Validate a token of which somebody says that it is dead: at most once a second."""
        alive, at = self._found_alive.get(row.user_id, ("", 0.0))
        if alive == refused_sha256 and time.monotonic() - at < 1:
            return
        if self.validate(row):
            self._found_alive[row.user_id] = (refused_sha256, time.monotonic())

    def _renew(self, row: TokenRow, lease: int) -> UserToken:
        """Exchange the refresh token, as the holder of the lease."""
        refresh_token = self._seal.refresh_token(row)
        try:
            grant = self._auth.renew(refresh_token)
        except DeadGrant as error:
            self._note_failure(row, lease, tokens.NEEDS_LOGIN, str(error), 0)
            raise NeedsLogin(f"{row.login}: {error}") from error
        except ModuleError as error:
            delay = renewal_delay_seconds(row.failures + 1)
            self._note_failure(row, lease, tokens.OK, str(error), int(delay * 1000))
            raise
        with self._database.transaction() as transaction:
            pair = self._seal.pair(row.user_id, grant, transaction.now_ms())
            saved = tokens.save_renewal(transaction, row, lease, pair)
        if saved:
            log.info("token renewed", user_id=row.user_id, expires_in=grant.expires_in)
        # Where it was not saved, a new login has come between: that pair is the better one.
        return self._open(self._usable(row.user_id)[0])

    def _note_failure(
        self, row: TokenRow, lease: int, status: str, reason: str, delay_ms: int
    ) -> None:
        log.warning("renewal failed", user_id=row.user_id, status=status, reason=reason)
        with self._database.transaction() as transaction:
            tokens.save_failure(
                transaction, row, lease, status=status, reason=reason, delay_ms=delay_ms
            )
            if status == tokens.NEEDS_LOGIN:
                channels.warn(transaction, row.user_id, f"needs a new login: {reason}")

    def _usable(self, user_id: str) -> tuple[TokenRow, int]:
        """The row of a user who does not have to log in again, and the time (epoch ms)."""
        with self._database.transaction(write=False) as transaction:
            row, now_ms = tokens.get(transaction, user_id), transaction.now_ms()
        if row is None:
            raise NotFound(f"There are no tokens of user {user_id!r}")
        if row.status == tokens.NEEDS_LOGIN:
            raise NeedsLogin(f"{row.login} has to log in again: {row.reason}")
        return row, now_ms

    def _open(self, row: TokenRow) -> UserToken:
        return UserToken(
            row.user_id,
            row.login,
            self._seal.access_token(row),
            tuple(row.scopes.split()),
            row.expires_at_ms,
            row.version,
        )


def _sha256(token: Secret) -> str:
    return hashlib.sha256(token.reveal().encode()).hexdigest()
