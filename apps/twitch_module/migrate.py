"""Bring the database to this version: `python -m apps.twitch_module.migrate`."""

import os
import sys

from .errors import ModuleError
from .serve import prepare_database, read_settings


def main() -> None:
    """Run what is missing, and say that it is done."""
    os.umask(0o077)
    try:
        prepare_database(read_settings())
    except ModuleError as error:
        print(f"{error.title}:\n{error}", file=sys.stderr)
        raise SystemExit(2) from None
    print("The database is up to date")


if __name__ == "__main__":
    main()
