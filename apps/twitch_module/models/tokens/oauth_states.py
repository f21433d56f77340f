"""Logins that have begun and not ended: kept here as hashes, good for one use."""

from dataclasses import dataclass

from ...domain.tokens.oauth import STATE_SECONDS
from ..transaction import Transaction


@dataclass(frozen=True, slots=True)
class Begun:
    """A login that was begun in this browser; the activation key is sealed."""

    activation_key: str | None
    channel_id: str | None


def begin(
    transaction: Transaction,
    state_hash: str,
    browser_hash: str,
    activation_key: str | None,
    channel_id: str | None,
) -> None:
    """Keep a state for ten minutes, and forget those whose time is over."""
    now = transaction.now_ms()
    transaction.execute("DELETE FROM oauth_states WHERE expires_at_ms <= %s", [now])
    transaction.execute(
        "INSERT INTO oauth_states"
        " (state_hash, browser_hash, activation_key, channel_id, expires_at_ms)"
        " VALUES (%s, %s, %s, %s, %s)",
        [state_hash, browser_hash, activation_key, channel_id, now + STATE_SECONDS * 1000],
    )


def take(transaction: Transaction, state_hash: str, browser_hash: str) -> Begun | None:
    """Use a state up; None when there is none for this browser, or no more.

    One statement, so that of many callers with the same state one gets it.
    """
    rows = transaction.execute(
        "DELETE FROM oauth_states WHERE state_hash = %s AND browser_hash = %s"
        " AND expires_at_ms > %s RETURNING activation_key, channel_id",
        [state_hash, browser_hash, transaction.now_ms()],
    )
    return Begun(*rows[0]) if rows else None
