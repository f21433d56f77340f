"""Work that one process of all does at a time: it holds a lease in the database."""

import os
import secrets
import socket
import time

from ..errors import DatabaseUnavailable
from ..models import leases
from ..models.database import Database

_LEASE_MS = 60_000  # longer than anything between two calls of `hold`
_HERE = socket.gethostname()


class LeaseHolder:
    """Holds the lease of one name, or finds that another does. Not thread-safe."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._owner = f"{_HERE}/{os.getpid()}/{secrets.token_hex(8)}"
        self._prolong_at = 0.0

    def hold(self) -> bool:
        """Whether this is the one; the lease is prolonged when a third of it is over."""
        now = time.monotonic()
        if now < self._prolong_at:
            return True
        with self._database.transaction() as transaction:
            held = leases.hold(transaction, self._name, self._owner, _LEASE_MS)
            if not held and (owner := leases.owner(transaction, self._name)) and _has_died(owner):
                leases.let_go(transaction, self._name, owner)
                held = leases.hold(transaction, self._name, self._owner, _LEASE_MS)
        if held:
            self._prolong_at = now + _LEASE_MS / 3000
        return held

    def let_go(self) -> None:
        """Let another go on at once; without a database, within a minute."""
        self._prolong_at = 0.0
        try:
            with self._database.transaction(timeout_seconds=1) as transaction:
                leases.let_go(transaction, self._name, self._owner)
        except DatabaseUnavailable:
            return


def _has_died(owner: str) -> bool:
    """Whether the owner was a process of this machine that is gone, so that nobody must wait.

    A container may have the name and the numbers of another; then two do the same work, which
    is slower, and does no harm.
    """
    host, _, rest = owner.partition("/")
    number = rest.partition("/")[0]
    if host != _HERE or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)  # asks whether there is such a process, and does nothing to it
    except ProcessLookupError:
        return True
    except OSError:  # there is, and it is somebody else's
        return False
    return False
