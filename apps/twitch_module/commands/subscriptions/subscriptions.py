"""`subscriptions`: what Twitch's list holds, and single subscriptions by hand."""

from typing import Any

import click

from ..api_client import Api
from ..group import Group
from ..parameter_types import ANY_EVENT_TYPE, channel_id
from ..remote import as_json, remote
from ..terminal import Cell, Column, note, say, show_json, show_list

_PATH = "/twitch/api/subscriptions"
_COLUMNS = (
    "type",
    "id",
    Column("channel", "person"),
    Column("status", "status"),
    "cost",
    Column("reason", "prose"),
)
_MISSING = (
    "type",
    Column("channel", "person"),
    Column("tried again", "time"),
    Column("reason", "prose"),
)


@click.group(cls=Group, short_help="The EventSub subscriptions, and single ones by hand.")
def subscriptions() -> None:
    """The EventSub subscriptions of a running service.

    The service makes those that its channels need by itself: cli channels setup.

    Example: cli subscriptions list
    """


@subscriptions.command("list")
@as_json
@remote
def list_(api: Api, as_json: bool) -> None:
    """All of Twitch's list, its cost, and what is missing.

    Example: cli subscriptions list
    """
    document = api.get(_PATH)
    if as_json:
        show_json(document)
        return
    if document["subscriptions"]:
        show_list(_COLUMNS, [_cells(one) for one in document["subscriptions"]])
        cost, limit = document["total_cost"], document["max_total_cost"]
        note(f"{document['total']} subscriptions; they cost {cost} of {limit}")
    else:
        say("Twitch has no subscriptions of this application. Add one: cli channels add LOGIN")
    if document["missing"]:
        say("Missing:")
        show_list(_MISSING, [_missing(one) for one in document["missing"]])
    for login_url in sorted({one["login_url"] for one in document["missing"]} - {None}):
        say(f"A streamer has to log in at {login_url}")


@subscriptions.command()
@click.argument("event_type", metavar="TYPE", type=ANY_EVENT_TYPE)
@click.option("--channel", help="Its id or login; enough for types that the service knows.")
@click.option("--condition", multiple=True, metavar="KEY=VALUE", help="In its place. Repeatable.")
@click.option("--version", help="For types that the service does not know.")
@as_json
@remote
def create(
    api: Api,
    event_type: str,
    channel: str | None,
    condition: tuple[str, ...],
    version: str | None,
    as_json: bool,
) -> None:
    """Subscribe to TYPE by hand; this subscription then stays.

    Example: cli subscriptions create stream.online --channel a_streamer
    """
    if (channel is None) == (not condition):
        raise click.UsageError("give either --channel or --condition")
    body: dict[str, Any] = {"type": event_type}
    if channel is not None:
        body["channel_id"] = channel_id(api, channel)
    else:
        body["condition"] = dict(_pair(text) for text in condition)
    if version is not None:
        body["version"] = version
    reply = api.call("POST", _PATH, body=body)
    if as_json:
        show_json(reply.document)
        return
    one = reply.document["subscription"]
    made = "created" if reply.status == 201 else "there already"
    say(f"{one['type']} is {made}: {one['id']}, {one['status']}")


@subscriptions.command()
@click.argument("subscription_id", metavar="ID")
@as_json
@remote
def delete(api: Api, subscription_id: str, as_json: bool) -> None:
    """End one subscription. What a channel wants comes back.

    Example: cli subscriptions delete 5b0d7c1e-88a4-4a0e-9f5d-2f6f0c8b4a11
    """
    document = api.call("DELETE", _PATH, params={"id": subscription_id}).document
    if as_json:
        show_json(document)
        return
    say(f"{document['id']} is ended")
    if document["returns"]:
        say(document["detail"])


def _cells(one: dict[str, Any]) -> tuple[Cell, ...]:
    return (
        one["type"],
        one["id"],
        (one.get("channel_name"), one["channel_id"]),
        one["status"],
        str(one["cost"]),
        one["reason"],
    )


def _missing(one: dict[str, Any]) -> tuple[Cell, ...]:
    channel = (one.get("channel_name"), one["channel_id"])
    return one["type"], channel, one["retry_at"], one["reason"]


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.UsageError(f"--condition {text}: must be KEY=VALUE")
    return key, value
