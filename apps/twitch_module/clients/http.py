"""HTTP calls out, with walls: a deadline for the whole call, a limit on what is read.

`requests` takes a timeout for each read, so that an answer which drips byte by byte never
ends. Here the deadline is kept by the socket's reader itself, headers included.
"""

import http.client
import io
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ..errors import CallFailed
from ..version import VERSION

CONNECT_SECONDS = 3.0
MAX_ANSWER_BYTES = 64 * 1024

LOOK_SECONDS = 0.25  # how often a call that waits looks whether it may go on

_call = threading.local()  # .left: how many seconds this thread's call still has


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: status, headers (any case) and the body as received."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _DeadlineReader(io.RawIOBase):
    """Reads a socket until the call's deadline, however the bytes come in.

    `file` is the socket's own reader, held because it keeps the socket open: http.client closes
    its end at once when the server says that it will close the connection.
    """

    def __init__(self, sock: socket.socket, file: Any) -> None:
        self._socket = sock
        self._file = file

    def close(self) -> None:
        self._file.close()
        super().close()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while (left := _call.left()) > 0:
            self._socket.settimeout(min(left, LOOK_SECONDS))
            with suppress(TimeoutError):
                return self._socket.recv_into(buffer)
        raise TimeoutError("the answer did not come to its end in time")


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_DeadlineReader(sock, self.fp))


class _Connection(HTTPConnection):
    response_class = _Response


class _TLSConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


class HTTPClient:
    """Makes HTTP calls with kept-alive connections. Thread-safe; blocks until the deadline.

    Redirects are not followed, TLS is verified, proxies and .netrc of the environment are
    not used, cookies are not kept.
    """

    def __init__(
        self,
        connections: int,
        *,
        total_seconds: float = 10.0,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        """`connections` to one host are kept at most; `total_seconds` is for a whole call."""
        self._total_seconds = total_seconds
        self._max_answer_bytes = max_answer_bytes
        self._ends_at = float("inf")  # when every call must be over (monotonic seconds)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.clear()
        # "identity": a compressed answer could be small on the wire and huge in memory.
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.headers["User-Agent"] = f"WaddleBot-twitch/{VERSION}"
        adapter = _Adapter(pool_connections=4, pool_maxsize=connections, max_retries=0)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)

    def wind_down(self, seconds: float) -> None:
        """End every call within so many seconds, for good: the process is to end."""
        self._ends_at = min(self._ends_at, time.monotonic() + seconds)

    def call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **content: Any
    ) -> Answer:
        """The complete answer to this call. `content` is what requests takes: data, json, params.

        Raises CallFailed with one of the codes `timeout`, `unreachable`, `tls_failed`,
        `broken_answer` or `answer_too_large`; its message holds no address and no content.
        """
        ends = time.monotonic() + self._total_seconds
        _call.left = lambda: min(ends, self._ends_at) - time.monotonic()
        handled = sys.exc_info()[1]  # the caller's own exception is not the cause of this one
        try:
            with self._session.request(
                method,
                url,
                headers=headers,
                timeout=(CONNECT_SECONDS, self._total_seconds),
                allow_redirects=False,
                stream=True,
                **content,
            ) as response:
                body = _read(response.raw, self._max_answer_bytes)
                return Answer(response.status_code, response.headers, body)
        except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) as error:
            raise CallFailed("no complete answer in time", code="timeout") from error
        except requests.exceptions.SSLError as error:
            raise CallFailed("the certificate is not accepted", code="tls_failed") from error
        except requests.ConnectionError as error:
            if isinstance(_root(error, handled), TimeoutError):
                raise CallFailed("no complete answer in time", code="timeout") from error
            raise CallFailed("no connection, or it broke", code="unreachable") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise CallFailed("the answer is not whole HTTP", code="broken_answer") from error


def _read(raw: Any, max_bytes: int) -> bytes:
    """The whole body. Only the read after the last byte tells that none is missing."""
    body = b""
    while part := raw.read(max_bytes + 1 - len(body), decode_content=False):
        body += part
        if len(body) > max_bytes:
            raw.close()  # not back to the pool: the rest is still on the wire
            raise CallFailed("the answer is too large", code="answer_too_large")
    return body


def _root(error: BaseException, handled: BaseException | None) -> BaseException:
    """Where a chain of errors began, after what was being handled before."""
    while (cause := error.__cause__ or error.__context__) not in (None, handled):
        error = cause
    return error
