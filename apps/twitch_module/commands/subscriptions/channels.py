"""`channels`: which channels are monitored, and how."""

import json
from typing import Any

import click

from ..api_client import Api, segment
from ..group import Group
from ..parameter_types import EVENT_TYPE, channel_id
from ..remote import as_json, remote
from ..terminal import Cell, Column, console, say, show_facts, show_json, show_list
from ..times import shown

_PATH = "/twitch/api/channels"
_COLUMNS = (
    Column("channel", "person"),
    Column("state", "status"),
    "types",
    Column("warning", "prose"),
)
_RESULTS = ("type", Column("outcome", "status"), Column("reason", "prose"))

_channel = click.argument("channel")


@click.group(cls=Group, short_help="The monitored channels: add, change, set up.")
def channels() -> None:
    """The monitored channels of a running service. CHANNEL is an id or a login.

    Example: cli channels add a_streamer
    """


@channels.command("list")
@as_json
@remote
def list_(api: Api, as_json: bool) -> None:
    """Every channel, by name.

    Example: cli channels list
    """
    document = api.get(_PATH)
    if as_json:
        show_json(document)
    elif not document["channels"]:
        say("No channels are monitored yet. Add one: cli channels add LOGIN")
    else:
        show_list(_COLUMNS, [_cells(one) for one in document["channels"]])


@channels.command()
@_channel
@as_json
@remote
def show(api: Api, channel: str, as_json: bool) -> None:
    """One channel, with its points and event types.

    Example: cli channels show a_streamer
    """
    _show(api.get(_path(api, channel)), as_json)


@channels.command()
@click.argument("login")
@click.option("--id", "is_id", is_flag=True, help="LOGIN is a Twitch id.")
@as_json
@remote
def add(api: Api, login: str, is_id: bool, as_json: bool) -> None:
    """Monitor the channel of this Twitch login.

    Example: cli channels add a_streamer
    """
    body = {"channel_id" if is_id else "channel_name": login.removeprefix("@")}
    reply = api.call("POST", _PATH, body=body)
    if as_json:
        show_json(reply.document)
        return
    one = reply.document["channel"]
    begun = "is monitored from now on" if reply.status == 201 else "was monitored already"
    say(f"{one['display_name']} ({one['channel_id']}) {begun}")
    say(f"Its subscriptions follow within minutes, or now: cli channels setup {one['channel_id']}")


@channels.command()
@_channel
@click.option("--active/--inactive", default=None, help="Whether its events are subscribed to.")
@click.option("--gateway", metavar="ID", help="Its gateway at WaddleBot; '' for none.")
@click.option("--points", metavar="JSON", help="Its own points, as ACTIVITY_POINTS; null: usual.")
@click.option(
    "--event-type", "event_types", type=EVENT_TYPE, multiple=True, help="Only these. Repeatable."
)
@click.option("--usual-event-types", is_flag=True, help="Those that its points need.")
@click.option("--backfill/--no-backfill", default=None, help="Catch up with missed follows.")
@as_json
@remote
def change(
    api: Api,
    channel: str,
    active: bool | None,
    gateway: str | None,
    points: str | None,
    event_types: tuple[str, ...],
    usual_event_types: bool,
    backfill: bool | None,
    as_json: bool,
) -> None:
    """Change what holds for one channel; the rest stays as it is.

    Example: cli channels change a_streamer --points '{"follow": 15}'
    """
    changes: dict[str, Any] = {}
    if active is not None:
        changes["is_active"] = active
    if gateway is not None:
        changes["gateway_id"] = gateway or None
    if points is not None:
        changes["points"] = _object(points)
    if event_types and usual_event_types:
        raise click.UsageError("give either --event-type or --usual-event-types")
    if event_types or usual_event_types:
        changes["event_types"] = list(event_types) or None
    if backfill is not None:
        changes["backfill"] = backfill
    if not changes:
        raise click.UsageError("nothing to change: name one or more of the options")
    _show(api.call("PATCH", _path(api, channel), body=changes).document, as_json)


@channels.command()
@_channel
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@remote
def remove(api: Api, channel: str, yes: bool, as_json: bool) -> None:
    """End a channel's subscriptions, and forget it. Its events stay.

    Example: cli channels remove a_streamer
    """
    path = _path(api, channel)
    if not yes:
        click.confirm(f"Stop monitoring {channel}?", abort=True, err=True)
    document = api.call("DELETE", path).document
    if as_json:
        show_json(document)
    else:
        count = len(document["removed_subscriptions"])
        say(f"{channel} is not monitored any more; {count} subscriptions were ended")


@channels.command()
@_channel
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@as_json
@remote
def setup(api: Api, channel: str, dry_run: bool, as_json: bool) -> None:
    """Make Twitch's subscriptions what the channel should have, now.

    Exit status 1 when one of them cannot be had.

    Example: cli channels setup a_streamer --dry-run
    """
    found = channel_id(api, channel)
    with console(stderr=True).status("Comparing with Twitch's list ..."):
        params = {"dry_run": "1" if dry_run else None}
        reply = api.call("POST", f"/twitch/api/setup/{segment(found or '')}", params=params)
    if as_json:
        show_json(reply.document)
    else:
        _tell(reply.document)
    raise SystemExit(0 if reply.status == 200 else 1)


def _tell(document: dict[str, Any]) -> None:
    rows = [(one["type"], one["outcome"], one["reason"]) for one in document["results"]]
    show_list(_RESULTS, rows)
    for removed in document["removed"]:
        say(f"removed: {removed}")
    logins = {one["login_url"] for one in document["results"] if one["login_url"]}
    for login_url in sorted(logins):
        say(f"The streamer has to log in at {login_url}")
    backfill = document.get("backfill")
    if backfill:
        say(f"follows that were entered by catching up: {backfill['entered']}")
    if document["dry_run"]:
        say("Nothing was changed: this was a dry run")


def _path(api: Api, channel: str) -> str:
    return f"{_PATH}/{segment(channel_id(api, channel) or '')}"


def _show(document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(document)
        return
    one = document["channel"]
    show_facts(
        [
            ("channel", f"{one['display_name']} ({one['channel_name']})"),
            ("id", one["channel_id"]),
            ("state", _state(one)),
            ("warning", one["warning"] or "none"),
            ("gateway", one["gateway_id"] or "none"),
            ("points", json.dumps(one["points"]) if one["points"] else "as usual"),
            ("event types", "its own" if one["own_event_types"] else "as usual"),
            *(("", name) for name in one["event_types"]),
            ("backfill", "on" if one["backfill"] else "off"),
            ("added", shown(one["created_at"])),
        ]
    )


def _cells(one: dict[str, Any]) -> tuple[Cell, ...]:
    channel = (one["channel_name"], one["channel_id"])
    return channel, _state(one), str(len(one["event_types"])), one["warning"]


def _state(one: dict[str, Any]) -> str:
    return "active" if one["is_active"] else "inactive"


def _object(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"--points is not JSON: {error}") from error
    if value is not None and not isinstance(value, dict):
        raise click.UsageError("--points must be a JSON object, or null for the usual points")
    return value
