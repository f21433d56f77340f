"""What is kept of a person: shown, and taken out on request.

An erasure goes through all events, a few at a time, since any may name the person; one process of
all carries it on, where another has died as well. The user's id is known until it is done.
"""

import secrets
from typing import NamedTuple

import structlog

from ...domain.access.callers import Actor
from ...domain.privacy.erasure import user_hash
from ...errors import Conflict, NotFound
from ...models.access import audit
from ...models.database import Database
from ...models.points.history import SETTLED_MS
from ...models.privacy import erasures, person
from ...models.privacy.erasures import Erasure
from ...models.privacy.person import Kept
from ..repeated_work import RepeatedWork

BATCH = 500  # events that are looked through in a transaction
ROUND_SECONDS = 1.0
KNOWN_MS = 2_000  # until all processes have read who is erased; SQLite's writers take turns
_PARTS = (person.events, person.activities)

log = structlog.get_logger("privacy")


class Position(NamedTuple):
    """Where a page of what is kept begins: in which part, after which row."""

    part: int = 0
    after_id: int = 0


class Privacy:
    """Shows, and takes out; the latter on a thread of its own. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._repeated = RepeatedWork(database, "privacy", self.carry_on, seconds=ROUND_SECONDS)

    def start(self) -> None:
        """Begin to carry on what there is."""
        self._repeated.start()

    def begin_stop(self) -> None:
        """End with what is on its way, and let another process go on. Does not wait for it."""
        self._repeated.begin_stop()

    def wait(self, seconds: float) -> None:
        """Wait for the end, so long at most."""
        self._repeated.wait(seconds)

    def kept(
        self, user_id: str, position: Position, limit: int
    ) -> tuple[list[Kept], Position | None]:
        """A page of the rows about a user, and where the next one begins. Blocks."""
        with self._database.transaction(timeout_seconds=30, write=False) as transaction:
            if position.part == len(_PARTS):
                return person.further(transaction, user_id), None
            found = _PARTS[position.part](transaction, user_id, position.after_id, limit)
        if len(found) < limit:
            return found, Position(position.part + 1)
        return found, Position(position.part, int(found[-1].row["id"]))

    def exported(self, actor: Actor, user_id: str) -> None:
        """Note that somebody begins to read what is kept of a user."""
        with self._database.transaction() as transaction:
            audit.record(transaction, actor, "privacy.export", f"person:{user_id}")

    def erase(self, actor: Actor, user_id: str) -> Erasure:
        """Begin to take a user out of everything. Raises Conflict for a streamer of ours."""
        pseudonym = f"erased-{secrets.token_hex(6)}"
        with self._database.transaction(timeout_seconds=10) as transaction:
            if person.is_streamer(transaction, user_id):
                raise Conflict(
                    "The user's channel is monitored here, or the user has logged in: remove the"
                    " channel, and revoke the login, first"
                )
            key = erasures.key(transaction, secrets.token_hex(32))
            erasure_id = erasures.begin(
                transaction,
                user_id=user_id,
                hashed=user_hash(key, user_id),
                pseudonym=pseudonym,
            )
            person.skip_deliveries(transaction, user_id)
            audit.record(transaction, actor, "privacy.erase", f"erasure:{erasure_id}")
        return self.get(erasure_id)

    def get(self, erasure_id: int) -> Erasure:
        """An erasure. Raises NotFound."""
        with self._database.transaction(write=False) as transaction:
            erasure = erasures.get(transaction, erasure_id)
        if erasure is None:
            raise NotFound(f"There is no erasure {erasure_id}")
        return erasure

    def carry_on(self) -> None:
        """Bring the oldest erasure to its end, unless told to stop. Blocks."""
        while self._repeated.goes_on() and self._step():
            pass

    def _step(self) -> bool:
        """Do a part of it, in a transaction of its own; whether there is more to do by now."""
        with self._database.transaction(timeout_seconds=30) as transaction:
            erasure = erasures.next_under_way(transaction)
            if erasure is None or erasure.user_id is None:
                return False
            if erasure.up_to is None:
                # By then every process knows, and what others had begun to store is there.
                wait_ms = KNOWN_MS if transaction.sqlite else SETTLED_MS
                if transaction.now_ms() < erasure.at_ms + wait_ms:
                    return False
                person.rename_outside_events(transaction, erasure.user_id, erasure.pseudonym)
                last = person.last_event(transaction)
                erasures.note(transaction, erasure.id, up_to=last)
                return True
            until = min(erasure.scanned_to + BATCH, erasure.up_to)
            found = person.take_out_of_events(
                transaction,
                erasure.user_id,
                erasure.pseudonym,
                after_id=erasure.scanned_to,
                up_to=until,
            )
            events = erasure.events + found
            erasures.note(transaction, erasure.id, scanned_to=until, events=events)
            if until == erasure.up_to:
                erasures.note(transaction, erasure.id, user_id=None)
                log.info("erased", erasure=erasure.id, events=events)
        return True
