"""`points preview|apply|undo|runs|policies`: what another policy gives; correcting the past."""

import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ..api_client import Api, segment
from ..group import Refused
from ..pages import fetch
from ..parameter_types import channel_id
from ..remote import as_json, remote
from ..terminal import Column, console, note, say, show_facts, show_json, show_list
from ..times import Moment, shown

_PATH = "/twitch/api/policies"
_ASK_SECONDS = 0.3
_TOP = 20
_CHANGES = (Column("user", "person"), "channel", "activity", "day", "before", "after", "change")
_POLICIES = ("policy", Column("time", "time"), "by", "channel", "source", "entries")
_RUNS = (
    "run",
    Column("time", "time"),
    "by",
    Column("status", "status"),
    "users",
    "gain",
    "lose",
)


@click.command()
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file, as POINTS_FILE takes it.",
)
@click.option("--version", type=click.IntRange(1), help="Or one of: cli points policies.")
@click.option("--since", type=Moment(), required=True, help="From the day of: 30d, 2026-01-31.")
@click.option("--channel", help="Only this channel, by its own points: id or login.")
@as_json
@remote
def preview(
    api: Api,
    policy: Path | None,
    version: int | None,
    since: str,
    channel: str | None,
    as_json: bool,
) -> None:
    """Who would have gained and lost what by another policy, since a day. Changes nothing.

    Example: cli points preview --since 30d --policy new.toml
    """
    if (policy is None) == (version is None):
        raise click.UsageError("Name a policy: --policy FILE, or --version NUMBER")
    entries = _file(policy) if policy is not None else _version(api, version or 0)
    body: dict[str, Any] = {"policy": entries, "since": since}
    if channel is not None:
        body["channel_id"] = channel_id(api, channel)
    run = api.call("POST", f"{_PATH}/preview", body=body).document["run"]
    run = _followed(api, run, "reading", "Reading events")
    _show(api, run, as_json)
    if not as_json and run["changes"]:
        say(f"Nothing is changed so far. Write it: cli points apply {run['id']}")


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@remote
def apply(api: Api, run_id: str, yes: bool, as_json: bool) -> None:
    """Write what a preview has found, as corrections; WaddleBot gets them like all activities.

    The policy in force stays as it is: set POINTS_FILE for what comes.

    Example: cli points apply 3
    """
    _carry_out(api, run_id, yes, as_json, ("apply", "applying", "Writing corrections"))


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@remote
def undo(api: Api, run_id: str, yes: bool, as_json: bool) -> None:
    """Take all corrections of a run back.

    Example: cli points undo 3
    """
    _carry_out(api, run_id, yes, as_json, ("undo", "undoing", "Taking corrections back"))


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@as_json
@remote
def runs(api: Api, run_id: str | None, as_json: bool) -> None:
    """Previews, newest first; or one of them, and who gains and loses by it.

    Example: cli points runs 3
    """
    if run_id is not None:
        _show(api, _run(api, run_id), as_json)
        return
    document = api.get(f"{_PATH}/runs", limit=200)
    if as_json:
        show_json(document)
    elif not document["runs"]:
        say("No previews so far. Make one: cli points preview --since 30d --policy FILE")
    else:
        show_list(
            _RUNS,
            [
                (
                    str(one["id"]),
                    one["created_at"],
                    one["created_by"],
                    one["state"],
                    *(str(one[name]) for name in ("users", "gain", "lose")),
                )
                for one in document["runs"]
            ],
        )


@click.command()
@click.option("--channel", help="Only this channel's own: id or login.")
@as_json
@remote
def policies(api: Api, channel: str | None, as_json: bool) -> None:
    """Which policies have been in force, newest first: since when, and who has set them.

    Example: cli points policies
    """
    of_channel = {} if channel is None else {"channel_id": channel_id(api, channel)}
    document = api.get(_PATH, limit=200, **of_channel)
    if as_json:
        show_json(document)
        return
    show_list(
        _POLICIES,
        [
            (
                str(one["id"]),
                one["since"],
                one["set_by"],
                one["channel_id"] or "all",
                one["source"],
                ", ".join(sorted(one["policy"])),
            )
            for one in document["policies"]
        ],
    )


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{path} cannot be read as TOML: {error}") from error


def _version(api: Api, number: int) -> dict[str, Any]:
    found = api.get(_PATH, limit=1, cursor=number + 1)["policies"]
    if not found or found[0]["id"] != number:
        raise Refused(f"There is no policy {number}", "See: cli points policies")
    entries: dict[str, Any] = found[0]["policy"]
    return entries


def _carry_out(api: Api, run_id: str, yes: bool, as_json: bool, what: tuple[str, str, str]) -> None:
    verb, state, told = what
    run = _run(api, run_id)
    if not yes:
        question = f"{run['changes']} changes for {run['users']} users: {verb}"
        if not sys.stdin.isatty():
            raise click.UsageError(f"{question}? Confirm by --yes")
        click.confirm(f"{question}?", abort=True, err=True)
    path = f"{_PATH}/runs/{segment(run_id)}/{verb}"
    run = _followed(api, api.call("POST", path).document["run"], state, told)
    if as_json:
        show_json({"run": run})
    else:
        say(f"Run {run['id']} is {run['state']}: {run['changes']} changes, {run['users']} users")


def _run(api: Api, run_id: str) -> dict[str, Any]:
    run: dict[str, Any] = api.get(f"{_PATH}/runs/{segment(run_id)}")["run"]
    return run


def _followed(api: Api, run: dict[str, Any], state: str, told: str) -> dict[str, Any]:
    """The run when it is in this state no more. A service carries it on without us, too."""
    bar = Progress(
        TextColumn(told),
        BarColumn(),
        MofNCompleteColumn(),
        console=console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=None)
        while run["state"] == state:
            bar.update(task, total=run["to_do"] or None, completed=run["done"])
            time.sleep(_ASK_SECONDS)
            run = _run(api, str(run["id"]))
    if run["state"] == "failed":
        raise Refused(f"Run {run['id']} has failed: {run['reason']}", "Mend it and try again")
    return run


def _show(api: Api, run: dict[str, Any], as_json: bool) -> None:
    path = f"{_PATH}/runs/{run['id']}/changes"
    part: dict[str, Any] = {
        "limit": None if as_json else _TOP,
        "everything": as_json,
        "cursor": None,
    }
    found = fetch(api, path, {}, **part, since=None, until=None)
    if as_json:
        show_json({"run": run, "changes": found.rows})
        return
    show_facts(
        [
            ("run", str(run["id"])),
            ("state", run["state"]),
            ("since", shown(run["since"])),
            ("users", f"{run['users']} change"),
            ("points", f"+{run['gain']} for those who gain, -{run['lose']} for those who lose"),
        ]
    )
    for one in run["pruned"]:
        note(
            f"Not worked out, since their events are forgotten: {one['activities']}"
            f" {one['activity_type']} in channel {one['channel_id']}, {one['points']} points"
        )
    if found.rows:
        say("")
        show_list(_CHANGES, [_cells(one) for one in found.rows])
    if found.next_cursor is not None:
        note(f"These are the greatest {len(found.rows)} of {run['changes']} changes: see --json")


def _cells(one: dict[str, Any]) -> tuple[Any, ...]:
    change = one["points_after"] - one["points_before"]
    return (
        (one["user_name"], one["user_id"]),
        one["channel_id"],
        one["activity_type"],
        one["day"],
        str(one["points_before"]),
        str(one["points_after"]),
        f"{change:+d}",
    )
