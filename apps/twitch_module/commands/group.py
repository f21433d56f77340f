"""Groups of commands: help in sections, and errors in a line or two."""

import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from ..errors import ConfigurationError, ModuleError
from .terminal import note


class Refused(ModuleError):
    """Nothing was done, or not all; the message says why. `advice` is what to do, if known."""

    code = "refused"
    title = "Error"
    exit_status = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class Unreached(Refused):
    """The service was not reached, or is not ours."""

    code = "unreached"
    title = "Not reached"
    exit_status = 2


class Group(click.Group):
    """Shows its help when it is called alone."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Answer no words at all with the help: that is no fault."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit(0)
        return super().parse_args(ctx, args)


class Root(Group):
    """All commands, in sections. Ends the process with 0, 1 or 2, and says why in a line."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._sections: list[tuple[str, Sequence[click.Command]]] = []

    def add_section(self, title: str, commands: Sequence[click.Command]) -> None:
        """Add commands below a heading of their own."""
        self._sections.append((title, commands))
        for command in commands:
            self.add_command(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by section, a line each."""
        width = max(len(command.name or "") for command in self.commands.values())
        for title, commands in self._sections:
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (
                            (command.name or "").ljust(width),
                            command.get_short_help_str(formatter.width - width - 4),
                        )
                        for command in commands
                    ]
                )

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command, and end the process; for tests as well as for the operator."""

        def run() -> Any:
            return click.Group.main(
                self, args, prog_name, complete_var, standalone_mode=False, **extra
            )

        if not standalone_mode:
            return run()
        sys.exit(_status(run))


def _status(run: Callable[[], Any]) -> int:
    """The exit status of a command; what went wrong is said."""
    try:
        status = run()
        return status if isinstance(status, int) else 0
    except click.UsageError as error:
        note(f"Error: {error.format_message()}")
        if error.ctx is not None:
            note(f"Try: {error.ctx.command_path} -h")
        return 2
    except click.ClickException as error:
        note(f"Error: {error.format_message()}")
        return 2
    except click.Abort:
        note("Aborted")
        return 1
    except ModuleError as error:
        note(f"{error.title}: {'; '.join(str(error).splitlines())}")
        if isinstance(error, Refused):
            if error.advice:
                note(error.advice)
            return error.exit_status
        return 2 if isinstance(error, ConfigurationError) else 1
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise
        # Whoever read from us, such as head, has enough. Nothing may be left to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
