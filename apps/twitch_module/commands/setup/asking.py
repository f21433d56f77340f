"""One question of the wizard: its answer is checked at once, and asked for again when wrong."""

import sys
from collections.abc import Callable

import click

from ..terminal import say
from .failure import SetupFailed


class WrongAnswer(Exception):
    """Why an answer cannot be used; the message says what would do."""


def is_somebody_there() -> bool:
    """Whether whoever answers can be asked again. A pipe's next line answers another question."""
    return sys.stdin.isatty()


def ask(
    question: str,
    check: Callable[[str], str],
    *,
    default: str | None = None,
    show_default: bool = True,
    is_secret: bool = False,
) -> str:
    """The answer as `check` gives it back. Raises SetupFailed for a wrong one in a pipe.

    `check` raises WrongAnswer. What is secret is not shown while it is typed.
    """
    while True:
        entered: str = click.prompt(
            question,
            default=default,
            show_default=show_default,
            hide_input=is_secret and is_somebody_there(),  # elsewhere there is no echo to hide
        )
        try:
            return check(entered.strip())
        except WrongAnswer as fault:
            tell_wrong(str(fault))


def tell_wrong(fault: str) -> None:
    """Say why it is asked again. Raises SetupFailed where nobody could answer that."""
    if not is_somebody_there():
        raise SetupFailed(fault)
    say(f"  {fault}")


def agreed(question: str) -> bool:
    """Whether that is wanted; in a pipe it is."""
    return not is_somebody_there() or click.confirm(question, default=True)


def wait_for_enter(question: str) -> None:
    """Go on once somebody has pressed Enter."""
    click.prompt(question, default="", show_default=False, prompt_suffix=" ")
