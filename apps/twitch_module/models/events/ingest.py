"""Writing events and what they earn: many at once, each once."""

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from ..delivery.activities import NewActivity
from ..delivery.announcements import ANNOUNCE
from ..transaction import Prepared, Transaction
from .events import NewEvent
from .message_ids import TURN_MS, WEEK_MS, RecentIds

Pair = tuple[NewEvent, NewActivity | None]

# Around the turn of a week, PostgreSQL's transactions go one after another: two of them, one in
# the old week and one in the new, would not see each other's message ids. No clocks are so far
# apart, and no commit takes so long.
_TURN_LOCK = 0x7477697463680002  # see also the migrations

# Of an activity: what its event says of it, too, and its own.
_OF_EVENT = ("id", "event_id", "channel_id", "user_id", "user_login", "user_name")
_ACTIVITY = (*_OF_EVENT, *NewActivity._fields)


def insert(
    transaction: Transaction,
    pairs: Sequence[Pair],
    at_ms: int | None = None,
    *,
    recent: RecentIds | None = None,
    announced: bool = False,
) -> Mapping[str, int]:
    """Write those events that are not there yet, and what they earn, due at once.

    The row ids of the new ones by message id. The message ids must differ. They are known for a
    week at least. `at_ms` is when they came, by default now. `recent` is what a thread that
    writes often keeps between its transactions. `announced` wakes the workers of other processes
    at the commit.
    """
    if transaction.sqlite:
        return _insert_into_sqlite(
            transaction, pairs, at_ms or transaction.now_ms(), recent or RecentIds()
        )
    near = at_ms if at_ms is not None else time.time_ns() // 1_000_000
    if near % WEEK_MS < TURN_MS or near % WEEK_MS > WEEK_MS - TURN_MS:
        transaction.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN_LOCK])
    documents = orjson.dumps([_document(*pair) for pair in pairs]).decode()
    found = transaction.execute_prepared(
        _STORE, [documents, at_ms], first=ANNOUNCE if announced else ""
    )
    return dict(found)


def _insert_into_sqlite(
    transaction: Transaction, pairs: Sequence[Pair], at_ms: int, recent: RecentIds
) -> Mapping[str, int]:
    known = recent.known(transaction, [event.event_id for event, _ in pairs], at_ms)
    if known:
        pairs = [pair for pair in pairs if pair[0].event_id not in known]
    if not pairs:
        return {}
    transaction.execute(_insert_events_sql(len(pairs)), _event_values(pairs, at_ms))
    # Python gives up and takes back the interpreter lock for each row that RETURNING returns,
    # which with busy threads costs more than the statement. Nobody else writes meanwhile, so
    # that the new rows count up to the last.
    first = transaction.last_id() - len(pairs) + 1
    if values := _activity_values(pairs, first):
        rows = len(values) // len(_ACTIVITY)
        transaction.execute(_insert_activities_sql(rows), [at_ms, *values])
    return {event.event_id: row_id for row_id, (event, _) in enumerate(pairs, first)}


def _event_values(pairs: Sequence[Pair], at_ms: int) -> list[Any]:
    """What _insert_events_sql takes.

    Python's driver binds str, int and bytearray at once, and looks for an adapter of everything
    else, None and bytes too, which takes it longer than to insert them.
    """
    values: list[Any] = [at_ms]
    for event, _ in pairs:
        values += event
        values[-2] = event.reason or ""
        values[-1] = bytearray(event.body)
    return values


def _activity_values(pairs: Sequence[Pair], first: int) -> list[Any]:
    """What _insert_activities_sql takes beside ?1. `first` is the row id of the first event."""
    values: list[Any] = []
    for row_id, (event, activity) in enumerate(pairs, first):
        if activity is not None:
            values += (row_id, event.event_id, event.channel_id)
            values += (event.user_id, event.user_login, event.user_name)
            values += activity
            values[-1] = activity.reason or ""
    return values


# The names are this program's own; every value is a placeholder. ?1 is when they came.
@lru_cache(maxsize=256)
def _insert_events_sql(rows: int) -> str:
    columns = ", ".join(("received_at_ms", *NewEvent._fields))
    row = "(?1, " + "?, " * (len(NewEvent._fields) - 2) + "nullif(?, ''), ?)"
    return f"INSERT INTO twitch_events ({columns}) VALUES {', '.join([row] * rows)}"


@lru_cache(maxsize=256)
def _insert_activities_sql(rows: int) -> str:
    columns = ", ".join(("due_at_ms", "created_at_ms", "attempts", "lease_version", *_ACTIVITY))
    row = "(?1, ?1, 0, 0, " + "?, " * (len(_ACTIVITY) - 1) + "nullif(?, ''))"
    return f"INSERT INTO twitch_activities ({columns}) VALUES {', '.join([row] * rows)}"


# One statement that is planned once for each connection, whatever the number of rows: two with
# a placeholder for each value took nearly twice as long, on either side. Sorted, because two
# processes that write the same ids in different orders would wait for each other.
_STORE = Prepared(
    "store_events",
    ("json", "bigint"),
    """
WITH given AS (
    SELECT * FROM json_to_recordset($1) AS given (
        event_id text, event_type text, event_version text, subscription_id text,
        channel_id text, channel_name text, user_id text, user_login text, user_name text,
        outcome text, reason text, body text, activity json
    )
), clock AS (
    SELECT coalesce($2, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) AS ms
), new AS (
    INSERT INTO twitch_events (
        event_id, event_type, event_version, subscription_id, channel_id, channel_name,
        user_id, user_login, user_name, outcome, reason, body, received_at_ms
    )
    SELECT event_id, event_type, event_version, subscription_id, channel_id, channel_name,
        user_id, user_login, user_name, outcome, reason, decode(body, 'hex'), ms
    FROM given, clock
    WHERE (
        -- Not NOT EXISTS: that would be planned as a join, from which many rows may be read.
        SELECT id FROM twitch_events AS earlier
        WHERE (earlier.received_at_ms / WEEK_MS) = ms / WEEK_MS - 1
            AND earlier.event_id = given.event_id
    ) IS NULL
        -- In the last minutes of a week the clock may have been set back over its turn.
        AND CASE WHEN ms % WEEK_MS > WEEK_MS - TURN_MS THEN (
            SELECT id FROM twitch_events AS later
            WHERE (later.received_at_ms / WEEK_MS) = ms / WEEK_MS + 1
                AND later.event_id = given.event_id
        ) END IS NULL
    ORDER BY event_id
    ON CONFLICT DO NOTHING
    RETURNING id, event_id
), earned AS (
    INSERT INTO twitch_activities (
        id, event_id, channel_id, user_id, user_login, user_name,
        activity_type, units, amount, rule, status, reason,
        attempts, lease_version, due_at_ms, created_at_ms
    )
    SELECT new.id, event_id, channel_id, user_id, user_login, user_name,
        one.activity_type, one.units, one.amount, one.rule, one.status, one.reason, 0, 0, ms, ms
    FROM new JOIN given USING (event_id), clock,
        json_to_record(given.activity) AS one (
            activity_type text, units bigint, amount bigint, rule text, status text, reason text
        )
    WHERE given.activity IS NOT NULL
)
SELECT event_id, id FROM new
""".replace("WEEK_MS", str(WEEK_MS)).replace("TURN_MS", str(TURN_MS)),
)


def _document(event: NewEvent, activity: NewActivity | None) -> dict[str, Any]:
    document = event._asdict()
    document["body"] = event.body.hex()
    if activity is not None:
        document["activity"] = activity._asdict()
    return document
