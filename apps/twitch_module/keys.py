"""Keys that are generated once, when the operator has given none, and kept in DATA_DIR."""

import os
import secrets
import tempfile
from pathlib import Path


def generated_key(folder: Path, name: str) -> str:
    """The key in the file `name`, made if there is none: 64 hex digits that nobody else can read.

    Safe when several processes start at once: all get the key of the one that came first.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        # Written aside and linked in whole, so that nobody reads half a key.
        descriptor, aside = tempfile.mkstemp(dir=folder)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(aside, path)
        except FileExistsError:
            pass  # another process was first
        finally:
            os.unlink(aside)
    return path.read_text().strip()
