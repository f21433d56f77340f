"""The shapes of answers. What stands in a model here is always there, in every such answer."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..services.subscriptions.comparison import Outcome


def _open(schema: dict[str, Any]) -> None:
    # We never send more than the model has; later versions may.
    schema.pop("additionalProperties", None)


class Shape(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra=_open,
        json_schema_serialization_defaults_required=True,
    )


Time = Annotated[str, Field(description="RFC 3339, UTC", json_schema_extra={"format": "date-time"})]
ChannelName = Annotated[
    str | None, Field(description="The channel's login; null when it is not monitored")
]
Reason = Annotated[str | None, Field(description="Why, in words")]
Cursor = Annotated[
    str | None, Field(description="`cursor` of the next page; null when this is the last")
]


class Problem(Shape):
    """An error (RFC 9457). `code` is for programs and stays; `detail` is for people."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str
    code: str
    login_url: str | None = Field(None, description="Where a new login at Twitch would help")


# Channels


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


# Subscriptions


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


# Events and activities


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
    origin: Literal["webhook", "backfill", "simulated"]
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
    user_id: str | None
    user_name: str | None
    channel_id: str
    channel_name: ChannelName
    units: int = Field(description="Bits, viewers, gifts or months")
    amount: int = Field(description="Points")
    rule: dict[str, Any] = Field(description="The rule that gave the points, and its figures")
    status: Literal["pending", "leased", "delivered", "skipped", "dead"]
    reason: Reason
    attempts: int
    next_attempt_at: Time | None
    delivered_at: Time | None
    context: dict[str, Any] | None = Field(description="Who the user is at WaddleBot")
    receipt: dict[str, Any] | None = Field(description="What WaddleBot answered")
    created_at: Time | None


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


# Streamers


class TwitchUser(Shape):
    """A Twitch user, as Twitch's API describes them."""

    user: dict[str, Any]


class UnknownLogin(Shape):
    """Nobody with this id has logged in."""

    authenticated: Literal[False]
    user_id: str


class Login(Shape):
    """A streamer's login: what was granted, and whether it holds."""

    authenticated: bool
    user_id: str
    login: str
    display_name: str
    scopes: list[str]
    missing_scopes: list[str] = Field(description="What the channel's event types need beside")
    expires_at: Time | None
    expires_in: int = Field(description="Seconds that the access token has left")
    status: Literal["ok", "needs_login"]
    reason: Reason
    last_validated_at: Time | None
    login_url: str | None = Field(description="For a new login, where it needs one")


class LoginList(Shape):
    """Everyone who has logged in."""

    users: list[Login]


class TokenState(Shape):
    """A user's access token, without the token itself."""

    user_id: str
    login: str
    scopes: list[str]
    expires_at: Time | None
    expires_in: int = Field(description="Seconds")


class LentToken(TokenState):
    """A valid access token, for use at Twitch together with the application's client id."""

    access_token: str
    token_type: Literal["bearer"]


class RevokedLogin(Shape):
    """The tokens are deleted here."""

    user_id: str
    deleted: Literal[True]
    revoked_at_twitch: bool = Field(description="Whether Twitch has confirmed it")


class Gateway(Shape):
    """What became of the activation key."""

    activated: bool
    detail: str


class Connected(Shape):
    """The login is finished."""

    authenticated: Literal[True]
    message: str
    user_id: str
    login: str
    display_name: str
    scopes: list[str]
    gateway: Gateway | None = Field(description="null when there was no activation key")
    monitored: bool = Field(description="Whether the user's channel is")


# Operation


class Health(Shape):
    """The process is alive."""

    status: Literal["ok"]
    version: str


class Check(BaseModel):
    """One thing that the service needs; further members depend on the thing."""

    model_config = ConfigDict(extra="allow")

    ok: bool


class Readiness(Shape):
    """What the service needs, thing by thing."""

    status: Literal["ready", "degraded", "not ready"]
    checks: dict[str, Check]
