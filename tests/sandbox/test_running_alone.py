import os
import subprocess
import sys
from pathlib import Path

import requests

from tests import processes
from tests.processes import Sandbox, wait_until

# Loads the app folder like `py4web run apps` does, and prints the routes it got.
ROUTES = """
import sys, py4web.core
py4web.core.DEFAULTS["PY4WEB_SERVICE_FOLDER"] = sys.argv[1]
py4web.core.wsgi(apps_folder="apps", dashboard_mode="none")
assert not py4web.core.Reloader.ERRORS["sandbox"]
print("routes:", len(py4web.core.Reloader.ROUTES["sandbox"]))
"""


def routes(folder: Path, **environment: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", ROUTES, str(folder)],
        cwd=processes.REPOSITORY,
        env=processes.clean_environment(PY4WEB_APP_NAMES="sandbox", **environment),
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.rpartition("routes:")[2])


def test_routes_exist_only_when_the_sandbox_is_switched_on(tmp_path: Path) -> None:
    assert routes(tmp_path) == 0
    assert routes(tmp_path, SANDBOX="0") == 0
    assert routes(tmp_path, SANDBOX="1") > 20


def test_reset_brings_back_the_start(sandbox: Sandbox) -> None:
    sandbox.control("settings", {"page_size": 3})
    sandbox.control("users", {"login": "new_one", "display_name": "New One"})
    sandbox.post("/waddlebot/gateway", json={})
    assert sandbox.post("/control/reset").status_code == 204
    assert sandbox.control("settings", {})["page_size"] == 100
    assert len(sandbox.control("users")["users"]) == 4
    assert sandbox.control("received")["received"] == []
    assert sandbox.control("calls")["calls"] == {}


def test_unknown_settings_and_taken_logins_are_refused(sandbox: Sandbox) -> None:
    assert sandbox.post("/control/settings", json={"page_sise": 3}).status_code == 400
    assert sandbox.post("/control/settings", json={"page_size": "3"}).status_code == 400
    assert sandbox.post("/control/users", json={"login": "lumen42"}).status_code == 409


def test_sigterm_ends_it_with_its_worker_and_leaves_nothing(tmp_path: Path) -> None:
    sandbox = processes.start_sandbox(TMPDIR=str(tmp_path))
    assert sandbox.process.stdout is not None
    line = sandbox.process.stdout.readline()
    assert line == f"sandbox ready on {sandbox.url}\n"
    workers = children(sandbox.process.pid)
    assert len(workers) == 1

    assert sandbox.stop() == (0, "")

    assert not any(exists(pid) for pid in workers)
    assert not list(tmp_path.iterdir())


def test_worker_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    sandbox = processes.start_sandbox(TMPDIR=str(tmp_path))
    workers = children(sandbox.process.pid)
    sandbox.process.kill()
    wait_until(lambda: not any(exists(pid) for pid in workers))
    assert not list(tmp_path.iterdir())
    sandbox.process.communicate(timeout=10)


def test_second_sandbox_on_the_same_port_does_not_start(sandbox: Sandbox) -> None:
    port = sandbox.url.split(":")[2].split("/")[0]
    second = subprocess.run(
        [sys.executable, "-m", "apps.sandbox"],
        cwd=processes.REPOSITORY,
        env=processes.clean_environment(PORT=port),
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert second.returncode == 1
    assert "in use" in second.stderr
    assert requests.get(sandbox.url, timeout=5).ok


def children(pid: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(one) for one in listed.stdout.split()]


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
