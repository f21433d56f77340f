"""Writing events and what they earn: many at once, each once."""

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from ...domain.points.judgement import PAIR_MS
from ...domain.points.natural_key import NEAR
from ..delivery.activities import NewActivity
from ..delivery.announcements import ANNOUNCE
from ..points import natural_keys
from ..points.natural_keys import Place
from ..transaction import Prepared, Transaction
from .events import NewEvent
from .message_ids import TURN_MS, WEEK_MS, RecentIds

# Around the turn of a week, PostgreSQL's transactions go one after another: two of them, one in
# the old week and one in the new, would not see each other's message ids. No clocks are so far
# apart, and no commit takes so long.
_TURN_LOCK = 0x7477697463680002  # see also the migrations

# Of an activity: what its event says of it, too, and its own.
_OF_EVENT = ("id", "event_id", "channel_id", "user_id", "user_login", "user_name")
_ACTIVITY = (*_OF_EVENT, *NewActivity._fields)


class Entry(NamedTuple):
    """An event, and what it earns as long as nothing speaks against it.

    `waits`: the activity is not to be written yet, though its key is to be held.
    """

    event: NewEvent
    activity: NewActivity | None = None
    key: str | None = None  # the natural one; also of what takes points back
    at_ms: int = 0  # when it happened
    waits: bool = False


class Stored(NamedTuple):
    """The row ids of new events by message id; and which of them have their activity by now.

    One that has a key and no activity is still to be judged; `holding` are those whose key
    nobody holds who would speak against it.
    """

    new: Mapping[str, int]
    earned: frozenset[str]
    holding: frozenset[int]  # row ids


def insert(
    transaction: Transaction,
    entries: Sequence[Entry],
    at_ms: int | None = None,
    *,
    recent: RecentIds | None = None,
    announced: bool = False,
) -> Stored:
    """Write those events that are not there yet, and what they earn, due at once.

    No activity is written whose key somebody else holds. The message ids must differ. They are
    known for a week at least. `at_ms` is when they came, by default now. `recent` is what a
    thread that writes often keeps between its transactions. `announced` wakes the workers of
    other processes at the commit.
    """
    if transaction.sqlite:
        return _insert_into_sqlite(
            transaction, entries, at_ms or transaction.now_ms(), recent or RecentIds()
        )
    near = at_ms if at_ms is not None else time.time_ns() // 1_000_000
    if near % WEEK_MS < TURN_MS or near % WEEK_MS > WEEK_MS - TURN_MS:
        transaction.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN_LOCK])
    documents = orjson.dumps([_document(entry) for entry in entries]).decode()
    found = transaction.execute_prepared(
        _STORE, [documents, at_ms], first=ANNOUNCE if announced else ""
    )
    return Stored(
        {event_id: row_id for event_id, row_id, _, _ in found},
        frozenset(event_id for event_id, _, earned, _ in found if earned),
        frozenset(row_id for _, row_id, _, holding in found if holding),
    )


def _insert_into_sqlite(
    transaction: Transaction, entries: Sequence[Entry], at_ms: int, recent: RecentIds
) -> Stored:
    known = recent.known(transaction, [entry.event.event_id for entry in entries], at_ms)
    if known:
        entries = [entry for entry in entries if entry.event.event_id not in known]
    if not entries:
        return Stored({}, frozenset(), frozenset())
    keys = [entry.key for entry in entries if entry.key is not None]
    holders = recent.holders(transaction, keys) if keys else {}
    transaction.execute(_insert_events_sql(len(entries)), _event_values(entries, at_ms))
    # Python gives up and takes back the interpreter lock for each row that RETURNING returns,
    # which with busy threads costs more than the statement. Nobody else writes meanwhile, so
    # that the new rows count up to the last.
    first = transaction.last_id() - len(entries) + 1
    earning, without_activity, holding = [], {}, set()
    for row_id, entry in enumerate(entries, first):
        if entry.key is not None:
            held = holders.get(entry.key)
            if held is None or natural_keys.is_stale(entry.key, held, entry.at_ms):
                holders[entry.key] = Place(row_id, entry.at_ms)
                holding.add(row_id)
                if entry.activity is None:
                    without_activity[entry.key] = holders[entry.key]
            else:
                continue
        if entry.activity is not None and not entry.waits:
            earning.append((row_id, entry))
    if earning:
        values = _activity_values(earning)
        transaction.execute(_insert_activities_sql(len(earning)), [at_ms, *values])
    natural_keys.take(transaction, without_activity)
    return Stored(
        {entry.event.event_id: row_id for row_id, entry in enumerate(entries, first)},
        frozenset(entry.event.event_id for _, entry in earning),
        frozenset(holding),
    )


def _event_values(entries: Sequence[Entry], at_ms: int) -> list[Any]:
    """What _insert_events_sql takes.

    Python's driver binds str, int and bytearray at once, and looks for an adapter of everything
    else, None and bytes too, which takes it longer than to insert them.
    """
    values: list[Any] = [at_ms]
    for entry in entries:
        event = entry.event
        values += event
        values[-2] = event.reason or ""
        values[-1] = bytearray(event.body)
    return values


