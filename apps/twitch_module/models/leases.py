"""Work that one process at a time does: a lease by name."""

from .transaction import Transaction


def hold(transaction: Transaction, name: str, owner: str, lease_ms: int) -> bool:
    """Take or prolong a lease; False when somebody else holds it."""
    now = transaction.now_ms()
    return bool(
        transaction.execute(
            "INSERT INTO twitch_leases (name, owner, until_ms) VALUES (%s, %s, %s)"
            " ON CONFLICT (name) DO UPDATE"
            " SET owner = excluded.owner, until_ms = excluded.until_ms"
            " WHERE twitch_leases.owner = excluded.owner OR twitch_leases.until_ms <= %s"
            " RETURNING id",
            [name, owner, now + lease_ms, now],
        )
    )


def owner(transaction: Transaction, name: str) -> str | None:
    """Who holds a lease, or None."""
    rows = transaction.execute("SELECT owner FROM twitch_leases WHERE name = %s", [name])
    return rows[0][0] if rows else None


def let_go(transaction: Transaction, name: str, owner: str) -> None:
    """Give a lease up."""
    transaction.execute("DELETE FROM twitch_leases WHERE name = %s AND owner = %s", [name, owner])
