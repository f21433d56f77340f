"""Telling everybody which kinds of work this process does, for as long as it does them."""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping

import structlog

from ..errors import DatabaseUnavailable
from ..models import heartbeats
from ..models.database import Database

BEAT_SECONDS = 5.0

log = structlog.get_logger("heartbeat")


class Heartbeat:
    """Notes in the database which work goes on here, on a thread of its own."""

    def __init__(self, database: Database, work: Mapping[str, Callable[[], bool]]) -> None:
        """`work` says of each kind whether its loop goes on in this process."""
        self._database = database
        self._work = work
        self._process = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin, with a first beat at once."""
        self._thread.start()

    def begin_stop(self) -> None:
        """End, and say that nothing is done here any more. Does not wait for it."""
        self._stopping.set()

    def wait(self, seconds: float) -> None:
        """Wait for the end, so long at most."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def done_here(self) -> set[str]:
        """The kinds of work that go on in this process; none before it began."""
        if not self._thread.is_alive():
            return set()
        return {kind for kind, goes_on in self._work.items() if goes_on()}

    def nobodys(self) -> list[str]:
        """The kinds of work that no process does. Raises DatabaseUnavailable."""
        with self._database.transaction(timeout_seconds=2, write=False) as transaction:
            done = heartbeats.kinds_done(transaction)
        return [kind for kind in self._work if kind not in done | self.done_here()]

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._database.transaction() as transaction:
                    heartbeats.note(transaction, self._process, sorted(self.done_here()))
            except DatabaseUnavailable:
                log.debug("not noted")  # others say so loudly enough
            except Exception:  # a fault in one beat must not end all others
                log.exception("heartbeat failed")
            self._stopping.wait(BEAT_SECONDS)
        try:
            with self._database.transaction(timeout_seconds=1) as transaction:
                heartbeats.forget(transaction, self._process)
        except DatabaseUnavailable:
            return  # it is noticed within twenty seconds
