"""Which event holds a natural key: so that the same thing is paid once, whoever hears of it.

Keys enter their table with their activity on PostgreSQL. On SQLite, where each would write a page
of its own, they enter it many at once, with the message ids; until then their activities have
them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from ...domain.points.judgement import PAIR_MS
from ...domain.points.natural_key import FOLLOWS, NEAR
from ..transaction import Transaction

_IN_OWN_TIME = "coalesce(happened_at_ms, created_at_ms)"
# One row, however many keys: Python gives up its lock for each row that it reads.
_TAIL = (
    f"SELECT json_group_array(json_array(natural_key, id, {_IN_OWN_TIME}))"
    " FROM twitch_activities WHERE id > %s AND natural_key IS NOT NULL"
)
FOLD = f"""
INSERT INTO twitch_natural_keys (key, id, at_ms)
SELECT natural_key, id, {_IN_OWN_TIME} AS at_ms FROM twitch_activities
WHERE id > %s AND id <= %s AND natural_key IS NOT NULL ORDER BY natural_key, at_ms
ON CONFLICT (key) DO UPDATE SET id = excluded.id, at_ms = excluded.at_ms
WHERE excluded.at_ms >= twitch_natural_keys.at_ms
"""


class Place(NamedTuple):
    """Which event's row holds a key, and when that happened (epoch ms)."""

    id: int
    at_ms: int


def is_stale(key: str, held: Place, at_ms: int) -> bool:
    """Whether what holds the key is too old to say anything of what happens at `at_ms`."""
    return key.startswith(NEAR) and held.at_ms < at_ms - PAIR_MS


def of_tail(transaction: Transaction, after_id: int) -> Iterable[tuple[str, Place]]:
    """The keys of activities above a row id, oldest first. SQLite."""
    found = orjson.loads(transaction.execute(_TAIL, [after_id])[0][0])
    return [(key, Place(row_id, at_ms)) for key, row_id, at_ms in found]


def in_table(transaction: Transaction, keys: Sequence[str]) -> dict[str, Place]:
    """Who holds these keys, as the table has it."""
    if not keys:
        return {}
    places = ", ".join(["%s"] * len(keys))
    rows = transaction.execute(
        f"SELECT key, id, at_ms FROM twitch_natural_keys WHERE key IN ({places})", keys
    )
    return {key: Place(row_id, at_ms) for key, row_id, at_ms in rows}


def take(transaction: Transaction, taken: Mapping[str, Place]) -> None:
    """Have these events hold these keys from now on."""
    if not taken:
        return
    rows = ", ".join(["(%s, %s, %s)"] * len(taken))
    transaction.execute(
        f"INSERT INTO twitch_natural_keys (key, id, at_ms) VALUES {rows}"
        " ON CONFLICT (key) DO UPDATE SET id = excluded.id, at_ms = excluded.at_ms",
        [value for key, place in sorted(taken.items()) for value in (key, *place)],
    )


def forget(transaction: Transaction, ids: Sequence[int]) -> None:
    """Delete the keys that these events hold, but for those of follows, which last."""
    places = ", ".join(["%s"] * len(ids))
    transaction.execute(
        "DELETE FROM twitch_natural_keys WHERE key IN ("
        f"SELECT natural_key FROM twitch_activities WHERE id IN ({places})"
        f" AND natural_key NOT LIKE '{FOLLOWS}%%') AND id IN ({places})",
        [*ids, *ids],
    )


def holders(transaction: Transaction, keys: Sequence[str], tail_after: int) -> dict[str, Place]:
    """Who holds these keys, this transaction's own activities included; of two, who came later.

    `tail_after`: on SQLite, up to which event the table has them.
    """
    found = in_table(transaction, keys)
    if transaction.sqlite and keys:
        places = ", ".join(["%s"] * len(keys))
        rows = transaction.execute(
            f"SELECT natural_key, id, {_IN_OWN_TIME} FROM twitch_activities"
            f" WHERE id > %s AND natural_key IN ({places}) ORDER BY id",
            [tail_after, *keys],
        )
        for key, row_id, at_ms in rows:
            if key not in found or found[key].at_ms <= at_ms:
                found[key] = Place(row_id, at_ms)
    return found
