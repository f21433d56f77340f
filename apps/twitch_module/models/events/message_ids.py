"""Which message ids have come: their index, and those that are not in it yet. On SQLite.

Message ids are random: in an index each belongs on another page, and SQLite logs whole pages. An
entry for each new event would write as many pages as all else of its commit. So they enter the
index some thousands at a time, in its order. Until then they are found in their events, whose
row ids count up, and in the memory of whoever writes. One transaction at a time writes.

The natural keys of their activities and the sums of their points come along, for the same reason.
"""

from collections.abc import Sequence

import orjson

from .. import key_values
from ..points import natural_keys, totals
from ..points.natural_keys import Place
from ..transaction import Transaction

WEEK_MS = 7 * 24 * 3600 * 1000  # ids go by weeks: those of one share fewer pages
# So long before and after the turn of a week the other week is looked at, too: clocks are set, and
# those of two machines differ. What is older than ten minutes is refused by its timestamp.
TURN_MS = 15 * 60 * 1000
INDEX_AFTER = 1024  # so many are entered at once: some 5 ms
INDEXED_TO = "message_ids_indexed_to"  # the fact: up to which row id of twitch_events

_FACT = f"FROM twitch_facts WHERE name = '{INDEXED_TO}'"
_STATE = f"""
SELECT (SELECT coalesce(max(id), 0) FROM twitch_events),
    coalesce((SELECT value {_FACT}), '0'), (SELECT at_ms {_FACT})
"""
# One row, however many ids: Python gives up its lock for each row that it reads.
_NEW = "SELECT json_group_array(event_id) FROM twitch_events WHERE id > %s"
_INDEX = f"""
INSERT OR IGNORE INTO twitch_message_ids (week, event_id, id)
SELECT received_at_ms / {WEEK_MS} AS week, event_id, id FROM twitch_events
WHERE id > %s AND id <= %s ORDER BY week, event_id
"""


def row_id(transaction: Transaction, event_id: str, weeks: Sequence[int]) -> int | None:
    """The row id of the event that came with this id in one of these weeks, or None."""
    places = ", ".join(["%s"] * len(weeks))
    rows = transaction.execute(
        "SELECT max(id) FROM ("
        f"SELECT id FROM twitch_message_ids WHERE week IN ({places}) AND event_id = %s"
        " UNION ALL "
        "SELECT id FROM twitch_events WHERE event_id = %s"
        f" AND id > coalesce((SELECT 0 + value {_FACT}), 0))",
        [*weeks, event_id, event_id],
    )
    return rows[0][0]  # type: ignore[no-any-return]


def forget(transaction: Transaction, last_event: int, before_week: int, limit: int) -> None:
    """Delete ids of earlier weeks, so many at the most; events up to `last_event` are deleted."""
    transaction.execute(
        "DELETE FROM twitch_message_ids WHERE (week, event_id) IN"
        " (SELECT week, event_id FROM twitch_message_ids WHERE week < %s"
        " ORDER BY week, event_id LIMIT %s)",
        [before_week, limit],
    )
    _state(transaction, last_event)


def _state(transaction: Transaction, once_newest: int) -> tuple[int, tuple[str, int | None]]:
    """The row id of the newest event; up to which they are indexed, as the fact has it.

    When the newest events have been deleted, SQLite gives their row ids again: then the fact is
    noted anew, for everybody to see.
    """
    newest, value, at_ms = transaction.execute(_STATE)[0]
    if newest < max(once_newest, int(value)):
        key_values.note(transaction, INDEXED_TO, min(newest, int(value)))
        newest, value, at_ms = transaction.execute(_STATE)[0]
    return newest, (value, at_ms)


def indexed_to(transaction: Transaction) -> int:
    """Up to which event all is in the index. 0 on PostgreSQL, which has nothing of this."""
    if not transaction.sqlite:
        return 0
    rows = transaction.execute(f"SELECT 0 + value {_FACT}")
    return int(rows[0][0]) if rows else 0


def index(transaction: Transaction) -> None:
    """Have everything in the index by now. SQLite."""
    newest, (value, _) = _state(transaction, 0)
    _index(transaction, int(value), newest)


def _index(transaction: Transaction, after_id: int, up_to: int) -> None:
    for statement in (_INDEX, natural_keys.FOLD, totals.FOLD):
        transaction.execute(statement, [after_id, up_to])
    key_values.note(transaction, INDEXED_TO, up_to)


class RecentIds:
    """The ids that are not in the index yet, for one thread that writes events.

    It holds what was committed before the transaction that asked last, and nothing else: whatever
    becomes of a transaction, the next one sees it.
    """

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._keys: dict[str, Place] = {}
        # The fact as it was: up to which row id, and since when that is so.
        self._indexed: tuple[str, int | None] | None = None
        self._read_to = 0  # the row id of the newest event that has been read

    def known(self, transaction: Transaction, event_ids: Sequence[str], at_ms: int) -> set[str]:
        """Those that have come in the week of `at_ms`, in the one before, or, when that is about
        to begin, in the next: the clock may have been set back since.

        To be asked once in a transaction, before that writes events.
        """
        self._read(transaction)
        if len(self._ids) >= INDEX_AFTER:
            _index(transaction, self._indexed_to, self._read_to)
            self._read(transaction)
        weeks = {at_ms // WEEK_MS - 1, at_ms // WEEK_MS, (at_ms + TURN_MS) // WEEK_MS}
        places = ", ".join(["%s"] * len(event_ids))
        indexed = transaction.execute(
            f"SELECT event_id FROM twitch_message_ids WHERE week IN ({', '.join(map(str, weeks))})"
            f" AND event_id IN ({places})",
            event_ids,
        )
        return self._ids.intersection(event_ids).union(event_id for (event_id,) in indexed)

    def holders(self, transaction: Transaction, keys: Sequence[str]) -> dict[str, Place]:
        """Who holds these natural keys; of two, who came later. To be asked after `known`."""
        found = natural_keys.in_table(transaction, keys)
        for key in self._keys.keys() & set(keys):
            if key not in found or found[key].at_ms <= self._keys[key].at_ms:
                found[key] = self._keys[key]
        return found

    @property
    def _indexed_to(self) -> int:
        return int(self._indexed[0]) if self._indexed else 0

    def _read(self, transaction: Transaction) -> None:
        """See what others, and this one, have committed since the last time."""
        newest, indexed = _state(transaction, self._read_to)
        if indexed != self._indexed:  # somebody has indexed, or this one has not after all
            self._indexed = indexed
            self._ids.clear()
            self._keys.clear()
            self._read_to = self._indexed_to
        self._ids.update(orjson.loads(transaction.execute(_NEW, [self._read_to])[0][0]))
        for key, place in natural_keys.of_tail(transaction, self._read_to):
            if key not in self._keys or self._keys[key].at_ms <= place.at_ms:
                self._keys[key] = place
        self._read_to = newest
