"""The audit log, for changes that are not part of a transaction, and to read it."""

from typing import Any

from ...domain.access.callers import Actor
from ...models.access import audit
from ...models.access.audit import Change
from ...models.database import Database
from ...models.pages import Page


class Audit:
    """Adds to the audit log, and reads it. Thread-safe; blocks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        actor: Actor,
        action: str,
        subject: str,
        *,
        before: Change | None = None,
        after: Change | None = None,
    ) -> None:
        """Note what was done elsewhere, such as at Twitch.

        A change of the database is noted in its own transaction: models.audit.record.
        """
        with self._database.transaction() as transaction:
            audit.record(transaction, actor, action, subject, before=before, after=after)

    def page(self, **page: Any) -> Page:
        """A page, newest first. Arguments: see select_page."""
        with self._database.transaction(write=False) as transaction:
            return audit.list_entries(transaction, **page)
