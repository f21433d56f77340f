"""What stops no start, and is hardly meant: misspelt variables, a `.env` that others may read."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .configuration import read_dotenv
from .settings import DOTENV, Settings
from .wrong_values import meant_by


class Doubt(NamedTuple):
    """Something that stops no start, and is hardly meant."""

    found: str
    advice: str


# Read by others than the settings: what the wizard writes of the bot.
_OTHER_VARIABLES = frozenset({"TWITCH_CHANNEL", "WADDLEBOT_TWITCH_TOKEN"})


def doubts(environ: Mapping[str, str], dotenv: Path | None = DOTENV) -> list[Doubt]:
    """Variables that nobody reads, most likely misspelt; a `.env` that others may read.

    The environment is everybody's: there only what begins with TWITCH_ is ours. In `.env` it is
    also what looks like one that is read.
    """
    given = {} if environ.get("SANDBOX") == "1" else read_dotenv(dotenv, [])
    variables = {field.upper() for field in Settings.model_fields if field != "points"}
    variables |= {"ACTIVITY_POINTS", *_OTHER_VARIABLES}
    known = variables | {f"{name}_FILE" for name in variables} | {"POINTS_FILE"}
    found = [
        Doubt(f"{name} is read by nobody", f"Did you mean {near}?" if near else "Take it away")
        for name in sorted({*environ, *given} - known)
        if ((near := meant_by(name, known)) and name in given) or name.startswith("TWITCH_")
    ]
    if given and dotenv is not None and (mode := dotenv.stat().st_mode & 0o777) & 0o077:
        detail = f"Others on this machine may read {dotenv} (mode {mode:o})"
        found.append(Doubt(detail, f"chmod 600 {dotenv}"))
    return found
