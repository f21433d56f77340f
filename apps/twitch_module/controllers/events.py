"""The lists of events and activities, and delivering an activity again."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..common import services
from ..domain.follow import origin
from ..errors import Conflict, NotFound
from ..models import activities, audit, events
from ..models.pages import Page
from .http import Answer, actor, endpoint, read_json, read_query, reply
from .times import EpochMs, rfc3339

Id = Annotated[str, Field(min_length=1, max_length=255)]
Status = Literal["pending", "leased", "delivered", "skipped", "dead"]
_LARGEST_ID = 2**63 - 1


class Filter(BaseModel):
    """Which rows: by type, channel, user and time."""

    model_config = ConfigDict(extra="forbid")

    type: Id | None = None
    channel_id: Id | None = None
    user_id: Id | None = None
    since: EpochMs | None = None
    until: EpochMs | None = None

    def selection(self, type_column: str) -> dict[str, Any]:
        """The filter as the models take it."""
        wanted = {type_column: self.type, "channel_id": self.channel_id, "user_id": self.user_id}
        return {
            "equal": {column: value for column, value in wanted.items() if value is not None},
            "since_ms": self.since,
            "until_ms": self.until,
        }


class EventQuery(Filter):
    """A page of events."""

    limit: int = Field(50, ge=1, le=200)
    cursor: int | None = Field(None, ge=1, le=_LARGEST_ID)

    def page(self, type_column: str) -> dict[str, Any]:
        """The page as the models take it."""
        return {
            **self.selection(type_column),
            "limit": self.limit,
            "before_id": self.cursor,
        }


class ActivityQuery(EventQuery):
    """A page of activities."""

    status: Status | None = None

    def page(self, type_column: str) -> dict[str, Any]:
        """The page as the models take it."""
        page = super().page(type_column)
        if self.status is not None:
            page["equal"]["status"] = self.status
        return page


class Redelivery(Filter):
    """Which activities to deliver again; those that were given up unless another is named."""

    status: Literal["dead", "delivered", "pending"] = "dead"


@endpoint("/twitch/events", "GET")
def list_events() -> Answer:
    """A page of events, newest first."""
    query = read_query(EventQuery)
    with services().database.transaction(write=False) as transaction:
        page = events.list_events(transaction, **query.page("event_type"))
    return reply({"events": [_event(row) for row in page.rows], "next_cursor": _cursor(page)})


@endpoint("/twitch/events/<event_id>", "GET")
def show_event(event_id: str) -> Answer:
    """One event, with the body that Twitch sent."""
    with services().database.transaction(write=False) as transaction:
        row = events.get_event(transaction, event_id)
    if row is None:
        raise NotFound(f"There is no event {event_id!r}")
    body = row["body"].decode("utf-8", "replace")
    return reply({"event": {**_event(row), "event_data": body}})


@endpoint("/twitch/activities", "GET")
def list_activities() -> Answer:
    """A page of activities, newest first."""
    query = read_query(ActivityQuery)
    with services().database.transaction(write=False) as transaction:
        page = activities.list_activities(transaction, **query.page("activity_type"))
    shown = [_activity(row) for row in page.rows]
    return reply({"activities": shown, "next_cursor": _cursor(page)})


@endpoint("/twitch/activities/redeliver", "POST")
def redeliver_activities() -> Answer:
    """Deliver again all that fit the filter; how many."""
    given = read_json(Redelivery)
    selection = given.selection("activity_type")
    selection["equal"]["status"] = given.status
    with services().database.transaction(timeout_seconds=30) as transaction:
        count = activities.redeliver_all(transaction, **selection)
        after = {**given.model_dump(exclude_none=True), "redelivered": count}
        audit.record(transaction, actor(), "activity.redeliver_all", "activities", after=after)
    services().delivery.wake()
    return reply({"redelivered": count})


@endpoint("/twitch/activities/<activity_id>", "GET")
def show_activity(activity_id: str) -> Answer:
    """One activity."""
    return reply({"activity": _activity(_existing(activity_id))})


@endpoint("/twitch/activities/<activity_id>/redeliver", "POST")
def redeliver_activity(activity_id: str) -> Answer:
    """Deliver one activity again, under the same idempotency key."""
    row = _existing(activity_id)
    with services().database.transaction() as transaction:
        accepted = activities.redeliver(transaction, row["id"])
        if accepted:
            subject, before = f"activity:{row['id']}", {"status": row["status"]}
            audit.record(transaction, actor(), "activity.redeliver", subject, before=before)
    if not accepted:
        raise Conflict(f"The activity is {row['status']}; it cannot be delivered again now")
    services().delivery.wake()
    return reply({"activity": _activity(_existing(activity_id))}, 202)


def _existing(activity_id: str) -> dict[str, Any]:
    number = activity_id if activity_id.isascii() and activity_id.isdigit() else "0"
    row = None
    if len(number) <= 19 and int(number) < _LARGEST_ID:
        with services().database.transaction(write=False) as transaction:
            row = activities.get_activity(transaction, int(number))
    if row is None:
        raise NotFound(f"There is no activity {activity_id!r}")
    return row


def _cursor(page: Page) -> str | None:
    return None if page.next_before_id is None else str(page.next_before_id)


def _event(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "event_id": row["event_id"],
        "event_type": row["event_type"],
        "subscription_id": row["subscription_id"],
        "channel_id": row["channel_id"],
        "broadcaster_user_id": row["channel_id"],
        "broadcaster_user_name": row["channel_name"],
        "user_id": row["user_id"] or None,
        "user_login": row["user_login"] or None,
        "user_name": row["user_name"] or None,
        "received_at": rfc3339(row["received_at_ms"]),
        "origin": origin(row["event_id"]),
        "outcome": row["outcome"],
        "reason": row["reason"],
    }


def _activity(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "event_id": row["event_id"],
        "activity_type": row["activity_type"],
        "user_id": row["user_id"] or None,
        "user_name": row["user_name"] or None,
        "channel_id": row["channel_id"],
        "units": row["units"],
        "amount": row["amount"],
        "rule": json.loads(row["rule"]),
        "status": row["status"],
        "reason": row["reason"],
        "attempts": row["attempts"],
        "next_attempt_at": rfc3339(row["due_at_ms"]) if row["status"] == "pending" else None,
        "delivered_at": rfc3339(row["delivered_at_ms"]),
        "context": json.loads(row["context"]) if row["context"] else None,
        "receipt": json.loads(row["receipt"]) if row["receipt"] else None,
        "created_at": rfc3339(row["created_at_ms"]),
    }
