"""Forgetting old rows, a few at a time."""

from collections.abc import Sequence

from .events import message_ids
from .events.events import OUT_OF_IT
from .points import natural_keys
from .transaction import Transaction


def ids_from(transaction: Transaction, after_id: int, limit: int) -> list[tuple[int, int]]:
    """The next events after an id: (id, when received in epoch ms), oldest first."""
    rows = transaction.execute(
        "SELECT id, received_at_ms FROM twitch_events WHERE id > %s ORDER BY id LIMIT %s",
        [after_id, limit],
    )
    return [(row_id, received_at_ms) for row_id, received_at_ms in rows]


def delete_events(transaction: Transaction, ids: Sequence[int]) -> int:
    """Delete events with their activities, but for what is still to be delivered; how many."""
    if not ids:
        return 0
    if transaction.sqlite and max(ids) > message_ids.indexed_to(transaction):
        message_ids.index(transaction)  # what is deleted must have been summed up
    natural_keys.forget(transaction, ids)
    places = ", ".join(["%s"] * len(ids))
    transaction.execute(
        f"DELETE FROM twitch_activities WHERE id IN ({places}) AND {OUT_OF_IT}", ids
    )
    deleted = transaction.execute(
        f"DELETE FROM twitch_events WHERE id IN ({places})"
        " AND NOT EXISTS (SELECT 1 FROM twitch_activities a WHERE a.id = twitch_events.id)"
        " RETURNING id",
        ids,
    )
    return len(deleted)
