"""Passwords: hashed with Argon2id, a few at a time, so that webhooks keep their share."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ...domain.access.credentials import password_bytes
from ...errors import Unavailable

# OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

AT_ONCE = 2  # hashes per process
WAITING = 8  # requests that may wait for one; the API has 24 turns
WAIT_SECONDS = 2.0


class TooBusy(Unavailable):
    """Too many logins come at once."""

    code = "too_busy"
    title = "Too many logins at once"


class Passwords:
    """Makes and checks hashes. Thread-safe; blocks for tens of milliseconds."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(AT_ONCE + WAITING)
        self._running = threading.BoundedSemaphore(AT_ONCE)
        # Checked when there is no such user, so that the time does not tell.
        self._nobodys = _HASHER.hash(secrets.token_bytes(32))

    def hash(self, password: str) -> str:
        """The hash to store. Raises TooBusy."""
        with self._turn():
            return _HASHER.hash(password_bytes(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether this is the password; with no stored hash the same work for a no.

        Raises TooBusy.
        """
        with self._turn():
            try:
                right = _HASHER.verify(stored or self._nobodys, password_bytes(password))
            except (VerificationError, InvalidHashError):
                return False
        return right and stored is not None

    @staticmethod
    def is_outdated(stored: str) -> bool:
        """Whether a hash was made with other parameters than those of today."""
        return _HASHER.check_needs_rehash(stored)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise TooBusy
        try:
            if not self._running.acquire(timeout=WAIT_SECONDS):
                raise TooBusy
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._places.release()
