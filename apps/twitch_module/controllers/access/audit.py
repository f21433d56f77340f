"""The audit log, to read."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ...common import services
from ...domain.access.callers import Kind
from ..http import Answer, endpoint, reply
from ..reading import Takes
from ..schemas import Cursor, Shape, Time
from ..times import EpochMs, rfc3339

Word = Annotated[str, Field(min_length=1, max_length=100)]


class AuditQuery(BaseModel):
    """A page of the log; `actor` is a name."""

    model_config = ConfigDict(extra="forbid")

    actor: Word | None = Field(None, description="Who, by name")
    action: Word | None = Field(None, description="What, such as channel.add")
    since: EpochMs | None = Field(None, description="Not before this time")
    until: EpochMs | None = Field(None, description="Before this time")
    limit: int = Field(50, ge=1, le=200)
    cursor: int | None = Field(None, ge=1, le=2**63 - 1)


class AuditActor(Shape):
    """Who did it."""

    kind: Kind
    id: str
    name: str


class AuditEntry(Shape):
    """Who did what to what, and what it was before and after."""

    id: int
    at: Time | None
    actor: AuditActor
    action: str
    object: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str
    request_id: str


class AuditPage(Shape):
    """Entries, newest first."""

    audit: list[AuditEntry]
    next_cursor: Cursor


@endpoint(
    "/twitch/api/audit",
    "GET",
    tag="Audit",
    takes=Takes(AuditQuery, "query"),
    answers={200: AuditPage},
)
def list_audit(query: AuditQuery) -> Answer:
    """List the audit log, newest first."""
    wanted = {"actor_name": query.actor, "action": query.action}
    page = services().access.audit.page(
        equal={column: value for column, value in wanted.items() if value is not None},
        since_ms=query.since,
        until_ms=query.until,
        before_id=query.cursor,
        limit=query.limit,
    )
    cursor = None if page.next_before_id is None else str(page.next_before_id)
    return reply(AuditPage(audit=[_entry(row) for row in page.rows], next_cursor=cursor))


def _entry(row: dict[str, Any]) -> AuditEntry:
    return AuditEntry(
        id=row["id"],
        at=rfc3339(row["at_ms"]),
        actor=AuditActor(kind=row["actor_kind"], id=row["actor_id"], name=row["actor_name"]),
        action=row["action"],
        object=row["object"],
        before=json.loads(row["before_change"]) if row["before_change"] else None,
        after=json.loads(row["after_change"]) if row["after_change"] else None,
        address=row["address"],
        request_id=row["request_id"],
    )
