"""Delivering activities to WaddleBot: the context first, then the activity; at least once.

One thread talks to the database: in one transaction it notes how tries ended and claims what
is due. The tries themselves, which wait for the network, run on threads of their own:

    claim -> context needed and unknown? ask for it, keep it -> send the activity -> receipt
"""

import os
import queue
import random
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import structlog
from cachetools import TTLCache

from ...clients.waddlebot import WaddleBotClient
from ...domain.delivery.reputation_contract import Contract
from ...domain.delivery.retry import next_delay_seconds
from ...domain.delivery.waddlebot import Context, Failure, idempotency_key
from ...errors import DatabaseUnavailable
from ...models.database import Database
from ...models.delivery import outbox
from ...models.delivery.announcements import Listener
from ...models.delivery.outbox import Lease, Receipt
from ...models.transaction import Transaction
from .circuit_breaker import CircuitBreaker

CONTEXT_SECONDS = 600  # how long a user's context is believed without asking again
CONTEXTS_REMEMBERED = 10_000
# How soon an activity is seen that another process has stored: on SQLite by looking for it, on
# PostgreSQL by being told; then the looks are only for what was not heard.
POLL_SECONDS = 1.0
POLL_WHILE_LISTENING_SECONDS = 5.0
PUT_OFF_MS = 1_000  # until it is looked again whether what a reversal takes back was delivered
# What ends or comes within this time is noted and claimed together: each pass is a commit.
GATHER_SECONDS = 0.01
STORED_ANSWER_CHARACTERS = 2000

log = structlog.get_logger("delivery")


