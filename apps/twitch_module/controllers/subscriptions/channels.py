"""The admins' API: channels, and setting them up."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, WithJsonSchema, model_validator

from ...common import services
from ...domain.subscriptions.channel_rules import CHANNEL_TYPES
from ...errors import Conflict, ModuleError, NotFound
from ...models.subscriptions.channels import Channel
from ..http import Answer, actor, audited, endpoint, reply
from ..operations import TWITCH, Says
from ..points.entries import ABOUT, Entries
from ..reading import Name, Takes, TwitchName, either
from ..times import rfc3339
from . import schemas

# Where the domain knows more than a type can say, its own words go into the schema.
TypeName = Annotated[Name, WithJsonSchema({"type": "string", "enum": CHANNEL_TYPES})]


def _change(schema: dict[str, Any]) -> None:
    """Make the schema one of a change: there is something in it, and what is not stays."""
    schema["minProperties"] = 1
    schema["examples"] = [{"points": {"follow": 15}}]
    for member in schema["properties"].values():
        del member["default"]


class NewChannel(BaseModel):
    """A channel by its Twitch login or by its Twitch id."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra=either("channel_name", "channel_id", {"channel_name": "a_streamer"}),
    )

    channel_name: TwitchName | None = None
    channel_id: TwitchName | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "NewChannel":
        if (self.channel_name is None) == (self.channel_id is None):
            raise ValueError("give either channel_name or channel_id")
        return self


class ChannelChange(BaseModel):
    """What is to be different about a channel; what is not named stays as it is.

    null in `points` and `event_types` brings the usual ones back.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra=_change)

    is_active: StrictBool = True
    gateway_id: Name | None = None
    points: Entries | None = Field(None, description=ABOUT)
    event_types: Annotated[list[TypeName], Field(max_length=100)] | None = None
    backfill: StrictBool = False

    @model_validator(mode="after")
    def _something(self) -> "ChannelChange":
        if not self.model_fields_set:
            raise ValueError(f"give one or more of {', '.join(type(self).model_fields)}")
        return self


class SetupQuery(BaseModel):
    """Whether only the plan is wanted."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(False, description="Only say what would be done")


@endpoint("/twitch/api/channels", "GET", tag="Channels", answers={200: schemas.ChannelList})
def list_channels() -> Answer:
    """List the monitored channels, by name."""
    channels = [_channel(row) for row in services().subscriptions.channels.list()]
    return reply(schemas.ChannelList(channels=channels))


@endpoint(
    "/twitch/api/channels",
    "POST",
    tag="Channels",
    takes=Takes(NewChannel, "json"),
    answers={
        201: Says(schemas.ChannelAnswer, "The new channel"),
        200: Says(schemas.ChannelAnswer, "It was there already"),
    },
    errors=(NotFound, *TWITCH),
)
def add_channel(given: NewChannel) -> Answer:
    """Add a channel, by its login or its id at Twitch."""
    row, new = services().subscriptions.channels.add(
        actor(), channel_id=given.channel_id, channel_name=given.channel_name
    )
    return reply(schemas.ChannelAnswer(channel=_channel(row)), 201 if new else 200)


@endpoint(
    "/twitch/api/channels/<channel_id>",
    "GET",
    tag="Channels",
    answers={200: schemas.ChannelAnswer},
)
def show_channel(channel_id: str) -> Answer:
    """Show a channel."""
    return reply(
        schemas.ChannelAnswer(channel=_channel(services().subscriptions.channels.get(channel_id)))
    )


@endpoint(
    "/twitch/api/channels/<channel_id>",
    "PATCH",
    tag="Channels",
    takes=Takes(ChannelChange, "json"),
    answers={200: schemas.ChannelAnswer},
)
def change_channel(given: ChannelChange, channel_id: str) -> Answer:
    """Change a channel; its subscriptions follow within seconds."""
    changes = given.model_dump(exclude_unset=True)
    channel = services().subscriptions.channels.change(actor(), channel_id, changes)
    return reply(schemas.ChannelAnswer(channel=_channel(channel)))


@endpoint(
    "/twitch/api/channels/<channel_id>",
    "DELETE",
    tag="Channels",
    answers={200: schemas.RemovedChannel},
    errors=(Conflict, *TWITCH),
)
def remove_channel(channel_id: str) -> Answer:
    """End a channel's subscriptions at Twitch, then forget it. Its events stay."""
    removed = list(services().subscriptions.channels.remove(actor(), channel_id))
    return reply(
        schemas.RemovedChannel(channel_id=channel_id, deleted=True, removed_subscriptions=removed)
    )


@endpoint(
    "/twitch/api/setup/<channel_id>",
    "POST",
    tag="Channels",
    takes=Takes(SetupQuery, "query"),
    answers={
        200: Says(schemas.Setup, "Twitch has all that the channel wants"),
        207: Says(schemas.Setup, "Something is missing; the results say why"),
    },
    errors=(Conflict, *TWITCH),
)
def set_up_channel(query: SetupQuery, channel_id: str) -> Answer:
    """Compare a channel with Twitch's list now, and mend what differs.

    Per event type it says `created`, `kept`, `adopted`, `refused` (it is tried again) or
    `waiting`, with the `login_url` by which the streamer grants what is missing.
    """
    dry_run = query.dry_run
    channel = services().subscriptions.channels.get(channel_id)
    comparison = services().subscriptions.reconciler.compare_channel(
        channel_id, asked=True, dry_run=dry_run
    )
    if not dry_run:
        outcomes = {result.type: result.outcome for result in comparison.results}
        audited("channel.setup", f"channel:{channel_id}", after=outcomes)
    answer = schemas.Setup(
        channel_id=channel_id,
        dry_run=dry_run,
        results=[schemas.SetupResult(**result.to_json()) for result in comparison.results],
        removed=comparison.removed,
        backfill=_catch_up(channel_id, dry_run=dry_run) if channel.backfill else None,
    )
    return reply(answer, 200 if comparison.is_well else 207)


def _channel(channel: Channel) -> schemas.Channel:
    return schemas.Channel(
        channel_id=channel.channel_id,
        channel_name=channel.channel_name,
        display_name=channel.display_name,
        is_active=channel.is_active,
        gateway_id=channel.gateway_id,
        points=channel.points,
        event_types=list(services().events.monitored_channels.types(channel.channel_id)),
        own_event_types=channel.event_types is not None,
        backfill=channel.backfill,
        warning=channel.warning,
        created_at=rfc3339(channel.created_at_ms),
    )


def _catch_up(channel_id: str, *, dry_run: bool) -> schemas.CaughtUp | None:
    """What was caught up with, or why nothing was; that is no fault of the subscriptions."""
    try:
        caught_up = services().subscriptions.backfill.catch_up(channel_id, dry_run=dry_run)
    except ModuleError as error:
        return schemas.CaughtUp(since=None, missing=[], entered=0, reason=str(error))
    if caught_up is None:
        return None
    return schemas.CaughtUp(
        since=rfc3339(caught_up.since_ms),
        missing=caught_up.missing,
        entered=caught_up.entered,
        reason=None,
    )
