"""controllers/front.py: who waits for what, and for how long, at the real server."""

import json
import resource
import select
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from apps.twitch_module.controllers.front import AT_ONCE, BODY_SECONDS
from apps.twitch_module.domain.connections import MOST
from tests.environment import environment
from tests.messages import Message
from tests.processes import REPOSITORY, Module, clean_environment, free_port, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Module]:
    folder: Path = tmp_path_factory.mktemp("front")
    module = Module(folder, DB_URI=f"sqlite://{folder}/storage.db", WORKER="off")
    yield module.wait_until_ready()
    module.stop()


def connection(server: Module, beginning: str) -> socket.socket:
    """A client that has sent so much, and sends nothing more."""
    one = socket.create_connection(("127.0.0.1", server.port), timeout=BODY_SECONDS + 10)
    one.sendall(beginning.encode())
    return one


def all_that_comes(one: socket.socket) -> bytes:
    """What the server sends until it closes the connection."""
    received = b""
    while piece := one.recv(65536):
        received += piece
    one.close()
    return received


def test_whoever_sends_slowly_keeps_nobody_waiting_and_is_given_up(server: Module) -> None:
    half_a_body = "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{"
    in_chunks = "POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n"
    slow = [
        connection(server, beginning.format(path))
        for beginning in (half_a_body, in_chunks)
        for path in ("/twitch/webhook", "/api/auth/login")
        for _ in range(100)
    ]
    half_a_head = "POST /twitch/webhook HTTP/1.1\r\nHost: x\r\nContent-"
    slower = [connection(server, half_a_head) for _ in range(400)]
    answers = [server.post(Message()) for _ in range(20)]
    answers.append(requests.post(server.url + "/api/auth/logout", json={}, timeout=5))
    given_up = [all_that_comes(one) for one in slow]
    for one in slower:
        assert b"HTTP/1.1 2" not in all_that_comes(one)

    assert [204] * 20 + [401] == [answer.status_code for answer in answers]
    assert max(answer.elapsed.total_seconds() for answer in answers) < 2
    for answer in given_up:
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code": "too_slow"' in answer
    assert 204 == server.post(Message()).status_code


def test_a_client_with_a_thousand_half_open_connections_keeps_nobody_out(tmp_path: Path) -> None:
    namespace = [
        "unshare",
        "--map-root-user",
        "--net",
        sys.executable,
        "-m",
        "tests.e2e.http.half_open",
    ]
    done = subprocess.run(
        [*namespace, str(tmp_path), "5"],
        cwd=REPOSITORY,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    result = json.loads(done.stdout)
    assert ["204"] == list(result["statuses"]), result
    assert result["slowest_seconds"] < 1


def test_a_flood_of_connections_leaves_room_for_others(server: Module) -> None:
    """With no file left it would accept none any more, however many were closed later."""
    limit, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(MOST + 2000, allowed), allowed))
    many: list[socket.socket] = []
    try:
        for _ in range(MOST + 500):
            with suppress(OSError):  # while the queue before the server is full
                many.append(socket.create_connection(("127.0.0.1", server.port), timeout=1))
        answers = [server.post(Message()) for _ in range(20)]
        wait_until(lambda: len(many) - ended(many) <= MOST * 3 // 4, seconds=5)
    finally:
        for one in many:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, allowed))

    assert len(many) > MOST
    assert [204] * 20 == [answer.status_code for answer in answers]


def ended(connections: list[socket.socket]) -> int:
    """On how many of these, where nobody sends, something has come: their end."""
    poll = select.poll()
    for one in connections:
        poll.register(one, select.POLLIN)
    return len(poll.poll(0))


def test_whoever_breaks_off_leaves_no_trace(server: Module) -> None:
    for path in ("/twitch/webhook", "/api/auth/login"):
        for framing in ("Content-Length: 1000", "Transfer-Encoding: chunked"):
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n"
            connection(server, head + "5\r\nab").close()
            connection(server, head).close()
    assert 204 == server.post(Message()).status_code

    printed = server.printed()
    assert "Traceback" not in printed and "level=error" not in printed


def test_a_challenge_that_waits_for_the_database_holds_up_nobody(tmp_path: Path) -> None:
    module = Module(tmp_path, DB_URI="sqlite://storage.db", WORKER="off").wait_until_ready()
    other = sqlite3.connect(tmp_path / "storage.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    challenge = Message(message_type="webhook_callback_verification", challenge="a-challenge")
    answered = 0
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(module.post, challenge)
        while not waiting.done():
            assert requests.get(module.url + "/twitch/health", timeout=10).ok
            answered += 1
    other.execute("ROLLBACK")
    other.close()
    module.stop()

    assert 503 == waiting.result().status_code
    assert answered > 20  # in two and a half seconds


def test_more_requests_than_py4web_is_given_at_once_are_told_to_come_again(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/twitch/health"
    run = "from apps.twitch_module.serve import *; prepare_database(load_settings(os.environ));"
    run += f"run_server('tests.e2e.http.crowded:application', '127.0.0.1', {port}, 1)"
    process = subprocess.Popen(
        [sys.executable, "-c", run],
        cwd=REPOSITORY,
        env=clean_environment(
            **environment(DATA_DIR=str(tmp_path), WORKER="off"),
            PY4WEB_SERVICE=str(tmp_path / "py4web"),
            PY4WEB_APP_NAMES="twitch_module",
        ),
    )
    try:
        wait_until(lambda: _answers(url), seconds=30)
        with ThreadPoolExecutor(AT_ONCE + 4) as pool:
            asked = pool.map(lambda _: requests.get(url, timeout=30), range(AT_ONCE + 4))
            answers = list(asked)
        after = requests.get(url, timeout=30)
    finally:
        process.terminate()
        process.wait(timeout=30)

    refused = [answer for answer in answers if answer.status_code != 200]
    assert [503] * 4 == [answer.status_code for answer in refused]
    assert {"busy"} == {answer.json()["code"] for answer in refused}
    assert 200 == after.status_code


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).ok
    except requests.ConnectionError:
        return False
