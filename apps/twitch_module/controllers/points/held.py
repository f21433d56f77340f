"""Releasing and dropping activities that are held: too many came in a minute."""

from collections.abc import Callable
from typing import Any

from pydantic import Field, StrictBool

from ...common import services
from ...errors import Conflict
from ...models.access import audit
from ...models.points import held
from ...models.transaction import Transaction
from ..events.events import Filter, existing_activity, shown_activity
from ..events.schemas import ActivityAnswer
from ..http import Answer, actor, endpoint, reply
from ..reading import Takes
from .schemas import Dropped, Released

_Change = Callable[[Transaction, dict[str, Any]], int]


class Selection(Filter):
    """Which of the held activities; all of them without a filter."""

    dry_run: StrictBool = Field(False, description="Only say how many fit")


@endpoint(
    "/twitch/activities/release",
    "POST",
    tag="Activities",
    takes=Takes(Selection, "json"),
    answers={200: Released},
)
def release_activities(given: Selection) -> Answer:
    """Give the points of held activities after all: of all that fit a filter."""
    changed, matching = _change_all(given, held.release, "activity.release_all")
    services().delivery.worker.wake()
    return reply(Released(released=changed, matching=matching))


@endpoint(
    "/twitch/activities/drop",
    "POST",
    tag="Activities",
    takes=Takes(Selection, "json"),
    answers={200: Dropped},
)
def drop_activities(given: Selection) -> Answer:
    """Give no points for held activities: for all that fit a filter."""
    changed, matching = _change_all(given, held.drop, "activity.drop_all")
    return reply(Dropped(dropped=changed, matching=matching))


@endpoint(
    "/twitch/activities/<activity_id>/release",
    "POST",
    tag="Activities",
    answers={200: ActivityAnswer},
    errors=(Conflict,),
)
def release_activity(activity_id: str) -> Answer:
    """Give the points of a held activity after all."""
    answer = _change_one(activity_id, held.release, "activity.release")
    services().delivery.worker.wake()
    return answer


@endpoint(
    "/twitch/activities/<activity_id>/drop",
    "POST",
    tag="Activities",
    answers={200: ActivityAnswer},
    errors=(Conflict,),
)
def drop_activity(activity_id: str) -> Answer:
    """Give no points for a held activity."""
    return _change_one(activity_id, held.drop, "activity.drop")


def _change_all(given: Selection, change: _Change, action: str) -> tuple[int, int]:
    """How many have been changed, and how many fit."""
    selection = given.selection("activity_type")
    if given.dry_run:
        with services().base.database.transaction(write=False) as transaction:
            return 0, held.count(transaction, selection)
    with services().base.database.transaction(timeout_seconds=30) as transaction:
        count = change(transaction, selection)
        after = {**given.model_dump(exclude_none=True, exclude={"dry_run"}), "count": count}
        audit.record(transaction, actor(), action, "activities", after=after)
    return count, count


def _change_one(activity_id: str, change: _Change, action: str) -> Answer:
    row, _ = existing_activity(activity_id)
    with services().base.database.transaction() as transaction:
        changed = change(transaction, {"id": row["id"]})
        if changed:
            after = {"amount": row["amount"]}
            audit.record(transaction, actor(), action, f"activity:{row['id']}", after=after)
    if not changed:
        raise Conflict(f"The activity is {row['status']}; nobody holds it")
    return reply(ActivityAnswer(activity=shown_activity(*existing_activity(activity_id))))
