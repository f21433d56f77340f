"""Which activities a command changes: one by its id, or all that fit a filter, after a question."""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import click

from ..api_client import Api, segment
from ..parameter_types import ACTIVITY_TYPE, channel_id, user_id
from ..times import Moment

PATH = "/twitch/activities"


class Change(NamedTuple):
    """What is done to activities."""

    verb: str  # the last part of the API's path
    done: str  # what the API calls the number of those that it has been done to
    told: str  # what is said of them: "delivered again"


def filters(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an ID, --type, --channel, --user, --since, --until and --yes."""
    for option in (
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--until", type=Moment(), help="All before this time."),
        click.option("--since", type=Moment(), help="All since: 2h ago, 2026-01-31, or RFC 3339."),
        click.option("--user", help="All of this user: id or login."),
        click.option("--channel", help="All of this channel: id or login."),
        click.option("--type", "activity_type", type=ACTIVITY_TYPE, help="All of this activity."),
        click.argument("activity_id", metavar="[ID]", required=False),
    ):
        command = option(command)
    return command


def changed(
    api: Api,
    change: Change,
    activity_id: str | None,
    *,
    yes: bool,
    everything: bool = False,
    example: str,
    **given: str | None,
) -> tuple[Any, str]:
    """Do it to one, or to all that fit; the API's answer, and what to say of it.

    The number is told first, and asked about.
    """
    wanted = {name: value for name, value in given.items() if value is not None}
    if activity_id is not None:
        if wanted or everything:
            raise click.UsageError("give either an ID or a filter")
        path = f"{PATH}/{segment(activity_id)}/{change.verb}"
        return api.call("POST", path).document, f"Activity {activity_id} is {change.told}"
    if not wanted and not everything:
        raise click.UsageError(f"which? Give an ID, or {example}")
    names = {"activity_type": "type", "channel": "channel_id", "user": "user_id"}
    body: dict[str, Any] = {names.get(name, name): value for name, value in wanted.items()}
    if "channel" in wanted:
        body["channel_id"] = channel_id(api, wanted["channel"])
    if "user" in wanted:
        body["user_id"] = user_id(api, wanted["user"])
    document = _changed_all(api, change, body, yes)
    return document, f"{_activities(document[change.done])} {change.told}"


def _changed_all(api: Api, change: Change, body: dict[str, Any], yes: bool) -> Any:
    path = f"{PATH}/{change.verb}"
    if not yes:
        document = api.call("POST", path, body={**body, "dry_run": True}).document
        count = document["matching"]
        if not count:
            return document
        if not sys.stdin.isatty():
            raise click.UsageError(f"{_activities(count)} to be {change.told}: confirm by --yes")
        click.confirm(f"{_activities(count)} to be {change.told}. Go on?", abort=True, err=True)
    return api.call("POST", path, body=body).document


def _activities(count: int) -> str:
    return f"{count} activity is" if count == 1 else f"{count} activities are"
