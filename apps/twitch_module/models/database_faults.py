"""Why a database cannot be used: where it is, and the cause, for whoever starts a process.

Never the password. And never an answer of the API: who asks there is not told of our machines.
"""

import re
from pathlib import Path

from ..errors import DatabaseUnavailable

_MAX_CHARACTERS = 200  # of words that are the server's own

# What libpq and the server say, and what we make of it; True where waiting hardly mends it.
_CAUSES = tuple(
    (re.compile(said), cause, is_lasting)
    for said, cause, is_lasting in (
        (r'password authentication failed for user "([^"]*)"', r"wrong password for user \1", True),
        (r"no password supplied", "it asks for a password, and DB_URI has none", True),
        (r'role "([^"]*)" does not exist', r"it knows no user \1", True),
        (r'database "([^"]*)" does not exist', r"it has no database \1", True),
        (r"permission denied for (.*)", r"its user may make no tables in \1", True),
        (r"no pg_hba\.conf entry", "its pg_hba.conf does not let us in", True),
        (r"could not translate host name", "unknown host", False),
        (r"[Cc]onnection refused", "connection refused", False),
        (r"did not answer in time|timed out|timeout expired", "no answer in time", False),
        (r"[Nn]o route to host|[Nn]etwork is unreachable", "no way to that host", False),
        (r"UNIX socket .* not found|No such file", "no server has its socket there", False),
        (r"starting up|shutting down|in recovery", "it is starting or stopping", False),
        (r"too many clients|connection slots", "it has no connection left", False),
    )
)


class DatabaseUnusable(DatabaseUnavailable):
    """The database cannot be used, and by itself that hardly changes."""

    title = "The database cannot be used"


def postgresql_fault(
    place: str, said: str, password: str, *, is_connected: bool
) -> DatabaseUnavailable:
    """What it means that the driver `said` this of the server at `place`."""
    found = next((one for one in _CAUSES if one[0].search(said)), None)
    if found is None:
        cause, is_lasting = _own_words(said, password), False
    else:
        pattern, words, is_lasting = found
        cause = next(match.expand(words) for match in pattern.finditer(said))
    kind = DatabaseUnusable if is_lasting else DatabaseUnavailable
    what = "cannot be used" if is_connected else "does not accept a connection"
    return kind(f"The database at {place} {what}: {cause}")


def sqlite_fault(file: Path, said: str) -> DatabaseUnavailable:
    """What it means that the driver, or the system, `said` this of a file."""
    kind: type[DatabaseUnavailable] = DatabaseUnusable
    if "not a database" in said:
        cause = "the file is not a database"
    elif "unable to open" in said:
        cause = _cannot_open(file)
    elif "readonly" in said:
        cause = "it may not be written"
    elif "full" in said or "No space" in said:
        cause = "the disk is full"
    else:  # locked, for one
        kind, cause = DatabaseUnavailable, said
    return kind(f"The database {file} cannot be used: {cause}")


def _cannot_open(file: Path) -> str:
    if file.is_dir():
        return "it is a folder"
    if not file.parent.is_dir():
        return f"there is no folder {file.parent}"
    return f"it, or its folder {file.parent}, may not be read and written"


def _own_words(said: str, password: str) -> str:
    """The last of the driver's words, on one line."""
    words = said.strip().rpartition("FATAL:")[2].strip() or "unknown"
    words = words.replace(password, "***") if password else words
    words = "".join(one if one.isprintable() else " " for one in words)
    return words[-_MAX_CHARACTERS:]
