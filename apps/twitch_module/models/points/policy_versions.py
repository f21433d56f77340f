"""Which points policies have been in force, from when on, and who set them."""

import json
from typing import Any, NamedTuple

from ..transaction import Transaction

_COLUMNS = "id, at_ms, actor, source, channel_id, policy"


class Version(NamedTuple):
    """A policy, in force from `at_ms` until the next one of the same channel."""

    id: int
    at_ms: int
    actor: str
    source: str  # where it is written
    channel_id: str | None  # None for that of all channels
    policy: dict[str, Any]  # the entries


def note(
    transaction: Transaction,
    *,
    actor: str,
    source: str,
    channel_id: str | None,
    policy: dict[str, Any],
) -> bool:
    """This policy is in force from now on; whether that is new."""
    if not transaction.sqlite:  # of processes that start at once, one notes it
        transaction.execute("LOCK TABLE twitch_policy_versions IN SHARE ROW EXCLUSIVE MODE")
    latest = transaction.execute(
        "SELECT policy FROM twitch_policy_versions WHERE coalesce(channel_id, '') = %s"
        " ORDER BY id DESC LIMIT 1",
        [channel_id or ""],
    )
    if (json.loads(latest[0][0]) if latest else {} if channel_id else None) == policy:
        return False
    transaction.execute(
        "INSERT INTO twitch_policy_versions (at_ms, actor, source, channel_id, policy)"
        " VALUES (%s, %s, %s, %s, %s)",
        [transaction.now_ms(), actor, source, channel_id, json.dumps(policy)],
    )
    return True


def recent(
    transaction: Transaction, channel_id: str | None, before_id: int | None, limit: int
) -> list[Version]:
    """Versions, newest first; of one channel alone, if it is given."""
    of_channel = "" if channel_id is None else " AND channel_id = %s"
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM twitch_policy_versions WHERE id < %s{of_channel}"
        " ORDER BY id DESC LIMIT %s",
        [
            2**62 if before_id is None else before_id,
            *([] if channel_id is None else [channel_id]),
            limit,
        ],
    )
    return [Version(*row)._replace(policy=json.loads(row[5])) for row in rows]
