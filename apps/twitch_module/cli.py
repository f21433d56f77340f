"""The operator's commands: `python -m apps.twitch_module.cli --help`."""

import os
import sys
from pathlib import Path

import click

from .commands.access.admin import admin
from .commands.access.service_token import service_token
from .commands.completion import PROGRAM, VARIABLE, completion
from .commands.delivery.activities import activities, redeliver
from .commands.doctor.doctor import doctor
from .commands.events.catalogue import catalogue
from .commands.events.events import events
from .commands.events.simulate import simulate
from .commands.group import Root
from .commands.installation import Installation
from .commands.points.points import points
from .commands.privacy.privacy import privacy
from .commands.setup.setup import setup
from .commands.subscriptions.channels import channels
from .commands.subscriptions.subscriptions import subscriptions
from .commands.tokens.token import token
from .settings import DOTENV
from .version import VERSION

NAME = "python -m apps.twitch_module.cli"


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, message="%(version)s")
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DOTENV,
    help="The configuration below the environment, in place of .env.",
)
@click.pass_context
def commands(context: click.Context, env_file: Path) -> None:
    """WaddleBot's Twitch module, from a terminal. COMMAND -h says more, with an example, where
    cli stands for this program.

    Exit status: 0 done; 1 the service refused, or something is wrong; 2 wrong use, or the
    service or the configuration cannot be used.
    """
    context.obj = Installation(os.environ, env_file)


commands.add_section("This installation", (setup, doctor, token, admin, service_token))
commands.add_section(
    "A running service",
    (channels, subscriptions, catalogue, events, activities, redeliver, points, privacy, simulate),
)
commands.add_section("Your shell", (completion,))


def main() -> None:
    """Run a command; errors are a line or two on standard error."""
    os.umask(0o077)
    # As it was called: by the installed command, or by Python.
    name = PROGRAM if Path(sys.argv[0]).name == PROGRAM else NAME
    commands(prog_name=name, complete_var=VARIABLE)


if __name__ == "__main__":
    main()
