"""Code as the first callers wrote it, on the server that `make run` starts.

It logs in by form, refreshes by the query, keeps access tokens in a class of its own, sends the
service token as it is and reads in it when it ends, with no key.
"""

import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
import requests

from tests.processes import REPOSITORY, clean_environment, free_port, wait_until

SCRIPT = REPOSITORY / "scripts" / "create_remote_token.py"


class Demo:
    """A running demo, and what it printed."""

    def __init__(self, url: str, printed: str) -> None:
        self.url = url
        (self.password,) = re.findall(r"Password\s+(\S+)", printed)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """What `make run` runs, on a port and data of its own."""
    folder, port = tmp_path_factory.mktemp("demo"), free_port()
    output = folder / "output"
    with output.open("w") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.twitch_module.demo"],
            cwd=REPOSITORY,
            env=clean_environment(PORT=str(port), DATA_DIR=str(folder), LOG_LEVEL="ERROR"),
            stdout=printed,
            stderr=printed,
        )
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        assert process.poll() is None, output.read_text()
        try:
            return requests.get(f"{url}/twitch/health/ready", timeout=5).ok
        except requests.ConnectionError:
            return False

    wait_until(ready, seconds=30)
    yield Demo(url, output.read_text())
    process.terminate()
    process.wait(timeout=30)


class TokenManager:
    """Keeps an admin's access token, and refreshes it before its end."""

    def __init__(self, api_url: str, username: str, password: str, early_seconds: int = 60) -> None:
        self.api_url = api_url
        self.credentials = {"username": username, "password": password}
        self.early_seconds = early_seconds
        self.access_token = self.refresh_token = ""
        self.expires_at = 0.0

    def token(self) -> str:
        if time.time() < self.expires_at - self.early_seconds:
            return self.access_token
        if self.refresh_token:
            sent = {"refresh_token": self.refresh_token}
            answer = requests.post(f"{self.api_url}/auth/refresh", params=sent, timeout=10)
        else:
            answer = requests.post(f"{self.api_url}/auth/login", data=self.credentials, timeout=10)
        answer.raise_for_status()
        pair = answer.json()
        self.access_token, self.refresh_token = pair["access_token"], pair["refresh_token"]
        self.expires_at = time.time() + pair["expires_in"]
        return self.access_token

    def call(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token()}"}
        answer = requests.request(
            method, self.api_url + path, headers=headers, timeout=10, **options
        )
        answer.raise_for_status()
        return answer.json()


class ServiceTokenManager:
    """Keeps the access token that a service token brings."""

    def __init__(self, api_url: str, service_token: str) -> None:
        self.api_url = api_url
        self.service_token = service_token
        self.access_token = ""
        self.expires_at = 0.0

    def token(self) -> str:
        if time.time() > self.expires_at - 60:
            answer = requests.post(
                f"{self.api_url}/auth/service-token/refresh",
                headers={"Authorization": f"Bearer {self.service_token}"},
                timeout=10,
            )
            answer.raise_for_status()
            self.access_token = answer.json()["access_token"]
            self.expires_at = time.time() + answer.json()["expires_in"]
        return self.access_token


