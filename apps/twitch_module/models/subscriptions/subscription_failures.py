"""Why a channel does not have one of its subscriptions, and when that is tried again."""

from dataclasses import dataclass
from typing import Any

from ...domain.subscriptions.subscription import Remedy, retry_delay_seconds
from ..transaction import Transaction

# Failures that are further apart do not make each other's delays longer.
_FORGET_MS = 24 * 3600 * 1000
_COLUMNS = "channel_id, event_type, version, remedy, reason, failures, failed_at_ms, retry_at_ms"
_SELECT = f"SELECT {_COLUMNS} FROM twitch_setbacks"


@dataclass(frozen=True, slots=True)
class SubscriptionFailure:
    """The last failure of one type of a channel. `retry_at_ms` is None for never."""

    channel_id: str
    event_type: str
    version: str
    remedy: Remedy
    reason: str
    failures: int
    failed_at_ms: int
    retry_at_ms: int | None


def note(
    transaction: Transaction,
    channel_id: str,
    event_type: str,
    version: str,
    remedy: Remedy,
    reason: str,
) -> SubscriptionFailure:
    """Note a failure; how it stands then. The delay grows with failures within a day."""
    before = _get(transaction, channel_id, event_type)
    now = transaction.now_ms()
    recent = before is not None and before.failed_at_ms > now - _FORGET_MS
    failures = (before.failures if before is not None and recent else 0) + 1
    delay = retry_delay_seconds(remedy, failures)
    retry_at_ms = None if delay is None else now + int(delay * 1000)
    failure = SubscriptionFailure(
        channel_id, event_type, version, remedy, reason, failures, now, retry_at_ms
    )
    transaction.execute(
        f"INSERT INTO twitch_setbacks ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (channel_id, event_type) DO UPDATE SET version = excluded.version,"
        " remedy = excluded.remedy, reason = excluded.reason, failures = excluded.failures,"
        " failed_at_ms = excluded.failed_at_ms, retry_at_ms = excluded.retry_at_ms",
        [channel_id, event_type, version, remedy, reason, failures, now, retry_at_ms],
    )
    return failure


def of_channel(transaction: Transaction, channel_id: str) -> dict[str, SubscriptionFailure]:
    """A channel's failures by type."""
    rows = transaction.select(f"{_SELECT} WHERE channel_id = %s", [channel_id])
    return {row["event_type"]: SubscriptionFailure(**row) for row in rows}


def list_all(transaction: Transaction) -> list[SubscriptionFailure]:
    """Everybody's failures."""
    return [SubscriptionFailure(**row) for row in transaction.select(f"{_SELECT} ORDER BY id")]


def forgive_login(transaction: Transaction, channel_id: str) -> None:
    """The streamer has logged in: whatever waited for that may be tried."""
    transaction.execute(
        "DELETE FROM twitch_setbacks WHERE channel_id = %s AND remedy = 'login'", [channel_id]
    )


def delete_channel(transaction: Transaction, channel_id: str) -> None:
    """Forget the failures of a channel."""
    transaction.execute("DELETE FROM twitch_setbacks WHERE channel_id = %s", [channel_id])


def _get(transaction: Transaction, channel_id: str, event_type: str) -> SubscriptionFailure | None:
    rows: list[dict[str, Any]] = transaction.select(
        f"{_SELECT} WHERE channel_id = %s AND event_type = %s", [channel_id, event_type]
    )
    return SubscriptionFailure(**rows[0]) if rows else None
