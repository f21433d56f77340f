"""The layers of apps/twitch_module: imports go downwards only."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

APPS = Path(__file__).resolve().parents[2] / "apps"
MODULE, SANDBOX = "twitch_module", "sandbox"

# What each part may import of the module itself. The entry points (serve, worker, ...) may
# import everything that stands here, and common, which builds the long-lived objects.
BELOW: dict[str, set[str]] = {
    "errors": set(),
    "version": set(),
    "keys": set(),
    "client": set(),
    "logs": set(),
    "domain": {"errors", "domain"},
    "wrong_values": set(),
    "settings": {"errors", "domain"},
    "configuration": {"errors", "domain", "settings", "wrong_values"},
    "doubts": {"settings", "configuration", "wrong_values"},
    "claims": {"errors"},
    "demo_settings": {"keys", "settings"},
    "models": {"errors", "domain", "models"},
    "clients": {"errors", "version", "settings", "domain", "clients"},
    "vault": {"errors", "domain"},
    "services": {"errors", "domain", "models", "clients", "vault", "services"},
    "controllers": {
        "errors",
        "logs",
        "version",
        "domain",
        "models",
        "services",
        "common",
        "controllers",
    },
    "rsgi": {"controllers", "wsgi", "common", "domain"},
    # The operator's commands, which cli runs.
    "commands": {
        "errors",
        "demo_settings",
        "doubts",
        "keys",
        "logs",
        "vault",
        "settings",
        "configuration",
        "domain",
        "models",
        "clients",
        "services",
        "common",
        "commands",
    },
}
ENTRY_POINTS = {
    "__init__",
    "common",
    "composition",
    "serve",
    "worker",
    "migrate",
    "demo",
    "wsgi",
    "cli",
}
FOR_ENTRY_POINTS = (BELOW.keys() | ENTRY_POINTS) - {"controllers"}

# What each capability may know of the others, in every layer.
CAPABILITIES: dict[str, set[str]] = {
    "access": set(),
    "points": {"access", "delivery", "events", "subscriptions"},
    "delivery": {"events"},
    "tokens": {"access", "events", "subscriptions"},
    "events": {"access", "delivery", "points", "privacy", "subscriptions", "tokens"},
    "privacy": {"access", "events", "points"},
    "subscriptions": {"access", "delivery", "events", "points", "tokens"},
}

# Who may use what has an effect outside the process, or knows of one.
OWNERS: dict[str, set[str]] = {
    "dotenv": {"configuration", "commands"},
    "pydal": {"models"},
    "psycopg2": {"models"},
    "sqlite3": {"models"},
    "requests": {"clients", "client"},
    "urllib3": {"clients"},
    "http.client": {"clients"},
    "urllib.request": set(),
    "py4web": {"controllers", "wsgi"},
    "ombott": {"controllers", "wsgi"},
    "granian": {"serve", "controllers"},
    "argon2": {"services"},
    "jwt": {"services"},
    "click": {"cli", "commands"},
    "rich": {"cli", "commands"},
}
READERS_OF_THE_ENVIRONMENT = {
    "settings",
    "common",
    "serve",
    "worker",
    "migrate",
    "demo",
    "wsgi",
    "cli",
}
# Rules know no clock, no chance, no files, no threads: what they need is given to them.
PURE = {
    "collections",
    "contextlib",
    "base64",
    "binascii",
    "dataclasses",
    "datetime",
    "decimal",
    "zoneinfo",
    "enum",
    "fractions",
    "functools",
    "hashlib",
    "hmac",
    "ipaddress",
    "itertools",
    "json",
    "math",
    "operator",
    "orjson",
    "re",
    "string",
    "types",
    "typing",
    "unicodedata",
    "urllib.parse",
}


def python_files(app: str) -> list[Path]:
    """The sources of an app, as paths below apps/."""
    return [path.relative_to(APPS) for path in sorted((APPS / app).rglob("*.py"))]


def imported(source: str, path: Path) -> Iterator[str]:
    """The absolute dotted name of everything that a source imports, wherever in it.

    `from package import name` gives `package.name`: the name may be a module.
    """
    folder = ["apps", *path.parent.parts]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) - node.level + 1] if node.level else []
            start = [*above, *(node.module.split(".") if node.module else [])]
            yield from (".".join([*start, alias.name]) for alias in node.names)


def own_part(name: str, app: str) -> str | None:
    """The part of the app that a dotted name is in: `apps.twitch_module.models.x` is models."""
    parts = name.removeprefix("apps.").split(".")
    if parts[0] != app:
        return None
    return parts[1] if len(parts) > 1 else "__init__"


def part_of(path: Path) -> str:
    """The part that a file is: its folder in the app, or its own name."""
    return path.parts[1] if len(path.parts) > 2 else path.stem


def capability(parts: Sequence[str]) -> str | None:
    """The capability that a file or a dotted name belongs to, if it does to one."""
    return parts[2] if len(parts) > 2 and parts[2] in CAPABILITIES else None


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def faults(source: str, path: Path) -> list[str]:
    """Every import of a source of the module that the rules above do not allow."""
    part = part_of(path)
    allowed = FOR_ENTRY_POINTS if part in ENTRY_POINTS else BELOW.get(part, set())
    found = [] if part in BELOW or part in ENTRY_POINTS else [f"{path}: {part} is no layer"]
    for name in imported(source, path):
        own = own_part(name, MODULE)
        if own is not None:
            if own not in allowed:
                found.append(f"{path}: {part} must not import {own}")
            here, there = capability(path.parts), capability(name.removeprefix("apps.").split("."))
            if here and there and there not in {here, *CAPABILITIES[here]}:
                found.append(f"{path}: {here} must not know {there}")
            continue
        if is_in(name, f"apps.{SANDBOX}") or is_in(name, SANDBOX):
            found.append(f"{path}: the module must not know the sandbox")
        for package, owners in OWNERS.items():
            if is_in(name, package) and part not in owners:
                found.append(f"{path}: {part} must not use {package}")
        if part == "domain" and not any(is_in(name, package) for package in PURE):
            found.append(f"{path}: domain must not use {name}")
    if part not in READERS_OF_THE_ENVIRONMENT and reads_environment(source, path):
        found.append(f"{path}: {part} must not read the environment")
    return found


def reads_environment(source: str, path: Path) -> bool:
    """Whether a source touches os.environ, under whichever of its names."""
    names = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    if any(name in {f"os.{word}" for word in names} | {"os.*"} for name in imported(source, path)):
        return True
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in names
        and isinstance(node.value, ast.Name)
        and node.value.id in _names_of_os(source)
        for node in ast.walk(ast.parse(source))
    )


def _names_of_os(source: str) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "os"
    }


@pytest.mark.parametrize("path", python_files(MODULE), ids=str)
def test_the_module_imports_downwards_only(path: Path) -> None:
    assert faults((APPS / path).read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize("path", python_files(SANDBOX), ids=str)
def test_the_sandbox_knows_the_module_only_through_http(path: Path) -> None:
    names = list(imported((APPS / path).read_text(encoding="utf-8"), path))

    assert [name for name in names if own_part(name, MODULE) is not None] == []


@pytest.mark.parametrize("layer", ["domain", "models", "clients", "services", "controllers"])
def test_every_layer_is_there(layer: str) -> None:
    assert any(part_of(path) == layer for path in python_files(MODULE))


class TestTheCheckItself:
    @pytest.mark.parametrize(
        ("file", "line", "fault"),
        [
            ("domain/x.py", "from ..services import webhooks", "domain must not import services"),
            ("domain/x.py", "from ..settings import Settings", "domain must not import settings"),
            ("domain/x.py", "from ..version import VERSION", "domain must not import version"),
            ("domain/x.py", "import time", "domain must not use time"),
            ("domain/x.py", "from random import random", "domain must not use random.random"),
            ("domain/x.py", "import structlog", "domain must not use structlog"),
            (
                "models/x.py",
                "from ..clients.http import HTTPClient",
                "models must not import clients",
            ),
            ("models/x.py", "from .. import services", "models must not import services"),
            ("models/x.py", "from ..settings import Settings", "models must not import settings"),
            (
                "clients/x.py",
                "from ..models.database import Database",
                "clients must not import models",
            ),
            (
                "clients/x.py",
                "import apps.twitch_module.services",
                "clients must not import services",
            ),
            (
                "clients/x.py",
                "import twitch_module.models.events as e",
                "clients must not import models",
            ),
            (
                "services/x.py",
                "from ..controllers.http import reply",
                "services must not import controllers",
            ),
            ("services/x.py", "from ..common import services", "services must not import common"),
            (
                "services/x.py",
                "from ..settings import Settings",
                "services must not import settings",
            ),
            ("services/x.py", "from py4web import request", "services must not use py4web"),
            ("services/x.py", "import requests.adapters", "services must not use requests"),
            (
                "services/deep/x.py",
                "from ...controllers import api",
                "services must not import controllers",
            ),
            (
                "controllers/x.py",
                "from ..clients.twitch import TwitchClient",
                "controllers must not import clients",
            ),
            (
                "controllers/x.py",
                "from ..settings import load_settings",
                "controllers must not import settings",
            ),
            ("controllers/x.py", "import pydal", "controllers must not use pydal"),
            ("settings.py", "from .services import delivery", "settings must not import services"),
            ("errors.py", "from .domain import points", "errors must not import domain"),
            ("common.py", "from .controllers import api", "common must not import controllers"),
            ("commands/x.py", "from ..cli import main", "commands must not import cli"),
            ("commands/x.py", "import requests", "commands must not use requests"),
            ("services/x.py", "import click", "services must not use click"),
            ("common.py", "from . import controllers", "common must not import controllers"),
            ("serve.py", "import urllib.request", "serve must not use urllib.request"),
            (
                "services/x.py",
                "from ...sandbox import state",
                "the module must not know the sandbox",
            ),
            ("services/x.py", "import sandbox", "the module must not know the sandbox"),
            (
                "services/x.py",
                'import os; os.environ["A"]',
                "services must not read the environment",
            ),
            (
                "services/x.py",
                'import os as o; o.getenv("A")',
                "services must not read the environment",
            ),
            ("models/x.py", "from os import environ", "models must not read the environment"),
            ("models/x.py", "from os import getenv as g", "models must not read the environment"),
            ("keys.py", 'import os; os.putenv("A", "b")', "keys must not read the environment"),
            ("helpers/x.py", "", "helpers is no layer"),
            (
                "services/access/x.py",
                "from ..events.webhooks import WebhookReceiver",
                "access must not know events",
            ),
            (
                "models/delivery/x.py",
                "from ..tokens import tokens",
                "delivery must not know tokens",
            ),
            (
                "services/x.py",
                "def f(): from ..controllers import api",
                "services must not import controllers",
            ),
            (
                "models/x.py",
                "if TYPE_CHECKING: from ..services import delivery",
                "models must not import services",
            ),
        ],
    )
    def test_a_planted_import_in_the_wrong_direction_is_found(
        self, file: str, line: str, fault: str
    ) -> None:
        assert faults(line, Path(MODULE) / file) == [f"{MODULE}/{file}: {fault}"]

    @pytest.mark.parametrize(
        ("file", "line"),
        [
            ("domain/x.py", "from ..errors import ModuleError\nfrom .points import Rule"),
            ("domain/x.py", "from collections.abc import Mapping\nfrom urllib.parse import quote"),
            ("models/x.py", "from ..domain.points import Rule\nimport pydal.objects"),
            ("clients/x.py", "from ..settings import Settings\nimport requests"),
            ("services/x.py", "from ..clients import twitch\nfrom ..models import events"),
            ("services/x.py", "import os\nos.path.join('a', 'b')"),
            ("services/x.py", "def f(environ): return environ['HTTP_HOST']"),
            ("controllers/x.py", "from ..common import services\nfrom py4web import action"),
            ("common.py", "import os\nfrom .services import delivery\nos.environ['A']"),
            ("wsgi.py", "import os\nfrom py4web import core\nos.environ['A']"),
        ],
    )
    def test_an_import_in_the_right_direction_is_no_fault(self, file: str, line: str) -> None:
        assert faults(line, Path(MODULE) / file) == []

    @pytest.mark.parametrize(
        "line",
        [
            "from ..twitch_module import errors",
            "from apps.twitch_module.domain import points",
            "import twitch_module.settings",
            "from .. import twitch_module",
        ],
    )
    def test_a_planted_import_of_the_module_in_the_sandbox_is_found(self, line: str) -> None:
        names = imported(line, Path(SANDBOX) / "state.py")

        assert [own_part(name, MODULE) for name in names] != [None]
