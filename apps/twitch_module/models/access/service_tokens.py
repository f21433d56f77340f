"""The tokens of services: kept as hashes, shown once."""

from dataclasses import dataclass, replace

from ..transaction import Transaction

_COLUMNS = (
    "id, name, prefix, scopes, expires_at_ms, created_by, created_at_ms, last_used_at_ms,"
    " revoked_at_ms, exchange_only, successor_id"
)
DAY_MS = 24 * 60 * 60 * 1000
_NOTED_EVERY_MS = 60_000  # a note for each request would cost more than the request


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
    exchange_only: int
    successor_id: int | None

    @property
    def days(self) -> int | None:
        """How long it was made for; None for an eternal one."""
        if self.expires_at_ms is None:
            return None
        return round((self.expires_at_ms - self.created_at_ms) / DAY_MS)

    def use_is_noted(self, now_ms: int) -> bool:
        """Whether its last use is known as exactly as it is kept."""
        return self.last_used_at_ms is not None and now_ms < self.last_used_at_ms + _NOTED_EVERY_MS

    def is_alive(self, now_ms: int) -> bool:
        """Whether it can be used."""
        in_time = self.expires_at_ms is None or now_ms < self.expires_at_ms
        return self.revoked_at_ms is None and in_time


def insert(
    transaction: Transaction,
    *,
    name: str,
    scopes: str,
    days: int | None,
    exchange_only: bool,
    created_by: str,
    placeholder: str,
) -> ServiceToken:
    """Write a new token, good for so many days or for ever.

    Its text names its row, so `set_secret` completes it in the same transaction; until then
    `placeholder` stands for its hash.
    """
    now = transaction.now_ms()
    rows = transaction.select(
        "INSERT INTO service_tokens (name, prefix, secret_hash, scopes, expires_at_ms,"
        " created_by, created_at_ms, exchange_only) VALUES (%s, '', %s, %s, %s, %s, %s, %s)"
        f" RETURNING {_COLUMNS}",
        [
            name,
            placeholder,
            scopes,
            None if days is None else now + days * DAY_MS,
            created_by,
            now,
            int(exchange_only),
        ],
    )
    return ServiceToken(**rows[0])


def set_secret(
    transaction: Transaction, token: ServiceToken, secret_hash: str, prefix: str
) -> ServiceToken:
    """Keep the hash of a token's text, and what the text is known by; the token with that."""
    transaction.execute(
        "UPDATE service_tokens SET secret_hash = %s, prefix = %s WHERE id = %s",
        [secret_hash, prefix, token.id],
    )
    return replace(token, prefix=prefix)


def set_successor(transaction: Transaction, token_id: int, successor_id: int) -> None:
    """Note what a token was renewed to."""
    transaction.execute(
        "UPDATE service_tokens SET successor_id = %s WHERE id = %s", [successor_id, token_id]
    )


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


def lock_by_hash(transaction: Transaction, secret_hash: str) -> ServiceToken | None:
    """The token with this secret, that others wait for until this transaction ends, or None."""
    rows = transaction.select(
        "UPDATE service_tokens SET last_used_at_ms = %s WHERE secret_hash = %s"
        f" RETURNING {_COLUMNS}",
        [transaction.now_ms(), secret_hash],
    )
    return ServiceToken(**rows[0]) if rows else None


def note_use(transaction: Transaction, token_id: int) -> None:
    """Note that a token was used now, unless that was noted a moment ago."""
    now = transaction.now_ms()
    transaction.execute(
        "UPDATE service_tokens SET last_used_at_ms = %s"
        " WHERE id = %s AND coalesce(last_used_at_ms, 0) <= %s",
        [now, token_id, now - _NOTED_EVERY_MS],
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
