"""What stored events give by another policy.

They are scored anew by the very code that scores webhooks, on a database of their own, which is a
file that goes away afterwards. Only sums are taken from it.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...domain.events import eventsub
from ...domain.events.follow import DERIVED
from ...domain.events.notification import NotUnderstood, read_notification
from ...domain.points.exclusion import NOT_MONITORED
from ...domain.points.policy import Policy
from ...models.database import Database
from ...models.delivery import outbox
from ...models.events import message_ids
from ...models.events.message_ids import RecentIds
from ...models.migrations import migrate
from ...models.points import held, history, limit_counters, natural_keys, streams
from ...models.points.history import Stored
from ...models.points.natural_keys import Place
from ...models.points.policy_runs import Difference
from ...models.points.totals import Sum
from ...models.transaction import Transaction
from ..events.event_storage import Row, Standing, interpret, record

BATCH = 500


class Scope(NamedTuple):
    """Which events are scored anew."""

    channel_id: str | None
    after_id: int  # events with greater ids
    up_to: int
    from_day: int  # the first whose points are compared


class _Names(NamedTuple):
    channel: str
    login: str
    name: str


class Recomputation:
    """Scores the events of a scope once more. Blocks; writes nothing to the real database."""

    def __init__(
        self,
        database: Database,
        scope: Scope,
        policies: Callable[[str], Policy],
        bot_login: str | None,
    ) -> None:
        """`policies` gives a channel's policy."""
        self._database = database
        self._scope = scope
        self._policies = policies
        self._bot_login = bot_login
        self._names: dict[tuple[str, str], _Names] = {}
        self._seeded: set[str] = set()
        self._users: set[tuple[str, str, str]] = set()

    def run(self, goes_on: Callable[[int], bool]) -> list[Difference] | None:
        """How all points differ, the users with the greatest changes first; None when ended.

        `goes_on` is told how many events have been read, and says whether to go on.
        """
        with tempfile.TemporaryDirectory(prefix="waddlebot-points-") as folder:
            scratch = Database("sqlite://points.db", Path(folder))
            try:
                migrate(scratch)
                if not self._replay(scratch, goes_on):
                    return None
                with scratch.transaction() as transaction:
                    message_ids.index(transaction)
                    after = history.folded_sums(transaction, self._scope.from_day)
            finally:
                scratch.close()
        with self._database.transaction(timeout_seconds=30, write=False) as transaction:
            before = history.sums(transaction, **self._scope._asdict())
        return self._differences(before, after)

    def _replay(self, scratch: Database, goes_on: Callable[[int], bool]) -> bool:
        with self._database.transaction(write=False) as transaction:
            known = streams.all_of(transaction, self._scope.channel_id)
        with scratch.transaction() as transaction:
            streams.copy(transaction, known)
        recent, last_id, read = RecentIds(), self._scope.after_id, 0
        while goes_on(read):
            with self._database.transaction(timeout_seconds=30, write=False) as transaction:
                batch = history.read(
                    transaction,
                    after_id=last_id,
                    up_to=self._scope.up_to,
                    channel_id=self._scope.channel_id,
                    limit=BATCH,
                )
                rows = [row for one in batch for row in self._rows(one)]
                keys = self._earlier_keys(transaction, rows)
                paid = self._paid_before(transaction, rows)
            if not batch:
                return True
            with scratch.transaction(timeout_seconds=30) as transaction:
                natural_keys.take(transaction, keys)
                limit_counters.save(transaction, paid)
                record(transaction, rows, recent=recent)
            last_id, read = batch[-1].id, read + len(batch)
        return False

    def _rows(self, one: Stored) -> list[Row]:
        """The event's rows by the other policy. None for what cannot be read."""
        if one.event_type.startswith(DERIVED):  # made of others, which are read
            return []
        try:
            notification = read_notification(one.body)
        except NotUnderstood:
            return []
        message = eventsub.Message(
            *(one.event_id, eventsub.NOTIFICATION, one.event_type, one.event_version),
            *(one.body, 0, one.at_ms),
        )
        standing = Standing(
            self._policies(one.channel_id), one.reason != NOT_MONITORED, self._bot_login
        )
        rows = interpret(message, notification, standing)
        if one.status == outbox.HELD or one.why == held.DROPPED:
            rows = [_without_points(row) for row in rows]
        rows = [_never_held(row) for row in rows]
        for row in rows:
            event = row.entry.event
            self._names[event.channel_id, event.user_id] = _Names(
                event.channel_name, event.user_login, event.user_name
            )
        return [
            row._replace(entry=row.entry._replace(event=row.entry.event._replace(body=b"")))
            for row in rows
        ]

    def _earlier_keys(self, transaction: Transaction, rows: Sequence[Row]) -> dict[str, Place]:
        """Who holds their natural keys since before the first event that is read."""
        keys = {row.entry.key for row in rows if row.entry.key is not None} - self._seeded
        self._seeded |= keys
        wanted = sorted(keys)
        found = natural_keys.in_table(transaction, wanted)
        return {
            key: Place(-place.id, place.at_ms)  # no row of the other database has this id
            for key, place in found.items()
            if place.id <= self._scope.after_id
        }

    def _paid_before(self, transaction: Transaction, rows: Sequence[Row]) -> Mapping[Any, Any]:
        """Counters of what pays once in all, where that was paid before the first event."""
        users = {
            (event.channel_id, event.user_id, row.terms.rule.activity)
            for row in rows
            for event in [row.entry.event]
            if row.terms is not None
            and row.terms.rule.limits is not None
            and row.terms.rule.limits.once == "ever"
        } - self._users
        self._users |= users
        return history.counters_before(transaction, users, self._scope.from_day)

    def _differences(self, before: Mapping[Sum, int], after: Mapping[Sum, int]) -> list[Difference]:
        changed = {
            one: (before.get(one, 0), after.get(one, 0))
            for one in before.keys() | after.keys()
            if before.get(one, 0) != after.get(one, 0)
        }
        of_user: dict[str, int] = {}
        for one, (was, becomes) in changed.items():
            of_user[one.user_id] = of_user.get(one.user_id, 0) + becomes - was
        in_order = sorted(changed, key=lambda one: (-abs(of_user[one.user_id]), one.user_id, one))
        return [
            Difference(
                number,
                one.channel_id,
                self._name(one).channel,
                one.user_id,
                self._name(one).login,
                self._name(one).name,
                one.activity_type,
                one.day,
                *changed[one],
                None,
            )
            for number, one in enumerate(in_order, 1)
        ]

    def _name(self, one: Sum) -> _Names:
        return self._names.get((one.channel_id, one.user_id), _Names("", "", ""))


def _never_held(row: Row) -> Row:
    """What a burst had held has been decided about by an admin, or is to be."""
    terms = row.terms
    if terms is None or terms.rule.limits is None:
        return row
    limits = terms.rule.limits._replace(burst=None)
    return row._replace(terms=terms._replace(rule=terms.rule._replace(limits=limits)))


def _without_points(row: Row) -> Row:
    """What an admin has held back or dropped gives nothing by any policy."""
    activity = row.entry.activity
    if activity is None:
        return row
    entry = row.entry._replace(activity=activity._replace(amount=0))
    return row._replace(entry=entry, terms=None)
