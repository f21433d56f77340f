"""Takes one redirect of a browser on this machine, where the wizard waits for it."""

import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ...settings import LOOPBACK
from ..terminal import say
from .failure import SetupFailed
from .redirect import query_of
from .redirect_page import page, policy

_ANSWER_SECONDS = 2.0  # for a browser to read the page, before the wizard goes on


class RedirectListener:
    """Listens on a loopback address until a browser comes to it."""

    def __init__(self, redirect_uri: str) -> None:
        """Raises SetupFailed when nothing can listen there."""
        host, port, path = _on_this_machine(redirect_uri)
        self._came, self._tell = socket.socketpair()
        self.query = ""
        # Browsers try the other one where localhost is ::1 as well and nobody listens there.
        address = "127.0.0.1" if host == "localhost" else host
        server_type = _ServerIPv6 if ":" in address else _Server
        try:
            self._server = server_type((address, port), _Handler)
        except OSError as error:
            raise SetupFailed(
                f"Port {port} cannot be listened on ({error.strerror})."
                " Stop what listens there, or use --redirect-uri with another port, or --paste"
            ) from error
        self._server.path = path
        self._server.take = self.take
        self._server.answered = threading.Event()

    def take(self, query: str) -> None:
        """Keep what the first browser brought."""
        if not self.query:
            self.query = query
            self._tell.send(b"!")

    @contextmanager
    def listening(self) -> Iterator["RedirectListener"]:
        """Answer browsers on a thread, until the block ends."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._came.close()
            self._tell.close()

    def wait(self, seconds: float) -> str | None:
        """The query of the redirect, or of an address pasted meanwhile; None when none came."""
        ends = time.monotonic() + seconds
        watched: list[Any] = [self._came, sys.stdin]
        while (left := ends - time.monotonic()) > 0:
            ready = select.select(watched, [], [], left)[0]
            if self._came in ready:
                self._server.answered.wait(_ANSWER_SECONDS)
                return self.query
            if sys.stdin in ready:
                line = sys.stdin.readline()
                if not line:  # nobody types any more
                    watched.remove(sys.stdin)
                elif query := query_of(line):
                    return query
                elif line.strip():
                    say("That is not the address to which Twitch has redirected")
        return None


def _on_this_machine(redirect_uri: str) -> tuple[str, int, str]:
    """Host, port and path of an address where we can listen. Raises SetupFailed."""
    try:
        parts = urlsplit(redirect_uri)
        if parts.scheme == "http" and parts.hostname in LOOPBACK:
            return parts.hostname or "", parts.port or 80, parts.path or "/"
    except ValueError:
        pass  # it is no address at all
    raise SetupFailed(
        f"{redirect_uri} is not on this machine. Use http://localhost:PORT/..., or --paste"
    )


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    # A browser opens connections that it does not use: they must hold up neither us nor the end.
    daemon_threads = True
    block_on_close = False
    path: str  # the only one that is answered
    take: Callable[[str], None]
    answered: threading.Event  # the browser has its page

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that hangs up."""


class _ServerIPv6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    timeout = 10  # seconds for a browser that says nothing
    server: _Server

    def do_GET(self) -> None:
        """Take the query, and say where it goes on. Nothing of it is shown."""
        parts = urlsplit(self.path)
        if parts.path != self.server.path or not parts.query:
            self.send_error(404)
            return
        # Before the answer: what is typed once the page is there is no pasted address.
        self.server.take(parts.query)
        self._answer(page(has_code="code" in parse_qs(parts.query)))
        self.server.answered.set()

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(content))),
            ("Content-Security-Policy", policy()),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the line would hold the code."""
