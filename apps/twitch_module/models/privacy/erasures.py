"""Erasures: who has been taken out, as a hash; and what is still to be done for it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...domain.privacy.erasure import Erased
from .. import key_values
from ..transaction import Transaction

_KEY = "erasure_key"  # the fact's name
_COLUMNS = "id, at_ms, pseudonym, user_id, up_to, scanned_to, events"


class Erasure(NamedTuple):
    """One user who is taken out of what is kept."""

    id: int
    at_ms: int
    pseudonym: str  # in the place of the user's id
    user_id: str | None  # None once all is done
    up_to: int | None  # the last event that is looked at; None before it begins
    scanned_to: int  # by event
    events: int  # in which the user was


def key(transaction: Transaction, new: str) -> str:
    """The key of the hashes; `new` is kept when there is none. Does not commit."""
    value, _ = key_values.keep_first(transaction, _KEY, new)
    return str(value)


def erased(transaction: Transaction) -> Erased:
    """Who has been erased so far."""
    rows = transaction.execute("SELECT user_hash, at_ms FROM twitch_erasures")
    if not rows:
        return Erased()
    found = key_values.read(transaction, _KEY)
    return Erased(found[0] if found else "", dict(rows))


def begin(transaction: Transaction, *, user_id: str, hashed: str, pseudonym: str) -> int:
    """An erasure that is to be done; its id. An earlier one of the same user goes on as this."""
    rows = transaction.execute(
        "INSERT INTO twitch_erasures"
        " (user_hash, at_ms, pseudonym, user_id, up_to, scanned_to, events)"
        " VALUES (%s, %s, %s, %s, NULL, 0, 0) ON CONFLICT (user_hash) DO UPDATE"
        " SET at_ms = excluded.at_ms, pseudonym = excluded.pseudonym, user_id = excluded.user_id,"
        " up_to = NULL, scanned_to = 0, events = 0 RETURNING id",
        [hashed, transaction.now_ms(), pseudonym, user_id],
    )
    return int(rows[0][0])


def get(transaction: Transaction, erasure_id: int) -> Erasure | None:
    """An erasure, or None."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM twitch_erasures WHERE id = %s", [erasure_id]
    )
    return Erasure(*rows[0]) if rows else None


def next_under_way(transaction: Transaction) -> Erasure | None:
    """The oldest that is not done, or None."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM twitch_erasures WHERE user_id IS NOT NULL ORDER BY at_ms LIMIT 1"
    )
    return Erasure(*rows[0]) if rows else None


def note(transaction: Transaction, erasure_id: int, **changes: Any) -> None:
    """Set some columns, which are this program's own names."""
    columns = ", ".join(f"{name} = %s" for name in changes)
    values: Sequence[Any] = [*changes.values(), erasure_id]
    transaction.execute(f"UPDATE twitch_erasures SET {columns} WHERE id = %s", values)
