"""late_answer.py: an answer that is sent when a commit has ended."""

import gc
import weakref
from typing import Any

from apps.twitch_module.errors import DatabaseUnavailable
from apps.twitch_module.late_answer import ANSWER_AFTER, WayBack
from apps.twitch_module.services.group_commit import Commitment


class Connection:
    """What granian gives: it keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, list[tuple[str, str]], bytes]] = []

    def response_bytes(self, *answer: Any) -> None:
        self.sent.append(answer)


def test_an_answer_that_depends_on_nothing_is_sent_at_once() -> None:
    connection = Connection()

    WayBack(connection).response_bytes(200, [], b"here")

    assert connection.sent == [(200, [], b"here")]


def test_an_answer_is_sent_when_its_commitment_is_kept_and_not_before() -> None:
    connection, commitment = Connection(), Commitment()
    way_back = WayBack(connection)
    way_back.answer_after(commitment, lambda error: (500, [], b""))
    way_back.response_bytes(204, [], b"")
    before = list(connection.sent)

    commitment.settle(None)

    assert before == []
    assert connection.sent == [(204, [], b"")]


def test_another_answer_is_sent_when_it_is_not_kept() -> None:
    connection, commitment = Connection(), Commitment()
    way_back = WayBack(connection)
    way_back.answer_after(commitment, lambda error: (503, [], str(error).encode()))
    way_back.response_bytes(204, [], b"")

    commitment.settle(DatabaseUnavailable("away"))

    assert connection.sent == [(503, [], b"away")]


def test_nothing_of_a_request_is_left_to_the_collector_of_cycles() -> None:
    """That would look at all of them, again and again, while they wait."""

    class Request(dict[str, Any]):
        pass

    commitment = Commitment()
    way_back, request = WayBack(Connection()), Request()
    request[ANSWER_AFTER] = way_back.answer_after
    way_back.answer_after(commitment, lambda error, _of=request: (503, [], b""))
    way_back.response_bytes(204, [], b"")
    left = weakref.ref(request)
    gc.disable()
    try:
        commitment.settle(None)
        del way_back, request
        assert left() is None
    finally:
        gc.enable()