def ends_at(token: str) -> datetime:
    """When a token ends, read without its key."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return datetime.fromtimestamp(claims["exp"], UTC)


def may_read(demo: Demo, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{demo.url}/twitch/events", headers=headers, timeout=10).ok


@pytest.fixture
def manager(demo: Demo) -> TokenManager:
    return TokenManager(f"{demo.url}/api", "admin", demo.password)


@pytest.fixture
def service_token(manager: TokenManager) -> str:
    wanted = {"name": "bot", "scopes": ["events:read"], "days": 90}
    made: str = manager.call("POST", "/auth/service-token", json=wanted)["service_token"]
    return made


def test_a_login_by_form_and_refreshes_by_the_query(demo: Demo) -> None:
    form = {"username": "admin", "password": demo.password}
    pair = requests.post(f"{demo.url}/api/auth/login", data=form, timeout=10).json()
    for _ in range(3):
        sent = {"refresh_token": pair["refresh_token"]}
        answer = requests.post(f"{demo.url}/api/auth/refresh", params=sent, timeout=10)
        assert answer.status_code == 200
        assert answer.json()["access_token"] != pair["access_token"]
        pair = answer.json()

        assert may_read(demo, pair["access_token"])
        assert pair["token_type"] == "bearer"
        assert abs(ends_at(pair["access_token"]).timestamp() - time.time() - 900) < 10


def test_a_manager_keeps_a_token_and_refreshes_it_before_its_end(
    demo: Demo, manager: TokenManager
) -> None:
    first = manager.token()
    kept = manager.token()
    manager.expires_at = time.time() + 30
    second = manager.token()

    assert first == kept != second
    assert may_read(demo, second)
    assert manager.expires_at > time.time() + 800


def test_a_service_token_is_a_bearer_that_says_when_it_ends(demo: Demo, service_token: str) -> None:
    left = ends_at(service_token) - datetime.now(UTC)

    assert may_read(demo, service_token)
    assert 89.9 < left.total_seconds() / 86_400 <= 90


def test_a_service_token_is_exchanged_too(demo: Demo, service_token: str) -> None:
    manager = ServiceTokenManager(f"{demo.url}/api", service_token)

    assert may_read(demo, manager.token())
    assert manager.token() == manager.token()


class TestCreateRemoteToken:
    """scripts/create_remote_token.py URL USER PASSWORD DAYS"""

    def run(
        self, *words: str, typed: str = "", python: str = sys.executable, folder: str = "/"
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, str(SCRIPT), *words],
            cwd=folder,
            env=clean_environment(HOME=os.environ.get("HOME", "/")),
            input=typed,
            capture_output=True,
            text=True,
            timeout=30,
        )

    def test_the_token_alone_is_on_standard_output(self, demo: Demo) -> None:
        ended = self.run(demo.url, "admin", demo.password, "30")
        token = ended.stdout.removesuffix("\n")

        assert ended.returncode == 0, ended.stderr
        assert may_read(demo, token) and "\n" not in token
        assert 29.9 < (ends_at(token) - datetime.now(UTC)).total_seconds() / 86_400 <= 30
        assert token not in ended.stderr and demo.password not in ended.stderr

    def test_a_dash_reads_the_password(self, demo: Demo) -> None:
        ended = self.run(demo.url, "admin", "-", "365", typed=f"{demo.password}\n")

        assert may_read(demo, ended.stdout.strip())

    def test_on_a_terminal_a_dash_has_the_password_typed_unseen(self, demo: Demo) -> None:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), demo.url, "admin", "-", "30"],
            env=clean_environment(),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            start_new_session=True,
            text=True,
        )
        shown = os.read(ours, 1000).decode()
        while "Password" not in shown:
            shown += os.read(ours, 1000).decode()
        os.write(ours, f"{demo.password}\n".encode())
        token, _ = process.communicate(timeout=30)
        os.close(theirs)
        shown += os.read(ours, 4000).decode()
        os.close(ours)

        assert may_read(demo, token.strip())
        assert demo.password not in shown and token.strip() not in shown

    def test_scopes_can_be_named(self, demo: Demo, manager: TokenManager) -> None:
        ended = self.run(demo.url, "admin", demo.password, "30", "users:read")
        (made, *_) = manager.call("GET", "/auth/service-token")["service_tokens"]

        assert made["scopes"] == ["users:read"]
        assert not may_read(demo, ended.stdout.strip())

    @pytest.mark.parametrize(
        ("password", "days", "status", "told"),
        [
            ("wrong", "30", 1, "wrong_credentials"),
            (None, "29", 2, "30<=x<=365"),
            (None, "x", 2, "days"),
        ],
    )
    def test_what_goes_wrong_is_told_as_the_command_line_does(
        self, demo: Demo, password: str | None, days: str, status: int, told: str
    ) -> None:
        ended = self.run(demo.url, "admin", password or demo.password, days)

        assert (ended.returncode, ended.stdout) == (status, "")
        assert told in ended.stderr

    def test_where_nothing_listens_it_ends_with_2(self) -> None:
        ended = self.run("http://127.0.0.1:9", "admin", "x", "30")

        assert (ended.returncode, ended.stdout) == (2, "")

    def test_too_few_words_show_the_usage(self) -> None:
        ended = self.run("http://127.0.0.1:9")

        assert ended.returncode == 2
        assert ended.stderr.startswith("Usage: create_remote_token.py URL USER PASSWORD DAYS")

    def test_a_python_without_the_packages_is_told_which_one_has_them(self) -> None:
        base = f"{sys.base_prefix}/bin/python3"
        ended = subprocess.run(
            [base, "-S", str(SCRIPT), "http://127.0.0.1:9", "admin", "x", "30"],
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=30,
        )

        assert ended.returncode == 2
        assert ".venv/bin/python" in ended.stderr
        assert "Traceback" not in ended.stderr