class DeliveryWorker:
    """Delivers what is due until it is stopped. Any number may run on the same database."""

    def __init__(
        self,
        database: Database,
        client: WaddleBotClient,
        contract: Contract,
        *,
        concurrency: int,
        identity_name_field: str,
        yields: bool,
    ) -> None:
        """`yields`: calls get the processor when nobody else in this process wants it."""
        self._yields = yields and sys.platform == "linux"  # elsewhere threads share a priority
        self._database = database
        self._client = client
        self._contract = contract
        self._concurrency = concurrency
        self._identity_name_field = identity_name_field
        # Daemon threads of our own: an executor's are gone by the time that atexit calls stop.
        self._to_try: queue.SimpleQueue[Lease | None] = queue.SimpleQueue()
        self._in_flight = 0
        # How tries ended: a Lease goes on to the reputation API, a Receipt is the end. None
        # only wakes the thread.
        self._ended: queue.SimpleQueue[Lease | Receipt | None] = queue.SimpleQueue()
        self._unrecorded: list[Lease | Receipt] = []
        self._contexts: TTLCache[str, Context] = TTLCache(CONTEXTS_REMEMBERED, CONTEXT_SECONDS)
        self._context_breaker = CircuitBreaker()
        self._reputation_breaker = CircuitBreaker()
        self._newest_first = False  # who gets the odd one of a claim
        self._poll_seconds = POLL_SECONDS if database.sqlite else POLL_WHILE_LISTENING_SECONDS
        self._idle_seconds = POLL_SECONDS  # until the next look, when nothing happens
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        self._last_pass_at = time.monotonic()

    def start(self) -> None:
        """Begin, on a thread of its own."""
        for number in range(self._concurrency):
            name = f"delivery-{number}"
            threading.Thread(target=self._try_each, name=name, daemon=True).start()
        if not self._database.sqlite:
            threading.Thread(target=self._listen, name="announcements", daemon=True).start()
        self.wake()
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something to deliver. Cheap; from any thread."""
        self._ended.put(None)

    def begin_stop(self) -> None:
        """Take nothing new, and end with the calls that are on their way. Does not wait."""
        self._stopping.set()
        self.wake()

    def wait(self, seconds: float) -> None:
        """Wait for the end, so long at most."""
        if self._thread.is_alive():
            self._thread.join(seconds)
        for _ in range(self._concurrency):
            self._to_try.put(None)

    def is_alive(self) -> bool:
        """Whether the worker goes through its loop."""
        return self._thread.is_alive() and time.monotonic() - self._last_pass_at < 30

    def _run(self) -> None:
        while not self._stopping.is_set() or self._in_flight or self._unrecorded:
            self._last_pass_at = time.monotonic()
            woken = self._collect()
            try:
                if self._unrecorded or (self._room() > 0 and (woken or self._something_is_due())):
                    self._record_and_claim()
            except DatabaseUnavailable as error:
                log.warning("database unavailable", error=str(error))
                self._stopping.wait(POLL_SECONDS)
            except Exception:  # a fault in one pass must not end all deliveries
                log.exception("delivery pass failed")
                # Nor may one row that cannot be recorded hold up the others for ever: their
                # leases end, and they are tried again.
                self._unrecorded = []
                self._stopping.wait(POLL_SECONDS)

    def _collect(self) -> bool:
        """Gather what has ended, waiting a while for the first; whether anything came."""
        until = time.monotonic() + (0.0 if self._unrecorded else self._idle_seconds)
        woken = False
        while True:
            try:
                ended = self._ended.get(timeout=max(until - time.monotonic(), 0.0))
            except queue.Empty:
                return woken
            if not woken:
                woken, until = True, time.monotonic() + GATHER_SECONDS
            if ended is not None:
                self._in_flight -= 1
                self._unrecorded.append(ended)
                if isinstance(ended, Lease) and ended.context is not None:
                    self._contexts[self._identity_name(ended)] = Context(**ended.context)

    def _room(self) -> int:
        """How many more may be claimed: twice as many as can be tried at once, so that nobody
        who could make a call waits for the database."""
        return 2 * self._concurrency - self._in_flight

    def _something_is_due(self) -> bool:
        """A look that takes no lock, for when nothing happens; it says when the next is due."""
        with self._database.transaction(write=False) as transaction:
            due_ms = outbox.next_due_ms(transaction)
        until_due = self._poll_seconds if due_ms is None else due_ms / 1000
        self._idle_seconds = min(max(until_due, 0.05), self._poll_seconds)
        return due_ms == 0

    def _listen(self) -> None:
        """Be woken by what other processes store."""
        listener = Listener(self._database)
        while not self._stopping.is_set():
            try:
                if listener.wait(POLL_WHILE_LISTENING_SECONDS):
                    self.wake()
            except DatabaseUnavailable:
                self._stopping.wait(POLL_SECONDS)
        listener.close()

    def _record_and_claim(self) -> None:
        """Note what has ended and claim what is due, in one transaction; then start it."""
        with self._database.transaction() as transaction:
            leases = _record(transaction, self._unrecorded)
            claimed = self._claim(transaction, self._room() - len(leases))
            leases += _go_on(transaction, self._contract, claimed)
        self._unrecorded = []
        for lease in leases:
            self._in_flight += 1
            self._to_try.put(lease)

    def _claim(self, transaction: Transaction, limit: int) -> list[Lease]:
        """Claim what may be tried now: with an API taken for dead, only what does not need it."""
        if self._stopping.is_set() or limit <= 0:
            return []
        now = time.monotonic()
        if self._reputation_breaker.take_probe(now) or self._context_breaker.take_probe(now):
            # Of both ends: the oldest may be just those that the API breaks at.
            claimed = outbox.claim(transaction, 1, 1)
        elif self._reputation_breaker.is_open:
            claimed = []
        else:
            self._newest_first = not self._newest_first
            newest = (limit + self._newest_first) // 2
            claimed = outbox.claim(
                transaction,
                limit - newest,
                newest,
                with_context_only=self._context_breaker.is_open,
            )
        leases = [self._with_known_context(lease) for lease in claimed]
        learnt = [new for new, old in zip(leases, claimed, strict=True) if new is not old]
        outbox.keep_contexts(transaction, learnt)
        return leases

    def _with_known_context(self, lease: Lease) -> Lease:
        context = self._contexts.get(self._identity_name(lease))
        if lease.context is not None or context is None:
            return lease
        return replace(lease, context=context.to_json())

    def _try_each(self) -> None:
        """Make the calls for one lease after another, on one of the threads that wait for them."""
        if self._yields:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        while (lease := self._to_try.get()) is not None:
            if self._stopping.is_set():  # a call that began now could be cut off, and come twice
                self._ended.put(Receipt(lease, outbox.PENDING, made=False))
                continue
            try:
                asks = self._contract.needs_context and lease.context is None
                ended = self._find_context(lease) if asks else self._send(lease)
            except Exception as error:  # a fault here must cost neither the row nor the thread
                log.exception("delivery failed", activity=lease.id)
                reason = f"internal: {type(error).__name__}"
                ended = _failed(lease, Failure(reason, passing=True))
            self._ended.put(ended)

    def _find_context(self, lease: Lease) -> Lease | Receipt:
        name = self._identity_name(lease)
        if not name:
            field = self._identity_name_field
            failure = Failure(f"context: the event has no {field}", passing=False)
            return replace(_failed(lease, failure), made=False)
        context = self._client.find_context(name)
        alive = isinstance(context, Context) or not context.passing
        self._context_breaker.record(lease.id, alive=alive, now=time.monotonic())
        if isinstance(context, Failure):
            return _failed(lease, context)
        return replace(lease, context=context.to_json())

    def _send(self, lease: Lease) -> Receipt:
        key = idempotency_key(lease.event_id, lease.activity_type)
        sent = self._client.send_activity(self._contract.body(lease), key)
        alive = sent.failure is None or not sent.failure.passing
        self._reputation_breaker.record(lease.id, alive=alive, now=time.monotonic())
        excerpt = sent.body.decode("utf-8", "replace")[:STORED_ANSWER_CHARACTERS]
        answer = None if sent.status is None else {"status": sent.status, "body": excerpt}
        if sent.failure is not None:
            return replace(_failed(lease, sent.failure), answer=answer)
        log.info("delivered", **_ids(lease), amount=lease.amount)
        return Receipt(lease, outbox.DELIVERED, answer=answer)

    def _identity_name(self, lease: Lease) -> str:
        return str(getattr(lease, self._identity_name_field))


def _record(transaction: Transaction, ended: Sequence[Lease | Receipt]) -> list[Lease]:
    """Note what tries brought; those that go on. What another worker has leased is dropped."""
    found = [one for one in ended if isinstance(one, Lease)]
    receipts = [one for one in ended if isinstance(one, Receipt)]
    kept = outbox.keep_contexts(transaction, found)
    kept |= outbox.record(transaction, receipts)
    for lease in (*found, *(receipt.lease for receipt in receipts)):
        if lease.id not in kept:
            log.warning("lease lost", **_ids(lease))
    return [lease for lease in found if lease.id in kept]


def _go_on(transaction: Transaction, contract: Contract, leases: Sequence[Lease]) -> list[Lease]:
    """Those of them to send. The others are put off, or end, without a call."""
    what_they_reverse = outbox.reversed_by(transaction, leases)
    receipts = []
    for lease in leases:
        reversed_one = what_they_reverse.get(lease.id)
        if not contract.sends_amounts:
            if lease.kind != "earned":
                receipts.append(_not_sent(lease, "the server decides the points"))
        elif lease.amount == 0:
            receipts.append(_not_sent(lease, "no points"))
        elif reversed_one is not None and reversed_one.status in (outbox.PENDING, outbox.LEASED):
            # A reversal must not come before what it takes back.
            wait_ms = max(reversed_one.due_at_ms - transaction.now_ms(), PUT_OFF_MS)
            receipts.append(Receipt(lease, outbox.PENDING, delay_ms=wait_ms, made=False))
        elif reversed_one is not None and reversed_one.status != outbox.DELIVERED:
            receipts.append(_not_sent(lease, outbox.NOTHING_TO_TAKE_BACK))
    outbox.record(transaction, receipts)
    ended = {receipt.lease.id for receipt in receipts}
    return [lease for lease in leases if lease.id not in ended]


def _not_sent(lease: Lease, reason: str) -> Receipt:
    return Receipt(lease, outbox.SKIPPED, reason, made=False)


def _failed(lease: Lease, failure: Failure) -> Receipt:
    """What becomes of an activity whose try failed: another try later, or the end."""
    delay = None
    if failure.passing:
        chance = random.random()  # noqa: S311  # spreads retries, guards nothing
        delay = next_delay_seconds(lease.attempts + 1, chance, failure.retry_after_seconds)
    if delay is None:  # a person has to look
        log.error("delivery given up", **_ids(lease), reason=failure.reason)
        return Receipt(lease, outbox.DEAD, failure.reason)
    log.warning(
        "delivery attempt failed",
        **_ids(lease),
        reason=failure.reason,
        next_try_seconds=round(delay),
    )
    return Receipt(lease, outbox.PENDING, failure.reason, delay_ms=int(delay * 1000))


def _ids(lease: Lease) -> dict[str, object]:
    return {"activity": lease.id, "message_id": lease.event_id, "attempt": lease.attempts + 1}
