"""The module as any py4web app: `py4web run apps`, and imported with apps/ on the path."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.environment import environment
from tests.messages import Message
from tests.processes import REPOSITORY, clean_environment, free_port, wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of py4web's own server, which runs this module."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = ["py4web", "run", "apps", "-P", str(port), "--dashboard_mode", "none", "-Y"]
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name(command[0])), *command[1:]],
            cwd=REPOSITORY,
            env=clean_environment(
                **environment(PUBLIC_URL=url, DATA_DIR=str(tmp_path), WORKER="off"),
                PY4WEB_APP_NAMES="twitch_module",
            ),
            stdout=output,
            stderr=output,
        )

    def answers() -> bool:
        assert process.poll() is None, (tmp_path / "output").read_text()
        try:
            return requests.get(url + "/twitch/health", timeout=5).ok
        except requests.ConnectionError:
            return False

    wait_until(answers, seconds=20)
    yield url
    process.kill()
    process.wait(timeout=10)


def post(server: str, message: Message) -> requests.Response:
    return requests.post(
        server + "/twitch/webhook", data=message.content(), headers=message.headers(), timeout=10
    )


def test_py4web_run_serves_the_webhook(server: str) -> None:
    challenge = post(server, Message(message_type="webhook_callback_verification", challenge="abc"))

    assert 204 == post(server, Message()).status_code
    assert 403 == post(server, Message(secret="somebody-elses")).status_code
    assert (200, b"abc") == (challenge.status_code, challenge.content)
    assert "not_found" == requests.get(server + "/twitch/nothing", timeout=5).json()["code"]


def test_py4webs_server_too_waits_for_the_commit(server: str, tmp_path: Path) -> None:
    """It cannot answer later, as ours can."""
    message = Message()
    other = sqlite3.connect(tmp_path / "storage.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    locked = post(server, message)
    other.execute("ROLLBACK")
    free = post(server, message)
    stored = other.execute("SELECT count(*) FROM twitch_events").fetchone()
    other.close()

    assert (503, "database_unavailable") == (locked.status_code, locked.json()["code"])
    assert locked.elapsed.total_seconds() < 3
    assert locked.headers["Retry-After"]
    assert (204, (1,)) == (free.status_code, stored)


def test_the_guard_stands_before_py4webs_server_too(server: str) -> None:
    deep = requests.post(server + "/api/auth/login", data=b"[" * 60_000, timeout=10)
    large = requests.post(server + "/api/auth/login", data=b"x" * (2**20 + 1), timeout=10)
    other = requests.put(server + "/twitch/events", timeout=10)

    assert (400, 413, 405) == (deep.status_code, large.status_code, other.status_code)
    assert other.headers["Allow"] == "GET, HEAD"
    for answer in (deep, large, other):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_controllers_can_be_imported_with_apps_on_the_path() -> None:
    code = "from twitch_module import webhooks, api, auth; print(webhooks.webhook, auth.callback)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY / "apps",
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert 0 == done.returncode, done.stderr
    assert "function webhook" in done.stdout
