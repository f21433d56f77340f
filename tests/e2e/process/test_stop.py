"""How a process ends, whoever does not answer it."""

import json
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import requests

from tests.e2e.conftest import addresses
from tests.messages import Message
from tests.processes import Module, Sandbox, wait_until


@pytest.fixture
def silence() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def silent(silence: str) -> dict[str, str]:
    """Settings with which every call out hangs."""
    names = ("TWITCH_API_URL", "TWITCH_AUTH_URL", "CONTEXT_API_URL", "REPUTATION_API_URL")
    return dict.fromkeys(names, silence)


def leased(module: Module) -> bool:
    return {"leased"} == {one["status"] for one in module.all("/twitch/activities")}


def ended_after(module: Module) -> float:
    """Seconds from SIGTERM until all its processes are gone; it ends well."""
    family = psutil.Process(module.process.pid).children(recursive=True)
    begun = time.monotonic()
    assert 0 == module.stop()
    wait_until(lambda: all(map(is_gone, family)))
    return time.monotonic() - begun


def is_gone(process: psutil.Process) -> bool:
    """Whether it has ended; who adopted it may not have asked yet how."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_a_server_that_has_just_started_ends_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """It still waits for its own port then, before Twitch is asked for subscriptions."""
    module = Module(tmp_path, DB_URI="sqlite://storage.db", **addresses(sandbox))

    assert ended_after(module.wait_until_ready()) < 4


def test_a_server_ends_within_ten_seconds_while_every_call_hangs(
    silence: str, db_uri: str, tmp_path: Path
) -> None:
    module = Module(tmp_path, DB_URI=db_uri, **silent(silence)).wait_until_ready()
    message = Message()
    assert 204 == module.post(message).status_code
    wait_until(lambda: leased(module))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(module.call, "GET", "/twitch/api/subscriptions")
        wait_until(lambda: connections_to(module, silence) >= 2)
        seconds = ended_after(module)
        with suppress(requests.ConnectionError):  # told, or cut off, but not left alone
            assert 502 == asked.result(timeout=1).status_code

    assert seconds < 10
    module.restart(WORKER="off").wait_until_ready()
    (one,) = module.all("/twitch/activities")
    module.stop()
    assert (message.message_id, "pending") == (one["event_id"], one["status"])


def test_a_worker_ends_within_ten_seconds_while_every_call_hangs(
    silence: str, db_uri: str, tmp_path: Path
) -> None:
    server = Module(tmp_path, DB_URI=db_uri, WORKER="off", **silent(silence)).wait_until_ready()
    server.post(Message())
    worker = Module(tmp_path, "worker", DB_URI=db_uri, **silent(silence))
    wait_until(lambda: leased(server), seconds=20)
    seconds = ended_after(worker)
    (one,) = server.all("/twitch/activities")
    server.stop()

    assert seconds < 10
    assert "pending" == one["status"]


def connections_to(module: Module, url: str) -> int:
    """How many connections its processes have there."""
    port = int(url.rpartition(":")[2])
    processes = psutil.Process(module.process.pid).children(recursive=True)
    return sum(
        bool(one.raddr) and one.raddr.port == port
        for process in processes
        for one in process.net_connections("tcp")
    )


def test_a_log_that_nobody_reads_holds_up_no_webhook_and_no_end(tmp_path: Path) -> None:
    read, write = os.pipe()
    module = Module(tmp_path, output=write, DB_URI="sqlite://storage.db").wait_until_ready()
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while True:
            os.write(write, b"\n" * 4096)
    os.set_blocking(write, True)
    answers = [module.post(Message()) for _ in range(300)]
    seconds = ended_after(module)
    os.close(write)
    os.close(read)

    assert {204} == {answer.status_code for answer in answers}
    assert max(answer.elapsed.total_seconds() for answer in answers) < 1
    assert seconds < 10


def test_the_last_line_says_that_it_has_stopped(db_uri: str, tmp_path: Path) -> None:
    module = Module(tmp_path, DB_URI=db_uri, LOG_FORMAT="json").wait_until_ready()
    forged = Message(secret="another secret")
    refused = [module.post(forged).status_code for _ in range(5)]
    module.stop()
    lines = [json.loads(line) for line in module.printed().splitlines() if line.startswith("{")]

    assert [403] * 5 == refused
    assert "stopped" == lines[-1]["event"]
    # At once, and at the end: not with the next one, which never comes.
    assert [1, 4] == [line["bad_signature"] for line in lines if "bad_signature" in line]
