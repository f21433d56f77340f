"""A module whose database lies on a small disk, which somebody else fills, and empties again.

Run in a mount namespace of its own:

    unshare --map-root-user --mount python -m tests.e2e.process.full_disk FOLDER

Prints, as JSON, what became of the webhooks in each phase, and of the activities at the end.
"""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import requests

from apps.twitch_module.domain.delivery.waddlebot import idempotency_key
from tests.messages import BROADCASTER, Message, person
from tests.processes import Module, Sandbox, start_sandbox, wait_until

from ..conftest import addresses

DISK = "32m"
FULL_SECONDS = 2.0
RECOVERY_SECONDS = 5.0
FURTHER = 3000  # events after that: more than fit, were the disk's space never given back
SENDERS = 8


class Senders:
    """Twitch: messages without end; what is refused comes again."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._refused: dict[str, Message] = {}
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(SENDERS)]
        self.phase = "empty"
        self.statuses: Counter[tuple[str, str]] = Counter()
        self.acknowledged: set[str] = set()

    def __enter__(self) -> "Senders":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _send(self, number: int) -> None:
        with requests.Session() as session:
            for count in range(1_000_000):
                if self._stopping.is_set():
                    return
                message = self._next(f"90{number}{count % 40:03}", count + 1, again=count % 3 == 0)
                answer = session.post(
                    self._module.url + "/twitch/webhook",
                    data=message.content(),
                    headers=message.headers(),
                    timeout=10,
                )
                with self._lock:
                    self.statuses[self.phase, str(answer.status_code)] += 1
                    if answer.status_code == 204:
                        self.acknowledged.add(message.message_id)
                    else:
                        self._refused[message.message_id] = message
                self._stopping.wait(0 if answer.status_code == 204 else 0.05)

    def _next(self, user: str, bits: int, *, again: bool) -> Message:
        with self._lock:
            if again and self._refused:
                return self._refused.popitem()[1]
        who = person("user", {"id": user, "login": f"viewer{user}", "name": f"Viewer{user}"})
        event = {**who, **person("broadcaster_user", BROADCASTER), "message": "x" * 200}
        return Message("channel.cheer", {**event, "is_anonymous": False, "bits": bits})

    def count(self, phase: str, status: str) -> int:
        """How many answers there were of this status."""
        return self.statuses[phase, status]


def fill(disk: Path) -> Path:
    """Keep the disk full for a while; the file that does it."""
    ballast = disk / "ballast"
    until = time.monotonic() + FULL_SECONDS
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096):
            with suppress(OSError):
                while True:
                    file.write(b"\0" * size)
        while time.monotonic() < until:  # whatever becomes free is taken
            with suppress(OSError):
                file.write(b"\0" * 4096)
            time.sleep(0.005)
    return ballast


def run(disk: Path, module: Module, sandbox: Sandbox) -> dict[str, Any]:
    """The phases one after the other; what came of them."""
    with Senders(module) as senders:
        wait_until(lambda: senders.count("empty", "204") >= 300)
        senders.phase = "full"
        ballast = fill(disk)
        senders.phase = "freed"
        ballast.unlink()
        wait_until(lambda: senders.count("freed", "204") > 0, seconds=RECOVERY_SECONDS)
        wait_until(lambda: senders.count("freed", "204") >= FURTHER, seconds=30)
    wait_until(lambda: states(disk) == {"delivered"}, seconds=15)
    had_effect = {
        call["headers"]["idempotency-key"]
        for call in sandbox.control("received")["received"]
        if call["api"] == "reputation" and call["status"] == 200
    }
    activities = rows(disk, "SELECT event_id, activity_type FROM twitch_activities")
    return {
        "refused while full": senders.count("full", "503"),
        "lost": len(senders.acknowledged - {event_id for event_id, _ in activities}),
        "without effect": sum(idempotency_key(*one) not in had_effect for one in activities),
        "integrity": rows(disk, "PRAGMA integrity_check")[0][0],
        "process": module.process.poll(),
    }


def rows(disk: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(disk / "storage.db")) as connection:
        return connection.execute(sql).fetchall()


def states(disk: Path) -> set[str]:
    return {status for (status,) in rows(disk, "SELECT DISTINCT status FROM twitch_activities")}


def main() -> None:
    folder = Path(sys.argv[1])
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", disk], check=True)
    sandbox = start_sandbox()
    with (folder / "log").open("wb") as log:  # a log of 8 KB a refusal, say, has a test of its own
        module = Module(
            disk, output=log.fileno(), DB_URI="sqlite://storage.db", **addresses(sandbox)
        )
        try:
            module.wait_until_ready()
            module.watch(BROADCASTER["id"])
            result = run(disk, module, sandbox)
        finally:
            module.stop()
            sandbox.stop()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
