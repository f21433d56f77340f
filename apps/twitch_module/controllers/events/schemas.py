"""The shapes of answers about events and activities."""

from typing import Any, Literal

from pydantic import Field

from ..schemas import ChannelName, Cursor, Reason, Shape, Time


class Event(Shape):
    """An event, without the body that Twitch sent."""

    event_id: str = Field(description="Twitch's message id")
    event_type: str
    subscription_id: str
    channel_id: str
    broadcaster_user_id: str
    broadcaster_user_name: str
    user_id: str | None
    user_login: str | None
    user_name: str | None
    received_at: Time | None
    origin: Literal["webhook", "backfill", "simulated", "derived"]
    outcome: Literal["scored", "unscored", "quarantined"]
    reason: Reason


class EventWithBody(Event):
    """An event, with the body that Twitch sent."""

    event_data: str = Field(description="As it was signed: JSON, but for what is quarantined")


class EventAnswer(Shape):
    """One event."""

    event: EventWithBody


class EventPage(Shape):
    """Events, newest first."""

    events: list[Event]
    next_cursor: Cursor


class Activity(Shape):
    """What an event earns, by which rule, and where its delivery stands."""

    id: int
    event_id: str
    activity_type: str
    kind: Literal["earned", "reversal", "correction"]
    reverses: int | None = Field(description="The activity whose points it takes back")
    user_id: str | None
    user_name: str | None
    channel_id: str
    channel_name: ChannelName
    units: int = Field(
        description="Bits, viewers, gifts, months, minutes, or whole units of a currency"
    )
    amount: int = Field(description="Points")
    why: str = Field(description="Where the points come from, in a line")
    rule: dict[str, Any] = Field(description="The rule that gave the points, and its figures")
    status: Literal["pending", "leased", "delivered", "skipped", "dead", "held"]
    reason: Reason
    attempts: int
    next_attempt_at: Time | None
    delivered_at: Time | None
    context: dict[str, Any] | None = Field(description="Who the user is at WaddleBot")
    receipt: dict[str, Any] | None = Field(description="What WaddleBot answered")
    created_at: Time | None
    happened_at: Time | None


class ActivityAnswer(Shape):
    """One activity."""

    activity: Activity


class ActivityPage(Shape):
    """Activities, newest first."""

    activities: list[Activity]
    next_cursor: Cursor


class Redelivered(Shape):
    """How many activities fit, and how many are delivered again: none by a dry run."""

    redelivered: int
    matching: int
