"""The commands as the operator runs them, on a sandbox that plays Twitch and WaddleBot."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.twitch_module.domain.access.callers import SCOPES
from tests.processes import Module, Sandbox, start_sandbox

from .operator import APP_ID, APP_SECRET, MONITORED, Operator, issued_by, settings_for
from .runner import Commands


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    sandbox = start_sandbox(TWITCH_APP_ID=APP_ID, TWITCH_APP_SECRET=APP_SECRET)
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="session")
def running_module(
    running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Module]:
    """A server that answers at the callback URL; it has a database of its own."""
    folder = tmp_path_factory.mktemp("module")
    variables = settings_for(running_sandbox, folder)
    del variables["PUBLIC_URL"], variables["DATA_DIR"]
    variables["WORKER"] = "off"  # it makes no subscriptions by itself
    module = Module(folder, **variables).wait_until_ready()
    yield module
    module.stop()


@pytest.fixture
def operator(sandbox: Sandbox, tmp_path: Path) -> Iterator[Operator]:
    """An operator with a complete environment. Whatever a command shows, no secret is in it."""
    operator = Operator(tmp_path, settings_for(sandbox, tmp_path))
    yield operator
    assert [] == [secret for secret in issued_by(sandbox) if secret in operator.printed]


@pytest.fixture(scope="session")
def service(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Module]:
    """A server with everything in it and a channel, for all commands that only talk to one."""
    folder = tmp_path_factory.mktemp("service")
    variables = settings_for(running_sandbox, folder)
    del variables["PUBLIC_URL"], variables["DATA_DIR"]
    module = Module(folder, **variables).wait_until_ready()
    order = {"channel_name": MONITORED}
    module.call("POST", "/twitch/api/channels", json=order).raise_for_status()
    yield module
    module.stop()


@pytest.fixture(scope="session")
def service_token(service: Module) -> str:
    """A token for everything that a service may do."""
    order = {"name": "tests", "scopes": list(SCOPES), "days": 30}
    answer = service.call("POST", "/api/auth/service-token", json=order)
    answer.raise_for_status()
    return str(answer.json()["service_token"])


@pytest.fixture
def admin_cli(running_sandbox: Sandbox, service: Module) -> Iterator[Commands]:
    """The command line on the machine of the running service, and with its settings."""
    folder = service.output.parent
    here = {"PORT": str(service.port), "PUBLIC_URL": service.url}
    cli = Commands(folder, {**settings_for(running_sandbox, folder), **here}, service)
    yield cli
    assert cli.secrets_shown() == []


@pytest.fixture
def cli(admin_cli: Commands, service_token: str) -> Commands:
    """The same with a service token, whose exchange costs less than a password's check."""
    admin_cli.variables["WADDLEBOT_TWITCH_TOKEN"] = service_token
    return admin_cli
