"""The admins' API: channels, subscriptions, and setting both up; and Twitch's users."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from ..common import services
from ..errors import ModuleError, NotFound
from ..models.channels import Channel
from .http import (
    Answer,
    actor,
    audited,
    endpoint,
    read_body_or_query,
    read_json,
    read_query,
    reply,
)
from .times import rfc3339

# Logins are 25 characters at most and ids are digits; a little more costs nothing.
TwitchName = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[A-Za-z0-9_]+$")]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class NewChannel(BaseModel):
    """A channel by its Twitch login or by its Twitch id."""

    model_config = ConfigDict(extra="forbid")

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

    model_config = ConfigDict(extra="forbid")

    is_active: StrictBool = True
    gateway_id: Name | None = None
    points: dict[Name, Any] | None = None
    event_types: Annotated[list[Name], Field(max_length=100)] | None = None
    backfill: StrictBool = False

    @model_validator(mode="after")
    def _something(self) -> "ChannelChange":
        if not self.model_fields_set:
            raise ValueError(f"give one or more of {', '.join(type(self).model_fields)}")
        return self


class SetupQuery(BaseModel):
    """Whether only the plan is wanted."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = False


class NewSubscription(BaseModel):
    """A subscription; for types of the catalogue the channel is enough."""

    model_config = ConfigDict(extra="forbid")

    type: Name
    version: Name | None = None
    condition: dict[Name, Name] | None = None
    channel_id: TwitchName | None = None


class SubscriptionId(BaseModel):
    """Which subscription."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=200)]


@endpoint("/twitch/api/channels", "GET")
def list_channels() -> Answer:
    """Every monitored channel, by name."""
    return reply({"channels": [_channel(row) for row in services().channels.list()]})


@endpoint("/twitch/api/channels", "POST")
def add_channel() -> Answer:
    """201 with the new channel, or 200 with the one that is there already."""
    given = read_json(NewChannel)
    row, new = services().channels.add(
        actor(), channel_id=given.channel_id, channel_name=given.channel_name
    )
    return reply({"channel": _channel(row)}, 201 if new else 200)


@endpoint("/twitch/api/channels/<channel_id>", "GET")
def show_channel(channel_id: str) -> Answer:
    """One channel."""
    return reply({"channel": _channel(services().channels.get(channel_id))})


@endpoint("/twitch/api/channels/<channel_id>", "PATCH")
def change_channel(channel_id: str) -> Answer:
    """The channel as it is then; its subscriptions follow within seconds."""
    changes = read_json(ChannelChange).model_dump(exclude_unset=True)
    return reply({"channel": _channel(services().channels.change(actor(), channel_id, changes))})


@endpoint("/twitch/api/channels/<channel_id>", "DELETE")
def remove_channel(channel_id: str) -> Answer:
    """Ends the channel's subscriptions at Twitch, then forgets it. Its events stay."""
    comparison = services().channels.remove(actor(), channel_id)
    return reply(
        {"channel_id": channel_id, "deleted": True, "removed_subscriptions": comparison.removed}
    )


@endpoint("/twitch/api/setup/<channel_id>", "POST")
def set_up_channel(channel_id: str) -> Answer:
    """What became of each type: 200 when the channel has all of them, 207 when not."""
    dry_run = read_query(SetupQuery).dry_run
    channel = services().channels.get(channel_id)
    comparison = services().reconciler.compare_channel(channel_id, asked=True, dry_run=dry_run)
    if not dry_run:
        outcomes = {result.type: result.outcome for result in comparison.results}
        audited("channel.setup", f"channel:{channel_id}", after=outcomes)
    answer: dict[str, Any] = {
        "channel_id": channel_id,
        "dry_run": dry_run,
        "results": [result.to_json() for result in comparison.results],
        "removed": comparison.removed,
    }
    if channel.backfill:
        answer["backfill"] = _catch_up(channel_id, dry_run=dry_run)
    return reply(answer, 200 if comparison.is_well else 207)


@endpoint("/twitch/api/subscriptions", "GET")
def list_subscriptions() -> Answer:
    """All of them, from all pages of Twitch's list, with what is known here."""
    listed = services().subscriptions.list()
    return reply(
        {
            **listed,
            "subscriptions": [_subscription(one) for one in listed["subscriptions"]],
            "missing": [_missing(one) for one in listed["missing"]],
        }
    )


@endpoint("/twitch/api/subscriptions", "POST")
def create_subscription() -> Answer:
    """201 with the new subscription, or 200 with the one that was there already."""
    given = read_json(NewSubscription)
    made, new = services().subscriptions.create(
        given.type, given.version, given.condition, given.channel_id
    )
    if new:
        after = {"type": made["type"], "condition": made["condition"]}
        audited("subscription.create", f"subscription:{made['id']}", after=after)
    return reply({"subscription": _subscription(made)}, 201 if new else 200)


@endpoint("/twitch/api/subscriptions", "DELETE")
def delete_subscription() -> Answer:
    """Ends a subscription, named in the query or the body."""
    subscription_id = read_body_or_query(SubscriptionId).id
    returns = services().subscriptions.delete(subscription_id)
    audited("subscription.delete", f"subscription:{subscription_id}")
    answer: dict[str, Any] = {"id": subscription_id, "deleted": True, "returns": returns}
    if returns:
        answer["detail"] = (
            "The channel still wants this type, so that it will be made again:"
            " take it out of the channel's event_types"
        )
    return reply(answer)


@endpoint("/twitch/api/user/<user_id>", "GET")
def show_user(user_id: str) -> Answer:
    """A Twitch user by id, or else by login, as Helix describes them."""
    user = None
    if user_id.isascii() and user_id.replace("_", "a").isalnum() and len(user_id) <= 50:
        if user_id.isdigit():
            user = services().twitch.find_user(user_id=user_id)
        user = user or services().twitch.find_user(login=user_id.lower())
    if user is None:
        raise NotFound(f"Twitch knows no user {user_id!r}")
    return reply({"user": user})


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "channel_id": channel.channel_id,
        "channel_name": channel.channel_name,
        "display_name": channel.display_name,
        "is_active": channel.is_active,
        "gateway_id": channel.gateway_id,
        "points": channel.points,
        "event_types": list(services().roster.types(channel.channel_id)),
        "own_event_types": channel.event_types is not None,
        "backfill": channel.backfill,
        "warning": channel.warning,
        "created_at": rfc3339(channel.created_at_ms),
    }


def _subscription(one: dict[str, Any]) -> dict[str, Any]:
    shown = {**one, "last_event_at": rfc3339(one["last_event_at_ms"])}
    del shown["last_event_at_ms"]
    return shown


def _missing(one: dict[str, Any]) -> dict[str, Any]:
    shown = {**one, "retry_at": rfc3339(one["retry_at_ms"])}
    del shown["retry_at_ms"]
    return shown


def _catch_up(channel_id: str, *, dry_run: bool) -> dict[str, Any] | None:
    """What was caught up with, or why nothing was; that is no fault of the subscriptions."""
    try:
        caught_up = services().backfill.catch_up(channel_id, dry_run=dry_run)
    except ModuleError as error:
        return {"entered": 0, "reason": str(error)}
    if caught_up is None:
        return None
    return {
        "since": rfc3339(caught_up.since_ms),
        "missing": caught_up.missing,
        "entered": caught_up.entered,
        "reason": None,
    }
