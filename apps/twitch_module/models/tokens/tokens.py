"""The users' tokens, sealed, and who is renewing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..transaction import Transaction

OK = "ok"
NEEDS_LOGIN = "needs_login"

LEASE_MS = 30_000  # a renewal that takes longer has died

_COLUMNS = (
    "user_id",
    "login",
    "display_name",
    "access_token",
    "refresh_token",
    "scopes",
    "expires_at_ms",
    "renewed_at_ms",
    "status",
    "reason",
    "version",
    "lease_until_ms",
    "failures",
    "retry_at_ms",
    "failed_at_ms",
    "validated_at_ms",
    "created_at_ms",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM twitch_tokens"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A user's tokens as they are stored; the tokens themselves are sealed."""

    user_id: str
    login: str
    display_name: str
    access_token: str
    refresh_token: str
    scopes: str
    expires_at_ms: int
    renewed_at_ms: int | None
    status: str
    reason: str | None
    version: int
    lease_until_ms: int
    failures: int
    retry_at_ms: int
    failed_at_ms: int | None
    validated_at_ms: int | None
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class SealedPair:
    """A new pair of tokens, sealed for its user."""

    access_token: str
    refresh_token: str
    scopes: str
    expires_at_ms: int


def get(transaction: Transaction, user_id: str) -> TokenRow | None:
    """One user's tokens, or None."""
    rows = transaction.select(f"{_SELECT} WHERE user_id = %s", [user_id])
    return TokenRow(**rows[0]) if rows else None


def list_all(transaction: Transaction) -> list[TokenRow]:
    """Everybody's tokens, by login."""
    return [TokenRow(**row) for row in transaction.select(f"{_SELECT} ORDER BY login")]


_LOGGED_IN = """
INSERT INTO twitch_tokens
    (user_id, login, display_name, access_token, refresh_token, scopes, expires_at_ms,
     renewed_at_ms, status, reason, version, lease_until_ms, failures, retry_at_ms,
     validated_at_ms, check_at_ms, created_at_ms)
VALUES (%s, %s, %s, %s, %s, %s, %s, NULL, 'ok', NULL, 1, 0, 0, 0, %s, %s, %s)
ON CONFLICT (user_id) DO UPDATE SET
    login = excluded.login, display_name = excluded.display_name,
    access_token = excluded.access_token, refresh_token = excluded.refresh_token,
    scopes = excluded.scopes, expires_at_ms = excluded.expires_at_ms, renewed_at_ms = NULL,
    status = 'ok', reason = NULL, version = twitch_tokens.version + 1, lease_until_ms = 0,
    failures = 0, retry_at_ms = 0, failed_at_ms = NULL,
    validated_at_ms = excluded.validated_at_ms, check_at_ms = excluded.check_at_ms
"""


def save_login(
    transaction: Transaction,
    *,
    user_id: str,
    login: str,
    display_name: str,
    pair: SealedPair,
    check_at_ms: int,
) -> None:
    """Keep what a login brought, in place of whatever was there. Ends a renewal on its way."""
    now = transaction.now_ms()
    transaction.execute(
        _LOGGED_IN,
        [
            user_id,
            login,
            display_name,
            pair.access_token,
            pair.refresh_token,
            pair.scopes,
            pair.expires_at_ms,
            now,
            check_at_ms,
            now,
        ],
    )


def take_lease(transaction: Transaction, row: TokenRow) -> int | None:
    """The end of the lease with which the caller alone renews this pair, or None.

    None when somebody else is at it, or when the row has changed since it was read.
    """
    now = transaction.now_ms()
    taken = transaction.execute(
        "UPDATE twitch_tokens SET lease_until_ms = %s"
        " WHERE user_id = %s AND version = %s AND lease_until_ms <= %s AND status = 'ok'"
        " RETURNING id",
        [now + LEASE_MS, row.user_id, row.version, now],
    )
    return now + LEASE_MS if taken else None


def save_renewal(
    transaction: Transaction, row: TokenRow, lease_until_ms: int, pair: SealedPair
) -> bool:
    """Keep a renewed pair; False when the row is not the one that was leased any more."""
    return bool(
        transaction.execute(
            "UPDATE twitch_tokens SET access_token = %s, refresh_token = %s, scopes = %s,"
            " expires_at_ms = %s, renewed_at_ms = %s, reason = NULL, version = version + 1,"
            " lease_until_ms = 0, failures = 0, retry_at_ms = 0, failed_at_ms = NULL"
            " WHERE user_id = %s AND version = %s AND lease_until_ms = %s RETURNING id",
            [
                pair.access_token,
                pair.refresh_token,
                pair.scopes,
                pair.expires_at_ms,
                transaction.now_ms(),
                row.user_id,
                row.version,
                lease_until_ms,
            ],
        )
    )


