"""`make bench`: committed webhooks per second, beside a py4web action that does nothing.

The server runs on one core and the load on another, on the settings of `make serve`.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import load
from .messages import SECRET, follow_request

CONNECTIONS = 32
WARM_UP, MEASURED = 5_000, 30_000
ROUNDS = 5  # the best of them counts: the others were disturbed


def main() -> None:
    """Measure, print a table, and write bench/results.json."""
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[-1]
    os.sched_setaffinity(0, {load_core})
    with tempfile.TemporaryDirectory() as folder:
        noop_port, port = _free_port(), _free_port()
        noop_command = ["-m", "bench.noop_server", str(noop_port), folder]
        command = ["-m", "apps.twitch_module.serve"]
        with (
            _server(noop_command, {}, noop_port, server_core),
            _server(command, _settings(folder, port), port, server_core),
        ):
            noop, accept = _measure((noop_port, "/noop"), (port, "/twitch/webhook"))
    rows = {"py4web action that does nothing": noop, "accept, SQLite, synchronous=FULL": accept}
    for name, result in rows.items():
        print(
            f"{name:34} {result.per_second:8,.0f}/s"
            f"  p50 {result.percentile_ms(0.5):6.2f} ms  p99 {result.percentile_ms(0.99):6.2f} ms"
            f"  {result.statuses}"
        )
    ratio = accept.per_second / noop.per_second
    print(f"{'accept / nothing':34} {ratio:8.2f}")
    figures = {name: result.per_second for name, result in rows.items()} | {"ratio": ratio}
    Path(__file__).with_name("results.json").write_text(json.dumps(figures, indent=2) + "\n")


def _measure(*targets: tuple[int, str]) -> list[load.Result]:
    """The best round of each; they take turns, so that what disturbs one disturbs all."""
    numbers = iter(range(10**9))

    def round_of(target: tuple[int, str], count: int) -> load.Result:
        port, path = target
        requests = [follow_request(next(numbers), path) for _ in range(count)]
        return load.run(port, requests, CONNECTIONS)

    for target in targets:
        round_of(target, WARM_UP)
    rounds = [[round_of(target, MEASURED) for target in targets] for _ in range(ROUNDS)]
    return [max(results, key=lambda one: one.per_second) for results in zip(*rounds, strict=True)]


def _settings(folder: str, port: int) -> dict[str, str]:
    here = f"http://127.0.0.1:{port}"
    return {
        "SANDBOX": "1",  # no .env
        "PY4WEB_APP_NAMES": "twitch_module",
        "PORT": str(port),
        "DATA_DIR": folder,
        "PUBLIC_URL": here,
        "TWITCH_APP_ID": "bench",
        "TWITCH_APP_SECRET": "bench",
        "TWITCH_WEBHOOK_SECRET": SECRET,
        "CONTEXT_API_URL": f"{here}/nowhere",
        "REPUTATION_API_URL": f"{here}/nowhere",
        "WORKER": "off",
    }


@contextmanager
def _server(
    command: list[str], environment: dict[str, str], port: int, core: int
) -> Iterator[None]:
    """A server process on one core, until the block ends."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})  # a child inherits it, and so do its own
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.sched_setaffinity(0, mine)
    try:
        _wait_until_it_answers(port)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _wait_until_it_answers(port: int) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("the server did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
