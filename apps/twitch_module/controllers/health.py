"""Is it alive, and is it ready: for supervisors, load balancers and people."""

from typing import Any

from ..common import services
from ..errors import DatabaseUnavailable
from ..models.activities import queue_state
from ..models.migrations import VERSION as SCHEMA
from ..models.migrations import schema_version
from ..version import VERSION
from .http import Answer, endpoint, reply
from .operations import Says
from .reading import JSON
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
        200: Says(Readiness, "All that the service needs is there", media_types=(JSON,)),
        503: Says(Readiness, "Something is not there", media_types=(JSON,)),
    },
)
def ready() -> Answer:
    """Tell whether all that the service needs is there."""
    checks = _checks()
    healthy = all(check["ok"] for check in checks.values())
    answer = Readiness(
        status="ready" if healthy else "not ready",
        checks={name: Check.model_validate(check) for name, check in checks.items()},
    )
    return reply(answer, 200 if healthy else 503)


def _checks() -> dict[str, dict[str, Any]]:
    built = services()
    try:
        version = schema_version(built.database)
        with built.database.transaction(timeout_seconds=2, write=False) as transaction:
            waiting, age_ms = queue_state(transaction)
    except DatabaseUnavailable as error:
        return {"database": {"ok": False, "detail": str(error)}}
    here = built.settings.worker == "on"
    return {
        "database": {"ok": True},
        "schema": {"ok": version == SCHEMA, "version": version},
        "worker": {"ok": not here or built.delivery.is_alive(), "in_this_process": here},
        # For information: with WaddleBot away the queue grows, and webhooks are still taken.
        "queue": {
            "ok": True,
            "waiting": waiting,
            "oldest_due_seconds": None if age_ms is None else age_ms / 1000,
        },
    }
