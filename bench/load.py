"""The load generator: prepared requests over kept-alive connections, in one thread.

Closed loop: each connection sends the next request as soon as it has its answer, which shows
how much a server can do. Open loop: requests are sent at a fixed rate, whatever the server
does, and a latency counts from when its request was due: which shows what Twitch would see.
"""

import gc
import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

STALLED_SECONDS = 30  # without any answer
# For so long it asks again and again before it sleeps: a server on another core would pay for
# waking it, the more the slower it answers.
AWAKE_SECONDS = 0.002


@dataclass(frozen=True)
class Result:
    """What a run showed: counts by status, and the latencies in seconds, sorted."""

    seconds: float
    statuses: dict[int, int]
    latencies: list[float]
    busy: float  # the share of the time in which the generator itself was computing

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentile_ms(self, share: float) -> float:
        """The latency below which this share of the answers lies, in milliseconds."""
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)] * 1e3


class _Connection:
    __slots__ = ("begun", "descriptor", "received", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(None)  # otherwise Python polls before each call
        self.descriptor = self.socket.fileno()
        self.received = b""
        self.begun = 0.0  # when the request was sent, or was due


class _Load:
    """Connections, and what came back over them."""

    def __init__(self, port: int, connections: int, awake_seconds: float) -> None:
        self.awake_seconds = awake_seconds
        self.idle = deque(_Connection(port) for _ in range(connections))
        self.all = {connection.descriptor: connection for connection in self.idle}
        self.epoll = select.epoll()
        for descriptor in self.all:
            self.epoll.register(descriptor, select.EPOLLIN)
        self.statuses: dict[int, int] = {}
        self.latencies: list[float] = []

    def close(self) -> None:
        self.epoll.close()
        for connection in self.all.values():
            connection.socket.close()

    def answered(self, timeout: float) -> Iterator[_Connection]:
        """The connections whose answers are complete by now, counted; waits for the first bytes.

        Raises ConnectionError when the server closes a connection, and TimeoutError.
        """
        sleeps_at = time.perf_counter() + self.awake_seconds
        while not (ready := self.epoll.poll(0)) and time.perf_counter() < sleeps_at:
            pass
        ready = ready or self.epoll.poll(timeout)
        if not ready:
            raise TimeoutError("the server does not answer any more")
        for descriptor, _ in ready:
            connection = self.all[descriptor]
            data = connection.socket.recv(1 << 18)
            if not data:
                raise ConnectionError("the server closed a connection")
            if connection.received:
                data = connection.received + data
            if not _is_complete(data):
                connection.received = data
                continue
            connection.received = b""
            self.latencies.append(time.perf_counter() - connection.begun)
            status = int(data[9:12])
            self.statuses[status] = self.statuses.get(status, 0) + 1
            yield connection


def run(
    port: int,
    requests: Sequence[bytes],
    connections: int,
    *,
    seconds: float = 600,
    awake: bool = False,
) -> Result:
    """Closed loop: send all requests, one at a time on each connection.

    `awake` when nobody else needs this core: see AWAKE_SECONDS.

    The requests are complete HTTP/1.1 texts; answers must have a Content-Length or no body.
    After so many seconds nothing more is sent. Raises ConnectionError.
    """
    awake_seconds = AWAKE_SECONDS if awake else 0.0
    with _running(port, min(connections, len(requests)), awake_seconds) as (load, result):
        ahead = iter(requests)
        started = time.perf_counter()
        for connection in load.idle:
            connection.begun = time.perf_counter()
            connection.socket.sendall(next(ahead))
        waiting = len(load.idle)
        while waiting:
            for connection in load.answered(STALLED_SECONDS):
                following = next(ahead, None)
                if following is None or time.perf_counter() - started > seconds:
                    waiting -= 1
                else:
                    connection.begun = time.perf_counter()
                    connection.socket.sendall(following)
    return result[0]


def run_at(port: int, requests: Sequence[bytes], connections: int, per_second: float) -> Result:
    """Open loop: send the requests at this rate. Raises ConnectionError."""
    with _running(port, connections) as (load, result):
        idle, interval = load.idle, 1 / per_second
        sent, due = 0, time.perf_counter()
        while len(load.latencies) < len(requests):
            now = time.perf_counter()
            while sent < len(requests) and due <= now and idle:
                connection = idle.popleft()  # in turns: the server closes those that stay idle
                connection.begun = due
                connection.socket.sendall(requests[sent])
                sent, due = sent + 1, due + interval
            if sent == len(requests) or not idle:
                idle.extend(load.answered(STALLED_SECONDS))
            # epoll alone waits whole milliseconds.
            elif select.select([load.epoll], (), (), max(due - time.perf_counter(), 0))[0]:
                idle.extend(load.answered(STALLED_SECONDS))
    return result[0]


@contextmanager
def _running(
    port: int, connections: int, awake_seconds: float = 0.0
) -> Iterator[tuple[_Load, list[Result]]]:
    """Connections for a run; at its end the list holds the result."""
    load, result = _Load(port, connections, awake_seconds), []
    gc.collect()
    gc.disable()
    started, computed = time.perf_counter(), time.process_time()
    try:
        yield load, result
        seconds = time.perf_counter() - started
        busy = (time.process_time() - computed) / seconds
        result.append(Result(seconds, load.statuses, sorted(load.latencies), busy))
    finally:
        gc.enable()
        load.close()


def _is_complete(received: bytes) -> bool:
    """Whether all of an answer is there."""
    if received.endswith(b"\r\n\r\n") and received[9:12] == b"204":
        return True
    head, separator, body = received.partition(b"\r\n\r\n")
    position = head.lower().find(b"content-length:")
    if not separator:
        return False
    return position < 0 or len(body) >= int(head[position + 15 :].split(b"\r\n", 1)[0])
