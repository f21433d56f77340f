"""`points`: who has how many, and why; and correcting the past by another policy."""

import csv
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import click

from ..api_client import Api, segment
from ..group import Group
from ..pages import Rows, fetch
from ..parameter_types import ACTIVITY_TYPE, channel_id, user_id
from ..remote import as_json, remote
from ..terminal import Column, note, person, say, show_facts, show_json, show_list
from .policies import apply, policies, preview, runs, undo

_TOP = ("rank", Column("user", "person"), "points", "times")
_WHY = (
    "id",
    Column("time", "time"),
    "activity",
    Column("channel", "person"),
    Column("status", "status"),
    Column("why", "prose"),
)
_BY_ACTIVITY = (Column("channel", "person"), "activity", "points", "times")


@click.group(cls=Group, short_help="Who has how many points, why, and correcting them.")
def points() -> None:
    """The points that a running service has given.

    Example: cli points top --channel some_streamer --period month
    """


for _command in (preview, apply, undo, runs, policies):
    points.add_command(_command)


def _wanted(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command what says which points count, and how much of the list is shown."""
    day = click.DateTime(["%Y-%m-%d"])
    for option in (
        click.option("--csv", "as_csv", is_flag=True, help="Print them for a spreadsheet."),
        click.option("--cursor", help="Go on where an earlier --json ended: its next_cursor."),
        click.option("--all", "everything", is_flag=True, help="All of them, not only some."),
        click.option(
            "--limit", type=click.IntRange(min=1), metavar="N", help="So many; 50 by default."
        ),
        click.option("--until", type=day, metavar="DAY", help="Before this day of UTC."),
        click.option("--since", type=day, metavar="DAY", help="From this day of UTC: 2026-01-31."),
        click.option(
            "--period",
            type=click.Choice(["all", "year", "month", "week", "day"]),
            help="The last 365, 30, 7 days, or today, instead.",
        ),
        click.option("--activity", type=ACTIVITY_TYPE, help="Only of this, such as bits."),
        click.option("--channel", help="Only in this channel: id or login."),
    ):
        command = option(command)
    return command


@points.command()
@_wanted
@as_json
@remote
def top(api: Api, as_json: bool, as_csv: bool, **given: Any) -> None:
    """The users with the most points.

    Example: cli points top --channel some_streamer --since 2026-01-01 --all --csv
    """
    rows = _rows(api, "/twitch/api/leaderboard", "leaderboard", given)
    if as_json:
        show_json({"leaderboard": rows.rows, "next_cursor": rows.next_cursor})
    elif as_csv:
        print_csv(("rank", "user_id", "user_name", "points", "times"), rows.rows)
    elif not rows.rows:
        say("Nobody has points, or nobody who fits. Give some: cli simulate channel.follow")
    else:
        show_list(
            _TOP,
            [
                (
                    str(one["rank"]),
                    (one["user_name"], one["user_id"]),
                    str(one["points"]),
                    str(one["times"]),
                )
                for one in rows.rows
            ],
        )
    if rows.next_cursor is not None and not as_json:
        note(f"These are the first {len(rows.rows)}; there are more: --limit N, or --all")


@points.command()
@click.argument("user")
@_wanted
@as_json
@remote
def why(api: Api, user: str, as_json: bool, as_csv: bool, **given: Any) -> None:
    """A user's points by channel and activity; then what gave them, newest first, and why.

    USER is an id or a login. The sums stay when the events are forgotten.

    Example: cli points why some_viewer --period week
    """
    path = f"/twitch/api/users/{segment(user_id(api, user) or '')}/points"
    wanted = _filters(api, given)
    document = api.get(path, **wanted, limit=1)
    rows = _rows(api, path, "activities", given)
    if as_json:
        show_json({**document, "activities": rows.rows, "next_cursor": rows.next_cursor})
        return
    if as_csv:
        print_csv(
            ("id", "happened_at", "channel_id", "activity_type", "kind", "amount", "status", "why"),
            rows.rows,
        )
        return
    show_facts(
        [
            ("user", person(document["user_name"], document["user_id"])),
            ("points", str(document["points"])),
        ]
    )
    if document["totals"]:
        say("")
        show_list(
            _BY_ACTIVITY,
            [
                (
                    (one["channel_name"], one["channel_id"]),
                    one["activity_type"],
                    str(one["points"]),
                    str(one["times"]),
                )
                for one in document["totals"]
            ],
        )
    if rows.rows:
        say("")
        show_list(_WHY, [_why_cells(one) for one in rows.rows])
    if rows.next_cursor is not None:
        note(f"These are the newest {len(rows.rows)}; there are more: --limit N, or --all")


def _why_cells(one: dict[str, Any]) -> Sequence[Any]:
    reason = f" ({one['reason']})" if one["reason"] else ""
    return (
        str(one["id"]),
        one["happened_at"],
        one["activity_type"],
        (one["channel_name"], one["channel_id"]),
        one["status"],
        one["why"] + reason,
    )


def _filters(api: Api, given: dict[str, Any]) -> dict[str, str | None]:
    return {
        "channel_id": channel_id(api, given["channel"]),
        "activity": given["activity"],
        "period": given["period"],
        "since": _day(given["since"]),
        "until": _day(given["until"]),
    }


def _rows(api: Api, path: str, key: str, given: dict[str, Any]) -> Rows:
    part = {name: given[name] for name in ("limit", "everything", "cursor")}
    filters = _filters(api, given)
    since, until = filters.pop("since"), filters.pop("until")
    return fetch(api, path, filters, **part, since=since, until=until, key=key)


def _day(instant: datetime | None) -> str | None:
    return None if instant is None else instant.date().isoformat()


def print_csv(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """RFC 4180. What a spreadsheet would take for a formula gets an apostrophe."""
    writer = csv.writer(sys.stdout)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[column]) for column in columns])


def _cell(value: object) -> object:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
