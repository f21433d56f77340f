"""Logins that were tried within the last minutes, and did not succeed (yet)."""

from ..transaction import Transaction

WINDOW_MS = 5 * 60 * 1000
MOST_EACH = 10  # per user, and per address
MOST_TOGETHER = 1000

_ADVISORY_LOCK = 0x7477697463680002


def serialize(transaction: Transaction) -> None:
    """Let one login at a time count and add, so that many at once do not pass the limit."""
    if not transaction.sqlite:  # there a writer is alone by itself
        transaction.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])


def wait_ms(transaction: Transaction, username_hash: str | None, customer: str) -> int:
    """For how long this user, or this address, or everybody, has to wait; 0 for not at all.

    `username_hash` None leaves out the limit of the user.
    """
    since = transaction.now_ms() - WINDOW_MS
    limits = [("customer = %s AND", [customer], MOST_EACH), ("", [], MOST_TOGETHER)]
    if username_hash is not None:
        limits.append(("username_hash = %s AND", [username_hash], MOST_EACH))
    waits = [0]
    for condition, values, most in limits:
        # The try that has to leave the window before there is room again.
        rows = transaction.execute(
            f"SELECT at_ms FROM login_attempts WHERE {condition} at_ms > %s"
            " ORDER BY at_ms DESC LIMIT 1 OFFSET %s",
            [*values, since, most - 1],
        )
        waits += [row[0] - since for row in rows]
    return max(waits)


def add(transaction: Transaction, username_hash: str, customer: str) -> int:
    """Count a try; its id. Forgets those that are too old to count."""
    now = transaction.now_ms()
    transaction.execute("DELETE FROM login_attempts WHERE at_ms <= %s", [now - WINDOW_MS])
    rows = transaction.execute(
        "INSERT INTO login_attempts (username_hash, customer, at_ms) VALUES (%s, %s, %s)"
        " RETURNING id",
        [username_hash, customer, now],
    )
    return int(rows[0][0])


def forgive(transaction: Transaction, attempt_id: int) -> None:
    """Take a try back: it succeeded."""
    transaction.execute("DELETE FROM login_attempts WHERE id = %s", [attempt_id])
