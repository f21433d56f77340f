"""`completion`: words that the shell completes, and a short name for the command line."""

import shlex
import sys

import click
from click.shell_completion import get_completion_class

from ..settings import APP_FOLDER

PROGRAM = "waddlebot-twitch"
VARIABLE = "_WADDLEBOT_TWITCH_COMPLETE"  # by which the shell asks for words

_ROOT = APP_FOLDER.parent.parent
SHELLS = ("bash", "zsh", "fish")


@click.command(short_help="Completion for bash, zsh and fish.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what gives your SHELL the command `waddlebot-twitch`, for this one, and completes
    its words: commands, options, event types, scopes, states.

    Example: eval "$(python -m apps.twitch_module.cli completion bash)"
    """
    click.echo(script(shell, context.find_root().command))


def script(shell: str, command: click.Command) -> str:
    """The script for this shell: click's own, with our way to call the program."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    made = kind(command, {}, PROGRAM, VARIABLE)
    source = made.source_template % made.source_vars()
    # Click has `env NAME=... program`, which finds no function of the shell.
    asked, called = f"{VARIABLE}={shell}_complete", _call()
    for end in ("$1)", f"{PROGRAM})"):
        source = source.replace(f"{asked} {end}", f"{asked} {called})")
    source = source.replace(f"(commandline -t) {PROGRAM})", f"(commandline -t) {called})").replace(
        f"    (( ! $+commands[{PROGRAM}] )) && return 1\n", ""
    )
    if shell == "fish":
        return f"function {PROGRAM}; env {called} $argv; end\n\n{source}"
    return f'{PROGRAM}() {{ env {called} "$@"; }}\n\n{source}'


def _call() -> str:
    """This program, for env: from whichever folder."""
    python = f"PYTHONPATH={shlex.quote(str(_ROOT))} {shlex.quote(sys.executable)}"
    return f"{python} -m apps.twitch_module.cli"
