"""A client that opens a thousand connections and ends no request, beside one that does.

Run in a network namespace of its own, whose addresses are nobody's (RFC 5737):

    unshare --map-root-user --net python -m tests.e2e.http.half_open FOLDER SECONDS

Prints, as JSON, the statuses that the other client got, and how slow the slowest answer was; after
it the server has left the attacker no more connections than anybody may have.
"""

import json
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from socket import create_connection, socket
from typing import NamedTuple

import requests
from requests.adapters import HTTPAdapter

from tests.messages import Message
from tests.processes import Module, wait_until

ATTACKER, OTHER, SERVER = "203.0.113.66", "198.51.100.7", "192.0.2.1"
CONNECTIONS = 1000
BEGINNINGS = (
    b"",  # idle
    b"POST /twitch/webhook HTTP/1.1\r\nHost: x\r\nContent-",
    b"POST /twitch/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
)


class Attack:
    """Keeps a thousand connections open, and opens others for those that are ended."""

    def __init__(
        self, address: tuple[str, int], source: str, tls: ssl.SSLContext | None = None
    ) -> None:
        self._address = address
        self._source = source
        self._tls = tls
        self._open: list[socket] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Attack":
        self._fill()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_opening()
        for one in self._open:
            one.close()

    def stop_opening(self) -> None:
        """Open no others from here on."""
        self._stopping.set()
        self._thread.join()

    def living(self) -> int:
        """How many of its connections the server has not ended."""
        self._drop_ended()
        return len(self._open)

    def _run(self) -> None:
        while not self._stopping.wait(0.5):
            self._drop_ended()
            self._fill()

    def _fill(self) -> None:
        for number in range(len(self._open), CONNECTIONS):
            with suppress(OSError):
                beginning = BEGINNINGS[number % len(BEGINNINGS)]
                one = create_connection(self._address, 0.5, source_address=(self._source, 0))
                if self._tls is not None and beginning:
                    one = self._tls.wrap_socket(one, server_hostname="localhost")
                one.sendall(beginning)
                one.setblocking(False)
                self._open.append(one)

    def _drop_ended(self) -> None:
        living = []
        for one in self._open:
            try:
                if one.recv(4096):
                    living.append(one)
                    continue
            except (BlockingIOError, ssl.SSLWantReadError):
                living.append(one)
                continue
            except OSError:
                pass
            one.close()
        self._open = living


class FromAddress(HTTPAdapter):
    """Connects from one of this machine's addresses."""

    def __init__(self, source: str) -> None:
        self._source = source
        super().__init__()

    def init_poolmanager(self, *arguments: object, **options: object) -> None:
        super().init_poolmanager(*arguments, source_address=(self._source, 0), **options)


class Found(NamedTuple):
    """How many answers there were of each status, and after how long the slowest came."""

    statuses: Counter[str]
    slowest_seconds: float


def send(url: str, source: str, seconds: float, *, verify: str | bool = True) -> Found:
    """Webhooks for so long, each on a connection of its own: what became of them."""
    statuses: Counter[str] = Counter()
    slowest, ends = 0.0, time.monotonic() + seconds
    while time.monotonic() < ends:
        message, begun = Message(), time.monotonic()
        with requests.Session() as session:
            session.trust_env = False
            session.mount(url, FromAddress(source))
            try:
                answer = session.post(
                    f"{url}/twitch/webhook",
                    data=message.content(),
                    headers=message.headers(),
                    timeout=5,
                    verify=verify,
                )
                statuses[str(answer.status_code)] += 1
            except requests.RequestException as error:
                statuses[type(error).__name__] += 1
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(0.005)
    return Found(statuses, slowest)


def add_addresses() -> None:
    """Give this network namespace its addresses."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in (ATTACKER, OTHER, SERVER):
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)


def main() -> None:
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    add_addresses()
    module = Module(
        folder,
        DB_URI="sqlite://storage.db",
        WORKER="off",
        HOST="0.0.0.0",  # noqa: S104  # nobody else is in this namespace
        CONNECTIONS_PER_ADDRESS="100",
    )
    module.wait_until_ready()
    try:
        with Attack((SERVER, module.port), ATTACKER) as attack:
            result = send(f"http://{SERVER}:{module.port}", OTHER, seconds)
            attack.stop_opening()
            wait_until(lambda: attack.living() <= int(module.setting("CONNECTIONS_PER_ADDRESS")))
    finally:
        module.stop()
    print(json.dumps(result._asdict()))


if __name__ == "__main__":
    main()
