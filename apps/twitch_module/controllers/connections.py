"""Ends connections when somebody has too many, or when they run short.

granian accepts and reads connections in Rust, and shows the application none before its first
request is whole. But they are files of this process: the kernel says whose each is and for how
long it has been idle, and a connection that is shut down is, to granian, one whose client has gone.
"""

import os
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import structlog

from ..domain.connections import Connection, superfluous

LOOK_SECONDS = 0.25
LINE_SECONDS = 10.0  # between two lines of the log
# A process without many files has not many connections: then nobody looks at each of them.
_FEW_FILES = 192

# Of struct tcp_info (linux/tcp.h): tcpi_last_data_sent, _last_ack_sent, _last_data_recv, in ms.
_TCP_INFO = struct.Struct("=44x3I")

log = structlog.get_logger("connections")


class ConnectionWatch:
    """Looks at the connections of this process four times a second. On Linux; elsewhere never."""

    def __init__(
        self, port: int, *, most: int, per_address: int, is_exempt: Callable[[str], bool]
    ) -> None:
        """`port` is where the server listens; the rest as `domain.connections.superfluous` has."""
        self._port = port
        self._most = most
        self._per_address = per_address
        self._is_exempt = is_exempt
        self._ended: Counter[str] = Counter()  # by address, since the last line
        self._line_at = 0.0

    def start(self) -> None:
        """Begin, on a thread of its own."""
        if sys.platform == "linux":
            threading.Thread(target=self._run, name="connections", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            try:
                self._look()
            except Exception:  # a fault in one look must not end all others
                log.exception("connections not looked at")
                time.sleep(LINE_SECONDS)

    def _look(self) -> None:
        files = os.listdir("/proc/self/fd")
        if len(files) > min(_FEW_FILES, self._per_address):
            for connection in superfluous(
                self._connections(map(int, files)),
                most=self._most,
                per_address=self._per_address,
                is_exempt=self._is_exempt,
            ):
                if _end(connection):
                    self._ended[connection.address] += 1
        if self._ended and time.monotonic() > self._line_at:
            self._line_at = time.monotonic() + LINE_SECONDS
            address, most = self._ended.most_common(1)[0]
            log.warning("connections ended", number=self._ended.total(), of=address, his=most)
            self._ended.clear()

    def _connections(self, files: Iterator[int]) -> Iterator[Connection]:
        for file in files:
            with suppress(OSError):  # no socket, closed meanwhile, or the one that listens
                one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=file)
                try:
                    if one.getsockname()[1:2] == (self._port,):  # those of Unix have a name
                        address, port = one.getpeername()[:2]
                        yield Connection(file, address, port, _idle_ms(one))
                finally:
                    one.detach()  # it is granian's


def _idle_ms(connection: socket.socket) -> int:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    sent, _, received = _TCP_INFO.unpack(info)
    return int(min(sent, received))


def _end(connection: Connection) -> bool:
    """Shut it down, unless it has gone by itself: its number may be another file's by now."""
    with suppress(OSError), socket.socket(fileno=os.dup(connection.file)) as held:
        if held.getpeername()[:2] == (connection.address, connection.port):
            held.shutdown(socket.SHUT_RDWR)
            return True
    return False
