"""The schema, as numbered steps, and the one function that brings a database to the last.

A step is never changed once it is released; a new one is added. Steps only add, so that the
old version goes on working while a new one starts. Both databases can roll back table
changes, so that a step, and the note that it was done, happen together or not at all.
"""

import psycopg2.errors

from ..errors import ConfigurationError, DatabaseUnavailable
from .database import Database
from .events.message_ids import INDEXED_TO, WEEK_MS
from .transaction import Transaction


class OnSQLite(str):
    """A statement that PostgreSQL does without."""


class OnPostgreSQL(str):
    """A statement that SQLite does without."""


# {id}: a key that counts up. {id_of}: another table's. {bytes}: raw bytes. {without_rowid}: where
# the rows stand in the order of the key. Everything else is the same on both.
_STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE twitch_events (
            id {id}, event_id TEXT NOT NULL, event_type TEXT NOT NULL,
            event_version TEXT NOT NULL, subscription_id TEXT NOT NULL,
            channel_id TEXT NOT NULL, channel_name TEXT NOT NULL,
            user_id TEXT NOT NULL, user_login TEXT NOT NULL, user_name TEXT NOT NULL,
            received_at_ms BIGINT NOT NULL, outcome TEXT NOT NULL, reason TEXT,
            body {bytes} NOT NULL)""",
        """CREATE TABLE twitch_activities (
            id {id_of} REFERENCES twitch_events (id),
            event_id TEXT NOT NULL, activity_type TEXT NOT NULL,
            user_id TEXT NOT NULL, user_login TEXT NOT NULL, user_name TEXT NOT NULL,
            channel_id TEXT NOT NULL, units BIGINT NOT NULL, amount BIGINT NOT NULL,
            rule TEXT NOT NULL, status TEXT NOT NULL, reason TEXT,
            attempts BIGINT NOT NULL, due_at_ms BIGINT NOT NULL,
            lease_version BIGINT NOT NULL, context TEXT, receipt TEXT,
            delivered_at_ms BIGINT, created_at_ms BIGINT NOT NULL)""",
        # The outbox: only what is still to be delivered, in the order in which it is due.
        """CREATE INDEX twitch_activities_due ON twitch_activities (due_at_ms)
            WHERE status IN ('pending', 'leased')""",
        """CREATE TABLE twitch_channels (
            id {id}, channel_id TEXT NOT NULL UNIQUE, channel_name TEXT NOT NULL,
            display_name TEXT NOT NULL, is_active BIGINT NOT NULL, gateway_id TEXT,
            points TEXT, event_types TEXT, warning TEXT, created_at_ms BIGINT NOT NULL)""",
        """CREATE TABLE twitch_subscriptions (
            id {id}, subscription_id TEXT NOT NULL UNIQUE, event_type TEXT NOT NULL,
            version TEXT NOT NULL, condition TEXT NOT NULL, channel_id TEXT NOT NULL,
            status TEXT NOT NULL, cost BIGINT NOT NULL, updated_at_ms BIGINT NOT NULL)""",
    ),
    (
        """CREATE TABLE twitch_tokens (
            id {id}, user_id TEXT NOT NULL UNIQUE, login TEXT NOT NULL,
            display_name TEXT NOT NULL, access_token TEXT NOT NULL,
            refresh_token TEXT NOT NULL, scopes TEXT NOT NULL,
            expires_at_ms BIGINT NOT NULL, renewed_at_ms BIGINT,
            status TEXT NOT NULL, reason TEXT, version BIGINT NOT NULL,
            lease_until_ms BIGINT NOT NULL, failures BIGINT NOT NULL,
            retry_at_ms BIGINT NOT NULL, validated_at_ms BIGINT,
            check_at_ms BIGINT NOT NULL, created_at_ms BIGINT NOT NULL)""",
        """CREATE TABLE oauth_states (
            id {id}, state_hash TEXT NOT NULL UNIQUE, browser_hash TEXT NOT NULL,
            activation_key TEXT, expires_at_ms BIGINT NOT NULL)""",
        # Work that one process at a time does, such as looking after the tokens.
        """CREATE TABLE twitch_leases (
            id {id}, name TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
            until_ms BIGINT NOT NULL)""",
    ),
    (
        # When the channel's subscriptions are to be compared with Twitch's next.
        "ALTER TABLE twitch_channels ADD COLUMN compare_at_ms BIGINT",
        "ALTER TABLE twitch_channels ADD COLUMN backfill BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE twitch_channels ADD COLUMN backfilled_until_ms BIGINT",
        "ALTER TABLE twitch_subscriptions ADD COLUMN callback TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE twitch_subscriptions ADD COLUMN secret_id TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE twitch_subscriptions ADD COLUMN origin TEXT NOT NULL DEFAULT 'created'",
        "ALTER TABLE twitch_subscriptions ADD COLUMN first_seen_ms BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE twitch_subscriptions ADD COLUMN last_event_at_ms BIGINT",
        """CREATE INDEX twitch_subscriptions_channel ON twitch_subscriptions (channel_id)""",
        # Why a channel does not have one of its types, and when that is tried again.
        """CREATE TABLE twitch_setbacks (
            id {id}, channel_id TEXT NOT NULL, event_type TEXT NOT NULL, version TEXT NOT NULL,
            remedy TEXT NOT NULL, reason TEXT NOT NULL, failures BIGINT NOT NULL,
            failed_at_ms BIGINT NOT NULL, retry_at_ms BIGINT,
            UNIQUE (channel_id, event_type))""",
        # Follows that have been entered, by webhook or by catching up: each only once.
        """CREATE TABLE twitch_follows (
            id {id}, follow_id TEXT NOT NULL UNIQUE, event_id TEXT NOT NULL,
            entered_at_ms BIGINT NOT NULL)""",
        # Small things that are known once: such as how the last comparison with Twitch ended.
        """CREATE TABLE twitch_facts (
            id {id}, name TEXT NOT NULL UNIQUE, value TEXT NOT NULL, at_ms BIGINT NOT NULL)""",
    ),
    (
        """CREATE TABLE admin_users (
            id {id}, username TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL,
            configured_hash TEXT, role TEXT NOT NULL, is_active BIGINT NOT NULL,
            created_at_ms BIGINT NOT NULL, changed_at_ms BIGINT NOT NULL)""",
        """CREATE TABLE admin_sessions (
            id {id}, session_id TEXT NOT NULL UNIQUE,
            user_id BIGINT NOT NULL REFERENCES admin_users (id), customer TEXT NOT NULL,
            created_at_ms BIGINT NOT NULL, used_at_ms BIGINT NOT NULL,
            expires_at_ms BIGINT NOT NULL, ended_at_ms BIGINT, end_reason TEXT)""",
        "CREATE INDEX admin_sessions_user ON admin_sessions (user_id)",
        """CREATE TABLE admin_refresh_tokens (
            id {id}, token_hash TEXT NOT NULL UNIQUE, session_id TEXT NOT NULL,
            created_at_ms BIGINT NOT NULL, used_at_ms BIGINT)""",
        "CREATE INDEX admin_refresh_tokens_session ON admin_refresh_tokens (session_id)",
        """CREATE TABLE service_tokens (
            id {id}, name TEXT NOT NULL, prefix TEXT NOT NULL,
            secret_hash TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL, expires_at_ms BIGINT,
            created_by TEXT NOT NULL, created_at_ms BIGINT NOT NULL,
            last_used_at_ms BIGINT, revoked_at_ms BIGINT)""",
        """CREATE TABLE login_attempts (
            id {id}, username_hash TEXT NOT NULL, customer TEXT NOT NULL,
            at_ms BIGINT NOT NULL)""",
        "CREATE INDEX login_attempts_username ON login_attempts (username_hash, at_ms)",
        "CREATE INDEX login_attempts_customer ON login_attempts (customer, at_ms)",
        "CREATE INDEX login_attempts_time ON login_attempts (at_ms)",
        """CREATE TABLE audit_log (
            id {id}, at_ms BIGINT NOT NULL, actor_kind TEXT NOT NULL, actor_id TEXT NOT NULL,
            actor_name TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL,
            before_change TEXT, after_change TEXT, address TEXT NOT NULL,
            request_id TEXT NOT NULL)""",
    ),
    (
        # Lists by type. New entries go to the ends of a few types: cheap for every webhook.
        "CREATE INDEX twitch_events_type ON twitch_events (event_type, id)",
        # Events without an activity, by user and channel; the others are found by theirs.
        """CREATE INDEX twitch_events_user ON twitch_events (user_id, id)
            WHERE outcome <> 'scored'""",
        """CREATE INDEX twitch_events_channel ON twitch_events (channel_id, id)
            WHERE outcome <> 'scored'""",
        # An activity enters these when it leaves the outbox, so that delivery pays for them,
        # in its batches, and no webhook does.
        """CREATE INDEX twitch_activities_user ON twitch_activities (user_id, id)
            WHERE status NOT IN ('pending', 'leased')""",
        """CREATE INDEX twitch_activities_channel ON twitch_activities (channel_id, id)
            WHERE status NOT IN ('pending', 'leased')""",
        """CREATE INDEX twitch_activities_type ON twitch_activities (activity_type, id)
            WHERE status NOT IN ('pending', 'leased')""",
        "CREATE INDEX twitch_activities_dead ON twitch_activities (id) WHERE status = 'dead'",
        """CREATE INDEX twitch_activities_skipped ON twitch_activities (id)
            WHERE status = 'skipped'""",
    ),
    (
        # What a channel's deliveries came to grief with: a few among very many.
        """CREATE INDEX twitch_activities_undelivered
            ON twitch_activities (channel_id, status, id) WHERE status IN ('skipped', 'dead')""",
    ),
    (
        # Message ids, each once in its week; models/ingest looks at the week before, too. They
        # are random: in one index for all times each goes to another page, which is read, logged
        # and written back as a whole; those of a week share fewer pages, that are at hand.
        f"""CREATE UNIQUE INDEX twitch_events_message
            ON twitch_events ((received_at_ms / {WEEK_MS}), event_id)""",
    ),
    (
        # SQLite logs whole pages: there, ids enter their index many at once, models/message_ids.
        OnSQLite("""CREATE TABLE twitch_message_ids (
            week BIGINT NOT NULL, event_id TEXT NOT NULL, id BIGINT NOT NULL,
            PRIMARY KEY (week, event_id)) WITHOUT ROWID"""),
        OnSQLite(f"""INSERT OR IGNORE INTO twitch_message_ids (week, event_id, id)
            SELECT received_at_ms / {WEEK_MS}, event_id, id FROM twitch_events ORDER BY 1, 2"""),
        OnSQLite(f"""INSERT INTO twitch_facts (name, value, at_ms)
            SELECT '{INDEXED_TO}', coalesce(max(id), 0), 0 FROM twitch_events"""),
        # It does more than add, which no step may from the first release on.
        OnSQLite("DROP INDEX twitch_events_message"),
    ),
    (
        # PostgreSQL locked, and so wrote again, the event's row of each new activity. Both come of
        # one statement, which takes the key from the event, and retention deletes events only
        # where there is no activity.
        OnPostgreSQL(
            "ALTER TABLE twitch_activities DROP CONSTRAINT IF EXISTS twitch_activities_id_fkey"
        ),
    ),
    (
        # Which process does which kind of work, and when it last said so.
        """CREATE TABLE twitch_heartbeats (
            id {id}, kind TEXT NOT NULL, process TEXT NOT NULL, at_ms BIGINT NOT NULL,
            UNIQUE (kind, process))""",
    ),
    (
        # When the last renewal failed: who asks for one by hand does not wait for `retry_at_ms`.
        "ALTER TABLE twitch_tokens ADD COLUMN failed_at_ms BIGINT",
    ),
    (
        # Whose login a link is for; and what a login came to, for its page.
        "ALTER TABLE oauth_states ADD COLUMN channel_id TEXT",
        """CREATE TABLE oauth_results (
            id {id}, browser_hash TEXT NOT NULL UNIQUE, result TEXT NOT NULL,
            expires_at_ms BIGINT NOT NULL)""",
    ),
    (
        "ALTER TABLE service_tokens ADD COLUMN exchange_only BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE service_tokens ADD COLUMN successor_id BIGINT",
    ),
    (
        # What an activity is, when it happened, and what it takes back.
        "ALTER TABLE twitch_activities ADD COLUMN natural_key TEXT",
        "ALTER TABLE twitch_activities ADD COLUMN happened_at_ms BIGINT",
        "ALTER TABLE twitch_activities ADD COLUMN kind TEXT NOT NULL DEFAULT 'earned'",
        "ALTER TABLE twitch_activities ADD COLUMN reverses BIGINT",
        """CREATE UNIQUE INDEX twitch_activities_reversal ON twitch_activities (reverses)
            WHERE reverses IS NOT NULL""",
        # What may be taken back, by what it is.
        """CREATE INDEX twitch_activities_revocable ON twitch_activities
            (natural_key, happened_at_ms) WHERE activity_type IN ('ban', 'timeout', 'redemption')
            AND kind = 'earned'""",
        """CREATE TABLE twitch_natural_keys (
            key TEXT NOT NULL PRIMARY KEY, id BIGINT NOT NULL, at_ms BIGINT NOT NULL
            ){without_rowid}""",
        """INSERT INTO twitch_natural_keys (key, id, at_ms)
            SELECT 'ever:follow:' || channel_id || ':' || user_id, min(id), min(created_at_ms)
            FROM twitch_activities WHERE activity_type = 'follow' AND user_id <> ''
            GROUP BY channel_id, user_id""",
        """CREATE TABLE twitch_totals (
            channel_id TEXT NOT NULL, user_id TEXT NOT NULL, activity_type TEXT NOT NULL,
            day BIGINT NOT NULL, points BIGINT NOT NULL, times BIGINT NOT NULL,
            PRIMARY KEY (channel_id, day, user_id, activity_type)){without_rowid}""",
        "CREATE INDEX twitch_totals_user ON twitch_totals (user_id)",
        # On SQLite, all but those that are not in the index of message ids yet: see totals.py.
        f"""INSERT INTO twitch_totals (channel_id, user_id, activity_type, day, points, times)
            SELECT channel_id, user_id, activity_type, created_at_ms / 86400000, sum(amount),
                count(*)
            FROM twitch_activities WHERE amount <> 0 AND user_id <> ''
                AND id <= coalesce((SELECT CAST(value AS BIGINT) FROM twitch_facts
                    WHERE name = '{INDEXED_TO}'), 9223372036854775807)
            GROUP BY 1, 2, 3, 4""",
        """CREATE TABLE twitch_limit_counters (
            channel_id TEXT NOT NULL, user_id TEXT NOT NULL, activity_type TEXT NOT NULL,
            period TEXT NOT NULL, points BIGINT NOT NULL, times BIGINT NOT NULL,
            last_at_ms BIGINT NOT NULL,
            PRIMARY KEY (channel_id, user_id, activity_type, period)){without_rowid}""",
        "CREATE INDEX twitch_limit_counters_time ON twitch_limit_counters (last_at_ms)",
        """CREATE TABLE twitch_streams (
            channel_id TEXT NOT NULL, stream_id TEXT NOT NULL, started_at_ms BIGINT NOT NULL,
            ended_at_ms BIGINT, PRIMARY KEY (channel_id, started_at_ms)){without_rowid}""",
        """CREATE INDEX twitch_activities_held ON twitch_activities (channel_id, id)
            WHERE status = 'held'""",
    ),
    (
        # What another policy would have given, and what was made of that.
        """CREATE TABLE twitch_policy_runs (
            id {id}, at_ms BIGINT NOT NULL, actor TEXT NOT NULL, channel_id TEXT,
            since_ms BIGINT NOT NULL, policy TEXT NOT NULL, state TEXT NOT NULL, reason TEXT,
            up_to BIGINT, from_day BIGINT, pruned TEXT NOT NULL, to_do BIGINT NOT NULL,
            done BIGINT NOT NULL, changes BIGINT NOT NULL)""",
        """CREATE TABLE twitch_policy_changes (
            run_id BIGINT NOT NULL, number BIGINT NOT NULL, channel_id TEXT NOT NULL,
            channel_name TEXT NOT NULL, user_id TEXT NOT NULL, user_login TEXT NOT NULL,
            user_name TEXT NOT NULL, activity_type TEXT NOT NULL, day BIGINT NOT NULL,
            points_before BIGINT NOT NULL, points_after BIGINT NOT NULL, activity_id BIGINT,
            PRIMARY KEY (run_id, number)){without_rowid}""",
    ),
    (
        # Which policy was in force from when on: that of all, or a channel's own.
        """CREATE TABLE twitch_policy_versions (
            id {id}, at_ms BIGINT NOT NULL, actor TEXT NOT NULL, source TEXT NOT NULL,
            channel_id TEXT, policy TEXT NOT NULL)""",
    ),
    (
        # Without it, what gives nothing would not say when it happened.
        "ALTER TABLE twitch_events ADD COLUMN sent_at_ms BIGINT",
    ),
    (
        # Who was taken out of all this. The id is here only until that is done.
        """CREATE TABLE twitch_erasures (
            id {id}, user_hash TEXT NOT NULL UNIQUE, at_ms BIGINT NOT NULL,
            pseudonym TEXT NOT NULL, user_id TEXT, up_to BIGINT, scanned_to BIGINT NOT NULL,
            events BIGINT NOT NULL)""",
    ),
    (
        # Every event with a limit paid for it; what forgets old counters reads the whole table.
        "DROP INDEX twitch_limit_counters_time",
    ),
)
VERSION = len(_STEPS)

_ADVISORY_LOCK = 0x7477697463680001  # "twitch" and a number: no other program takes this lock


def migrate(database: Database) -> int:
    """Bring the schema to this version; how many steps that took. Safely run by many at once.

    Raises ConfigurationError when the database is newer than this program, and
    DatabaseUnavailable when it does not answer, or lets us make no tables.
    """
    try:
        return _migrate(database)
    except psycopg2.errors.InsufficientPrivilege as error:
        raise DatabaseUnavailable("The database does not let us make tables") from error


def _migrate(database: Database) -> int:
    with database.transaction(timeout_seconds=60) as transaction:
        if not transaction.sqlite:  # SQLite's transaction is alone by itself
            transaction.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        transaction.execute(
            "CREATE TABLE IF NOT EXISTS twitch_schema (version BIGINT NOT NULL PRIMARY KEY)"
        )
        found = _version(transaction)
        if found > VERSION:
            raise ConfigurationError(
                [f"The database has schema {found}, newer than this program's {VERSION}"]
            )
        for number in range(found + 1, VERSION + 1):
            for statement in _STEPS[number - 1]:
                if isinstance(statement, OnPostgreSQL if transaction.sqlite else OnSQLite):
                    continue
                transaction.execute(_in_dialect(statement, sqlite=transaction.sqlite))
            transaction.execute("INSERT INTO twitch_schema (version) VALUES (%s)", [number])
    return VERSION - found


def schema_version(database: Database) -> int:
    """The version that the database has. Raises DatabaseUnavailable."""
    with database.transaction(timeout_seconds=2, write=False) as transaction:
        return _version(transaction)


def _version(transaction: Transaction) -> int:
    rows = transaction.execute("SELECT coalesce(max(version), 0) FROM twitch_schema")
    return int(rows[0][0])


def _in_dialect(statement: str, *, sqlite: bool) -> str:
    if sqlite:
        key = "INTEGER PRIMARY KEY"
        return statement.format(id=key, id_of=key, bytes="BLOB", without_rowid=" WITHOUT ROWID")
    return statement.format(
        id="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        id_of="BIGINT NOT NULL PRIMARY KEY",
        bytes="BYTEA",
        without_rowid="",
    )
