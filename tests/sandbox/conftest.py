from collections.abc import Iterator

import pytest

from . import process
from .callback import Callback
from .client import Client


@pytest.fixture(scope="session")
def running() -> Iterator[process.Sandbox]:
    sandbox = process.start(
        TWITCH_APP_ID="the-client",
        TWITCH_APP_SECRET="the-client-secret",
        SANDBOX_MODULE_URL="http://127.0.0.1:1",
        ADMIN_USERNAME="admin",
        ADMIN_PASSWORD="admin",
    )
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running: process.Sandbox) -> process.Sandbox:
    """A sandbox that has forgotten what earlier tests did to it."""
    running.post("/control/reset").raise_for_status()
    return running


@pytest.fixture
def client(sandbox: process.Sandbox) -> Client:
    return Client(sandbox)


@pytest.fixture
def callback() -> Iterator[Callback]:
    receiver = Callback()
    yield receiver
    receiver.close()