def _activity_values(earning: Sequence[tuple[int, Entry]]) -> list[Any]:
    """What _insert_activities_sql takes beside ?1."""
    values: list[Any] = []
    for row_id, entry in earning:
        event, activity = entry.event, entry.activity
        if activity is not None:
            values += (row_id, event.event_id, event.channel_id)
            values += (event.user_id, event.user_login, event.user_name)
            values += activity
            values[-3] = activity.natural_key or ""
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
    row = "(?1, ?1, 0, 0, " + "?, " * (len(_ACTIVITY) - 3) + "nullif(?, ''), ?, nullif(?, ''))"
    return f"INSERT INTO twitch_activities ({columns}) VALUES {', '.join([row] * rows)}"


class Earned(NamedTuple):
    """An activity, and the event that is there already."""

    row_id: int
    event: NewEvent
    activity: NewActivity


def insert_activities(transaction: Transaction, earned: Sequence[Earned]) -> None:
    """Write the activities of events that are there already, due at once."""
    if not earned:
        return
    now_ms = transaction.now_ms()
    if transaction.sqlite:
        values = _activity_values([(one.row_id, Entry(one.event, one.activity)) for one in earned])
        transaction.execute(_insert_activities_sql(len(earned)), [now_ms, *values])
        return
    documents = [
        {
            **dict(zip(_OF_EVENT, (one.row_id, *_said_by(one.event)), strict=True)),
            **one.activity._asdict(),
        }
        for one in earned
    ]
    transaction.execute_prepared(_EARN, [orjson.dumps(documents).decode(), now_ms])


def _said_by(event: NewEvent) -> tuple[str, ...]:
    return (
        *(event.event_id, event.channel_id),
        *(event.user_id, event.user_login, event.user_name),
    )


_EARN = Prepared(
    "earn",
    ("json", "bigint"),
    f"""
INSERT INTO twitch_activities (
    {", ".join(_ACTIVITY)}, attempts, lease_version, due_at_ms, created_at_ms
)
SELECT {", ".join(_ACTIVITY)}, 0, 0, $2, $2 FROM json_to_recordset($1) AS given (
    id bigint, event_id text, channel_id text, user_id text, user_login text, user_name text,
    activity_type text, units bigint, amount bigint, rule text, status text, natural_key text,
    happened_at_ms bigint, reason text
)
""",
)


# One statement that is planned once for each connection, whatever the number of rows: two with
# a placeholder for each value took nearly twice as long, on either side. Sorted, because two
# processes that write the same ids in different orders would wait for each other. The keys are
# held by whoever was there first; a row that is not taken over is locked all the same, so that
# one transaction at a time judges.
_STORE = Prepared(
    "store_events",
    ("json", "bigint"),
    """
WITH given AS (
    SELECT * FROM json_to_recordset($1) AS given (
        event_id text, event_type text, event_version text, subscription_id text,
        channel_id text, channel_name text, user_id text, user_login text, user_name text,
        sent_at_ms bigint, outcome text, reason text, body text,
        activity json, key text, at_ms bigint, waits boolean
    )
), clock AS (
    SELECT coalesce($2, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) AS ms
), new AS (
    INSERT INTO twitch_events (
        event_id, event_type, event_version, subscription_id, channel_id, channel_name,
        user_id, user_login, user_name, sent_at_ms, outcome, reason, body, received_at_ms
    )
    SELECT event_id, event_type, event_version, subscription_id, channel_id, channel_name,
        user_id, user_login, user_name, sent_at_ms, outcome, reason, decode(body, 'hex'), ms
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
), held AS (
    INSERT INTO twitch_natural_keys AS held (key, id, at_ms)
    SELECT DISTINCT ON (key) key, new.id, at_ms
    FROM new JOIN given USING (event_id)
    WHERE key IS NOT NULL
    ORDER BY key, new.id
    ON CONFLICT (key) DO UPDATE SET id = excluded.id, at_ms = excluded.at_ms
    WHERE starts_with(excluded.key, 'NEAR') AND held.at_ms < excluded.at_ms - PAIR_MS
    RETURNING id
), earned AS (
    INSERT INTO twitch_activities (
        id, event_id, channel_id, user_id, user_login, user_name, activity_type, units, amount,
        rule, status, natural_key, happened_at_ms, reason,
        attempts, lease_version, due_at_ms, created_at_ms
    )
    SELECT new.id, event_id, channel_id, user_id, user_login, user_name,
        one.activity_type, one.units, one.amount, one.rule, one.status, one.natural_key,
        one.happened_at_ms, one.reason, 0, 0, ms, ms
    FROM new JOIN given USING (event_id), clock,
        json_to_record(given.activity) AS one (
            activity_type text, units bigint, amount bigint, rule text, status text,
            natural_key text, happened_at_ms bigint, reason text
        )
    WHERE given.activity IS NOT NULL AND NOT waits
        AND (given.key IS NULL OR new.id IN (SELECT id FROM held))
    RETURNING id
)
SELECT event_id, new.id, earned.id IS NOT NULL, held.id IS NOT NULL
FROM new LEFT JOIN earned USING (id) LEFT JOIN held USING (id)
""".replace("WEEK_MS", str(WEEK_MS))
    .replace("TURN_MS", str(TURN_MS))
    .replace("PAIR_MS", str(PAIR_MS))
    .replace("NEAR", NEAR),
)


def _document(entry: Entry) -> dict[str, Any]:
    document = entry.event._asdict()
    document["body"] = entry.event.body.hex()
    document["waits"] = entry.waits
    if entry.key is not None:
        document["key"], document["at_ms"] = entry.key, entry.at_ms
    if entry.activity is not None:
        document["activity"] = entry.activity._asdict()
    return document
