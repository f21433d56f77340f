"""The lists of events and activities, and delivering an activity again."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from ...common import services
from ...domain.events.follow import origin
from ...domain.points.explanation import explained
from ...errors import Conflict, NotFound
from ...models.access import audit
from ...models.delivery import activities
from ...models.events import events
from ...models.pages import Page
from ...models.subscriptions import channels
from ..http import Answer, actor, endpoint, reply
from ..operations import Says
from ..reading import Takes
from ..times import EpochMs, rfc3339
from .schemas import (
    Activity,
    ActivityAnswer,
    ActivityPage,
    Event,
    EventAnswer,
    EventPage,
    EventWithBody,
    Redelivered,
)

Id = Annotated[str, Field(min_length=1, max_length=255)]
Status = Literal["pending", "leased", "delivered", "skipped", "dead", "held"]
_LARGEST_ID = 2**63 - 1


class Filter(BaseModel):
    """Which rows: by type, channel, user and time."""

    model_config = ConfigDict(extra="forbid")

    type: Id | None = Field(None, description="Of the event, or of the activity")
    channel_id: Id | None = None
    user_id: Id | None = Field(None, description="Who acted")
    since: EpochMs | None = Field(None, description="Not before this time")
    until: EpochMs | None = Field(None, description="Before this time")

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
    cursor: int | None = Field(
        None, ge=1, le=_LARGEST_ID, description="The `next_cursor` of the page before"
    )

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
    dry_run: StrictBool = Field(False, description="Only say how many fit")


@endpoint(
    "/twitch/events",
    "GET",
    tag="Events",
    takes=Takes(EventQuery, "query"),
    answers={200: EventPage},
)
def list_events(query: EventQuery) -> Answer:
    """List events, newest first."""
    with services().base.database.transaction(write=False) as transaction:
        page = events.list_events(transaction, **query.page("event_type"))
    shown = [Event(**_event(row)) for row in page.rows]
    return reply(EventPage(events=shown, next_cursor=cursor_of(page)))


@endpoint("/twitch/events/<event_id>", "GET", tag="Events", answers={200: EventAnswer})
def show_event(event_id: str) -> Answer:
    """Show an event, with the body that Twitch sent."""
    with services().base.database.transaction(write=False) as transaction:
        row = events.get_event(transaction, event_id)
    if row is None:
        raise NotFound(f"There is no event {event_id!r}")
    body = row["body"].decode("utf-8", "replace")
    return reply(EventAnswer(event=EventWithBody(**_event(row), event_data=body)))


@endpoint(
    "/twitch/activities",
    "GET",
    tag="Activities",
    takes=Takes(ActivityQuery, "query"),
    answers={200: ActivityPage},
)
def list_activities(query: ActivityQuery) -> Answer:
    """List activities, newest first."""
    with services().base.database.transaction(write=False) as transaction:
        page = activities.list_activities(transaction, **query.page("activity_type"))
        names = channels.logins(transaction, [row["channel_id"] for row in page.rows])
    shown = [shown_activity(row, names) for row in page.rows]
    return reply(ActivityPage(activities=shown, next_cursor=cursor_of(page)))


@endpoint(
    "/twitch/activities/redeliver",
    "POST",
    tag="Activities",
    takes=Takes(Redelivery, "json"),
    answers={200: Redelivered},
)
def redeliver_activities(given: Redelivery) -> Answer:
    """Deliver again all that fit a filter, or only count them."""
    selection = given.selection("activity_type")
    selection["equal"]["status"] = given.status
    if given.dry_run:
        with services().base.database.transaction(timeout_seconds=30, write=False) as transaction:
            count = activities.count_redeliverable(transaction, **selection)
        return reply(Redelivered(redelivered=0, matching=count))
    with services().base.database.transaction(timeout_seconds=30) as transaction:
        count = activities.redeliver_all(transaction, **selection)
        after = {**given.model_dump(exclude_none=True, exclude={"dry_run"}), "redelivered": count}
        audit.record(transaction, actor(), "activity.redeliver_all", "activities", after=after)
    services().delivery.worker.wake()
    return reply(Redelivered(redelivered=count, matching=count))


@endpoint(
    "/twitch/activities/<activity_id>", "GET", tag="Activities", answers={200: ActivityAnswer}
)
def show_activity(activity_id: str) -> Answer:
    """Show an activity."""
    return reply(ActivityAnswer(activity=shown_activity(*existing_activity(activity_id))))


@endpoint(
    "/twitch/activities/<activity_id>/redeliver",
    "POST",
    tag="Activities",
    answers={202: Says(ActivityAnswer, "It is going to be delivered")},
    errors=(Conflict,),
)
def redeliver_activity(activity_id: str) -> Answer:
    """Deliver one activity again, under the same idempotency key."""
    row, _ = existing_activity(activity_id)
    with services().base.database.transaction() as transaction:
        accepted = activities.redeliver(transaction, row["id"])
        if accepted:
            subject, before = f"activity:{row['id']}", {"status": row["status"]}
            audit.record(transaction, actor(), "activity.redeliver", subject, before=before)
    if not accepted:
        raise Conflict(f"The activity is {row['status']}; it cannot be delivered again now")
    services().delivery.worker.wake()
    return reply(ActivityAnswer(activity=shown_activity(*existing_activity(activity_id))), 202)


def existing_activity(activity_id: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The activity's row, and the login of its channel. Raises NotFound."""
    number = activity_id if activity_id.isascii() and activity_id.isdigit() else "0"
    row = None
    if len(number) <= 19 and int(number) < _LARGEST_ID:
        with services().base.database.transaction(write=False) as transaction:
            row = activities.get_activity(transaction, int(number))
            names = channels.logins(transaction, [row["channel_id"]] if row else [])
    if row is None:
        raise NotFound(f"There is no activity {activity_id!r}")
    return row, names


def cursor_of(page: Page) -> str | None:
    """Where the next page begins."""
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
        "origin": origin(row["event_id"], row["event_type"]),
        "outcome": row["outcome"],
        "reason": row["reason"],
    }


def shown_activity(row: dict[str, Any], names: dict[str, str]) -> Activity:
    """The activity as the API shows it."""
    rule = json.loads(row["rule"])
    return Activity(
        id=row["id"],
        event_id=row["event_id"],
        activity_type=row["activity_type"],
        kind=row["kind"],
        reverses=row["reverses"],
        user_id=row["user_id"] or None,
        user_name=row["user_name"] or None,
        channel_id=row["channel_id"],
        channel_name=names.get(row["channel_id"]),
        units=row["units"],
        amount=row["amount"],
        why=explained(row["kind"], row["amount"], rule),
        rule=rule,
        status=row["status"],
        reason=row["reason"],
        attempts=row["attempts"],
        next_attempt_at=rfc3339(row["due_at_ms"]) if row["status"] == "pending" else None,
        delivered_at=rfc3339(row["delivered_at_ms"]),
        context=json.loads(row["context"]) if row["context"] else None,
        receipt=json.loads(row["receipt"]) if row["receipt"] else None,
        created_at=rfc3339(row["created_at_ms"]),
        happened_at=rfc3339(row["happened_at_ms"] or row["created_at_ms"]),
    )
