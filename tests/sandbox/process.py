"""Starts the sandbox as a process of its own, and ends it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 20


class Sandbox:
    """A running sandbox; paths are given without the leading /sandbox."""

    def __init__(self, process: subprocess.Popen[str], url: str):
        self.process = process
        self.url = url

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=10, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return requests.post(self.url + path, timeout=10, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return requests.delete(self.url + path, timeout=10, **options)

    def control(self, name: str, order: dict[str, Any] | None = None) -> Any:
        """Asks the control API, or orders from it; the answer must be a 2xx."""
        path = f"/control/{name}"
        answer = self.get(path) if order is None else self.post(path, json=order)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def stop(self) -> tuple[int, str]:
        """Ends it; the exit status, and what it had printed that nobody read."""
        self.process.terminate()
        printed, _ = self.process.communicate(timeout=10)
        return self.process.returncode, printed


def start(**environment: str) -> Sandbox:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "apps.sandbox"],
        cwd=REPOSITORY,
        env=clean_environment(PORT=str(port), **environment),
        stdout=subprocess.PIPE,
        text=True,
    )
    sandbox = Sandbox(process, f"http://127.0.0.1:{port}/sandbox")
    wait_until(lambda: _answers(sandbox), seconds=START_SECONDS)
    return sandbox


def clean_environment(**changes: str) -> dict[str, str]:
    """This process's environment without what would configure the sandbox."""
    ours = ("TWITCH_", "SANDBOX", "PY4WEB_", "ADMIN_", "PORT", "HOST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, **changes}


def wait_until(condition: Callable[[], Any], seconds: float = 5) -> Any:
    """The first true value of a condition; fails when none comes in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"nothing true within {seconds} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(sandbox: Sandbox) -> bool:
    assert sandbox.process.poll() is None, "the sandbox ended while it was starting"
    try:
        return sandbox.get("").ok
    except requests.ConnectionError:
        return False
