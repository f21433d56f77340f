"""The shapes of answers about points."""

from pydantic import Field

from ..events.schemas import Activity
from ..schemas import ChannelName, Cursor, Shape


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
