"""HTTP as few clients speak it, at the real server: pipelining, Expect, chunks, broken bodies."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.messages import Message
from tests.processes import Module

CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Module]:
    folder: Path = tmp_path_factory.mktemp("corners")
    module = Module(folder, DB_URI=f"sqlite://{folder}/storage.db", WORKER="off")
    yield module.wait_until_ready()
    module.stop()


def head(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode()


def webhook(message: Message, **more: str) -> tuple[bytes, bytes]:
    """Head and body of a message, its length declared unless it is chunked."""
    body = message.content()
    framing = {} if "Transfer-Encoding" in more else {"Content-Length": str(len(body))}
    return head("POST", "/twitch/webhook", {**message.headers(), **framing, **more}), body


def in_chunks(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def talk(server: Module, *parts: bytes, shut: bool = True) -> bytes:
    """Sends these parts, says that nothing more comes, and gives all that is answered."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        for part in parts:
            connection.sendall(part)
        if shut:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


def statuses(received: bytes) -> list[int]:
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def stored(server: Module) -> set[str]:
    return {event["event_id"] for event in server.all("/twitch/events")}


def test_requests_in_a_pipeline_are_answered_in_their_order(server: Module) -> None:
    messages = [Message() for _ in range(3)]
    health = head("GET", "/twitch/health", {})
    nothing = head("GET", "/nothing", {"Connection": "close"})
    pipeline = health + b"".join(b"".join(webhook(one)) for one in messages) + health + nothing

    assert [200, 204, 204, 204, 200, 404] == statuses(talk(server, pipeline, shut=False))
    assert {one.message_id for one in messages} <= stored(server)


def test_who_expects_a_100_is_told_to_continue(server: Module) -> None:
    message = Message()
    begin, body = webhook(message, Expect="100-continue", Connection="close")
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(begin)
        told = connection.recv(65536)
        connection.sendall(body)
        answered = connection.recv(65536)

    assert b"HTTP/1.1 100 Continue\r\n\r\n" == told
    assert [204] == statuses(answered)
    assert message.message_id in stored(server)


def test_who_expects_a_100_for_too_much_is_refused_without_sending_it(server: Module) -> None:
    refused = head(
        "POST", "/twitch/webhook", {"Expect": "100-continue", "Content-Length": str(10**9)}
    )

    assert [413] == statuses(talk(server, refused))


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_chunked_message_is_taken(server: Module, size: int) -> None:
    message = Message()
    begin, body = webhook(message, **CHUNKED, Connection="close")

    assert [204] == statuses(talk(server, begin, in_chunks(body, size), shut=False))
    assert message.message_id in stored(server)


def test_chunks_beyond_the_limit_are_a_413(server: Module) -> None:
    begin = head("POST", "/twitch/webhook", {**CHUNKED, "Connection": "close"})
    body = in_chunks(b"x" * (256 * 1024 + 1), 60_000)

    assert [413] == statuses(talk(server, begin, body, shut=False))


@pytest.mark.parametrize(
    "broken",
    [
        b"zz\r\nab\r\n0\r\n\r\n",  # a length that is none
        b"-1\r\nab\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\nab",  # longer than any number
        b"5\r\nab\r\n0\r\n\r\n",  # fewer than it says
        b"2\r\nabXX0\r\n\r\n",  # no end of a line
        b"2\r\nab\r\n",  # no last chunk
    ],
)
def test_broken_chunks_are_refused_and_nothing_is_stored(server: Module, broken: bytes) -> None:
    message = Message()
    begin, _ = webhook(message, **CHUNKED)
    received = talk(server, begin, broken)

    assert all(400 <= status < 500 for status in statuses(received))
    assert message.message_id not in stored(server)
    assert 204 == server.post(message).status_code


def test_a_body_that_breaks_off_is_not_taken(server: Module) -> None:
    message = Message()
    begin, body = webhook(message)
    received = talk(server, begin, body[:-1])

    assert all(400 <= status < 500 for status in statuses(received))
    assert message.message_id not in stored(server)


@pytest.mark.parametrize(
    "framing",
    [
        {"Content-Length": "5", "Transfer-Encoding": "chunked"},
        {"Transfer-Encoding": "gzip"},
        {"Transfer-Encoding": "chunked, gzip"},
        {"Content-Length": "5\r\nContent-Length: 6"},
        {"Content-Length ": "5"},
    ],
    ids=lambda framing: ", ".join(f"{name}: {text}" for name, text in framing.items()),
)
def test_no_second_request_hides_in_an_ambiguous_body(
    server: Module, framing: dict[str, str]
) -> None:
    hidden = b"GET /twitch/health HTTP/1.1\r\nHost: x\r\n\r\n"
    received = talk(
        server, head("POST", "/api/auth/logout", framing), b"0\r\n\r\n" + hidden, shut=False
    )

    assert 1 == len(statuses(received)), received
    assert 400 <= statuses(received)[0] < 500


def test_a_request_of_http_1_0_is_answered_and_the_connection_ends(server: Module) -> None:
    assert talk(server, b"GET /twitch/health HTTP/1.0\r\n\r\n", shut=False).startswith(
        b"HTTP/1.0 200"
    )
