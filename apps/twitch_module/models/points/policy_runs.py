"""What another policy would have given: previews, and having them applied or taken back."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..transaction import Transaction

# A run goes from the left to the right; READ and APPLIED wait for an admin.
READING, READ, APPLYING, APPLIED, UNDOING, UNDONE = (
    "reading",
    "read",
    "applying",
    "applied",
    "undoing",
    "undone",
)
FAILED = "failed"
UNDER_WAY = (READING, APPLYING, UNDOING)

_COLUMNS = (
    "id, at_ms, actor, channel_id, since_ms, policy, state, reason, up_to, from_day, pruned,"
    " to_do, done, changes"
)


class Run(NamedTuple):
    """A preview, and what became of it.

    `up_to` is the last event that it looks at, fixed when it begins, and `from_day` the first day
    (since 1970-01-01) whose points it compares. `to_do` and `done` count events while it reads,
    and changes afterwards.
    """

    id: int
    at_ms: int
    actor: str
    channel_id: str | None  # None for all channels
    since_ms: int
    policy: dict[str, Any]  # the entries
    state: str
    reason: str | None
    up_to: int | None
    from_day: int | None
    pruned: list[dict[str, Any]]
    to_do: int
    done: int
    changes: int


class Difference(NamedTuple):
    """How the points of a user from an activity in a channel on a day change."""

    number: int  # in the run, from 1
    channel_id: str
    channel_name: str
    user_id: str
    user_login: str
    user_name: str
    activity_type: str
    day: int
    points_before: int
    points_after: int
    activity_id: int | None  # the correction's, once it is applied


def begin(
    transaction: Transaction,
    *,
    actor: str,
    channel_id: str | None,
    since_ms: int,
    policy: dict[str, Any],
) -> int:
    """A new run, which is to be read; its id."""
    rows = transaction.execute(
        "INSERT INTO twitch_policy_runs (at_ms, actor, channel_id, since_ms, policy, state, pruned,"
        " to_do, done, changes) VALUES (%s, %s, %s, %s, %s, %s, '[]', 0, 0, 0) RETURNING id",
        [transaction.now_ms(), actor, channel_id, since_ms, json.dumps(policy), READING],
    )
    return int(rows[0][0])


def get(transaction: Transaction, run_id: int, *, lock: bool = False) -> Run | None:
    """A run, or None. `lock`: nobody else changes it in this transaction."""
    suffix = " FOR UPDATE" if lock and not transaction.sqlite else ""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM twitch_policy_runs WHERE id = %s{suffix}", [run_id]
    )
    return _run(rows[0]) if rows else None


def recent(transaction: Transaction, before_id: int | None, limit: int) -> list[Run]:
    """Runs, newest first."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM twitch_policy_runs WHERE id < %s ORDER BY id DESC LIMIT %s",
        [2**62 if before_id is None else before_id, limit],
    )
    return [_run(row) for row in rows]


def next_under_way(transaction: Transaction) -> Run | None:
    """The oldest run that is not where an admin wanted it, or None."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM twitch_policy_runs WHERE state IN (%s, %s, %s)"
        " ORDER BY id LIMIT 1",
        list(UNDER_WAY),
    )
    return _run(rows[0]) if rows else None


def note(transaction: Transaction, run_id: int, **changes: Any) -> None:
    """Set some of a run's columns, which are this program's own names."""
    columns = ", ".join(f"{name} = %s" for name in changes)
    transaction.execute(
        f"UPDATE twitch_policy_runs SET {columns} WHERE id = %s", [*changes.values(), run_id]
    )


def replace_differences(
    transaction: Transaction, run_id: int, differences: Sequence[Difference]
) -> None:
    """Keep what a run has found."""
    transaction.execute("DELETE FROM twitch_policy_changes WHERE run_id = %s", [run_id])
    row = f"({', '.join(['%s'] * (len(Difference._fields) + 1))})"
    for start in range(0, len(differences), 500):
        part = differences[start : start + 500]
        transaction.execute(
            f"INSERT INTO twitch_policy_changes (run_id, {', '.join(Difference._fields)})"
            f" VALUES {', '.join([row] * len(part))}",
            [value for one in part for value in (run_id, *one)],
        )


def differences(
    transaction: Transaction, run_id: int, *, after: int, limit: int
) -> list[Difference]:
    """What a run has found, from a number on."""
    rows = transaction.execute(
        f"SELECT {', '.join(Difference._fields)} FROM twitch_policy_changes"
        " WHERE run_id = %s AND number > %s ORDER BY number LIMIT %s",
        [run_id, after, limit],
    )
    return [Difference(*row) for row in rows]


def note_applied(transaction: Transaction, run_id: int, number: int, activity_id: int) -> None:
    """A correction has been written."""
    transaction.execute(
        "UPDATE twitch_policy_changes SET activity_id = %s WHERE run_id = %s AND number = %s",
        [activity_id, run_id, number],
    )


class Summary(NamedTuple):
    """What a run comes to."""

    users: int
    gain: int  # points in all
    lose: int


def summary(transaction: Transaction, run_id: int) -> Summary:
    """How many users gain and lose how much."""
    rows = transaction.execute(
        "SELECT count(*), coalesce(sum(CASE WHEN points > 0 THEN points ELSE 0 END), 0),"
        " coalesce(sum(CASE WHEN points < 0 THEN -points ELSE 0 END), 0) FROM ("
        " SELECT user_id, sum(points_after - points_before) AS points"
        " FROM twitch_policy_changes WHERE run_id = %s GROUP BY user_id) AS users",
        [run_id],
    )
    return Summary(*map(int, rows[0]))


def _run(row: Sequence[Any]) -> Run:
    run = Run(*row)
    return run._replace(policy=json.loads(row[5]), pruned=json.loads(row[10]))
