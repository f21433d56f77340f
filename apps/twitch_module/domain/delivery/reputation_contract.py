"""What WaddleBot is told about an activity: the three contracts that its servers have.

`core`: points are ours. `reputation_module` and `router`: the server decides the points, and our
amount is not sent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from .waddlebot import Context, to_bytes

ContractName = Literal["core", "reputation_module", "router"]

# What the servers call activities that have other names here.
_EVENT_NAMES = {"bits": "cheer", "sub_gifted": "sub"}
_MESSAGE_TYPES = {"bits": "cheer", "sub": "subscription", "sub_gifted": "subscription"}


class Activity(Protocol):
    """What is known of an activity. Nothing of it changes, so that every try sends the same."""

    @property
    def activity_type(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def units(self) -> int: ...
    @property
    def user_id(self) -> str: ...
    @property
    def user_name(self) -> str: ...
    @property
    def channel_id(self) -> str: ...
    @property
    def created_at_ms(self) -> int: ...
    @property
    def context(self) -> dict[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Contract:
    """How a server takes activities."""

    api: str  # what reasons call it
    needs_context: bool  # whether the context API is asked first
    sends_amounts: bool  # whether the points are ours
    body: Callable[[Activity], bytes]


def _for_core(activity: Activity) -> bytes:
    """The seven keys of the core API."""
    context = Context(**(activity.context or {}))
    return to_bytes(
        {
            "userid": context.identity_id,
            "activity": activity.activity_type,
            "amount": activity.amount,
            "text": f"{activity.activity_type} activity for {activity.user_name}",
            "namespace": context.namespace_name,
            "namespaceid": context.namespace_id,
            "platform": "Twitch",
        }
    )


def _for_reputation_module(activity: Activity) -> bytes:
    """The body of POST /reputation/process. An entity is a channel: twitch+<broadcaster id>."""
    name = activity.activity_type
    data: dict[str, object] = {
        "platform": "twitch",
        "server_id": activity.channel_id,
        "channel_id": "",  # Twitch has no channels inside of channels
        "message_content": "",
        "timestamp": datetime.fromtimestamp(activity.created_at_ms / 1000, UTC).isoformat(),
    }
    return to_bytes(
        {
            "user_id": activity.user_id,
            "entity_id": f"twitch+{activity.channel_id}",
            "event_name": _EVENT_NAMES.get(name, name),
            "event_data": data | _bits(activity) | _minutes(activity),
        }
    )


def _for_router(activity: Activity) -> bytes:
    """The body of POST /router/events."""
    name = activity.activity_type
    event: dict[str, object] = {
        "platform": "twitch",
        "server_id": activity.channel_id,
        "channel_id": "",
        "user_id": activity.user_id,
        "user_name": activity.user_name,
        "message_content": "",
        "message_type": _MESSAGE_TYPES.get(name, name),
    }
    return to_bytes(event | _bits(activity))


def _bits(activity: Activity) -> dict[str, object]:
    return {"bits": activity.units} if activity.activity_type == "bits" else {}


def _minutes(activity: Activity) -> dict[str, object]:
    return {"minutes": activity.units} if activity.activity_type == "timeout" else {}


CONTRACTS: dict[ContractName, Contract] = {
    "core": Contract("reputation", needs_context=True, sends_amounts=True, body=_for_core),
    "reputation_module": Contract(
        "reputation", needs_context=False, sends_amounts=False, body=_for_reputation_module
    ),
    "router": Contract("router", needs_context=False, sends_amounts=False, body=_for_router),
}
