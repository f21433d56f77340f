"""The processes that are measured: started on the cores that they get, and ended by their ids."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 60  # a delivery that is on its way ends within ten

ALL_CORES = sorted(os.sched_getaffinity(0))
# What is measured has one core for itself; the load, and who is called, share the other.
SERVER_CORE, LOAD_CORE = ALL_CORES[0], ALL_CORES[-1]

# What would configure the module from outside.
_NOT_OURS = ("TWITCH_", "WADDLEBOT_", "ADMIN_", "PY4WEB_", "SANDBOX", "DB_URI", "DATA_DIR", "PORT")


@dataclass(frozen=True)
class Process:
    """A running process and its children. `port` is where it listens, 0 for nowhere."""

    popen: subprocess.Popen[bytes]
    port: int
    started_at: float  # time.perf_counter()

    def family(self) -> list[psutil.Process]:
        """It and its children."""
        parent = psutil.Process(self.popen.pid)
        return [parent, *parent.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """What it has used of the processors so far, with its children."""
        return cpu_seconds(self.family())

    def resident_bytes(self) -> int:
        """The memory of its largest child: of a server, a web process."""
        return max(member.memory_info().rss for member in self.family()[1:])


def cpu_seconds(family: Collection[psutil.Process]) -> float:
    """What these have used of the processors so far."""
    times = [member.cpu_times() for member in family]
    return sum(one.user + one.system for one in times)


@contextmanager
def on_cores(cores: Collection[int]) -> Iterator[None]:
    """What is started in this block runs on these cores, with its children."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


@contextmanager
def running(
    module: str,
    *arguments: str,
    port: int,
    ready: str | None,
    output: Path,
    cores: Collection[int] = (SERVER_CORE,),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Process]:
    """`python -m module` until the block ends.

    The block begins when `ready` (a path) answers with 200, or with anything when it is "/".
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_NOT_OURS)}
    with on_cores(cores), output.open("ab") as log:
        started_at = time.perf_counter()
        popen = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=REPOSITORY,
            env={**kept, **(environment or {})},
            stdout=log,
            stderr=log,
        )
    process = Process(popen, port, started_at)
    try:
        if ready is not None:
            _wait_until_ready(process, ready, output)
        yield process
    finally:
        family = process.family() if popen.poll() is None else []
        popen.terminate()
        try:
            popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for member in family:
                member.kill()
            raise


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: Process, path: str, output: Path) -> None:
    url = f"http://127.0.0.1:{process.port}{path}"
    while time.perf_counter() - process.started_at < START_SECONDS:
        if process.popen.poll() is not None:
            raise ChildProcessError(f"it ended at its start: {output.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError as error:
            error.close()
            if path == "/":
                return
        except OSError:
            pass
        time.sleep(0.01)
    raise TimeoutError(f"it did not start: {output.read_text()[-2000:]}")
