"""Faults on order: how a played API misbehaves, for the next calls of one path."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from .exchange import Answer

HTML = b"<!doctype html><title>Bad gateway</title><h1>Nothing to see here</h1>"


@dataclass
class Fault:
    """One kind of misbehaviour. `times` counts down; -1 stays until it is cleared."""

    path: str
    times: int = 1
    # So many calls are answered as usual before the first that is disturbed.
    skip: int = 0
    # None disturbs every method of the path.
    method: str | None = None
    status: int | None = None
    # Added to the answer, whoever gives it.
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    # Seconds before the answer.
    delay: float = 0.0
    # Seconds between the bytes of the answer.
    drip: float = 0.0
    # The connection ends in the middle of the answer.
    hang_up: bool = False
    # A page of HTML where JSON belongs; 200 unless a status is named.
    garbage: bool = False
    # The API acts first and the fault comes then: done, but the caller cannot know.
    after: bool = False

    def disturb(self, act: Callable[[], Answer]) -> Answer:
        """The disturbed answer; `act` lets the API do its work, and may never be called."""
        if self.after:
            answer = act()
            time.sleep(self.delay)
            answer = self._replacement() or answer
        else:
            time.sleep(self.delay)
            answer = self._replacement() or act()
        answer.headers.update({name: str(value) for name, value in self.headers.items()})
        if self.hang_up:
            return _cut_off(answer)
        return _dripping(answer, self.drip) if self.drip else answer

    def _replacement(self) -> Answer | None:
        if self.garbage:
            headers = {"Content-Type": "text/html; charset=utf-8"}
            return Answer(self.status or 200, HTML, headers)
        if self.status is None and self.body is None and not self.hang_up:
            return None
        body = (self.body or "").encode("utf-8", "replace")
        return Answer(self.status or 200, body, {"Content-Type": _kind(body)})


def fault_from(order: dict[str, Any]) -> Fault:
    """The fault that a JSON order describes; ValueError says what is wrong with it."""
    try:
        fault = Fault(**order)
    except TypeError as error:
        raise ValueError("unknown field, or no path") from error
    if not isinstance(fault.path, str) or not fault.path.startswith("/sandbox/"):
        raise ValueError("path must begin with /sandbox/")
    if not isinstance(fault.times, int) or fault.times == 0:
        raise ValueError("times must be a number of calls, or -1")
    if not isinstance(fault.skip, int) or fault.skip < 0:
        raise ValueError("skip must be a number of calls")
    if not all(isinstance(one, int | float) and one >= 0 for one in (fault.delay, fault.drip)):
        raise ValueError("delay and drip must be seconds")
    if fault.status is not None and fault.status not in range(200, 600):
        raise ValueError("status must be between 200 and 599")
    if not isinstance(fault.headers, dict) or not isinstance(fault.body, str | None):
        raise ValueError("headers must be an object, body a text")
    return fault


class Faults:
    """The faults that wait, consumed in the order in which they were ordered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this call, if one waits; uses up one of its times."""
        with self._lock:
            for fault in self._waiting:
                if fault.path == path and fault.method in (None, method) and fault.times != 0:
                    if fault.skip > 0:
                        fault.skip -= 1
                        return None
                    if fault.times > 0:
                        fault.times -= 1
                    self._waiting = [one for one in self._waiting if one.times != 0]
                    return fault
        return None

    def left(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]

    def clear(self, path: str | None) -> None:
        with self._lock:
            self._waiting = [one for one in self._waiting if path and one.path != path]


def _kind(body: bytes) -> str:
    try:
        json.loads(body or b"x")
    except ValueError:
        return "text/plain; charset=utf-8"
    return "application/json; charset=utf-8"


def _cut_off(answer: Answer) -> Answer:
    """Promises more bytes than come, so that the end of the connection is no complete answer."""
    promised = str(len(answer.body) + 100)
    answer.stream = iter([answer.body[: len(answer.body) // 2] or b"{"])
    answer.headers.update({"Content-Length": promised, "Connection": "close"})
    return answer


def _dripping(answer: Answer, seconds: float) -> Answer:
    def drops(body: bytes) -> Iterator[bytes]:
        for place in range(len(body)):
            time.sleep(seconds)
            yield body[place : place + 1]

    answer.headers["Content-Length"] = str(len(answer.body))
    answer.stream = drops(answer.body)
    return answer
