"""Secrets that must not be found anywhere, in any of the spellings in which they might be."""

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from .environment import PASSWORD, SECRET

# What every server of the tests is started with. Generated keys lie in files of their own.
OF_ALL_TESTS = {"app secret": "app-secret-of-the-tests", "hmac": SECRET, "password": PASSWORD}
_KEY_FILES = ("jwt.key", "token.key")


def spellings(secret: str) -> set[bytes]:
    """A secret as it is, in base64, hex, URLs and JSON."""
    raw = secret.encode()
    plain = base64.b64encode(raw).rstrip(b"=")
    # Within a longer text base64 begins anywhere: without the ends it is found all the same.
    shifted = {base64.b64encode(b"x" * start + raw)[4:-4] for start in (1, 2)}
    return {
        raw,
        raw.hex().encode(),
        quote(secret, safe="").encode(),
        json.dumps(secret)[1:-1].encode(),
        plain[:-2],
        *(one for one in shifted if len(one) >= 8),
    }


def found(content: bytes, secrets: Mapping[str, str]) -> list[str]:
    """The names of those secrets that stand in the content."""
    return [
        name
        for name, secret in secrets.items()
        if any(spelling in content for spelling in spellings(secret))
    ]


def found_below(folder: Path, secrets: Mapping[str, str]) -> list[str]:
    """File and name of every secret that stands in a file below the folder."""
    return [
        f"{path.relative_to(folder)}: {name}"
        for path in _files(folder)
        for name in found(path.read_bytes(), secrets)
    ]


def _files(folder: Path) -> Iterable[Path]:
    return [one for one in folder.rglob("*") if one.is_file() and one.name not in _KEY_FILES]
