"""An open transaction, and the statements that run in it."""

import time
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary


class Prepared(NamedTuple):
    """A statement that PostgreSQL plans once for each connection; `sql` has $1, $2..."""

    name: str
    types: tuple[str, ...]
    sql: str


# What each connection has prepared.
_prepared: MutableMapping[Any, set[str]] = WeakKeyDictionary()


@lru_cache(maxsize=1024)
def _for_sqlite(sql: str) -> str:
    return sql.replace("%s", "?")


class Transaction:
    """An open transaction: SQL with %s placeholders, and pydal's `db` for plain queries."""

    def __init__(self, db: Any, *, sqlite: bool) -> None:
        self.db = db
        self.sqlite = sqlite
        # The driver's cursor of pydal's connection: pydal's own executesql costs three times
        # as much as a small statement, and hides the error when reading the rows fails.
        self._cursor = db._adapter.cursor

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; the rows that it returns, or [] when it returns none."""
        self._cursor.execute(_for_sqlite(sql) if self.sqlite else sql, parameters)
        return self._cursor.fetchall() if self._cursor.description else []

    def execute_prepared(
        self, statement: Prepared, parameters: Sequence[Any], *, first: str = ""
    ) -> list[tuple[Any, ...]]:
        """Run a prepared statement; its rows. PostgreSQL.

        `first` is another statement, without parameters, that goes along with it.
        """
        done = _prepared.setdefault(self._cursor.connection, set())
        if statement.name not in done:
            types = ", ".join(statement.types)
            self._cursor.execute(f"PREPARE {statement.name} ({types}) AS {statement.sql}")
            done.add(statement.name)
        placeholders = ", ".join(["%s"] * len(statement.types))
        before = f"{first}; " if first else ""
        return self.execute(f"{before}EXECUTE {statement.name} ({placeholders})", parameters)

    def last_id(self) -> int:
        """The id of the last row that the last statement has inserted. SQLite."""
        return int(self._cursor.lastrowid)

    def select(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of one statement as dicts by column name."""
        rows = self.execute(sql, parameters)
        names = [column[0] for column in self._cursor.description]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def now_ms(self) -> int:
        """Epoch milliseconds by the database's clock, the one that all processes share."""
        if self.sqlite:  # a file on this machine: the same clock
            return time.time_ns() // 1_000_000
        return int(
            self.execute("SELECT (extract(epoch FROM clock_timestamp())*1000)::bigint")[0][0]
        )
