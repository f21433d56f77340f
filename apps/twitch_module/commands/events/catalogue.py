"""`catalogue`: the EventSub types that this program knows."""

from typing import Any

import click

from ...domain.events.catalogue import CATALOGUE, DEFAULT_TYPES, EventType
from ..parameter_types import Word
from ..remote import as_json
from ..terminal import Cell, Column, note, show_json, show_list

_COLUMNS = (
    "type",
    "version",
    "activity",
    Column("condition", "prose"),
    Column("scopes", "prose"),
)


@click.command(short_help="The event types that can be subscribed, and what they need.")
@click.argument("words", metavar="[WORD]...", nargs=-1, type=Word("word", CATALOGUE, is_open=True))
@as_json
def catalogue(words: tuple[str, ...], as_json: bool) -> None:
    """All EventSub types, or those whose name has every WORD in it.

    Fields of a condition in [brackets] may be left out; of scopes between | any one is enough.
    Give them to a channel: cli channels change LOGIN --event-type TYPE. A type that is not here
    can be subscribed all the same, by its version and condition: cli subscriptions create.

    Example: cli catalogue moderator
    """
    rows = [row for name, row in CATALOGUE.items() if all(word in name for word in words)]
    if as_json:
        show_json({"types": [_document(row) for row in rows]})
        return
    if rows:
        show_list(_COLUMNS, [_cells(row) for row in rows])
    else:
        note("Another one: cli subscriptions create TYPE --version N --condition KEY=VALUE")


def _document(row: EventType) -> dict[str, Any]:
    return {
        "type": row.name,
        "version": row.version,
        "activity": row.activity or None,
        "is_default": row.name in DEFAULT_TYPES,
        "is_of_channel": row.is_of_channel,
        "condition": list(row.condition),
        "optional": list(row.optional),
        "grants": [{"by": by, "any_of": list(scopes)} for by, scopes in row.grants],
    }


def _cells(row: EventType) -> tuple[Cell, ...]:
    fields = [*row.condition, *(f"[{name}]" for name in row.optional)]
    by_user: dict[str, list[str]] = {}
    for by, any_of in row.grants:
        who = by.removesuffix("_id").removesuffix("_user")
        by_user.setdefault(who, []).append("|".join(any_of))
    needed = "; ".join(f"{by}: {' '.join(groups)}" for by, groups in by_user.items())
    return row.name, row.version, row.activity, " ".join(fields), needed
