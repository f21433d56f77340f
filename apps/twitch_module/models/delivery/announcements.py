"""Telling other processes that there is something to deliver: PostgreSQL's LISTEN and NOTIFY.

A signal is heard after the commit of the transaction that gave it. It may be lost with a
connection: whoever listens looks for himself every few seconds all the same.
"""

import select
from contextlib import suppress

import psycopg2

from ...errors import DatabaseUnavailable
from ..database import Database
from ..transaction import Transaction

_CHANNEL = "twitch_activities"
ANNOUNCE = f"NOTIFY {_CHANNEL}"


def announce(transaction: Transaction) -> None:
    """Wake the workers of other processes when this transaction commits."""
    if not transaction.sqlite:
        transaction.execute(ANNOUNCE)


class Listener:
    """Hears announcements, on a connection of its own. Not thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: psycopg2.extensions.connection | None = None

    def wait(self, seconds: float) -> bool:
        """Whether one came within so many seconds. Raises DatabaseUnavailable."""
        try:
            connection = self._connected()
            # Not select(), which takes no file numbered above 1023: a web process has thousands.
            poller = select.poll()
            poller.register(connection.fileno(), select.POLLIN)
            poller.poll(seconds * 1000)
            connection.poll()
            heard = bool(connection.notifies)
            connection.notifies.clear()
        except psycopg2.Error as error:
            self.close()
            raise DatabaseUnavailable("The database does not answer") from error
        return heard

    def close(self) -> None:
        """Stop listening."""
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None

    def _connected(self) -> psycopg2.extensions.connection:
        if self._connection is None:
            self._connection = self._database.connect_alone()
            self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute(f"LISTEN {_CHANNEL}")
        return self._connection
