"""The device code flow, as Twitch's answers to it have been seen."""

from typing import Any
from urllib.parse import urlsplit

import requests

from tests.processes import Sandbox, wait_until

from .client import CLIENT_ID, STREAMER, Client

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"


def begin(sandbox: Sandbox, client_id: str = CLIENT_ID) -> requests.Response:
    form = {"client_id": client_id, "scopes": "bits:read user:bot"}
    return sandbox.post("/oauth2/device", data=form)


def poll(sandbox: Sandbox, device: dict[str, Any]) -> requests.Response:
    form = {"client_id": CLIENT_ID, "device_code": device["device_code"], "grant_type": GRANT_TYPE}
    return sandbox.post("/oauth2/token", data=form)


def decide(sandbox: Sandbox, device: dict[str, Any], **decision: str) -> requests.Response:
    form = {"user_code": device["user_code"], **decision}
    return sandbox.post("/oauth2/activate", data=form)


def message(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


def test_a_device_waits_until_its_user_agrees_and_gets_one_pair(sandbox: Sandbox) -> None:
    device = begin(sandbox).json()
    before = poll(sandbox, device)
    page = requests.get(device["verification_uri"], timeout=10)
    decided = decide(sandbox, device, user_id=STREAMER)
    given = poll(sandbox, device).json()
    again = poll(sandbox, device)

    assert (1800, 5) == (device["expires_in"], device["interval"])
    assert urlsplit(device["verification_uri"]).query == f"device-code={device['user_code']}"
    assert (400, "authorization_pending") == message(before)
    assert "Log in as Sandbox Streamer" in page.text and "user:bot" in page.text
    assert 200 == decided.status_code
    assert ["bits:read", "user:bot"] == given["scope"]
    assert given["refresh_token"]
    assert (400, "invalid device code") == message(again)


def test_a_declined_code_is_invalid(sandbox: Sandbox) -> None:
    device = begin(sandbox).json()
    decide(sandbox, device, decision="decline")

    assert (400, "invalid device code") == message(poll(sandbox, device))


def test_a_code_ends_with_its_time(client: Client) -> None:
    client.sandbox.control("settings", {"device_code_seconds": 0})
    device = begin(client.sandbox).json()

    wait_until(lambda: poll(client.sandbox, device).json()["message"] == "invalid device code")
    assert 404 == decide(client.sandbox, device, user_id=STREAMER).status_code
    assert 404 == requests.get(device["verification_uri"], timeout=10).status_code


def test_an_unknown_client_gets_no_code(sandbox: Sandbox) -> None:
    assert (400, "invalid client") == message(begin(sandbox, "somebody-else"))


def test_a_wrong_secret_is_refused_where_one_is_sent(sandbox: Sandbox) -> None:
    device = begin(sandbox).json()
    form = {"client_id": CLIENT_ID, "device_code": device["device_code"], "client_secret": "x"}

    answer = sandbox.post("/oauth2/token", data={**form, "grant_type": GRANT_TYPE})

    assert (403, "invalid client secret") == message(answer)
