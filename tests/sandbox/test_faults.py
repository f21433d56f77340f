import time
from typing import Any

import pytest
import requests

from tests.processes import Sandbox

PATH = "/sandbox/waddlebot/context"


def order(sandbox: Sandbox, **fault: Any) -> None:
    sandbox.control("faults", {"path": PATH, **fault})


def call(sandbox: Sandbox, **options: Any) -> requests.Response:
    return requests.post(
        f"{sandbox.url}/waddlebot/context", json={"identity_name": "Åse"}, timeout=5, **options
    )


def received(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.control("received")["received"]
    return found


def test_status_faults_are_used_up_in_order_before_the_api_acts(sandbox: Sandbox) -> None:
    order(sandbox, times=2, status=503, headers={"Retry-After": "7"}, body='{"msg": "later"}')
    order(sandbox, status=429)
    answers = [call(sandbox) for _ in range(4)]
    assert [one.status_code for one in answers] == [503, 503, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json() == {"msg": "later"}
    assert len(received(sandbox)) == 1
    assert sandbox.control("calls")["calls"] == {f"POST {PATH}": 4}


def test_after_lets_the_api_act_first(sandbox: Sandbox) -> None:
    order(sandbox, status=500, after=True)
    assert call(sandbox).status_code == 500
    assert [one["status"] for one in received(sandbox)] == [500]


def test_delay_alone_is_slow_but_normal(sandbox: Sandbox) -> None:
    order(sandbox, delay=0.2, headers={"X-Slow": 1})
    started = time.monotonic()
    answer = call(sandbox)
    assert answer.json()["data"]
    assert answer.headers["X-Slow"] == "1"
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(("after", "calls"), [(False, 0), (True, 1)])
def test_hang_up_ends_the_connection_in_the_middle(
    sandbox: Sandbox, after: bool, calls: int
) -> None:
    order(sandbox, hang_up=True, after=after)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        call(sandbox)
    assert len(received(sandbox)) == calls


def test_garbage_is_200_and_no_json(sandbox: Sandbox) -> None:
    order(sandbox, garbage=True)
    answer = call(sandbox)
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (200, "text/html")
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_drip_sends_the_body_byte_by_byte(sandbox: Sandbox) -> None:
    order(sandbox, status=200, body="0123456789", drip=0.03)
    started = time.monotonic()
    answer = call(sandbox, stream=True)
    before_body = time.monotonic() - started
    assert answer.content == b"0123456789"
    assert before_body < 0.25 < time.monotonic() - started


def test_fault_for_ever_lasts_until_cleared(sandbox: Sandbox) -> None:
    order(sandbox, times=-1, status=500, method="POST")
    assert [call(sandbox).status_code for _ in range(3)] == [500] * 3
    [left] = sandbox.control("faults")["faults"]
    assert (left["path"], left["times"]) == (PATH, -1)
    sandbox.delete("/control/faults", params={"path": "/sandbox/other"})
    assert call(sandbox).status_code == 500
    sandbox.delete("/control/faults", params={"path": PATH})
    assert call(sandbox).status_code == 200


def test_fault_for_another_method_waits(sandbox: Sandbox) -> None:
    order(sandbox, status=500, method="GET")
    assert call(sandbox).status_code == 200
    assert len(sandbox.control("faults")["faults"]) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"path": "/elsewhere"},
        {"path": PATH, "unknown": 1},
        {"path": PATH, "status": 99},
        {"path": PATH, "times": 0},
        {"path": PATH, "delay": -1},
    ],
)
def test_senseless_faults_are_refused(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    answer = sandbox.post("/control/faults", json=fault)
    assert answer.status_code == 400
    assert answer.json()["error"]