def save_failure(
    transaction: Transaction,
    row: TokenRow,
    lease_until_ms: int,
    *,
    status: str,
    reason: str,
    delay_ms: int,
) -> None:
    """Note that a renewal failed; with NEEDS_LOGIN it is not tried again."""
    now = transaction.now_ms()
    transaction.execute(
        "UPDATE twitch_tokens SET status = %s, reason = %s, failures = failures + 1,"
        " retry_at_ms = %s, failed_at_ms = %s, lease_until_ms = 0"
        " WHERE user_id = %s AND version = %s AND lease_until_ms = %s",
        [
            status,
            reason,
            now + delay_ms,
            now,
            row.user_id,
            row.version,
            lease_until_ms,
        ],
    )


def save_validation(
    transaction: Transaction,
    row: TokenRow,
    *,
    login: str,
    scopes: str,
    expires_at_ms: int,
) -> None:
    """Keep what Twitch says of a token, unless there is a newer one by now."""
    transaction.execute(
        "UPDATE twitch_tokens SET login = %s, scopes = %s, expires_at_ms = %s,"
        " validated_at_ms = %s WHERE user_id = %s AND version = %s",
        [login, scopes, expires_at_ms, transaction.now_ms(), row.user_id, row.version],
    )


def save_end(transaction: Transaction, row: TokenRow) -> None:
    """Note that Twitch does not take this access token any more, unless there is a newer one."""
    transaction.execute(
        "UPDATE twitch_tokens SET expires_at_ms = %s WHERE user_id = %s AND version = %s",
        [transaction.now_ms(), row.user_id, row.version],
    )


def delete(transaction: Transaction, user_id: str) -> bool:
    """Forget a user's tokens; whether there were any."""
    sql = "DELETE FROM twitch_tokens WHERE user_id = %s RETURNING id"
    return bool(transaction.execute(sql, [user_id]))


def take_due_checks(transaction: Transaction, limit: int, next_check_ms: int) -> list[TokenRow]:
    """Some tokens that are due to be validated; they are due again `next_check_ms` from now."""
    now = transaction.now_ms()
    rows = transaction.select(
        f"{_SELECT} WHERE status = 'ok' AND check_at_ms <= %s ORDER BY check_at_ms LIMIT %s",
        [now, limit],
    )
    for row in rows:
        set_check(transaction, row["user_id"], now + next_check_ms)
    return [TokenRow(**row) for row in rows]


def set_check(transaction: Transaction, user_id: str, check_at_ms: int) -> None:
    """Set when a token is to be validated next."""
    transaction.execute(
        "UPDATE twitch_tokens SET check_at_ms = %s WHERE user_id = %s", [check_at_ms, user_id]
    )


def make_all_due(transaction: Transaction, unless_validated_after_ms: int) -> None:
    """Make every token due to be validated, but for those that just have been."""
    transaction.execute(
        "UPDATE twitch_tokens SET check_at_ms = %s"
        " WHERE validated_at_ms IS NULL OR validated_at_ms < %s",
        [transaction.now_ms(), unless_validated_after_ms],
    )


def replace_sealed(
    transaction: Transaction, row: TokenRow, access_token: str, refresh_token: str
) -> bool:
    """Put the same pair under another key; False when there is another pair by now.

    The version stays: a renewal that is on its way must not be disturbed.
    """
    return bool(
        transaction.execute(
            "UPDATE twitch_tokens SET access_token = %s, refresh_token = %s"
            " WHERE user_id = %s AND access_token = %s AND refresh_token = %s RETURNING id",
            [access_token, refresh_token, row.user_id, row.access_token, row.refresh_token],
        )
    )


def sealed_after(transaction: Transaction, user_id: str, limit: int) -> Sequence[TokenRow]:
    """The next rows by user id, for going through all of them in parts."""
    rows: list[dict[str, Any]] = transaction.select(
        f"{_SELECT} WHERE user_id > %s ORDER BY user_id LIMIT %s", [user_id, limit]
    )
    return [TokenRow(**row) for row in rows]
