"""Lists that come in pages: which part of one is wanted, and getting it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import click

from .api_client import Api
from .terminal import note
from .times import Moment

USUAL_ROWS = 50
_PAGE_ROWS = 200  # the most that the API gives at once


class Rows(NamedTuple):
    """Rows, newest first; the cursor where they go on, or None at the end."""

    rows: list[dict[str, Any]]
    next_cursor: str | None


def page_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --since, --until, --limit, --all and --cursor."""
    for option in (
        click.option("--cursor", help="Go on where an earlier --json ended: its next_cursor."),
        click.option("--all", "everything", is_flag=True, help="All of them, not only some."),
        click.option(
            "--limit",
            type=click.IntRange(min=1),
            metavar="N",
            help="At most so many.  [default: 50]",
        ),
        click.option("--until", type=Moment(), help="Only what came before this time."),
        click.option(
            "--since", type=Moment(), help="Only what came since: 2h ago, 2026-01-31, or RFC 3339."
        ),
    ):
        command = option(command)
    return command


def fetch(
    api: Api,
    path: str,
    filters: Mapping[str, str | None],
    *,
    limit: int | None,
    everything: bool,
    cursor: str | None,
    since: str | None,
    until: str | None,
    key: str | None = None,
) -> Rows:
    """The first rows that fit, from as many pages as it takes.

    `key`: what the API calls them, where that is not the end of the path.
    """
    if everything and limit is not None:
        raise click.UsageError("give either --limit or --all")
    wanted = None if everything else limit or USUAL_ROWS
    rows: list[dict[str, Any]] = []
    while True:
        size = _PAGE_ROWS if wanted is None else min(_PAGE_ROWS, wanted - len(rows))
        page = api.get(path, limit=size, cursor=cursor, since=since, until=until, **filters)
        rows += page[key or path.rpartition("/")[2]]
        cursor = page["next_cursor"]
        if cursor is None or (wanted is not None and len(rows) >= wanted):
            return Rows(rows, cursor)


def tell_of_more(rows: Rows) -> None:
    """Say so when there are more."""
    if rows.next_cursor is not None:
        note(f"These are the newest {len(rows.rows)}; there are more: --limit N, or --all")
