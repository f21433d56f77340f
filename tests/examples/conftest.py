"""A server whose streamer has logged in, on a sandbox that plays Twitch."""

from collections.abc import Iterator

import pytest

from apps.twitch_module.client import TwitchModuleClient
from tests.e2e.conftest import addresses
from tests.e2e.tokens.test_logins import STREAMER, log_in
from tests.processes import Module, Sandbox


class Stage:
    """What a bot lives on, and what ends its token."""

    def __init__(self, module: Module, sandbox: Sandbox) -> None:
        self.module, self.sandbox = module, sandbox
        wanted = {"name": "chat bot", "scopes": ["tokens:read"], "days": 30}
        made = module.call("POST", "/api/auth/service-token", json=wanted)
        self.client = TwitchModuleClient(module.url, made.json()["service_token"])

    def end_the_token(self) -> str:
        """Twitch ends the token, and the module has another one; the new one."""
        self.sandbox.control("tokens/expire", {"user_id": STREAMER})
        path = f"/twitch/auth/refresh/{STREAMER}"
        self.module.call("POST", path).raise_for_status()
        lent = self.module.call("GET", f"/twitch/auth/token/{STREAMER}").json()
        return str(lent["access_token"])

    def calls(self, path: str) -> int:
        """How often Twitch was called there."""
        calls: dict[str, int] = self.sandbox.control("calls")["calls"]
        return calls.get(path, 0)


@pytest.fixture(scope="package")
def server(
    running_sandbox: Sandbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Module]:
    folder = tmp_path_factory.mktemp("bots")
    module = Module(
        folder, DB_URI="sqlite://storage.db", WORKER="off", **addresses(running_sandbox)
    )
    yield module.wait_until_ready()
    module.stop()


@pytest.fixture
def stage(running_sandbox: Sandbox, server: Module) -> Stage:
    running_sandbox.post("/control/reset").raise_for_status()
    log_in(server)
    return Stage(server, running_sandbox)
