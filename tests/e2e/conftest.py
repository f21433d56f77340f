"""Real server processes: the module between a sandbox that plays both its sides."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes import Module, Sandbox, start_sandbox

# For what no database can make a difference to: each test starts processes of its own.
on_sqlite = pytest.mark.parametrize("db_uri", ["sqlite"], indirect=True)


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    sandbox = start_sandbox()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """A sandbox that has forgotten what earlier tests did to it."""
    running_sandbox.post("/control/reset").raise_for_status()
    return running_sandbox


Start = Callable[..., Module]


@pytest.fixture
def start(sandbox: Sandbox, db_uri: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a server (or a worker) of the module on this test's database and sandbox."""
    started: list[Module] = []

    def start(command: str = "serve", **changes: str) -> Module:
        here = {
            "DB_URI": db_uri,
            "TWITCH_API_URL": f"{sandbox.url}/helix",
            "TWITCH_AUTH_URL": f"{sandbox.url}/oauth2",
            "CONTEXT_API_URL": f"{sandbox.url}/waddlebot/context",
            "REPUTATION_API_URL": f"{sandbox.url}/waddlebot/reputation",
            "GATEWAY_ACTIVATE_URL": f"{sandbox.url}/waddlebot/gateway",
            **changes,
        }
        module = Module(tmp_path, command, **here)
        started.append(module)
        if command == "serve":
            module.wait_until_ready()
        return module

    yield start
    for module in started:
        if module.process.poll() is None:
            module.stop()


@pytest.fixture
def module(start: Start) -> Module:
    """One running server with the usual settings."""
    return start()
