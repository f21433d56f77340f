"""clients/http.py against servers that behave badly."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from apps.twitch_module.clients.http import HTTPClient
from apps.twitch_module.errors import CallFailed

Serve = Callable[[socket.socket], None]


@contextmanager
def server(*conversations: Serve) -> Iterator[str]:
    """A server that holds one conversation per connection, in this order; its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        for converse in conversations:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    converse(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits in accept
    listener.close()
    thread.join(timeout=5)


def read_request(connection: socket.socket) -> bytes:
    """The whole request, whose body is {}: closing on unread bytes would reset the connection."""
    received = b""
    while not received.endswith(b"{}") and (part := connection.recv(65536)):
        received += part
    return received


def answers(*parts: bytes, pause: float = 0.0) -> Serve:
    """Reads a request and sends these parts."""

    def converse(connection: socket.socket) -> None:
        read_request(connection)
        for part in parts:
            connection.sendall(part)
            if pause:
                time.sleep(pause)

    return converse


def drips(data: bytes) -> Serve:
    """Sends an answer that begins well and goes on byte by byte, for ever."""

    def converse(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(data)
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)

    return converse


def code(client: HTTPClient, url: str) -> str:
    with pytest.raises(CallFailed) as caught:
        client.call("POST", url, data=b"{}")
    assert url not in str(caught.value)
    return caught.value.code


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_a_complete_answer_is_returned_as_received() -> None:
    with server(
        answers(b"HTTP/1.1 201 Made\r\nX-One: 1\r\nContent-Length: 3\r\n\r\n\xffab")
    ) as url:
        answer = HTTPClient(1).call("POST", url, data=b"{}")

    assert (201, b"\xffab") == (answer.status, answer.body)
    assert answer.headers["x-one"] == "1"


def test_connections_are_kept_alive() -> None:
    accepted = []

    def converse(connection: socket.socket) -> None:
        accepted.append(connection)
        while read_request(connection):
            connection.sendall(OK)

    client = HTTPClient(1)
    with server(converse, converse) as url:
        for _ in range(3):
            assert client.call("POST", url, data=b"{}").body == b"ok"
        client._session.close()

    assert len(accepted) == 1


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_an_answer_that_ends_the_connection_is_read_to_its_end(head: bytes) -> None:
    with server(*[answers(head, b"ok", pause=0.02)] * 3) as url:
        client = HTTPClient(1)

        assert [b"ok"] * 3 == [client.call("POST", url, data=b"{}").body for _ in range(3)]


def test_a_connection_that_the_server_has_closed_is_replaced() -> None:
    client = HTTPClient(1)
    closed = threading.Event()

    def closes(connection: socket.socket) -> None:
        answers(OK)(connection)
        connection.close()
        closed.set()

    with server(closes, answers(OK)) as url:
        client.call("POST", url, data=b"{}")
        assert closed.wait(5)

        assert client.call("POST", url, data=b"{}").body == b"ok"


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Endless: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff00\r\n",
    ],
)
def test_an_answer_that_drips_is_cut_at_the_deadline(start: bytes) -> None:
    started = time.monotonic()
    with server(drips(start)) as url:
        assert code(HTTPClient(1, total_seconds=0.6), url) in ("timeout", "broken_answer")

    assert 0.5 < time.monotonic() - started < 2


def test_a_server_that_never_answers_is_given_up_at_the_deadline() -> None:
    silence = threading.Event()
    started = time.monotonic()
    with server(lambda connection: silence.wait(5) and None) as url:
        assert code(HTTPClient(1, total_seconds=0.5), url) == "timeout"
        silence.set()

    assert 0.4 < time.monotonic() - started < 2


def test_endless_interim_answers_end_at_the_deadline() -> None:
    with server(answers(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 100, pause=0.02)) as url:
        assert code(HTTPClient(1, total_seconds=0.5), url) == "timeout"


def test_an_answer_that_is_too_large_is_not_read_and_its_connection_not_used_again() -> None:
    sent = 0

    def floods(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        for _ in range(1024):
            connection.sendall(b"x" * 1048576)
            sent += 1048576

    client = HTTPClient(1)
    before = psutil.Process().memory_info().rss
    with server(floods, answers(OK)) as url:
        assert code(client, url) == "answer_too_large"
        assert client.call("POST", url, data=b"{}").body == b"ok"

    assert sent < 64 * 1048576
    assert psutil.Process().memory_info().rss - before < 20 * 1048576


def test_a_compressed_answer_is_not_unpacked() -> None:
    packed = b"\x1f\x8b" + b"x" * 20
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 22\r\n\r\n"
    with server(answers(head + packed)) as url:
        assert HTTPClient(1).call("POST", url, data=b"{}").body == packed


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    reached = []
    with server(lambda connection: reached.append(connection)) as other:
        redirect = f"HTTP/1.1 {status} Go\r\nLocation: {other}\r\nContent-Length: 0\r\n\r\n"
        with server(answers(redirect.encode())) as url:
            assert HTTPClient(1).call("POST", url, data=b"{}").status == status

    assert [] == reached


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([b""], "unreachable"),
        ([b"nonsense\r\n\r\n"], "unreachable"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"], "broken_answer"),
        ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n"], "unreachable"),
    ],
)
def test_an_answer_that_is_not_whole_is_a_failed_call(parts: list[bytes], expected: str) -> None:
    with server(answers(*parts)) as url:
        assert expected == code(HTTPClient(1), url)


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with server() as url:
        pass

    assert "unreachable" == code(HTTPClient(1), url)


def test_what_a_caller_is_dealing_with_is_not_taken_for_the_cause() -> None:
    with server() as url:
        pass
    try:
        raise TimeoutError("of somebody else")
    except TimeoutError:
        assert "unreachable" == code(HTTPClient(1), url)


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    assert "unreachable" == code(HTTPClient(1), "http://nowhere.invalid/")


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path_factory: object) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def speaks_tls_badly(connection: socket.socket) -> None:
        # A server without a certificate: the handshake fails as with one that is not trusted.
        context.wrap_socket(connection, server_side=True)

    with server(speaks_tls_badly) as url:
        assert "tls_failed" == code(HTTPClient(1), url.replace("http:", "https:"))


def test_cookies_and_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    requests = []

    def notes(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )

    client = HTTPClient(1)
    with server(notes, notes) as url:
        client.call("POST", url, data=b"{}")
        client.call("POST", url, data=b"{}")

    assert not any(b"cookie" in request.lower() for request in requests)
