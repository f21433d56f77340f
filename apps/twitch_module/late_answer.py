"""Answering after the application has returned, so that no thread waits for a commit.

WSGI (PEP 3333) has no way for that; granian, our server, has: it sends an answer whenever it is
given one. An application that finds ANSWER_AFTER in its environment may return at once what is
to be answered if all goes well, and have it sent when that is known.
"""

from collections.abc import Callable
from typing import Any

from .services.group_commit import Commitment

ANSWER_AFTER = "waddlebot.answer_after"

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]  # status, headers, body


class WayBack:
    """What granian's caller of the application answers with, for one request."""

    __slots__ = ("_after", "_protocol")

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._after: tuple[Commitment, Callable[[BaseException], Answer]] | None = None

    def answer_after(
        self, commitment: Commitment, refusal: Callable[[BaseException], Answer]
    ) -> None:
        """Answer when this is kept: what is returned, or what `refusal` makes of the error."""
        self._after = commitment, refusal

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Send an answer, now or later."""
        send = self._protocol.response_bytes
        if self._after is None:
            send(status, headers, body)
            return
        commitment, refusal = self._after
        self._after = None  # `refusal` knows the environment, and that this object

        def answer(error: BaseException | None) -> None:
            send(status, headers, body) if error is None else send(*refusal(error))

        commitment.when_done(answer)

    def response_iter(self, status: int, headers: Headers, body: Any) -> None:
        """Send an answer piece by piece."""
        self._protocol.response_iter(status, headers, body)
