"""Deciding about what cannot simply be paid: what came before, or elsewhere, speaks against it."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from ...domain.points.judgement import Claim, judge
from ...domain.points.limits import Counter, Outcome, Period, limited, periods
from ...domain.points.multiplier import factor_for
from ...domain.points.natural_key import EVER
from ...domain.points.policy import Asked, Policy, Rule
from ...models.delivery import outbox
from ...models.delivery.activities import NewActivity
from ...models.events import events, ingest, message_ids
from ...models.events.ingest import Earned, Entry
from ...models.points import earnings, limit_counters, natural_keys, streams
from ...models.points.natural_keys import Place
from ...models.points.totals import Change, sum_of
from ...models.transaction import Transaction

_FOR_EVER_MS = 2**62


class Terms(NamedTuple):
    """By what the points of an activity are worked out, where that takes a look at the past."""

    rule: Rule
    asked: Asked
    policy: Policy
    badges: tuple[str, ...]


class Undecided(NamedTuple):
    """A new event whose activity waits for a decision."""

    entry: Entry
    row_id: int
    takes_back: bool = False  # whether it takes points back
    terms: Terms | None = None
    holds_key: bool = False  # nobody else does who would speak against it


class Settled(NamedTuple):
    """How many of them gave an activity, and what changes in the totals."""

    activities: int
    changes: list[Change]


class _Priced(NamedTuple):
    """One whose points are known, but for its limits."""

    one: Undecided
    activity: NewActivity | None
    periods: list[Period]


def settle(transaction: Transaction, undecided: Sequence[Undecided]) -> Settled:
    """Decide about each, in the order in which they happened. Does not commit.

    Everybody else waits who has one with the same natural key, or under the same limit.
    """
    keys = sorted(
        {one.entry.key for one in undecided if one.entry.key is not None and not one.holds_key}
    )
    held = natural_keys.holders(transaction, keys, message_ids.indexed_to(transaction))
    own = {one.row_id for one in undecided}  # who holds a key among them has yet to be paid
    in_order = sorted(undecided, key=lambda one: (one.entry.at_ms, one.row_id))
    priced = [_priced(transaction, one) for one in in_order]
    counters = limit_counters.lock(
        transaction, [period for one in priced for period in one.periods]
    )
    case = _Case(
        transaction, {key: place for key, place in held.items() if place.id not in own}, counters
    )
    for one in priced:
        case.decide(one)
    case.write()
    # Who held a key at the storing has it in the table; on SQLite, an activity's comes later.
    said = case.paid if transaction.sqlite else {one.row_id for one in undecided if one.holds_key}
    natural_keys.take(
        transaction, {key: place for key, place in case.taken.items() if place.id not in said}
    )
    limit_counters.save(transaction, case.counted)
    return Settled(case.activities, case.changes)


def _priced(transaction: Transaction, one: Undecided) -> _Priced:
    """Apply the multipliers, and find out which limits there are."""
    entry, activity, terms = one.entry, one.entry.activity, one.terms
    if activity is None or terms is None:
        return _Priced(one, activity, [])
    rule, event = terms.rule, entry.event
    stream = None
    if terms.policy.looks_at_streams:
        stream = streams.at(transaction, event.channel_id, entry.at_ms)
    factor, name = factor_for(
        terms.policy.multipliers,
        activity=rule.activity,
        at_ms=entry.at_ms,
        tier=terms.asked.tier,
        badges=terms.badges,
        live=stream is not None
        and (stream.ended_at_ms is None or entry.at_ms < stream.ended_at_ms),
    )
    asked = terms.asked._replace(factor=factor, multiplier=name)
    amount, explained = rule.price(asked)
    activity = activity._replace(amount=amount, rule=explained)
    if rule.limits is None:
        return _Priced(one, activity, [])
    stream_id = stream.stream_id if stream is not None else ""
    counted = periods(
        rule.limits, event.channel_id, event.user_id, rule.activity, entry.at_ms, stream_id
    )
    return _Priced(one, activity, counted)


class _Case:
    """What is decided in one transaction."""

    def __init__(
        self,
        transaction: Transaction,
        held: dict[str, Place],
        counters: dict[Period, Counter],
    ) -> None:
        self._transaction = transaction
        self._held = held
        self._counters = counters
        self.taken: dict[str, Place] = {}  # keys that change hands
        self.counted: dict[Period, Counter] = {}  # counters that change
        self.activities = 0
        self.changes: list[Change] = []
        self.paid: set[int] = set()  # whose activity is, or is to be, written
        self._unwritten: list[Earned] = []

    def write(self) -> None:
        """Write the activities that are still to be."""
        ingest.insert_activities(self._transaction, self._unwritten)
        self._unwritten.clear()

    def decide(self, priced: _Priced) -> None:
        """Find out what becomes of one; `write` is for the end."""
        one, activity = priced.one, priced.activity
        if one.takes_back:
            self._take_back(one)
        if activity is None:
            return
        outcome = self._limit(priced, activity)
        if outcome is not None:
            activity = _under_limit(activity, outcome)
        if self._is_unpaid(one, activity):
            return
        if outcome is not None:
            self._counters.update(outcome.counters)
            self.counted.update(outcome.counters)
        self._pay(one, activity)

    def _limit(self, priced: _Priced, activity: NewActivity) -> Outcome | None:
        terms = priced.one.terms
        if terms is None or terms.rule.limits is None:
            return None
        counters = {period: self._counters[period] for period in priced.periods}
        return limited(
            terms.rule.limits,
            activity.amount,
            terms.asked.units,
            priced.one.entry.at_ms,
            counters,
        )

    def _take_back(self, one: Undecided) -> None:
        self.write()  # it may be among these
        entry, key = one.entry, one.entry.key or ""
        before_ms = _FOR_EVER_MS if key.startswith(EVER) else entry.at_ms
        earning = earnings.revocable(self._transaction, key, before_ms)
        if earning is not None:
            self._reverse(earning, entry)
            reason = f"takes back {earning.event_id}"
            events.note_outcome(self._transaction, one.row_id, events.UNSCORED, reason)
        self._take_key(one)

    def _is_unpaid(self, one: Undecided, activity: NewActivity) -> bool:
        """Whether something that came before speaks against it; noted, then."""
        entry = one.entry
        if entry.key is None or one.takes_back:
            return False
        place = self._held.get(entry.key)
        if place is None:
            self._take_key(one)
            return False
        self.write()
        holder = earnings.holder(self._transaction, entry.key, place)
        claim = Claim(entry.key, activity.activity_type, entry.at_ms, activity.amount)
        verdict = judge(claim, holder)
        if verdict.unpaid is not None:
            events.note_outcome(self._transaction, one.row_id, events.UNSCORED, verdict.unpaid)
            return True
        if verdict.reverses and (earning := earnings.get(self._transaction, place.id)):
            self._reverse(earning, entry)
        if verdict.takes_key:
            self._take_key(one)
        return False

    def _pay(self, one: Undecided, activity: NewActivity) -> None:
        event = one.entry.event
        self._unwritten.append(Earned(one.row_id, event, activity))
        self.paid.add(one.row_id)
        self.activities += 1
        if activity.status != outbox.HELD:
            of = sum_of(event.channel_id, event.user_id, activity.activity_type, one.entry.at_ms)
            self.changes.append(Change(of, activity.amount, 1))

    def _reverse(self, earning: earnings.Earning, entry: Entry) -> None:
        change = earnings.take_back(self._transaction, earning, entry.event.event_id)
        if change is not None:
            self.activities += 1
            self.changes.append(change)

    def _take_key(self, one: Undecided) -> None:
        key, place = one.entry.key, Place(one.row_id, one.entry.at_ms)
        if key is not None and (key not in self._held or self._held[key].at_ms <= place.at_ms):
            self._held[key] = self.taken[key] = place


def _under_limit(activity: NewActivity, outcome: Outcome) -> NewActivity:
    """The activity with what the limits leave, and the name of the one that took something."""
    if outcome.limit is not None:
        said = {"limit": outcome.limit, "without_limit": activity.amount}
        rule = json.dumps({**json.loads(activity.rule), **said})
        activity = activity._replace(amount=outcome.points, rule=rule)
        if outcome.points == 0:
            reason = f"limit: {outcome.limit}"
            return activity._replace(status=outbox.SKIPPED, reason=reason)
    if outcome.held:
        return activity._replace(status=outbox.HELD, reason="held: too many in a minute")
    return activity
