"""The admins' API: channels, and setting up their subscriptions."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..common import services
from .http import Answer, actor, audited, endpoint, read_json, reply
from .times import rfc3339

# Logins are 25 characters at most and ids are digits; a little more costs nothing.
TwitchName = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[A-Za-z0-9_]+$")]


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


@endpoint("/twitch/api/setup/<channel_id>", "POST")
def set_up_channel(channel_id: str) -> Answer:
    """What became of each type: 200 when the channel has all of them, 207 when not."""
    channel = services().channels.get(channel_id)
    results = services().subscriptions.set_up(channel["channel_id"])
    outcomes = {result.type: result.outcome for result in results}
    audited("channel.setup", f"channel:{channel_id}", after=outcomes)
    complete = all(result.outcome != "refused" for result in results)
    return reply(
        {"channel_id": channel_id, "results": [result.to_json() for result in results]},
        200 if complete else 207,
    )


def _channel(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "channel_id": row["channel_id"],
        "channel_name": row["channel_name"],
        "display_name": row["display_name"],
        "is_active": bool(row["is_active"]),
        "gateway_id": row["gateway_id"],
        "warning": row["warning"],
        "created_at": rfc3339(row["created_at_ms"]),
    }
