"""Starts that cannot be, or that come twice; and how a start and an end look."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from tests.environment import environment
from tests.processes import REPOSITORY, Module, clean_environment, free_port, wait_until


@contextmanager
def program(command: str, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A program of the module's, in a group of its own as a terminal's jobs are."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"apps.twitch_module.{command}", *arguments],
        cwd=REPOSITORY,
        env=clean_environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def refused(command: str, *arguments: str, **variables: str) -> str:
    """What a start says that ends with exit status 2 at once: one line, on standard error."""
    with program(command, *arguments, **variables) as process:
        printed, line = process.communicate(timeout=30)
    assert (2, "") == (process.returncode, printed), line
    assert 1 == line.count("\n"), line
    return line


def serving(folder: Path, port: int, **changes: str) -> dict[str, str]:
    return environment(
        PORT=str(port), DATA_DIR=str(folder), WORKER="off", PY4WEB_APP_NAMES="twitch_module"
    ) | {"PUBLIC_URL": f"http://127.0.0.1:{port}", **changes}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Module]:
    module = Module(tmp_path, WORKER="off").wait_until_ready()
    yield module
    assert 0 == module.stop()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A running demo: the process, its address and the admin's password."""
    port = str(free_port())
    with program("demo", PORT=port, DATA_DIR=str(tmp_path)) as process:
        assert process.stdout is not None
        password = None
        for line in process.stdout:
            if found := re.search(r"Password +(\S+)", line):
                password = found[1]
            if "Stop with Ctrl-C" in line:
                break
        assert password is not None
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(url), seconds=20)
        yield process, url, password


def answers(url: str) -> bool:
    try:
        return requests.get(url + "/twitch/health", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_a_second_server_at_the_port_is_told_who_has_it(server: Module, tmp_path: Path) -> None:
    line = refused("serve", **serving(tmp_path / "second", server.port))

    assert f"Port {server.port} " in line
    assert f"(process {server.process.pid})" in line
    assert "PORT=" in line
    assert answers(server.url)


def test_of_servers_that_start_at_once_one_gets_the_port(tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as started:
        programs = [
            started.enter_context(program("serve", **serving(tmp_path / name, port)))
            for name in "abcd"
        ]
        wait_until(lambda: 3 == sum(one.poll() is not None for one in programs), seconds=20)
        wait_until(lambda: answers(f"http://127.0.0.1:{port}"), seconds=20)
        statuses = sorted(str(one.poll()) for one in programs)

    assert ["2", "2", "2", "None"] == statuses


def test_a_foreign_program_at_the_port_is_one_line(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as foreign:
        port = foreign.getsockname()[1]
        line = refused("serve", **serving(tmp_path, port))

    assert f"Port {port} is taken by another program" in line
    assert "PORT=" in line


@pytest.mark.parametrize("host", ["nowhere.invalid", "203.0.113.1", "2001:db8::1", "no host"])
def test_a_host_that_cannot_be_listened_at_is_one_line(tmp_path: Path, host: str) -> None:
    assert f"HOST {host}" in refused("serve", **serving(tmp_path, free_port(), HOST=host))


@pytest.mark.parametrize("host", ["localhost", "::1", "0.0.0.0", "::"])  # noqa: S104  # asked of this machine only
def test_a_host_may_be_a_name_or_of_ipv6(tmp_path: Path, host: str) -> None:
    port = free_port()
    local = "[::1]" if host == "::1" else "127.0.0.1"
    with program("serve", **serving(tmp_path, port, HOST=host)) as process:
        wait_until(lambda: answers(f"http://{local}:{port}"), seconds=20)
        line = refused("serve", **serving(tmp_path / "second", port, HOST=host))
        assert f"(process {process.pid})" in line


def test_a_server_starts_again_at_once_after_its_main_process_was_killed(server: Module) -> None:
    webs = psutil.Process(server.process.pid).children(recursive=True)
    server.process.kill()
    server.process.wait(timeout=10)
    server.restart().wait_until_ready()

    psutil.wait_procs(webs, timeout=15)
    assert answers(server.url)


def test_a_second_demo_leaves_the_first_as_it_is(
    demo: tuple[subprocess.Popen[str], str, str], tmp_path: Path
) -> None:
    process, url, password = demo
    for port in (url.rpartition(":")[2], str(free_port())):
        line = refused("demo", PORT=port, DATA_DIR=str(tmp_path))
        assert f"process {process.pid}, {url}/sandbox" in line
        assert "PORT=" in line and "DATA_DIR=" in line

    login = {"username": "admin", "password": password}
    assert 200 == requests.post(f"{url}/api/auth/login", json=login, timeout=10).status_code


def test_a_demo_starts_after_one_that_was_killed(tmp_path: Path) -> None:
    port = str(free_port())
    for _ in range(2):
        with program("demo", PORT=port, DATA_DIR=str(tmp_path)) as process:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}"), seconds=20)
            family = psutil.Process(process.pid).children()
            process.kill()
            process.wait(timeout=10)
            psutil.wait_procs(family, timeout=15)


def test_ctrl_c_ends_a_demo_without_a_traceback(tmp_path: Path) -> None:
    port = str(free_port())
    with program("demo", PORT=port, DATA_DIR=str(tmp_path)) as process:
        assert process.stdout is not None
        while "Stop with Ctrl-C" not in process.stdout.readline():
            pass
        wait_until(lambda: answers(f"http://127.0.0.1:{port}"), seconds=20)
        os.killpg(process.pid, signal.SIGINT)
        printed, complaints = process.communicate(timeout=30)

    assert 0 == process.returncode
    assert "Traceback" not in printed + complaints


def test_ctrl_c_at_the_very_start_ends_it_without_a_traceback(tmp_path: Path) -> None:
    """While it waits for a database that is not there."""
    uri = f"postgres://nobody@127.0.0.1:{free_port()}/none"
    with program("serve", **serving(tmp_path, free_port(), DB_URI=uri)) as process:
        assert process.stderr is not None
        assert "Trying again" in process.stderr.readline()
        os.killpg(process.pid, signal.SIGINT)
        _, complaints = process.communicate(timeout=30)

    assert -signal.SIGINT == process.returncode
    assert "Traceback" not in complaints
