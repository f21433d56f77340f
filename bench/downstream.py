"""A WaddleBot that answers after 20 ms: `python -m bench.downstream PORT`.

The context API under /context, the reputation API under /reputation, as the contract has them.
Everything else, such as Twitch's API, is "unavailable" at once.
"""

import asyncio
import json
import sys
import zlib

DELAY_SECONDS = 0.020


class Connection(asyncio.Protocol):
    """Answers one request after the other; each after the delay."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A new, empty connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answer, once all of a request is there."""
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            return
        self._received = b""
        path = head.split(b" ", 2)[1]
        answer = _answer(path, body)
        wait = DELAY_SECONDS if answer else 0.0
        asyncio.get_running_loop().call_later(wait, self._send, answer or _UNAVAILABLE)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


_UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


def _answer(path: bytes, body: bytes) -> bytes | None:
    if path == b"/context":
        name = json.loads(body)["identity_name"]
        data = {
            "identity_id": zlib.crc32(name.encode()),
            "identity_name": name,
            "namespace_id": 1,
            "namespace_name": "waddle",
        }
        return _ok({"msg": "Here is the context", "data": data})
    if path == b"/reputation":
        return _ok({"msg": "Reputation noted", "status": 200, "data": {"score": 100}})
    return None


def _ok(value: dict[str, object]) -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _length(head: bytes) -> int:
    position = head.lower().find(b"content-length:")
    return int(head[position + 15 :].split(b"\r\n", 1)[0]) if position >= 0 else 0


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
