"""`privacy`: what is kept of a user, and taking the user out of it."""

import sys
import time
from typing import Any

import click
from rich.progress import BarColumn, Progress, TextColumn

from ..api_client import Api, segment
from ..group import Group
from ..pages import fetch
from ..parameter_types import user_id
from ..remote import as_json, remote
from ..terminal import console, say, show_json

_ASK_SECONDS = 0.3


@click.group(cls=Group, short_help="Show or erase what is kept of a user.")
def privacy() -> None:
    """What a running service keeps of a user.

    Example: cli privacy export some_viewer > some_viewer.json
    """


@privacy.command()
@click.argument("user")
@remote
def export(api: Api, user: str) -> None:
    """Print every row about a user (id or login), as JSON.

    Example: cli privacy export some_viewer > some_viewer.json
    """
    id_ = str(user_id(api, user))
    found = fetch(
        api,
        f"/twitch/api/users/{segment(id_)}/export",
        {},
        limit=None,
        everything=True,
        cursor=None,
        since=None,
        until=None,
    )
    by_table: dict[str, list[Any]] = {}
    for one in found.rows:
        by_table.setdefault(one["table"], []).append(one["row"])
    show_json({"user_id": id_, "tables": by_table})


@privacy.command()
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@remote
def erase(api: Api, user: str, yes: bool, as_json: bool) -> None:
    """Take a user (id or login) out of everything that is kept, for good.

    Points stay, under a pseudonym.

    Example: cli privacy erase some_viewer
    """
    id_ = str(user_id(api, user))
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError(f"User {id_} would be erased for good. Confirm by --yes")
        click.confirm(f"Erase user {id_} for good?", abort=True, err=True)
    path = f"/twitch/api/users/{segment(id_)}/erase"
    erasure = _followed(api, api.call("POST", path).document["erasure"])
    if as_json:
        show_json({"erasure": erasure})
        return
    say(f"Erased from {erasure['events']} events; the points are {erasure['pseudonym']}'s now")
    say("WaddleBot's own services have what was delivered to them: erase the user there, too")


def _followed(api: Api, erasure: dict[str, Any]) -> dict[str, Any]:
    """The erasure when it is done. A service carries it on without us, too."""
    bar = Progress(
        TextColumn("Looking through events"),
        BarColumn(),
        console=console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=None)
        while erasure["state"] == "erasing":
            bar.update(task, total=erasure["to_do"], completed=erasure["done"])
            time.sleep(_ASK_SECONDS)
            erasure = api.get(f"/twitch/api/erasures/{erasure['id']}")["erasure"]
    return erasure
