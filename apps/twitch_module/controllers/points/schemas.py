"""The shapes of answers about points."""

from typing import Any, Literal

from pydantic import Field

from ..events.schemas import Activity
from ..schemas import ChannelName, Cursor, Reason, Shape, Time


class Released(Shape):
    """How many held activities fit, and how many give their points now: none by a dry run."""

    released: int
    matching: int


class Dropped(Shape):
    """How many held activities fit, and how many will give none: none by a dry run."""

    dropped: int
    matching: int


class Place(Shape):
    """A user's place."""

    rank: int
    user_id: str
    user_name: str | None
    points: int
    times: int = Field(description="How many activities gave them")


class Board(Shape):
    """Users by their points, most first."""

    leaderboard: list[Place]
    next_cursor: Cursor


class Sum(Shape):
    """What one activity has given in one channel."""

    channel_id: str
    channel_name: ChannelName
    activity_type: str
    points: int
    times: int


class UserPoints(Shape):
    """A user's points, and what gave them."""

    user_id: str
    user_name: str | None
    points: int
    totals: list[Sum]
    activities: list[Activity] = Field(description="Newest first; the sums outlive them")
    next_cursor: Cursor


class Pruned(Shape):
    """Points that cannot be worked out any more: their events are forgotten."""

    channel_id: str
    activity_type: str
    activities: int
    points: int


class Version(Shape):
    """A points policy, in force until the next one of the same channel, or of all channels."""

    id: int
    since: Time | None
    set_by: str = Field(description='An admin, or "configuration"')
    source: str = Field(description="Where it is written: a variable, a file, a channel")
    channel_id: str | None = Field(description="Null for that of all channels")
    policy: dict[str, Any] = Field(
        description="For all channels, what it makes of the default one; for a channel, its own"
        " entries"
    )


class VersionPage(Shape):
    """Policies, newest first."""

    policies: list[Version]
    next_cursor: Cursor


class Run(Shape):
    """A preview of another policy, and what became of it."""

    id: int
    created_at: Time | None
    created_by: str
    channel_id: str | None = Field(description="Null for all channels")
    since: Time | None
    policy: dict[str, Any]
    state: Literal["reading", "read", "applying", "applied", "undoing", "undone", "failed"]
    reason: Reason
    up_to: int | None = Field(description="The last event that it looks at, by its row")
    pruned: list[Pruned]
    to_do: int = Field(description="Events while it reads, changes afterwards")
    done: int
    changes: int
    users: int = Field(description="How many gain or lose")
    gain: int = Field(description="Points, of all who gain")
    lose: int = Field(description="Points, of all who lose")


class RunAnswer(Shape):
    """One preview."""

    run: Run


class RunPage(Shape):
    """Previews, newest first."""

    runs: list[Run]
    next_cursor: Cursor


class Change(Shape):
    """How a user's points of a day, from one activity in one channel, change."""

    number: int
    channel_id: str
    user_id: str
    user_name: str | None
    activity_type: str
    day: str
    points_before: int
    points_after: int
    activity_id: int | None = Field(description="The correction's, once it is applied")


class ChangePage(Shape):
    """Changes; those users first whose points change most."""

    changes: list[Change]
    next_cursor: Cursor
