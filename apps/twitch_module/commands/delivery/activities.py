"""`activities` and `redeliver`: what users got points for, and whether WaddleBot has it."""

import json
import sys
from typing import Any

import click

from ..api_client import Api, segment
from ..group import Group
from ..pages import fetch, page_options, tell_of_more
from ..parameter_types import ACTIVITY_TYPE, STATUS, channel_id, user_id
from ..remote import as_json, remote
from ..terminal import Cell, Column, person, say, show_facts, show_json, show_list
from ..times import Moment, shown

_PATH = "/twitch/activities"
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
    rows = fetch(api, _PATH, filters, **page)
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
    document = api.get(f"{_PATH}/{segment(activity_id)}")
    if as_json:
        show_json(document)
    else:
        show_facts(_facts(document["activity"]))


@click.command(short_help="Deliver activities to WaddleBot again.")
@click.argument("activity_id", metavar="[ID]", required=False)
@click.option("--status", type=click.Choice(["dead", "delivered", "pending"]), help="All of these.")
@click.option("--type", "activity_type", type=ACTIVITY_TYPE, help="All of this activity.")
@click.option("--channel", help="All of this channel: id or login.")
@click.option("--user", help="All of this user: id or login.")
@click.option("--since", type=Moment(), help="All since: 2h ago, 2026-01-31, or RFC 3339.")
@click.option("--until", type=Moment(), help="All before this time.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@remote
def redeliver(
    api: Api,
    activity_id: str | None,
    status: str | None,
    activity_type: str | None,
    channel: str | None,
    user: str | None,
    since: str | None,
    until: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Deliver one activity again, or all that fit; nobody is paid twice.

    Without --status those are taken that were given up (dead). Says first how many fit, and asks.

    Example: cli redeliver --type raid --since 2026-01-31
    """
    options = (status, activity_type, channel, user, since, until)
    if activity_id is not None:
        if options != (None,) * len(options):
            raise click.UsageError("give either an ID or a filter")
        path = f"{_PATH}/{segment(activity_id)}/redeliver"
        document = api.call("POST", path).document
        told = f"Activity {activity_id} is delivered again"
    else:
        if options == (None,) * len(options):
            raise click.UsageError("which? Give an ID, or a filter such as --status dead")
        channel, user = channel_id(api, channel), user_id(api, user)
        keys = ("status", "type", "channel_id", "user_id", "since", "until")
        wanted = zip(keys, (status, activity_type, channel, user, since, until), strict=True)
        body = {name: value for name, value in wanted if value is not None}
        document = _redelivered(api, body, yes)
        told = f"{_activities(document['redelivered'])} delivered again"
    if as_json:
        show_json(document)
    else:
        say(told)


def _redelivered(api: Api, body: dict[str, str], yes: bool) -> Any:
    """What the service says to this filter; the number is told first, and asked about."""
    path = f"{_PATH}/redeliver"
    if not yes:
        document = api.call("POST", path, body={**body, "dry_run": True}).document
        count = document["matching"]
        if not count:
            return document
        if not sys.stdin.isatty():
            raise click.UsageError(f"{_activities(count)} to be delivered again: confirm by --yes")
        click.confirm(f"{_activities(count)} to be delivered again. Go on?", abort=True, err=True)
    return api.call("POST", path, body=body).document


def _activities(count: int) -> str:
    return f"{count} activity is" if count == 1 else f"{count} activities are"


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
        ("points", f"{one['amount']} = {_sum(one['rule'])}"),
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


def _sum(rule: dict[str, Any]) -> str:
    """The sum behind the points, in figures."""
    figures = f"({rule.get('base')} + {rule.get('per_unit')} * {rule.get('units')})"
    figures += f" * {rule.get('tier_multiplier')}"
    limit = rule.get("max")
    return figures if limit is None else f"{figures}, at most {limit}"
