"""`activities` and `redeliver`: what users got points for, and whether WaddleBot has it."""

import json
from typing import Any

import click

from ..api_client import Api, segment
from ..group import Group
from ..pages import fetch, page_options, tell_of_more
from ..parameter_types import ACTIVITY_TYPE, STATUS, channel_id, user_id
from ..remote import as_json, remote
from ..terminal import Cell, Column, person, say, show_facts, show_json, show_list
from ..times import shown
from .selection import PATH, Change, changed, filters

_REDELIVER = Change("redeliver", "redelivered", "delivered again")
_RELEASE = Change("release", "released", "released")
_DROP = Change("drop", "dropped", "dropped")
_WHICH = "a filter such as --type follow, or --all"
COLUMNS = (
    "id",
    Column("time", "time"),
    "activity",
    Column("user", "person"),
    Column("channel", "person"),
    "points",
    Column("status", "status"),
    Column("why", "prose"),
)


@click.group(cls=Group, short_help="What users got points for, and its delivery.")
def activities() -> None:
    """The activities of a running service: points, why, and whether WaddleBot has them.

    Example: cli activities list --status dead
    """


@activities.command("list")
@click.option("--status", type=STATUS, help="Only in this state of delivery.")
@click.option("--type", "activity_type", type=ACTIVITY_TYPE, help="Only this, such as bits.")
@click.option("--channel", help="Only of this channel: id or login.")
@click.option("--user", help="Only of this user: id or login.")
@page_options
@as_json
@remote
def list_(
    api: Api,
    status: str | None,
    activity_type: str | None,
    channel: str | None,
    user: str | None,
    as_json: bool,
    **page: Any,
) -> None:
    """Activities, newest first.

    Example: cli activities list --status dead --since 1d
    """
    filters = {
        "status": status,
        "type": activity_type,
        "channel_id": channel_id(api, channel),
        "user_id": user_id(api, user),
    }
    rows = fetch(api, PATH, filters, **page)
    if as_json:
        show_json({"activities": rows.rows, "next_cursor": rows.next_cursor})
    elif not rows.rows:
        say("No activities, or none that fit. Make one: cli simulate channel.follow")
    else:
        show_list(COLUMNS, [cells(one) for one in rows.rows])
        tell_of_more(rows)


@activities.command()
@click.argument("activity_id", metavar="ID")
@as_json
@remote
def show(api: Api, activity_id: str, as_json: bool) -> None:
    """One activity: why it has these points, and what WaddleBot answered.

    Example: cli activities show 4711
    """
    document = api.get(f"{PATH}/{segment(activity_id)}")
    if as_json:
        show_json(document)
    else:
        show_facts(_facts(document["activity"]))


@activities.command()
@filters
@click.option("--all", "everything", is_flag=True, help="All that are held.")
@as_json
@remote
def release(api: Api, as_json: bool, **given: Any) -> None:
    """Give the points of held activities after all: of one, or of all that fit.

    Activities are held where a policy's `burst` says so. Says first how many fit, and asks.

    Example: cli activities release --channel some_streamer --since 1h
    """
    _tell(changed(api, _RELEASE, **given, example=_WHICH), as_json)


@activities.command()
@filters
@click.option("--all", "everything", is_flag=True, help="All that are held.")
@as_json
@remote
def drop(api: Api, as_json: bool, **given: Any) -> None:
    """Give no points for held activities: for one, or for all that fit.

    Says first how many fit, and asks.

    Example: cli activities drop --type follow --since 1h
    """
    _tell(changed(api, _DROP, **given, example=_WHICH), as_json)


@click.command(short_help="Deliver activities to WaddleBot again.")
@filters
@click.option("--status", type=click.Choice(["dead", "delivered", "pending"]), help="All of these.")
@as_json
@remote
def redeliver(api: Api, as_json: bool, **given: Any) -> None:
    """Deliver one activity again, or all that fit; nobody is paid twice.

    Without --status those are taken that were given up (dead). Says first how many fit, and asks.

    Example: cli redeliver --type raid --since 2026-01-31
    """
    _tell(changed(api, _REDELIVER, **given, example="a filter such as --status dead"), as_json)


def _tell(done: tuple[Any, str], as_json: bool) -> None:
    document, told = done
    if as_json:
        show_json(document)
    else:
        say(told)


def cells(one: dict[str, Any]) -> tuple[Cell, ...]:
    """The activity as a row of a list."""
    return (
        str(one["id"]),
        one["created_at"],
        one["activity_type"],
        (one["user_name"] or "nobody", one["user_id"]),
        (one.get("channel_name"), one["channel_id"]),
        str(one["amount"]),
        one["status"],
        one["reason"],
    )


def _facts(one: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [
        ("activity", f"{one['activity_type']} ({one['id']})"),
        ("event", one["event_id"]),
        ("created", shown(one["created_at"])),
        ("user", person(one["user_name"], one["user_id"]) or "nobody"),
        ("channel", person(one.get("channel_name"), one["channel_id"])),
        ("points", one["why"]),
        ("kind", one["kind"]),
        ("rule", f"{one['rule'].get('activity')}, from {one['rule'].get('source')}"),
        ("status", f"{one['status']} {one['reason'] or ''}"),
        ("attempts", str(one["attempts"])),
    ]
    if one["next_attempt_at"]:
        facts.append(("next attempt", shown(one["next_attempt_at"])))
    if one["delivered_at"]:
        facts.append(("delivered", shown(one["delivered_at"])))
    for name in ("context", "receipt"):
        if one[name] is not None:
            facts.append((name, json.dumps(one[name], ensure_ascii=False)))
    return facts
