"""What is shown: tables and lines that text from outside cannot forge."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Where there is no terminal to measure, such as in a pipe: wide enough to keep words whole.
_WIDTH_IN_A_PIPE = 160


def console() -> Console:
    """Standard output, with colours where there is a terminal."""
    width = None if sys.stdout.isatty() else _WIDTH_IN_A_PIPE
    return Console(width=width, highlight=False)


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


def show_json(document: Any) -> None:
    """The document, for programs."""
    click.echo(json.dumps(document, indent=2))


def say(text: str) -> None:
    """One line, for people."""
    click.echo(printable(text))


def _plain(rows: Iterable[Sequence[str]]) -> Iterable[tuple[Sequence[str], None]]:
    return ((row, None) for row in rows)
