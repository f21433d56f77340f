"""Follows that have been entered, each once: by a webhook, or by catching up."""

from ..transaction import Transaction


def enter(transaction: Transaction, follow_id: str, event_id: str) -> bool:
    """Enter a follow under an event; False when another event has entered it before.

    Waits for a transaction that is entering the same follow right now.
    """
    owner = transaction.execute(
        "INSERT INTO twitch_follows (follow_id, event_id, entered_at_ms) VALUES (%s, %s, %s)"
        " ON CONFLICT (follow_id) DO UPDATE SET follow_id = excluded.follow_id"
        " RETURNING event_id",
        [follow_id, event_id, transaction.now_ms()],
    )
    return bool(owner[0][0] == event_id)
