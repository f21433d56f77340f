"""EventSub types about single accounts, and about the application. See the catalogue."""

from .event_type import READER, EventType, by_reader, read_or_manage

REVOKED = "user.authorization.revoke"  # a user has disconnected this application

_APPLICATION = ("client_id",)

ROWS = (
    # The channel of these is the one of the account.
    EventType("user.update", "1", condition=(READER,), channel="user"),
    EventType(
        "user.whisper.message",
        "1",
        "",
        by_reader(*read_or_manage("user:whispers")),
        (READER,),
        user="from_user",
        channel="to_user",
    ),
    # Of the application, not of a channel. This module has itself told of the second.
    EventType("user.authorization.grant", "1", condition=_APPLICATION, channel="user"),
    EventType(REVOKED, "1", condition=_APPLICATION, channel="user"),
    EventType("conduit.shard.disabled", "1", condition=_APPLICATION, optional=("conduit_id",)),
    EventType(
        "drop.entitlement.grant",
        "1",
        condition=("organization_id",),
        optional=("category_id", "campaign_id"),
        batched=True,
    ),
    EventType(
        "extension.bits_transaction.create", "1", condition=("extension_client_id",), user="user"
    ),
)
