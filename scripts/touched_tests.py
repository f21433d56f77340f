"""Prints the tests of what has been changed since the last commit, for `make check`.

A test that was changed is run. Of a changed module, those are run that lie as it lies: the unit
and integration tests of its capability, or of its layer's top.
"""

import subprocess
from pathlib import Path

_APP = "apps/twitch_module/"
_UNIT = "tests/unit"
_FAST = (_UNIT, "tests/integration")


def changed() -> list[str]:
    """Every file that differs from the last commit, or is new."""
    said = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all", "--no-renames"],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    return [line[3:] for line in said.stdout.splitlines()]


def tests_of(path: str) -> set[str]:
    """The tests of a file, as paths that pytest takes."""
    if path.startswith("tests/"):
        return {path} if Path(path).name.startswith("test_") and Path(path).exists() else set()
    if not path.startswith((_APP, "apps/sandbox/")) or not path.endswith(".py"):
        return set()
    if path.startswith("apps/sandbox/"):
        return {"tests/sandbox"}
    folders = path.removeprefix(_APP).split("/")[:-1]
    capability = folders[1] if len(folders) > 1 else ""
    found = {
        str(folder)
        for top in _FAST
        for folder in Path(top).rglob(capability or "nothing")
        if folder.is_dir()
    }
    named = {str(test) for top in _FAST for test in Path(top).rglob(f"test_{Path(path).name}")}
    return found | named | {f"{_UNIT}/test_layers.py"}


def main() -> None:
    """Print them, or the unit tests where nothing that has tests was changed."""
    found = {test for path in changed() for test in tests_of(path)}
    print(*sorted(found or {_UNIT}))


if __name__ == "__main__":
    main()
