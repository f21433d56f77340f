"""Previews of other policies, and applying and undoing what they would have given.

A run is a row that says how far it has come. One process of all carries runs on, so that a run
that was begun by a process that has died is carried on by another one.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from ...domain.access.callers import Actor
from ...domain.points.policy import Policy, default_policy
from ...domain.points.policy_reading import BadPolicy, amended, described
from ...domain.subscriptions.channel_rules import policy_of, usable_policy
from ...errors import Conflict, Invalid, NotFound
from ...models.access import audit
from ...models.database import Database
from ...models.delivery.announcements import announce
from ...models.delivery.outbox import PENDING
from ...models.points import earnings, history, policy_runs, policy_versions, totals
from ...models.points.earnings import CORRECTION, Earning
from ...models.points.policy_runs import (
    APPLIED,
    APPLYING,
    FAILED,
    READ,
    READING,
    UNDOING,
    UNDONE,
    Difference,
    Run,
)
from ...models.points.totals import DAY_MS, Change
from ...models.subscriptions import channels
from ...models.transaction import Transaction
from ..repeated_work import RepeatedWork
from .recomputation import Recomputation, Scope

BATCH = 100  # corrections in a transaction
ROUND_SECONDS = 1.0
CONFIGURATION = "configuration"  # who has set the policy of all channels
_BEGINS = {APPLYING: (READ,), UNDOING: (APPLIED, APPLYING)}

log = structlog.get_logger("policy_runs")


class PolicyRuns:
    """Begins runs, and carries them on, on a thread of its own. Thread-safe."""

    def __init__(self, database: Database, usual: Policy, bot_login: str | None) -> None:
        """`usual` is the policy in force."""
        self._database = database
        self._usual = usual
        self._bot_login = bot_login
        self._repeated = RepeatedWork(database, "policy runs", self.carry_on, seconds=ROUND_SECONDS)

    def start(self) -> None:
        """Begin to carry on what there is."""
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

    def note_policy(self) -> None:
        """Note which policy of all channels is in force here, if that is news. Commits."""
        with self._database.transaction() as transaction:
            new = policy_versions.note(
                transaction,
                actor=CONFIGURATION,
                source=self._usual.source,
                channel_id=None,
                policy=described(self._usual),
            )
        if new:
            log.info("new policy", source=self._usual.source)

    def preview(
        self, actor: Actor, entries: Mapping[str, Any], channel_id: str | None, since_ms: int
    ) -> Run:
        """Begin to find out what these entries would have given since a day; the new run.

        They are amendments of the default policy, as a POINTS_FILE is, or, with a channel, that
        channel's own. Raises Invalid with every fault, and NotFound.
        """
        try:
            if channel_id is None:
                amended(default_policy(), entries, "policy")
            else:
                policy_of(self._usual, entries)
        except BadPolicy as error:
            raise Invalid(str(error)) from error
        with self._database.transaction() as transaction:
            if channel_id is not None and channels.get(transaction, channel_id) is None:
                raise NotFound(f"No channel {channel_id!r} is monitored here")
            run_id = policy_runs.begin(
                transaction,
                actor=actor.name or actor.kind,
                channel_id=channel_id,
                since_ms=since_ms,
                policy=dict(entries),
            )
            audit.record(transaction, actor, "policy.preview", f"policy_run:{run_id}")
        return self.get(run_id)

    def get(self, run_id: int) -> Run:
        """A run. Raises NotFound."""
        with self._database.transaction(write=False) as transaction:
            run = policy_runs.get(transaction, run_id)
        if run is None:
            raise NotFound(f"There is no run {run_id}")
        return run

    def apply(self, actor: Actor, run_id: int) -> Run:
        """Begin to write what a preview has found, as corrections. Raises NotFound, Conflict."""
        return self._begin(actor, run_id, APPLYING, "policy.apply")

    def undo(self, actor: Actor, run_id: int) -> Run:
        """Begin to take the corrections of a run back. Raises NotFound, Conflict."""
        return self._begin(actor, run_id, UNDOING, "policy.undo")

    def carry_on(self) -> None:
        """Bring the oldest run that is under way to its end, unless told to stop. Blocks."""
        with self._database.transaction(write=False) as transaction:
            run = policy_runs.next_under_way(transaction)
        if run is None:
            return
        try:
            if run.state == READING:
                self._read(run)
            else:
                while self._repeated.goes_on() and not self._correct(run.id):
                    pass
        except BadPolicy as error:  # the channel's and the usual policy do not fit any more
            self._note(run.id, state=FAILED, reason=str(error))

    def _begin(self, actor: Actor, run_id: int, state: str, action: str) -> Run:
        self.get(run_id)
        with self._database.transaction() as transaction:
            run = policy_runs.get(transaction, run_id, lock=True)
            if run is None or run.state not in _BEGINS[state]:
                raise Conflict(f"The run is {run.state if run else 'gone'}")
            policy_runs.note(transaction, run_id, state=state)
            after = {"changes": run.changes}
            audit.record(transaction, actor, action, f"policy_run:{run_id}", after=after)
        return self.get(run_id)

    def _read(self, run: Run) -> None:
        with self._database.transaction(timeout_seconds=30, write=False) as transaction:
            extent = history.extent(transaction, run.since_ms, run.channel_id)
            own = {one.channel_id: one.points for one in channels.list_all(transaction)}
        self._note(
            run.id,
            up_to=extent.up_to,
            from_day=extent.from_day,
            pruned=json.dumps(extent.pruned),
            to_do=max(extent.up_to - extent.after_id, 0),
            done=0,
        )
        usual = self._usual
        if run.channel_id is None:
            usual = amended(default_policy(), run.policy, "policy")
        else:
            own[run.channel_id] = run.policy

        def goes_on(read: int) -> bool:
            self._note(run.id, done=read)
            return self._repeated.goes_on()

        found = Recomputation(
            self._database,
            Scope(run.channel_id, extent.after_id, extent.up_to, extent.from_day),
            _cached(usual, own),
            self._bot_login,
        ).run(goes_on)
        if found is None:
            return
        with self._database.transaction(timeout_seconds=30) as transaction:
            policy_runs.replace_differences(transaction, run.id, found)
            policy_runs.note(
                transaction, run.id, state=READ, changes=len(found), to_do=len(found), done=0
            )
        log.info("read", run=run.id, changes=len(found))

    def _correct(self, run_id: int) -> bool:
        """Write or take back some corrections; whether that was the last of them."""
        with self._database.transaction(timeout_seconds=30) as transaction:
            run = policy_runs.get(transaction, run_id, lock=True)
            if run is None or run.state not in (APPLYING, UNDOING):
                return True
            undoing = run.state == UNDOING
            first = max(run.done - BATCH, 0) if undoing else run.done
            limit = run.done - first if undoing else BATCH
            part = policy_runs.differences(transaction, run_id, after=first, limit=limit)
            changes = [_write(transaction, run, one, undoing=undoing) for one in part]
            if not transaction.sqlite:
                totals.add(transaction, changes)
            announce(transaction)
            done = first if undoing else run.done + len(part)
            ended = done == (0 if undoing else run.changes)
            policy_runs.note(transaction, run_id, done=done)
            if ended:
                policy_runs.note(transaction, run_id, state=UNDONE if undoing else APPLIED)
                log.info("undone" if undoing else "applied", run=run_id, changes=run.changes)
        return ended

    def _note(self, run_id: int, **changes: Any) -> None:
        with self._database.transaction() as transaction:
            policy_runs.note(transaction, run_id, **changes)


def _write(transaction: Transaction, run: Run, one: Difference, *, undoing: bool) -> Change:
    """One correction, or what takes it back."""
    amount = one.points_after - one.points_before
    name = f"correction:{run.id}:{one.number}"
    written = earnings.write_derived(
        transaction,
        Earning(
            0,
            f"{name}:undone" if undoing else name,
            one.channel_name,
            one.channel_id,
            one.user_id,
            one.user_login,
            one.user_name,
            one.activity_type,
            0,
            -amount if undoing else amount,
            PENDING,
            one.day * DAY_MS,
        ),
        kind=CORRECTION,
        said={
            "run": run.id,
            "about": f"{'undoes' if undoing else 'by'} run {run.id}: {one.points_before}"
            f" becomes {one.points_after} on one day",
        },
        reverses=one.activity_id if undoing else None,
    )
    if not undoing:
        policy_runs.note_applied(transaction, run.id, one.number, written.id)
    return written.change


def _cached(usual: Policy, own: Mapping[str, Any]) -> Callable[[str], Policy]:
    """A channel's policy: the usual one with the channel's own entries."""
    known: dict[str, Policy] = {}

    def policy(channel_id: str) -> Policy:
        if channel_id not in known:
            known[channel_id] = usable_policy(usual, own.get(channel_id))
        return known[channel_id]

    return policy
