"""Is it alive, and is it ready: for supervisors, load balancers and people."""

from typing import Any, Literal

from ..common import services
from ..errors import DatabaseUnavailable
from ..models.delivery.outbox import queue_state
from ..models.migrations import VERSION as SCHEMA
from ..models.migrations import schema_version
from ..version import VERSION
from .http import Answer, endpoint, reply
from .operations import Says
from .schemas import Check, Health, Readiness


@endpoint("/twitch/health", "GET", tag="Operation", answers={200: Health})
def health() -> Answer:
    """Tell whether the process is alive.

    It answers without asking anybody: not the database, either.
    """
    return reply(Health(status="ok", version=VERSION))


@endpoint(
    "/twitch/health/ready",
    "GET",
    tag="Operation",
    answers={
        200: Says(Readiness, "Webhooks can be taken"),
        503: Says(Readiness, "Webhooks cannot be taken"),
    },
)
def ready() -> Answer:
    """Tell whether all that the service needs is there.

    `degraded` (200): webhooks are taken, and something needs a person: a kind of work that no
    process does, or activities whose delivery was given up.
    """
    checks = _checks()
    needed = [check for name, check in checks.items() if name not in _NOT_NEEDED_FOR_WEBHOOKS]
    status: Literal["ready", "degraded", "not ready"] = "ready"
    if not all(check["ok"] for check in needed):
        status = "not ready"
    elif not all(check["ok"] for check in checks.values()):
        status = "degraded"
    answer = Readiness(
        status=status,
        checks={name: Check.model_validate(check) for name, check in checks.items()},
    )
    return reply(answer, 503 if status == "not ready" else 200)


# A load balancer that took away the servers because a worker is gone would lose webhooks, which
# wait for it in the database.
_NOT_NEEDED_FOR_WEBHOOKS = ("work", "queue")


def _checks() -> dict[str, dict[str, Any]]:
    built = services()
    try:
        version = schema_version(built.base.database)
        with built.base.database.transaction(timeout_seconds=2, write=False) as transaction:
            queue = queue_state(transaction)
        nobodys = built.heartbeat.nobodys()
    except DatabaseUnavailable as error:
        return {"database": {"ok": False, "detail": str(error)}}
    here = built.base.settings.worker == "on"
    return {
        "database": {"ok": True},
        "schema": {"ok": version == SCHEMA, "version": version},
        "worker": {"ok": not here or built.delivery.worker.is_alive(), "in_this_process": here},
        "work": {"ok": not nobodys, "done_by_nobody": nobodys},
        # For information: with WaddleBot away the queue grows, and webhooks are still taken.
        "queue": {
            "ok": not queue.dead,
            "waiting": queue.waiting,
            "oldest_due_seconds": None if queue.overdue_ms is None else queue.overdue_ms / 1000,
            "dead": queue.dead,
        },
    }
