"""The shapes of answers about channels, subscriptions and Twitch's users."""

from typing import Any, Literal

from pydantic import Field

from ...services.subscriptions.comparison import Outcome
from ..schemas import ChannelName, Reason, Shape, Time


class Channel(Shape):
    """A monitored channel."""

    channel_id: str
    channel_name: str = Field(description="Its login at Twitch")
    display_name: str
    is_active: bool
    gateway_id: str | None
    points: dict[str, Any] | None = Field(description="Its own points; null: the usual ones")
    event_types: list[str] = Field(description="What it is subscribed to, or should be")
    own_event_types: bool = Field(description="Whether these are its own, or the usual ones")
    backfill: bool
    warning: str | None = Field(description="What is wrong with it, in words")
    created_at: Time | None


class ChannelAnswer(Shape):
    """One channel."""

    channel: Channel


class ChannelList(Shape):
    """Every channel, by name."""

    channels: list[Channel]


class RemovedChannel(Shape):
    """The channel is not monitored any more."""

    channel_id: str
    deleted: Literal[True]
    removed_subscriptions: list[str]


class SetupResult(Shape):
    """What became of one event type."""

    type: str
    outcome: Outcome
    subscription_id: str | None
    reason: Reason
    login_url: str | None = Field(description="Where the streamer grants what is missing")


class CaughtUp(Shape):
    """Which follows were missing, and how many were entered."""

    since: Time | None
    missing: list[str] = Field(description="Logins, newest first")
    entered: int
    reason: str | None = Field(description="Why nothing could be caught up with")


class Setup(Shape):
    """What became of each event type of a channel."""

    channel_id: str
    dry_run: bool
    results: list[SetupResult]
    removed: list[str] = Field(description="Ids of subscriptions that nobody wants any more")
    backfill: CaughtUp | None = Field(description="null for channels that do not catch up")


class Subscription(Shape):
    """An EventSub subscription at Twitch."""

    id: str
    type: str
    version: str
    status: str = Field(description="In Twitch's words")
    reason: str | None = Field(description="Why it does not deliver; null when it does")
    condition: dict[str, str]
    cost: int
    created_at: str = Field(description="As Twitch writes it")
    channel_id: str | None
    channel_name: ChannelName
    last_event_at: Time | None
    callback: str | None


class MissingSubscription(Shape):
    """One that a channel wants and Twitch has not."""

    channel_id: str
    channel_name: ChannelName
    type: str
    reason: str
    retry_at: Time | None
    login_url: str | None


class SubscriptionList(Shape):
    """Twitch's whole list, its cost budget, and what is missing there."""

    subscriptions: list[Subscription]
    missing: list[MissingSubscription]
    total: int
    total_cost: int
    max_total_cost: int


class SubscriptionAnswer(Shape):
    """One subscription."""

    subscription: Subscription


class DeletedSubscription(Shape):
    """The subscription has ended."""

    id: str
    deleted: Literal[True]
    returns: bool = Field(description="Whether a channel still wants it, so that it comes back")
    detail: str | None


class TwitchUser(Shape):
    """A Twitch user, as Twitch's API describes them."""

    user: dict[str, Any]
