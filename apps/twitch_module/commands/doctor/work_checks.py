"""The doctor's checks of what the service does behind the webhooks: is it done, and done well."""

from collections.abc import Iterator

from ...models import heartbeats
from ...models.delivery.outbox import queue_state
from .check import OK, WARNING, WRONG, Examination, Finding

KINDS = ("delivery", "tokens", "subscriptions", "retention")
_LATE_MS = 5 * 60 * 1000


def check_work(examination: Examination) -> Iterator[Finding]:
    """Whether some process does each kind of work."""
    with examination.tables() as transaction:
        done = heartbeats.kinds_done(transaction)
    if missing := [kind for kind in KINDS if kind not in done]:
        detail = f"nobody does: {', '.join(missing)}"
        advice = "Run make serve without WORKER=off, or make worker"
        yield Finding("work", WRONG if done else WARNING, detail, advice)
    else:
        yield Finding("work", OK, "delivery, tokens, subscriptions and retention are looked after")


def check_deliveries(examination: Examination) -> Iterator[Finding]:
    """Whether points arrive at WaddleBot."""
    name = "deliveries"
    with examination.tables() as transaction:
        queue = queue_state(transaction)
    if queue.dead:
        advice = (
            "Look: cli activities list --status dead. Mend the reason, then: cli redeliver"
            " --status dead"
        )
        yield Finding(name, WRONG, f"{queue.dead} activities were given up", advice)
    if queue.overdue_ms is not None and queue.overdue_ms > _LATE_MS:
        detail = f"{queue.waiting} wait, the first for {queue.overdue_ms // 60_000} minutes"
        yield Finding(name, WRONG, detail, "Is a worker running, and does WaddleBot answer?")
    elif not queue.dead:
        yield Finding(name, OK, f"{queue.waiting} wait, none was given up")
