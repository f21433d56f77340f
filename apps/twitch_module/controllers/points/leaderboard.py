"""Who has how many points, and why."""

import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...common import services
from ...models.delivery import activities
from ...models.points import leaderboard
from ...models.points.leaderboard import Selection
from ...models.points.totals import DAY_MS
from ...models.subscriptions import channels
from ..events.events import Id, cursor_of, shown_activity
from ..http import Answer, endpoint, reply
from ..reading import Takes
from ..times import EpochDay
from .schemas import Board, Place, Sum, UserPoints

Period = Literal["all", "year", "month", "week", "day"]
_DAYS = {"year": 365, "month": 30, "week": 7, "day": 1}
_CURSOR = r"^-?[0-9]{1,18}:[A-Za-z0-9_-]{1,100}$"


class Wanted(BaseModel):
    """Which points count."""

    model_config = ConfigDict(extra="forbid")

    channel_id: Id | None = None
    activity: Id | None = Field(None, description="Such as bits")
    period: Period = Field("all", description="The last 1, 7, 30 or 365 days of UTC, with today")
    since: EpochDay | None = Field(None, description="From this day of UTC")
    until: EpochDay | None = Field(None, description="Before this day of UTC")

    def selection(self, user_id: str | None = None) -> Selection:
        """The points as the models look for them."""
        since = self.since
        if self.period != "all":
            today = time.time_ns() // 1_000_000 // DAY_MS
            since = max(today - _DAYS[self.period] + 1, since or 0)
        return Selection(self.channel_id, self.activity, user_id, since, self.until)


class BoardQuery(Wanted):
    """A page of the leaderboard."""

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(
        None, pattern=_CURSOR, description="The `next_cursor` of the page before"
    )


class PointsQuery(Wanted):
    """One user's points, with a page of what gave them."""

    limit: int = Field(50, ge=1, le=200)
    cursor: int | None = Field(
        None, ge=1, le=2**63 - 1, description="The `next_cursor` of the page before"
    )


@endpoint(
    "/twitch/api/leaderboard",
    "GET",
    tag="Points",
    takes=Takes(BoardQuery, "query"),
    answers={200: Board},
)
def show_leaderboard(query: BoardQuery) -> Answer:
    """List users by their points, most first. Whoever has as many has the same rank.

    Points outlive the events that gave them. A name is null when all of them are forgotten.
    """
    after = None
    if query.cursor is not None:
        points, _, user_id = query.cursor.partition(":")
        after = int(points), user_id
    with services().base.database.transaction(timeout_seconds=30, write=False) as transaction:
        found = leaderboard.page(transaction, query.selection(), after=after, limit=query.limit + 1)
        shown = found[: query.limit]
        names = leaderboard.names(transaction, [one.user_id for one in shown])
    last = shown[-1] if len(found) > query.limit else None
    return reply(
        Board(
            leaderboard=[Place(**one._asdict(), user_name=names[one.user_id]) for one in shown],
            next_cursor=None if last is None else f"{last.points}:{last.user_id}",
        )
    )


@endpoint(
    "/twitch/api/users/<user_id>/points",
    "GET",
    tag="Points",
    takes=Takes(PointsQuery, "query"),
    answers={200: UserPoints},
)
def show_points(query: PointsQuery, user_id: str) -> Answer:
    """Show a user's points by channel and activity, and what gave them, newest first, and why.

    The sums outlive the activities.
    """
    with services().base.database.transaction(timeout_seconds=30, write=False) as transaction:
        selection = query.selection(user_id)
        sums = leaderboard.by_activity(transaction, selection)
        page = activities.list_activities(transaction, **_page(query, selection))
        ids = [*(one.channel_id for one in sums), *(row["channel_id"] for row in page.rows)]
        logins = channels.logins(transaction, ids)
        name = leaderboard.names(transaction, [user_id])[user_id]
    return reply(
        UserPoints(
            user_id=user_id,
            user_name=name,
            points=sum(one.points for one in sums),
            totals=[Sum(**one._asdict(), channel_name=logins.get(one.channel_id)) for one in sums],
            activities=[shown_activity(row, logins) for row in page.rows],
            next_cursor=cursor_of(page),
        )
    )


def _page(query: PointsQuery, selection: Selection) -> dict[str, Any]:
    equal = {
        "user_id": selection.user_id,
        "channel_id": selection.channel_id,
        "activity_type": selection.activity_type,
    }
    return {
        "equal": {name: value for name, value in equal.items() if value is not None},
        "since_ms": _ms(selection.since_day),
        "until_ms": _ms(selection.until_day),
        "before_id": query.cursor,
        "limit": query.limit,
    }


def _ms(day: int | None) -> int | None:
    return None if day is None else day * DAY_MS
