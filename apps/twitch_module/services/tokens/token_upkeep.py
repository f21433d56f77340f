"""Looking after the users' tokens: each is validated hourly or oftener, as Twitch demands.

Source: Twitch, "Validating UserTokens". One process at a time does it; it holds a lease.
"""

import random
import threading

import structlog

from ...errors import ModuleError
from ...models.database import Database
from ...models.tokens import tokens
from ...models.tokens.tokens import TokenRow
from ..repeated_work import RepeatedWork
from .user_tokens import UserTokens

CHECK_MS = 30 * 60 * 1000
CHECK_AFTER_FAILURE_MS = 5 * 60 * 1000
SPREAD = 0.1  # of the time between checks, so that they do not come together
CALLS_AT_ONCE = 5
# Between groups of five: at most ten calls a second, below Twitch's 800 a minute.
PAUSE_SECONDS = 1.0
PASS_SECONDS = 2.0

log = structlog.get_logger("upkeep")


class TokenUpkeep:
    """Validates tokens that are due, and renews those near their end, until it is stopped."""

    def __init__(self, database: Database, tokens_: UserTokens) -> None:
        self._database = database
        self._tokens = tokens_
        self._started = False
        self._repeated = RepeatedWork(database, "upkeep", self._pass, seconds=PASS_SECONDS)

    def start(self) -> None:
        """Begin, on a thread of its own: at once with every token that was not just checked."""
        self._repeated.start()

    def begin_stop(self) -> None:
        """End with what is on its way, and let another process go on. Does not wait for it."""
        self._repeated.begin_stop()

    def wait(self, seconds: float) -> None:
        """Wait for the end, so long at most."""
        self._repeated.wait(seconds)

    def is_alive(self) -> bool:
        """Whether its loop goes on in this process."""
        return self._repeated.is_alive()

    def _pass(self) -> None:
        if not self._started:
            self._make_all_due()
            self._started = True
        self._check_due()

    def _make_all_due(self) -> None:
        """At a start, unless another process has just done it."""
        with self._database.transaction() as transaction:
            tokens.make_all_due(transaction, transaction.now_ms() - CHECK_AFTER_FAILURE_MS)

    def _check_due(self) -> None:
        """Check what is due, five at a time."""
        while True:
            with self._database.transaction() as transaction:
                rows = tokens.take_due_checks(transaction, CALLS_AT_ONCE, CHECK_AFTER_FAILURE_MS)
            threads = [threading.Thread(target=self._check, args=(row,)) for row in rows]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if len(rows) < CALLS_AT_ONCE or not self._repeated.goes_on(PAUSE_SECONDS):
                return

    def _check(self, row: TokenRow) -> None:
        try:
            self._tokens.validate(row)
            spread = 1 - SPREAD + 2 * SPREAD * random.random()  # noqa: S311  # guards nothing
            with self._database.transaction() as transaction:
                check_at_ms = transaction.now_ms() + int(CHECK_MS * spread)
                tokens.set_check(transaction, row.user_id, check_at_ms)
        except ModuleError as error:
            log.warning("check failed", user_id=row.user_id, code=error.code, reason=str(error))
        except Exception:  # one token must not end the others' upkeep
            log.exception("check failed", user_id=row.user_id)
