"""`.env`: read as the settings read it, and changed without touching anything else in it."""

import io
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from ..errors import ConfigurationError

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
# The parts of a binding: before the name, name, value, and the comment with the line's end.
_PARTS = re.compile(
    r"(\s*(?:export[^\S\r\n]+)?)('[^']+'|[^=#\s]+)"
    r"(?:[^\S\r\n]*=[^\S\r\n]*(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|[^\r\n]*?))?"
    r"((?:[^\S\r\n]+#[^\r\n]*)?[^\S\r\n]*(?:\r\n|\n|\r|$))",
    re.DOTALL,
)


def read(path: Path) -> dict[str, str]:
    """The values in the file; nothing when there is none, or when it cannot be read."""
    try:
        found = dotenv_values(path, interpolate=False) if path.is_file() else {}
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in found.items() if value}


def change(path: Path, values: Mapping[str, str]) -> None:
    """Set these names in the file, for its owner only; everything else stays as it is.

    The file is replaced in one step: whoever reads it gets the old one or the new one. Raises
    ConfigurationError when it cannot be written.
    """
    target = path.resolve()  # a link stays a link
    try:
        before = target.read_bytes().decode() if target.exists() else ""
        _replace(target, changed(before, values))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError([f"{path} cannot be written: {reason}"]) from error


def changed(text: str, values: Mapping[str, str]) -> str:
    """The text of a `.env` with these values. New names come at its end.

    Where a name stands several times the last one counts, so that this one is changed.
    """
    bindings = list(parse_stream(io.StringIO(text, newline="")))
    last = {binding.key: place for place, binding in enumerate(bindings) if binding.key in values}
    lines = [binding.original.string for binding in bindings]
    for name, place in last.items():
        if name is not None:
            lines[place] = _rebound(bindings[place], name, values[name])
    new = [name for name in values if name not in last]
    if new and lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += "\n"
    return "".join([*lines, *(f"{name}={quoted(values[name])}\n" for name in new)])


def quoted(value: str) -> str:
    """The value such that reading the file gives it back, whatever is in it."""
    if _PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _rebound(binding: Binding, name: str, value: str) -> str:
    parts = _PARTS.fullmatch(binding.original.string)
    before, after = (parts[1], parts[3]) if parts else ("", "\n")
    return f"{before}{name}={quoted(value)}{after}"


def _replace(target: Path, text: str) -> None:
    # mkstemp makes the file for its owner only.
    descriptor, aside = tempfile.mkstemp(dir=target.parent, prefix=".env-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, target)
    except BaseException:
        os.unlink(aside)
        raise
