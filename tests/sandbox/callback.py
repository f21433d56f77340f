"""A webhook receiver of a few lines: answers challenges, keeps what it gets."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Callback:
    """Answers the challenge with `challenge_answer` and other messages with the statuses of
    `statuses`, one after the other, then 204. `received` holds (headers, body) pairs."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.challenge_type = "text/plain"
        self.challenge_suffix = ""
        # Called with the challenge's body before it is answered.
        self.before_challenge_answer: Callable[[bytes], None] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def of_type(self, message_type: str) -> list[tuple[dict[str, str], bytes]]:
        name = "twitch-eventsub-message-type"
        return [one for one in list(self.received) if one[0][name] == message_type]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self.received.append((headers, body))
        challenge = json.loads(body).get("challenge")
        if challenge is not None:
            if self.before_challenge_answer:
                self.before_challenge_answer(body)
            return 200, (challenge + self.challenge_suffix).encode()
        return self.statuses.pop(0) if self.statuses else 204, b""

    def _handler(callback) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, answer = callback.answer(headers, body)
                self.send_response(status)
                self.send_header("Content-Type", callback.challenge_type)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
