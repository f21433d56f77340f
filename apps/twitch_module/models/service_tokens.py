"""The tokens of services: kept as hashes, shown once."""

from collections.abc import Sequence
from dataclasses import dataclass

from .database import Transaction

_COLUMNS = (
    "id, name, prefix, scopes, expires_at_ms, created_by, created_at_ms, last_used_at_ms,"
    " revoked_at_ms"
)


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A service's token, without its secret."""

    id: int
    name: str
    prefix: str
    scopes: str
    expires_at_ms: int | None
    created_by: str
    created_at_ms: int
    last_used_at_ms: int | None
    revoked_at_ms: int | None

    def is_alive(self, now_ms: int) -> bool:
        """Whether it can be used."""
        in_time = self.expires_at_ms is None or now_ms < self.expires_at_ms
        return self.revoked_at_ms is None and in_time


def insert(
    transaction: Transaction,
    *,
    name: str,
    prefix: str,
    secret_hash: str,
    scopes: Sequence[str],
    days: int | None,
    created_by: str,
) -> ServiceToken:
    """Write a new token, good for so many days or for ever."""
    now = transaction.now_ms()
    rows = transaction.select(
        "INSERT INTO service_tokens (name, prefix, secret_hash, scopes, expires_at_ms,"
        " created_by, created_at_ms) VALUES (%s, %s, %s, %s, %s, %s, %s)"
        f" RETURNING {_COLUMNS}",
        [
            name,
            prefix,
            secret_hash,
            " ".join(scopes),
            None if days is None else now + days * 24 * 60 * 60 * 1000,
            created_by,
            now,
        ],
    )
    return ServiceToken(**rows[0])


def list_all(transaction: Transaction) -> list[ServiceToken]:
    """Every token, newest first, also those that have ended."""
    rows = transaction.select(f"SELECT {_COLUMNS} FROM service_tokens ORDER BY id DESC")
    return [ServiceToken(**row) for row in rows]


def get(transaction: Transaction, token_id: int) -> ServiceToken | None:
    """One token, or None."""
    rows = transaction.select(f"SELECT {_COLUMNS} FROM service_tokens WHERE id = %s", [token_id])
    return ServiceToken(**rows[0]) if rows else None


def get_by_hash(transaction: Transaction, secret_hash: str) -> ServiceToken | None:
    """The token with this secret, or None."""
    rows = transaction.select(
        f"SELECT {_COLUMNS} FROM service_tokens WHERE secret_hash = %s", [secret_hash]
    )
    return ServiceToken(**rows[0]) if rows else None


def note_use(transaction: Transaction, token_id: int) -> None:
    """Note that a token was used now."""
    transaction.execute(
        "UPDATE service_tokens SET last_used_at_ms = %s WHERE id = %s",
        [transaction.now_ms(), token_id],
    )


def revoke(transaction: Transaction, token_id: int) -> bool:
    """End a token for good; False when it was ended before."""
    return bool(
        transaction.execute(
            "UPDATE service_tokens SET revoked_at_ms = %s"
            " WHERE id = %s AND revoked_at_ms IS NULL RETURNING id",
            [transaction.now_ms(), token_id],
        )
    )
