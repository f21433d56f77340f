"""`events`: what Twitch has sent."""

import json
from typing import Any

import click

from ..api_client import Api, segment
from ..group import Group
from ..pages import fetch, page_options, tell_of_more
from ..parameter_types import ANY_EVENT_TYPE, channel_id, user_id
from ..remote import as_json, remote
from ..terminal import Cell, Column, person, say, show_facts, show_json, show_list
from ..times import shown

_COLUMNS = (
    Column("time", "time"),
    "type",
    "id",
    Column("user", "person"),
    Column("channel", "person"),
    Column("outcome", "status"),
)


@click.group(cls=Group, short_help="What Twitch has sent.")
def events() -> None:
    """The events that a running service has received.

    Example: cli events list --since 2h
    """


@events.command("list")
@click.option("--type", "event_type", type=ANY_EVENT_TYPE, help="Only of this type.")
@click.option("--channel", help="Only of this channel: id or login.")
@click.option("--user", help="Only of this user: id or login.")
@page_options
@as_json
@remote
def list_(
    api: Api,
    event_type: str | None,
    channel: str | None,
    user: str | None,
    as_json: bool,
    **page: Any,
) -> None:
    """Events, newest first.

    Example: cli events list --type channel.cheer --since 2h
    """
    filters = {
        "type": event_type,
        "channel_id": channel_id(api, channel),
        "user_id": user_id(api, user),
    }
    rows = fetch(api, "/twitch/events", filters, **page)
    if as_json:
        show_json({"events": rows.rows, "next_cursor": rows.next_cursor})
    elif not rows.rows:
        say("No events, or none that fit. Send one yourself: cli simulate channel.follow")
    else:
        show_list(_COLUMNS, [_cells(one) for one in rows.rows])
        tell_of_more(rows)


@events.command()
@click.argument("event_id", metavar="ID")
@as_json
@remote
def show(api: Api, event_id: str, as_json: bool) -> None:
    """One event, with the body that Twitch sent.

    Example: cli events show 9b7c4a0e-2f0d-4d2b-8d6c-0a5d8c1e7f31
    """
    document = api.get(f"/twitch/events/{segment(event_id)}")
    if as_json:
        show_json(document)
        return
    one = document["event"]
    show_facts(
        [
            ("event", one["event_id"]),
            ("type", one["event_type"]),
            ("received", shown(one["received_at"])),
            ("channel", person(one["broadcaster_user_name"], one["channel_id"])),
            ("user", person(one["user_name"], one["user_id"]) or "nobody"),
            ("subscription", one["subscription_id"]),
            ("origin", one["origin"]),
            ("outcome", f"{one['outcome']} {one['reason'] or ''}"),
        ]
    )
    try:
        say("body")
        show_json(json.loads(one["event_data"]))
    except (ValueError, RecursionError):
        say(one["event_data"])


def _cells(one: dict[str, Any]) -> tuple[Cell, ...]:
    return (
        one["received_at"],
        one["event_type"],
        one["event_id"],
        (one["user_name"], one["user_id"]),
        (one["broadcaster_user_name"], one["channel_id"]),
        one["outcome"],
    )
