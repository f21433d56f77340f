"""POST /twitch/webhook: EventSub."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from ...common import services
from ...domain.events.eventsub import MESSAGE_TYPE, NOTIFICATION
from ...errors import DatabaseUnavailable, MessageRefused
from ..answers import Response
from ..http import plain_endpoint
from ..operations import Fails, Message, Says


class MessageHeaders(BaseModel):
    """What Twitch's messages carry."""

    message_id: str = Field(
        alias="Twitch-Eventsub-Message-Id", max_length=255, pattern=r"^[\x21-\x7e]+$"
    )
    timestamp: str = Field(
        alias="Twitch-Eventsub-Message-Timestamp",
        description="RFC 3339; at most ten minutes from now",
        json_schema_extra={"format": "date-time"},
    )
    signature: str = Field(
        alias="Twitch-Eventsub-Message-Signature",
        description="`sha256=` and the HMAC of message id, timestamp and body with the secret",
    )
    type: Literal["notification", "webhook_callback_verification", "revocation"] = Field(
        alias="Twitch-Eventsub-Message-Type"
    )


class MessageBody(BaseModel):
    """What a message says; what stands in it depends on the subscription's type."""

    subscription: dict[str, Any] | None = None
    event: dict[str, Any] | None = None
    challenge: str | None = Field(None, description="To be answered, when the callback is verified")


def _may_wait(environ: Mapping[str, Any]) -> bool:
    return environ.get(MESSAGE_TYPE) != NOTIFICATION


@plain_endpoint(
    "/twitch/webhook",
    "POST",
    may_wait=_may_wait,
    tag="Webhook",
    message=Message(MessageHeaders, MessageBody),
    answers={
        200: Says(about="The challenge alone", media_types=("text/plain",)),
        204: Says(about="What the message says is durable, or was already"),
    },
    errors=(
        Fails(MessageRefused, "missing_header", "stale_timestamp", "bad_signature"),
        DatabaseUnavailable,
    ),
)
def webhook(environ: Mapping[str, Any], body: bytes) -> Response:
    """Take a message of Twitch (EventSub).

    Its signature says who it is from. A message id that was seen before is acknowledged, and
    nothing happens. What is signed and cannot be understood is kept aside.
    """
    received = services().events.receiver.receive(environ, body)
    if received.challenge is None:
        return Response(204, {}, "", once=received.durable)
    # The challenge alone, as text/plain (Twitch: Handling Webhook Events).
    return Response(200, {"Content-Type": "text/plain; charset=utf-8"}, received.challenge)
