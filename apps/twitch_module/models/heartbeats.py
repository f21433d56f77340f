"""Which process does which kind of work, as each says of itself every few seconds."""

from collections.abc import Sequence

from .transaction import Transaction

FRESH_MS = 20_000  # a process that has not been heard of for so long does nothing any more
_FORGOTTEN_MS = 3600 * 1000


def note(transaction: Transaction, process: str, kinds: Sequence[str]) -> None:
    """Say that a process does these kinds of work; forget those that ended long ago."""
    now = transaction.now_ms()
    for kind in kinds:
        transaction.execute(
            "INSERT INTO twitch_heartbeats (kind, process, at_ms) VALUES (%s, %s, %s)"
            " ON CONFLICT (kind, process) DO UPDATE SET at_ms = excluded.at_ms",
            [kind, process, now],
        )
    sql = "DELETE FROM twitch_heartbeats WHERE at_ms < %s"
    transaction.execute(sql, [now - _FORGOTTEN_MS])


def forget(transaction: Transaction, process: str) -> None:
    """A process ends."""
    transaction.execute("DELETE FROM twitch_heartbeats WHERE process = %s", [process])


def kinds_done(transaction: Transaction) -> set[str]:
    """The kinds of work that some process does."""
    rows = transaction.execute(
        "SELECT DISTINCT kind FROM twitch_heartbeats WHERE at_ms > %s",
        [transaction.now_ms() - FRESH_MS],
    )
    return {kind for (kind,) in rows}
