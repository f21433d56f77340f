#!/usr/bin/env python3
"""Make a service token at a running service.

create_remote_token.py URL USER PASSWORD DAYS [SCOPE ...]

A thin shim over `cli service-token create`, with its messages and exit status. The token stands
alone on standard output. A PASSWORD of - is read from standard input, or asked for on a terminal;
one in the arguments can be seen by others on this machine. Without a SCOPE, the token may read
all, also streamers' Twitch tokens.
"""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
NAME = "create_remote_token.py"
USAGE = f"Usage: {NAME} URL USER PASSWORD DAYS [SCOPE ...]\nPASSWORD - reads it instead."


def main(words: list[str]) -> None:
    """Run the command; ends the process."""
    if len(words) < 4 or {"-h", "--help"} & set(words[:1]):
        asked = bool({"-h", "--help"} & set(words[:1]))
        print(USAGE, file=sys.stdout if asked else sys.stderr)
        sys.exit(0 if asked else 2)
    sys.path.insert(0, str(REPOSITORY))
    try:
        from apps.twitch_module.cli import commands
        from apps.twitch_module.domain.access.callers import SCOPES
    except ModuleNotFoundError as error:
        python = REPOSITORY / ".venv" / "bin" / "python"
        print(f"{error.name} is not installed for this Python. Run it with:", file=sys.stderr)
        print(f"{python} {Path(__file__).resolve()}", file=sys.stderr)
        sys.exit(2)
    url, user, password, days, *scopes = words
    scopes = scopes or [scope for scope in SCOPES if scope.endswith(":read")]
    told = [f"--password={password}"]
    if password == "-":  # noqa: S105  # read it
        told = [] if sys.stdin.isatty() else ["--password-stdin"]
    commands(
        [
            *("service-token", "create", f"remote token of {user}"[:100]),
            *(f"--url={url}", f"--username={user}", *told, f"--days={days}"),
            *(f"--scope={scope}" for scope in scopes),
        ],
        prog_name=NAME,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
