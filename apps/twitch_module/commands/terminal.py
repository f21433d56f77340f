"""What is shown: lists and lines that text from outside cannot forge."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .times import day_and_time, shown

# Where there is no terminal to measure, such as in a pipe: wide enough to keep words whole.
_WIDTH_IN_A_PIPE = 160
_ENDLESS = 1_000_000  # for lists in a pipe: a line per row, whatever is in it
_PROSE_CHARACTERS = 32  # the least in which sentences are folded beside other columns
_GAP = 2  # characters between columns

Cell = str | None | tuple[str | None, str | None]


class Column(NamedTuple):
    """A column of a list. Its kind says what its cells are, and so how they are shown.

    text: a word or an id, never broken. prose: words that may be folded. status: a word that
    gets a colour. time: as the API writes it. person: a user's or channel's (name, id).
    """

    name: str
    kind: Literal["text", "prose", "status", "time", "person"] = "text"


def console(*, stderr: bool = False) -> Console:
    """Standard output (or error), with colours where there is a terminal and no NO_COLOR."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _WIDTH_IN_A_PIPE
    return Console(width=width, highlight=False, stderr=stderr)


def printable(text: str) -> str:
    """The text without what would drive a terminal or break the line."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def person(name: str | None, person_id: str | None) -> str:
    """A user or a channel, as people read it: the name, and the id behind it."""
    if name and person_id:
        return f"{name} ({person_id})"
    return name or person_id or ""


def show_list(columns: Sequence[Column | str], rows: Iterable[Sequence[Cell]]) -> None:
    """A list; a plain name makes a column of text.

    A line per row where that fits. Where the terminal is too narrow the fields of a row stand
    below each other, so that ids stay whole: nothing is ever cut off. In a pipe it is a line per
    row always, and every word a column, for awk: names and ids, days and times are apart.
    """
    named = [Column(one) if isinstance(one, str) else one for one in columns]
    rows = list(rows)
    if not sys.stdout.isatty():
        _show_in_a_pipe(named, rows)
        return
    here = console()
    shown_rows = [[_shown(column, cell) for column, cell in _pairs(named, row)] for row in rows]
    if _needed(named, shown_rows) <= here.width:
        here.print(_beside(named, shown_rows))
        return
    names = [column.name for column in named]
    for row in shown_rows:
        here.print(_below([one for one in zip(names, row, strict=True) if one[1].plain]))
        here.print()


def show_facts(facts: Iterable[tuple[str, str]]) -> None:
    """One thing: what is known of it, a line each. A status has its colour here, too."""
    lines = [
        (name, status_text(value) if name in _STATUS_FACTS else Text(printable(value)))
        for name, value in facts
    ]
    if sys.stdout.isatty():
        console().print(_below(lines))
    else:
        _print_in_a_pipe(_below(lines))


# Colours only repeat what the word says.
_STYLES = {
    "green": ("ok", "active", "adopted", "created", "delivered", "enabled", "kept", "scored"),
    "yellow": (
        *("warning", "pending", "leased", "held", "waiting", "inactive", "quarantined"),
        "ends soon",
        "webhook_callback_verification_pending",
    ),
    "red": ("wrong", "dead", "refused", "needs_login", "revoked", "expired", "disabled"),
}
_STYLE_OF = {word: style for style, words in _STYLES.items() for word in words}
# How the words end by which Twitch says that a subscription is over.
_OVER = ("_revoked", "_removed", "_failed", "_exceeded", "_banned")
_STATUS_FACTS = ("status", "state", "outcome")


def status_text(told: str) -> Text:
    """A status, and what may be said behind it, in the colour of its first word."""
    text = Text(printable(told))
    word = told if told in _STYLE_OF else told.partition(" ")[0]
    style = "red" if word.endswith(_OVER) else _STYLE_OF.get(word)
    if style is not None:
        text.stylize(style, 0, len(word))
    return text


def _shown(column: Column, cell: Cell) -> Text:
    if isinstance(cell, tuple):
        return Text(printable(person(*cell)))
    if column.kind == "time":
        return Text(printable(shown(cell) if cell else ""))
    return status_text(cell or "") if column.kind == "status" else Text(printable(cell or ""))


def _needed(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> int:
    """How wide a terminal has to be for a line per row."""
    widths = [
        max(cell_len(column.name), *(cell_len(row[place].plain) for row in rows), 0)
        for place, column in enumerate(columns)
    ]
    limited = (
        min(width, _PROSE_CHARACTERS) if column.kind == "prose" else width
        for width, column in zip(widths, columns, strict=True)
    )
    return sum(limited) + _GAP * (len(columns) - 1)


def _beside(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, _GAP - 1, 0, 0))
    for column in columns:
        table.add_column(column.name, no_wrap=column.kind != "prose", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _below(fields: Iterable[tuple[str, Text]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        table.add_row(Text(name, style="bold"), value)
    return table


def _show_in_a_pipe(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for column in columns:
        for name in _names_in_a_pipe(column):
            table.add_column(name)
    for row in rows:
        words = [word for pair in _pairs(columns, row) for word in _words_in_a_pipe(*pair)]
        table.add_row(*(Text(printable(word) or "-") for word in words))
    _print_in_a_pipe(table)


def _names_in_a_pipe(column: Column) -> tuple[str, ...]:
    if column.kind == "time":
        return ("day", "time") if column.name == "time" else (column.name, "at")
    return (column.name, f"{column.name}_id") if column.kind == "person" else (column.name,)


def _words_in_a_pipe(column: Column, cell: Cell) -> tuple[str, ...]:
    if isinstance(cell, tuple):
        return (cell[0] or "", cell[1] or "")
    return day_and_time(cell) if column.kind == "time" else (cell or "",)


def _pairs(columns: Sequence[Column], row: Sequence[Cell]) -> Iterable[tuple[Column, Cell]]:
    return zip(columns, row, strict=True)


def show_json(document: Any) -> None:
    """The document, for programs."""
    click.echo(json.dumps(document, indent=2))


def say(text: str) -> None:
    """One line, for people."""
    click.echo(printable(text))


def note(text: str) -> None:
    """One line for people beside what is asked for: on standard error."""
    click.echo(printable(text), err=True)


def _print_in_a_pipe(table: Table) -> None:
    """A line per row, however long; without colours, and without spaces at its end."""
    there = Console(width=_ENDLESS, highlight=False, color_system=None, force_terminal=False)
    with there.capture() as captured:
        there.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=False)
