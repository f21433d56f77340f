"""A closed-loop load generator: connections that each send the next request on an answer."""

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """What a run showed: counts by status, and the latencies in seconds, sorted."""

    seconds: float
    statuses: dict[int, int]
    latencies: list[float]

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentile_ms(self, share: float) -> float:
        """The latency below which this share of the answers lies, in milliseconds."""
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)] * 1e3


class _Connection:
    __slots__ = ("received", "sent_at", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)


def run(port: int, requests: Sequence[bytes], connections: int) -> Result:
    """Send all requests to a port of this machine, one at a time on each connection.

    The requests are complete HTTP/1.1 texts; answers must have a Content-Length or no body.
    Raises ConnectionError when the server closes a connection.
    """
    selector = selectors.DefaultSelector()
    ahead = iter(requests)
    statuses: dict[int, int] = {}
    latencies: list[float] = []
    started = time.perf_counter()
    open_connections = 0
    for _, request in zip(range(connections), ahead, strict=False):
        connection = _Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(request)
        open_connections += 1
    while open_connections:
        for key, _ in selector.select(timeout=30):
            connection = key.data
            data = connection.socket.recv(65536)
            if not data:
                raise ConnectionError("the server closed a connection")
            connection.received += data
            status = _complete(connection.received)
            if status is None:
                continue
            latencies.append(time.perf_counter() - connection.sent_at)
            statuses[status] = statuses.get(status, 0) + 1
            connection.received = b""
            following = next(ahead, None)
            if following is None:
                selector.unregister(connection.socket)
                connection.socket.close()
                open_connections -= 1
            else:
                connection.send(following)
    return Result(time.perf_counter() - started, statuses, sorted(latencies))


def _complete(received: bytes) -> int | None:
    """The status of the answer once all of it is there."""
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return None
    position = head.lower().find(b"content-length:")
    if position >= 0:
        length = int(head[position + 15 :].split(b"\r\n", 1)[0])
        if len(body) < length:
            return None
    return int(head[9:12])
