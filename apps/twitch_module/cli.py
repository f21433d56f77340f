"""The operator's commands: `python -m apps.twitch_module.cli --help`."""

import os
import sys
from pathlib import Path

import click

from .commands.doctor import doctor
from .commands.installation import Installation
from .commands.setup import setup
from .commands.terminal import printable
from .commands.token import token
from .errors import ConfigurationError, ModuleError
from .settings import DOTENV
from .version import VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, message="%(version)s")
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DOTENV,
    show_default=True,
    help="The file that holds the configuration, below the environment.",
)
@click.pass_context
def commands(context: click.Context, env_file: Path) -> None:
    """WaddleBot's Twitch module: set it up, find out what is wrong, look after the tokens.

    Exit status: 0 done, 1 something is wrong, 2 the configuration cannot be used.
    """
    context.obj = Installation(os.environ, env_file)


for _command in (setup, doctor, token):
    commands.add_command(_command)


def main() -> None:
    """Run a command; an error of ours is one line on standard error."""
    os.umask(0o077)
    try:
        commands(prog_name="python -m apps.twitch_module.cli")
    except ModuleError as error:
        problems = "; ".join(str(error).splitlines())
        print(printable(f"{error.title}: {problems}"), file=sys.stderr)
        raise SystemExit(2 if isinstance(error, ConfigurationError) else 1) from None


if __name__ == "__main__":
    main()
