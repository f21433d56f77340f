"""The admins' API: EventSub subscriptions, by hand."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ...common import services
from ...errors import Conflict, Invalid, NotFound
from ..http import Answer, audited, endpoint, reply
from ..operations import TWITCH, Fails, Says
from ..reading import Name, Takes, TwitchName, either
from ..times import rfc3339
from . import schemas


class NewSubscription(BaseModel):
    """A subscription; for types of the catalogue the channel is enough."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra=either(
            "condition", "channel_id", {"type": "stream.online", "channel_id": "141981764"}
        ),
    )

    type: Name
    version: Name | None = None
    condition: dict[Name, Name] | None = None
    channel_id: TwitchName | None = None


class SubscriptionId(BaseModel):
    """Which subscription, in the query or in the body."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=200)] | None = None


@endpoint(
    "/twitch/api/subscriptions",
    "GET",
    tag="Subscriptions",
    answers={200: schemas.SubscriptionList},
    errors=TWITCH,
)
def list_subscriptions() -> Answer:
    """List all subscriptions, from all pages of Twitch's list, with what is known here."""
    listed = services().subscriptions.by_hand.list()
    costs = {name: listed[name] for name in ("total", "total_cost", "max_total_cost")}
    return reply(
        schemas.SubscriptionList(
            subscriptions=[_subscription(one) for one in listed["subscriptions"]],
            missing=[_missing(one) for one in listed["missing"]],
            **costs,
        )
    )


@endpoint(
    "/twitch/api/subscriptions",
    "POST",
    tag="Subscriptions",
    takes=Takes(NewSubscription, "json"),
    answers={
        201: Says(schemas.SubscriptionAnswer, "The new subscription"),
        200: Says(schemas.SubscriptionAnswer, "It was there already"),
    },
    errors=(Fails(Conflict, "needs_login", "exists_elsewhere", "subscription_limit"), *TWITCH),
)
def create_subscription(given: NewSubscription) -> Answer:
    """Subscribe by hand; the subscription is then looked after, too."""
    made, new = services().subscriptions.by_hand.create(
        given.type, given.version, given.condition, given.channel_id
    )
    if new:
        after = {"type": made["type"], "condition": made["condition"]}
        audited("subscription.create", f"subscription:{made['id']}", after=after)
    answer = schemas.SubscriptionAnswer(subscription=_subscription(made))
    return reply(answer, 201 if new else 200)


@endpoint(
    "/twitch/api/subscriptions",
    "DELETE",
    tag="Subscriptions",
    takes=Takes(SubscriptionId, "query", "json"),
    answers={200: schemas.DeletedSubscription},
    errors=(NotFound, *TWITCH),
)
def delete_subscription(given: SubscriptionId) -> Answer:
    """End a subscription, named in the query or in the body."""
    subscription_id = given.id
    if subscription_id is None:
        raise Invalid("id: Field required")
    returns = services().subscriptions.by_hand.delete(subscription_id)
    audited("subscription.delete", f"subscription:{subscription_id}")
    detail = (
        "The channel still wants this type, so that it will be made again:"
        " take it out of the channel's event_types"
    )
    return reply(
        schemas.DeletedSubscription(
            id=subscription_id, deleted=True, returns=returns, detail=detail if returns else None
        )
    )


def _subscription(one: dict[str, Any]) -> schemas.Subscription:
    shown = {**one, "last_event_at": rfc3339(one["last_event_at_ms"])}
    del shown["last_event_at_ms"]
    return schemas.Subscription(**shown)


def _missing(one: dict[str, Any]) -> schemas.MissingSubscription:
    shown = {**one, "retry_at": rfc3339(one["retry_at_ms"])}
    del shown["retry_at_ms"]
    return schemas.MissingSubscription(**shown)
