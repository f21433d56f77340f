"""The three contracts of WaddleBot's servers, and the core that is told of this module."""

from typing import Any

import pytest

from tests.conftest import on_sqlite
from tests.e2e.conftest import Start
from tests.messages import Message
from tests.processes import Sandbox, wait_until

ADDRESSES = {
    "reputation_module": {"REPUTATION_API_URL": "/waddlebot/reputation/process"},
    "router": {"REPUTATION_API_URL": "", "CORE_API_URL": "/waddlebot", "WADDLEBOT_API_KEY": ""},
}


def received(sandbox: Sandbox, api: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.control(f"received?api={api}")["received"]
    return found


@on_sqlite
@pytest.mark.parametrize("contract", ["reputation_module", "router"])
def test_the_server_decides_the_points_and_retries_send_the_same_bytes(
    start: Start, sandbox: Sandbox, contract: str
) -> None:
    addresses = {
        name: f"{sandbox.url}{path}" if path else path for name, path in ADDRESSES[contract].items()
    }
    if contract == "router":
        addresses["WADDLEBOT_API_KEY"] = "the-key"
    module = start(REPUTATION_CONTRACT=contract, CONTEXT_API_URL="", **addresses)
    path = "router/events" if contract == "router" else "reputation/process"
    # The first call does its work, and its answer is lost.
    fault = {"path": f"/sandbox/waddlebot/{path}", "status": 503, "after": True}
    sandbox.control("faults", {**fault, "headers": {"Retry-After": "1"}})
    assert 204 == module.post(Message("channel.cheer")).status_code
    wait_until(lambda: len(received(sandbox, "reputation")) == 2, seconds=20)
    first, second = received(sandbox, "reputation")
    (activity,) = module.all("/twitch/activities")

    assert (first["status"], second["status"]) == (503, 200)
    assert first["body"] == second["body"]
    assert first["headers"]["idempotency-key"] == second["headers"]["idempotency-key"]
    assert [] == received(sandbox, "context")
    assert [250] == [one["score"] for one in sandbox.control("scores")["scores"]]
    assert (250, "bits") == (activity["amount"], activity["activity_type"])


@on_sqlite
def test_the_core_is_told_of_this_module(start: Start, sandbox: Sandbox) -> None:
    module = start(CORE_API_URL=f"{sandbox.url}/waddlebot")
    wait_until(lambda: received(sandbox, "core"))
    (told,) = received(sandbox, "core")

    assert (201, f"{module.url}/twitch/health") == (
        told["status"],
        told["json"]["health_check_url"],
    )
    assert "channel.follow" in told["json"]["config"]["supported_events"]
