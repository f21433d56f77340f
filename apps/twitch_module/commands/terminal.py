"""What is shown: tables and lines that text from outside cannot forge."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

# Where there is no terminal to measure, such as in a pipe: wide enough to keep words whole.
_WIDTH_IN_A_PIPE = 160
_ENDLESS = 1_000_000  # for lists in a pipe: a line per row, whatever is in it


def console(*, stderr: bool = False) -> Console:
    """Standard output (or error), with colours where there is a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _WIDTH_IN_A_PIPE
    return Console(width=width, highlight=False, stderr=stderr)


def printable(text: str) -> str:
    """The text without what would drive a terminal or break the line."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def show_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    styles: Sequence[str | None] | None = None,
) -> None:
    """A table; `styles` colours whole rows."""
    table = Table(*columns)
    for row, style in zip(rows, styles or (), strict=True) if styles else _plain(rows):
        table.add_row(*(Text(printable(cell)) for cell in row), style=style)
    console().print(table)


def show_list(groups: Sequence[Sequence[str]], rows: Iterable[Sequence[Sequence[str]]]) -> None:
    """A list: columns in groups, and for each row the cells in the same groups.

    Each cell is a column of its own where that fits, and in a pipe always, for grep and awk.
    In a terminal that is too narrow, a group's cells stand below each other, so that ids stay
    whole: nothing is ever cut off.
    """
    rows = list(rows)
    wide = Table(*(name for group in groups for name in group), box=box.SIMPLE_HEAD, pad_edge=False)
    wide.show_edge, wide.padding = False, (0, 1, 0, 0)
    for row in rows:
        wide.add_row(*(Text(printable(cell)) for group in row for cell in group))
    if not sys.stdout.isatty():
        wide.box, wide.padding = None, (0, 2, 0, 0)
        _print_in_a_pipe(wide)
        return
    here = console()
    endless = here.options.update(width=_ENDLESS)
    if Measurement.get(here, endless, wide).maximum <= here.width:
        here.print(wide)
        return
    narrow = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for group in groups:
        # A group that holds an id is not folded while there is anything else to fold.
        narrow.add_column("\n".join(group), overflow="fold", no_wrap="id" in group[1:])
    for row in rows:
        narrow.add_row(*(Text("\n".join(printable(cell) for cell in group)) for group in row))
    here.print(narrow)


def show_facts(facts: Iterable[tuple[str, str]]) -> None:
    """One thing: what is known of it, a line each."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(Text(name, style="bold"), Text(printable(value)))
    if sys.stdout.isatty():
        console().print(table)
    else:
        _print_in_a_pipe(table)


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
    there = Console(width=_ENDLESS, highlight=False, no_color=True)
    with there.capture() as captured:
        there.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=False)


def _plain(rows: Iterable[Sequence[str]]) -> Iterable[tuple[Sequence[str], None]]:
    return ((row, None) for row in rows)
