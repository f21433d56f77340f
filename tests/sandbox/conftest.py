from collections.abc import Iterator

import pytest

from tests import processes

from .callback import Callback
from .client import Client


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[processes.Sandbox]:
    sandbox = processes.start_sandbox(
        TWITCH_APP_ID="the-client",
        TWITCH_APP_SECRET="the-client-secret",
        SANDBOX_MODULE_URL="http://127.0.0.1:1",
        ADMIN_USERNAME="admin",
        ADMIN_PASSWORD="admin",
    )
    yield sandbox
    sandbox.stop()


@pytest.fixture
def client(sandbox: processes.Sandbox) -> Client:
    return Client(sandbox)


@pytest.fixture
def callback() -> Iterator[Callback]:
    receiver = Callback()
    yield receiver
    receiver.close()
