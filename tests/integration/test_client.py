"""client.py against a small server that plays the module's routes, well and badly."""

import ast
import copy
import hashlib
import json
import pickle
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.twitch_module import client as client_module
from apps.twitch_module.client import (
    ClientError,
    NeedsLogin,
    NotAllowed,
    TokenRefused,
    TwitchModuleClient,
    TwitchToken,
    Unreachable,
)

E = TypeVar("E", bound=ClientError)
T = TypeVar("T")

MARK = "5ecret"  # in every token here, and nowhere else
SERVICE_TOKEN = f"service-{MARK}"
TWITCH_TOKEN = f"twitch-{MARK}"
TWITCH_SHA256 = f"sha256={hashlib.sha256(TWITCH_TOKEN.encode()).hexdigest()}"
EXCHANGE = "/api/auth/service-token/refresh"
BROKER = "/twitch/auth/token/141"
USERS = "/twitch/auth/users"


@dataclass(frozen=True)
class Answer:
    """What the played module says; `body` is sent as JSON unless it is bytes."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Call:
    """A request as it came in."""

    method: str
    target: str
    authorization: str
    cookie: str | None
    refused: str | None = None

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


def problem(status: int, code: str, **more: str) -> Answer:
    return Answer(
        status, {"type": "about:blank", "title": "No", "status": status, "code": code} | more
    )


def twitch_token(**changed: Any) -> dict[str, Any]:
    """What the broker answers."""
    return {
        "access_token": TWITCH_TOKEN,
        "token_type": "bearer",
        "expires_at": "2026-03-01T12:00:00Z",
        "expires_in": 14000,
        "scopes": ["chat:read", "chat:edit"],
        "user_id": "141",
        "login": "ann",
    } | changed


class PlayedModule(ThreadingHTTPServer):
    """The module's routes. `next_exchanges` and `next_calls` come before its usual answers."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.expires_in: Any = 900
        self.next_exchanges: deque[Answer | Callable[[], Answer | None]] = deque()
        self.next_calls: deque[Answer | Callable[[], Answer | None]] = deque()
        self.usual: dict[str, Answer] = {
            BROKER: Answer(body=twitch_token()),
            USERS: Answer(body={"users": []}),
        }
        self.received: list[Call] = []
        self.valid: set[str] = set()
        self.over = threading.Event()  # ends every answer that hangs
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def exchanges(self) -> int:
        return sum(call.path == EXCHANGE for call in self.received)

    @property
    def calls(self) -> list[Call]:
        return [call for call in self.received if call.path != EXCHANGE]

    def hang(self) -> None:
        """Say nothing until the test is over."""
        self.over.wait(30)

    def answer(self, call: Call) -> Answer | None:
        exchanging = call.path == EXCHANGE
        with self._lock:
            self.received.append(call)
            number = self.exchanges
            script = self.next_exchanges if exchanging else self.next_calls
            said = script.popleft() if script else None
        if callable(said):
            said = said()
            if self.over.is_set():
                return None
        if said is not None:
            return said
        return self._exchange(call, number) if exchanging else self._called(call)

    def _exchange(self, call: Call, number: int) -> Answer:
        if (call.method, call.authorization) != ("POST", f"Bearer {SERVICE_TOKEN}"):
            return problem(401, "unauthenticated", detail="This is no service token")
        access = f"access-{number}-{MARK}"
        self.valid.add(f"Bearer {access}")
        body = {"access_token": access, "expires_in": self.expires_in, "token_type": "bearer"}
        return Answer(body=body, headers=(("Set-Cookie", "session=1; Path=/"),))

    def _called(self, call: Call) -> Answer:
        if call.authorization not in self.valid:
            return problem(401, "unauthenticated", detail="The token has ended")
        return self.usual.get(call.path, problem(404, "not_found", detail="No such user"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: PlayedModule

    def do_GET(self) -> None:
        headers = self.headers
        said = self.server.answer(
            Call(
                self.command,
                self.path,
                headers.get("Authorization", ""),
                headers.get("Cookie"),
                headers.get("Twitch-Token-Refused"),
            )
        )
        if said is None:
            self.close_connection = True
            return
        body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        self.send_response(said.status)
        for name, value in said.headers:
            self.send_header(name, value)
        if "Content-Length" not in dict(said.headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


def usual_after(wait: Callable[[], object]) -> Callable[[], None]:
    """Gives the usual answer, but not before this has been waited for."""

    def run() -> None:
        wait()

    return run


@pytest.fixture
def module() -> Iterator[PlayedModule]:
    with PlayedModule() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join(5)


@pytest.fixture
def client(module: PlayedModule) -> Iterator[TwitchModuleClient]:
    client = TwitchModuleClient(module.url, SERVICE_TOKEN, timeout_seconds=5)
    yield client
    client.close()


@pytest.fixture
def hasty(module: PlayedModule) -> Iterator[TwitchModuleClient]:
    """A client that does not wait long."""
    client = TwitchModuleClient(module.url, SERVICE_TOKEN, timeout_seconds=0.5)
    yield client
    client.close()


def everything_said(error: BaseException | None) -> str:
    """All text that an error, its attributes and what is behind it could bring into a log."""
    text = ""
    while error is not None:
        text += "".join(traceback.format_exception(error, chain=False))
        text += f"{error!r} {error} {vars(error)} {error.args}"
        error = error.__cause__ or error.__context__
    return text


def failure(kind: type[E], call: Callable[[], object]) -> E:
    """The error of a call: of exactly this type, and silent about tokens."""
    with pytest.raises(ClientError) as caught:
        call()
    assert type(caught.value) is kind
    assert MARK not in everything_said(caught.value)
    return caught.value


def in_parallel(times: int, call: Callable[[], T]) -> list[T]:
    """What so many threads get that call at the same moment."""
    ready = threading.Barrier(times)

    def run() -> T:
        ready.wait(10)
        return call()

    with ThreadPoolExecutor(times) as threads:
        return [future.result() for future in [threads.submit(run) for _ in range(times)]]


class TestAccessTokens:
    def test_the_first_call_exchanges_the_service_token(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        assert module.exchanges == 0

        assert client.get(USERS) == {"users": []}

        assert [(call.method, call.path, call.authorization) for call in module.received] == [
            ("POST", EXCHANGE, f"Bearer {SERVICE_TOKEN}"),
            ("GET", USERS, f"Bearer access-1-{MARK}"),
        ]

    @pytest.mark.parametrize(("expires_in", "exchanges"), [(400, 1), (300, 3), (200, 3), (0, 3)])
    def test_an_access_token_is_used_until_five_minutes_before_its_end(
        self, module: PlayedModule, client: TwitchModuleClient, expires_in: int, exchanges: int
    ) -> None:
        module.expires_in = expires_in

        for _ in range(3):
            client.get(USERS)

        assert (module.exchanges, len(module.calls)) == (exchanges, 3)
        assert module.calls[-1].authorization == f"Bearer access-{exchanges}-{MARK}"

    def test_sixteen_threads_at_once_make_one_exchange(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        second = threading.Event()
        # The first exchange leaves room for a second one, which must not come.
        module.next_exchanges.extend([usual_after(lambda: second.wait(0.3)), second.set])

        assert in_parallel(16, lambda: client.get(USERS)) == [{"users": []}] * 16

        assert (module.exchanges, len(module.calls)) == (1, 16)
        assert not second.is_set()

    def test_sixteen_threads_that_see_a_401_together_make_one_exchange(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        client.get(USERS)
        module.valid.clear()
        everybody = threading.Barrier(16)
        module.next_calls.extend([usual_after(lambda: everybody.wait(10))] * 16)

        assert in_parallel(16, lambda: client.get(USERS)) == [{"users": []}] * 16

        assert (module.exchanges, len(module.calls)) == (2, 1 + 16 + 16)

    def test_threads_that_wait_for_an_exchange_share_its_failure(
        self, module: PlayedModule, hasty: TwitchModuleClient
    ) -> None:
        module.next_exchanges.extend([module.hang] * 8)

        errors = in_parallel(8, lambda: failure(Unreachable, lambda: hasty.get(USERS)))

        assert {error.code for error in errors} == {"timeout"}
        assert (module.exchanges, module.calls) == (1, [])

    def test_an_exchange_that_is_interrupted_lets_nobody_wait_for_ever(
        self, client: TwitchModuleClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*arguments: object, **options: object) -> None:
            raise KeyboardInterrupt

        exchange: Future[Any] = Future()
        client._exchange = exchange
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(client._session, "request", interrupted)
            client._run(exchange)

        failure(Unreachable, lambda: exchange.result(0))
        assert client.get(USERS) == {"users": []}

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_the_old_access_token_serves_while_the_exchange_is_out_of_order(
        self, module: PlayedModule, client: TwitchModuleClient, status: int
    ) -> None:
        module.expires_in = 200
        client.get(USERS)
        module.next_exchanges.append(problem(status, "unavailable"))

        assert client.get(USERS) == {"users": []}

        assert module.calls[-1].authorization == f"Bearer access-1-{MARK}"

    def test_an_access_token_that_has_ended_does_not_serve(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        module.expires_in = 0
        client.get(USERS)
        module.next_exchanges.append(problem(503, "unavailable"))

        assert failure(ClientError, lambda: client.get(USERS)).status == 503

    def test_the_old_access_token_does_not_serve_when_the_service_token_is_refused(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        module.expires_in = 200
        client.get(USERS)
        module.next_exchanges.append(problem(401, "unauthenticated"))

        failure(NotAllowed, lambda: client.get(USERS))


class TestRefusals:
    def test_a_401_makes_one_exchange_and_one_repetition(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        client.get(USERS)
        module.valid.clear()

        assert client.get(USERS) == {"users": []}

        assert module.exchanges == 2
        assert [call.authorization for call in module.calls] == [
            f"Bearer access-{number}-{MARK}" for number in (1, 1, 2)
        ]

    def test_a_second_401_is_final(self, module: PlayedModule, client: TwitchModuleClient) -> None:
        module.next_calls.extend([problem(401, "unauthenticated", detail="Log in first")] * 3)

        error = failure(NotAllowed, lambda: client.get(USERS))

        assert (error.status, error.code, error.retryable) == (401, "unauthenticated", False)
        assert str(error) == f"GET {USERS}: Log in first (401 unauthenticated)"
        assert (module.exchanges, len(module.calls)) == (2, 2)

    def test_a_refused_access_token_is_not_repeated_when_the_exchange_fails(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        client.get(USERS)
        module.valid.clear()
        module.next_exchanges.append(problem(503, "database_unavailable"))

        error = failure(ClientError, lambda: client.get(USERS))

        assert (error.status, error.code, error.retryable) == (503, "database_unavailable", True)
        assert len(module.calls) == 2

    def test_a_refused_service_token_is_no_reason_to_call(self, module: PlayedModule) -> None:
        client = TwitchModuleClient(module.url, f"other-{MARK}")

        error = failure(NotAllowed, lambda: client.get(USERS))
        client.close()

        assert (error.status, error.code) == (401, "unauthenticated")
        assert (module.exchanges, module.calls) == (1, [])

    def test_a_missing_scope_is_not_tried_again(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        module.next_calls.append(problem(403, "missing_scope"))

        error = failure(NotAllowed, lambda: client.get(USERS))

        assert (error.status, error.code) == (403, "missing_scope")
        assert (module.exchanges, len(module.calls)) == (1, 1)

    def test_a_user_who_must_log_in_again_comes_with_the_link(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        link = "https://waddlebot.example/twitch/auth/login"
        module.usual[BROKER] = problem(409, "needs_login", login_url=link)

        error = failure(NeedsLogin, lambda: client.twitch_token("141"))

        assert (error.status, error.code, error.login_url) == (409, "needs_login", link)
        assert not error.retryable

    def test_a_missing_link_is_none(self, module: PlayedModule, client: TwitchModuleClient) -> None:
        module.usual[BROKER] = problem(409, "needs_login")

        assert failure(NeedsLogin, lambda: client.twitch_token("141")).login_url is None

    @pytest.mark.parametrize(
        ("answer", "status", "code", "retryable"),
        [
            (problem(404, "not_found"), 404, "not_found", False),
            (problem(409, "conflict"), 409, "conflict", False),
            (problem(422, "invalid"), 422, "invalid", False),
            (problem(429, "too_many"), 429, "too_many", True),
            (problem(503, "database_unavailable"), 503, "database_unavailable", True),
            (problem(502, "Not A Word"), 502, "http_502", True),
            (Answer(502, b"<h1>Bad gateway</h1>"), 502, "http_502", True),
            (Answer(404, ["not_found"]), 404, "http_404", False),
            (Answer(400, {"code": 7, "detail": {}, "title": None}), 400, "http_400", False),
        ],
    )
    def test_other_errors_keep_their_status_and_code(
        self,
        module: PlayedModule,
        client: TwitchModuleClient,
        answer: Answer,
        status: int,
        code: str,
        retryable: bool,
    ) -> None:
        module.usual[BROKER] = answer

        error = failure(ClientError, lambda: client.twitch_token("141"))

        assert (error.status, error.code, error.retryable) == (status, code, retryable)

    def test_an_unknown_user_is_a_404(self, client: TwitchModuleClient) -> None:
        error = failure(ClientError, lambda: client.twitch_token("9"))

        assert str(error) == "GET /twitch/auth/token/9: No such user (404 not_found)"

    def test_errors_can_be_pickled(self, module: PlayedModule, client: TwitchModuleClient) -> None:
        module.usual[BROKER] = problem(409, "needs_login", login_url="https://a.example/")
        error = failure(NeedsLogin, lambda: client.twitch_token("141"))

        again = pickle.loads(pickle.dumps(error))

        assert (str(again), again.status, again.code, again.login_url) == (
            str(error),
            409,
            "needs_login",
            "https://a.example/",
        )


NONSENSE = [
    Answer(200, b"<html>It works!</html>"),
    Answer(200, b""),
    Answer(204, b""),
    Answer(200, b"null"),
    Answer(200, b"[" * 100_000),
    Answer(200, b"\xff\xfe\xff"),
    Answer(200, b'{"expires_in": ' + b"9" * 5000 + b"}"),
    Answer(200, f'{{"access_token": "{TWITCH_TOKEN}", '.encode()),
    Answer(200, TWITCH_TOKEN.encode(), (("Content-Encoding", "gzip"),)),
    Answer(200, f"{TWITCH_TOKEN}\r\n".encode(), (("Transfer-Encoding", "chunked"),)),
    Answer(302, {}, (("Location", USERS),)),
    Answer(302, {}, (("Location", "http://["),)),
    Answer(302, {}, (("Location", "\xff\xfe"),)),
]


class TestUnreachable:
    @pytest.mark.parametrize("answer", NONSENSE, ids=lambda answer: repr(answer)[:60])
    @pytest.mark.parametrize("where", ["exchange", "list", "broker"])
    def test_an_answer_that_is_nonsense_is_none(
        self, module: PlayedModule, client: TwitchModuleClient, answer: Answer, where: str
    ) -> None:
        script = module.next_exchanges if where == "exchange" else module.next_calls
        script.append(answer)

        error = failure(
            Unreachable,
            (lambda: client.twitch_token("141"))
            if where == "broker"
            else lambda: client.get(USERS),
        )

        assert error.code in ("broken_answer", "unreachable")
        assert error.retryable
        assert len(module.received) == (1 if where == "exchange" else 2)

    @pytest.mark.parametrize(
        "changed",
        [
            {"access_token": None},
            {"access_token": ""},
            {"access_token": f"{MARK}\r\nX-Other: 1"},
            {"access_token": f"{MARK} ünsafe"},
            {"expires_in": "900"},
            {"expires_in": True},
            {"expires_in": -1},
            {"expires_in": 10**400},
            {"token_type": "mac"},
            {"token_type": None},
        ],
    )
    def test_an_exchange_that_brings_no_usable_token_is_nonsense(
        self, module: PlayedModule, client: TwitchModuleClient, changed: dict[str, Any]
    ) -> None:
        body = {"access_token": f"access-{MARK}", "expires_in": 900, "token_type": "bearer"}
        module.next_exchanges.append(Answer(body=body | changed))

        error = failure(Unreachable, lambda: client.get(USERS))

        assert (error.status, error.code, module.calls) == (200, "broken_answer", [])

    @pytest.mark.parametrize(
        "changed",
        [
            {"access_token": 7},
            {"access_token": f"{MARK}\n"},
            {"token_type": None},
            {"expires_at": 1772366400},
            {"expires_at": "soon"},
            {"expires_at": "2026-03-01T12:00:00"},
            {"expires_at": "0001-01-01T00:00:00+14:00"},
            {"expires_in": None},
            {"expires_in": 1.5},
            {"scopes": None},
            {"scopes": "chat:read"},
            {"scopes": ["chat:read", 7]},
            {"user_id": "142"},
            {"user_id": 141},
            {"login": None},
        ],
    )
    def test_a_twitch_token_that_is_incomplete_or_somebody_elses_is_nonsense(
        self, module: PlayedModule, client: TwitchModuleClient, changed: dict[str, Any]
    ) -> None:
        module.usual[BROKER] = Answer(body=twitch_token(**changed))

        error = failure(Unreachable, lambda: client.twitch_token("141"))

        assert (error.status, error.code) == (200, "broken_answer")

    @pytest.mark.parametrize("where", ["exchange", "call"])
    def test_a_module_that_hangs_is_given_up(
        self, module: PlayedModule, hasty: TwitchModuleClient, where: str
    ) -> None:
        script = module.next_exchanges if where == "exchange" else module.next_calls
        script.append(module.hang)

        error = failure(Unreachable, lambda: hasty.get(USERS))

        assert (error.status, error.code) == (None, "timeout")

    def test_an_answer_that_stops_in_its_middle_is_given_up(
        self, module: PlayedModule, hasty: TwitchModuleClient
    ) -> None:
        module.next_calls.append(Answer(200, b"{}", (("Content-Length", "1000"),)))

        error = failure(Unreachable, lambda: hasty.get(USERS))

        assert (error.status, error.code) == (None, "timeout")

    def test_what_the_caller_is_handling_is_not_taken_for_the_reason(self) -> None:
        client = TwitchModuleClient("http://127.0.0.1:1", SERVICE_TOKEN)
        try:
            raise TimeoutError("of the caller's own")
        except TimeoutError:
            error = failure(Unreachable, lambda: client.get(USERS))

        assert error.code == "unreachable"

    def test_a_module_that_is_not_there_is_unreachable(self) -> None:
        client = TwitchModuleClient("http://127.0.0.1:1", SERVICE_TOKEN)

        error = failure(Unreachable, lambda: client.twitch_token("141"))

        assert (error.status, error.code, error.retryable) == (None, "unreachable", True)

    def test_after_an_outage_the_next_call_works(
        self, module: PlayedModule, hasty: TwitchModuleClient
    ) -> None:
        module.next_exchanges.append(module.hang)
        failure(Unreachable, lambda: hasty.get(USERS))

        assert hasty.get(USERS) == {"users": []}


class Twitch:
    """Takes these tokens, and answers 401 to others."""

    def __init__(self, *alive: str) -> None:
        self.alive = alive
        self.asked: list[str] = []

    def answer(self, token: TwitchToken) -> "Twitch.Response":
        self.asked.append(token.access_token)
        return self.Response(200 if token.access_token in self.alive else 401)

    def raising(self, token: TwitchToken) -> str:
        if self.answer(token).status_code == 401:
            raise TokenRefused
        return "done"

    @dataclass
    class Response:
        status_code: int


class TestCallsToTwitch:
    NEW = f"newer-{MARK}"

    @pytest.fixture
    def dying(self, module: PlayedModule, client: TwitchModuleClient) -> TwitchModuleClient:
        """A client that has been lent a token which the module would now replace."""
        client.twitch_token("141")
        module.usual[BROKER] = Answer(body=twitch_token(access_token=self.NEW))
        return client

    def test_a_token_that_twitch_takes_is_used_once(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        twitch = Twitch(TWITCH_TOKEN)

        assert client.call_twitch("141", twitch.answer).status_code == 200
        assert (twitch.asked, len(module.calls)) == ([TWITCH_TOKEN], 1)

    def test_a_401_has_the_token_replaced_and_the_call_repeated(
        self, module: PlayedModule, dying: TwitchModuleClient
    ) -> None:
        twitch = Twitch(self.NEW)

        assert dying.call_twitch("141", twitch.answer).status_code == 200
        assert twitch.asked == [TWITCH_TOKEN, self.NEW]
        assert [None, TWITCH_SHA256] == [call.refused for call in module.calls]

    def test_so_does_a_function_that_raises(self, dying: TwitchModuleClient) -> None:
        twitch = Twitch(self.NEW)

        assert dying.call_twitch("141", twitch.raising) == "done"
        assert twitch.asked == [TWITCH_TOKEN, self.NEW]

    def test_a_second_401_is_final(self, module: PlayedModule, dying: TwitchModuleClient) -> None:
        twitch = Twitch()

        assert dying.call_twitch("141", twitch.answer).status_code == 401
        assert (twitch.asked, len(module.calls)) == ([TWITCH_TOKEN, self.NEW], 2)
        with pytest.raises(TokenRefused):
            dying.call_twitch("141", twitch.raising)
        assert (len(twitch.asked), len(module.calls)) == (3, 3)

    def test_a_401_to_a_token_that_lives_is_not_repeated(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        twitch = Twitch()

        assert client.call_twitch("141", twitch.answer).status_code == 401
        with pytest.raises(TokenRefused):
            client.call_twitch("141", twitch.raising)
        assert twitch.asked == [TWITCH_TOKEN] * 2

    def test_sixteen_threads_whose_token_dies_name_it_and_all_go_on(
        self, module: PlayedModule, dying: TwitchModuleClient
    ) -> None:
        twitch = Twitch(self.NEW)

        answers = in_parallel(16, lambda: dying.call_twitch("141", twitch.answer))

        assert [200] * 16 == [answer.status_code for answer in answers]
        assert {TWITCH_SHA256} == {call.refused for call in module.calls[1:]} - {None}

    def test_what_the_function_raises_is_passed_on(self, client: TwitchModuleClient) -> None:
        def fail(token: TwitchToken) -> None:
            raise OSError("no network")

        with pytest.raises(OSError, match="no network"):
            client.call_twitch("141", fail)


class TestTwitchTokens:
    def test_a_token_comes_with_all_that_the_module_says(self, client: TwitchModuleClient) -> None:
        assert client.twitch_token("141") == TwitchToken(
            access_token=TWITCH_TOKEN,
            token_type="bearer",
            expires_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
            scopes=("chat:read", "chat:edit"),
            user_id="141",
            login="ann",
        )

    @pytest.mark.parametrize(("expires_in", "calls"), [(14000, 1), (120, 1), (60, 3), (0, 3)])
    def test_a_token_is_handed_out_again_until_a_minute_before_its_end(
        self, module: PlayedModule, client: TwitchModuleClient, expires_in: int, calls: int
    ) -> None:
        module.usual[BROKER] = Answer(body=twitch_token(expires_in=expires_in))

        for _ in range(3):
            client.twitch_token("141")

        assert len(module.calls) == calls

    def test_a_fresh_token_is_asked_for_and_kept(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        client.twitch_token("141")
        module.usual[BROKER] = Answer(body=twitch_token(access_token=f"newer-{MARK}"))

        assert client.twitch_token("141", fresh=True).access_token == f"newer-{MARK}"
        assert client.twitch_token("141").access_token == f"newer-{MARK}"
        assert len(module.calls) == 2

    def test_fresh_says_which_token_was_handed_out_last(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        client.twitch_token("141", fresh=True)
        client.twitch_token("141", fresh=True)

        assert [None, TWITCH_SHA256] == [call.refused for call in module.calls]

    def test_a_token_too_short_lived_to_be_handed_out_again_is_named_too(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        module.usual[BROKER] = Answer(body=twitch_token(expires_in=30))
        client.twitch_token("141")
        client.twitch_token("141", fresh=True)

        assert [None, TWITCH_SHA256] == [call.refused for call in module.calls]

    def test_a_refused_token_that_has_been_replaced_meanwhile_needs_no_call(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        refused = client.twitch_token("141")
        module.usual[BROKER] = Answer(body=twitch_token(access_token=f"newer-{MARK}"))
        news = [client.twitch_token("141", refused=refused) for _ in range(3)]

        assert [f"newer-{MARK}"] * 3 == [new.access_token for new in news]
        assert [None, TWITCH_SHA256] == [call.refused for call in module.calls]

    def test_an_answer_to_before_does_not_bring_back_what_was_refused_since(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        asked, go_on = threading.Event(), threading.Event()
        client.twitch_token("141")

        def slow() -> Answer:
            asked.set()
            go_on.wait(10)
            return Answer(body=twitch_token())

        module.next_calls.append(slow)
        with ThreadPoolExecutor(1) as threads:
            older = threads.submit(client.twitch_token, "141", fresh=True)
            assert asked.wait(10)
            module.next_calls.append(problem(502, "renewal_paused"))
            failure(ClientError, lambda: client.twitch_token("141", fresh=True))
            go_on.set()
            older.result(10)
        module.usual[BROKER] = Answer(body=twitch_token(access_token=f"newer-{MARK}"))

        assert client.twitch_token("141").access_token == f"newer-{MARK}"

    def test_a_token_that_twitch_refused_is_not_handed_out_again_when_there_is_no_other(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        client.twitch_token("141")
        module.usual[BROKER] = problem(409, "needs_login")

        failure(NeedsLogin, lambda: client.twitch_token("141", fresh=True))
        failure(NeedsLogin, lambda: client.twitch_token("141"))

    def test_a_slow_answer_does_not_replace_one_that_was_asked_for_later(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        asked, go_on = threading.Event(), threading.Event()

        def slow() -> Answer:
            asked.set()
            go_on.wait(10)
            return Answer(body=twitch_token(access_token=f"older-{MARK}"))

        module.next_calls.append(slow)
        with ThreadPoolExecutor(1) as threads:
            older = threads.submit(client.twitch_token, "141")
            assert asked.wait(10)
            client.twitch_token("141", fresh=True)
            go_on.set()
            assert older.result(10).access_token == f"older-{MARK}"

        assert client.twitch_token("141").access_token == TWITCH_TOKEN

    def test_users_do_not_share_a_token(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        other = twitch_token(user_id="142", access_token=f"other-{MARK}")
        module.usual["/twitch/auth/token/142"] = Answer(body=other)

        assert client.twitch_token("141").access_token == TWITCH_TOKEN
        assert client.twitch_token("142").access_token == f"other-{MARK}"

    def test_the_oldest_tokens_are_forgotten_when_there_are_many(
        self, module: PlayedModule, client: TwitchModuleClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client_module, "MAX_TWITCH_TOKENS", 2)
        for user_id in ("1", "2", "3"):
            module.usual[f"/twitch/auth/token/{user_id}"] = Answer(
                body=twitch_token(user_id=user_id)
            )

        for user_id in ("1", "2", "3", "2", "3", "1"):
            client.twitch_token(user_id)

        assert [call.path[-1] for call in module.calls] == ["1", "2", "3", "1"]

    def test_an_offset_is_turned_into_utc(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        module.usual[BROKER] = Answer(body=twitch_token(expires_at="2026-03-01T14:00:00+02:00"))

        assert client.twitch_token("141").expires_at.isoformat() == "2026-03-01T12:00:00+00:00"

    @pytest.mark.parametrize(
        ("user_id", "path"),
        [
            ("../users", "/twitch/auth/token/..%2Fusers"),
            ("1?x=1#y", "/twitch/auth/token/1%3Fx%3D1%23y"),
            ("a b\r\nX: 1", "/twitch/auth/token/a%20b%0D%0AX%3A%201"),
            ("ü%2F", "/twitch/auth/token/%C3%BC%252F"),
        ],
    )
    def test_a_user_id_stays_one_part_of_the_path(
        self, module: PlayedModule, client: TwitchModuleClient, user_id: str, path: str
    ) -> None:
        failure(ClientError, lambda: client.twitch_token(user_id))

        assert [call.target for call in module.calls] == [path]

    @pytest.mark.parametrize("user_id", ["", ".", ".."])
    def test_what_would_lead_to_another_path_is_no_user_id(
        self, module: PlayedModule, client: TwitchModuleClient, user_id: str
    ) -> None:
        with pytest.raises(ValueError, match="no user id"):
            client.twitch_token(user_id)

        assert module.received == []


class TestLists:
    def test_parameters_reach_the_module(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        client.get(USERS, limit=5, type="a&b=ü", whole=True, cursor=None, path="p")

        assert parse_qs(urlsplit(module.calls[0].target).query) == {
            "limit": ["5"],
            "type": ["a&b=ü"],
            "whole": ["true"],
            "path": ["p"],
        }

    @pytest.mark.parametrize("path", ["", "twitch/events", "@elsewhere.example/", ".example/"])
    def test_a_path_cannot_change_the_host(
        self, module: PlayedModule, client: TwitchModuleClient, path: str
    ) -> None:
        with pytest.raises(ValueError, match="start with /"):
            client.get(path)

        assert module.received == []

    def test_a_base_url_may_have_a_path(self, module: PlayedModule) -> None:
        client = TwitchModuleClient(f"{module.url}/proxied/", SERVICE_TOKEN)

        failure(NotAllowed, lambda: client.get(USERS))
        client.close()

        assert [call.target for call in module.received] == [f"/proxied{EXCHANGE}"]


class TestSecrecy:
    def test_no_repr_shows_a_token(self, client: TwitchModuleClient, module: PlayedModule) -> None:
        token = client.twitch_token("141")

        assert repr(token) == (
            "TwitchToken(access_token='***', token_type='bearer',"
            " expires_at=2026-03-01T12:00:00+00:00, scopes=('chat:read', 'chat:edit'),"
            " user_id='141', login='ann')"
        )
        assert repr(client) == f"TwitchModuleClient('{module.url}')"
        parts = [f"{token}", f"{copy.copy(token)!r}", client._access, client._handed_out]
        assert MARK not in f"{parts}"

    @pytest.mark.parametrize("name", ["code", "detail", "title", "login_url"])
    @pytest.mark.parametrize("status", [401, 403, 409, 503])
    @pytest.mark.parametrize("where", ["exchange", "call"])
    def test_a_token_that_an_answer_repeats_is_not_passed_on(
        self, module: PlayedModule, client: TwitchModuleClient, name: str, status: int, where: str
    ) -> None:
        script = module.next_exchanges if where == "exchange" else module.next_calls
        for number in (1, 2):
            echo = SERVICE_TOKEN
            if where == "call":
                echo = f"neither {SERVICE_TOKEN} nor access-{number}-{MARK}"
            script.append(Answer(status, {"code": "needs_login"} | {name: echo}))

        with pytest.raises(ClientError) as caught:
            client.get(USERS)

        assert MARK not in everything_said(caught.value)

    def test_a_message_is_one_short_line(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        module.next_calls.append(problem(503, "down", detail="a\r\nb\x1b[31m\ud800" + "c" * 5000))

        message = str(failure(ClientError, lambda: client.get(USERS)))

        assert message.isprintable()
        assert message.startswith(f"GET {USERS}: a b [31m c")
        assert len(message) < 400

    def test_redirects_are_not_followed(
        self, module: PlayedModule, client: TwitchModuleClient
    ) -> None:
        module.next_calls.append(Answer(307, {}, (("Location", f"{module.url}/elsewhere"),)))

        error = failure(Unreachable, lambda: client.get(USERS))

        assert (error.status, error.code) == (307, "broken_answer")
        assert [call.path for call in module.calls] == [USERS]

    def test_the_environment_changes_nothing(
        self,
        module: PlayedModule,
        client: TwitchModuleClient,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("default login a password b\n")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", "")

        assert client.get(USERS) == {"users": []}

    def test_cookies_are_not_kept(self, module: PlayedModule, client: TwitchModuleClient) -> None:
        client.get(USERS)

        assert [call.cookie for call in module.received] == [None, None]


class TestArguments:
    @pytest.mark.parametrize(
        "base_url",
        [
            "",
            "waddlebot.example",
            "ftp://waddlebot.example",
            "https://",
            "https://user:pass@waddlebot.example",
            "https://waddlebot.example/?a=1",
            "https://waddlebot.example/#a",
            "http://[",
        ],
    )
    def test_a_base_url_that_cannot_be_right_is_refused(self, base_url: str) -> None:
        with pytest.raises(ValueError):
            TwitchModuleClient(base_url, SERVICE_TOKEN)

    @pytest.mark.parametrize("token", ["", " \n", f"{MARK} {MARK}", f"{MARK}\r\nX: 1", f"{MARK}ü"])
    def test_a_service_token_that_no_header_can_carry_is_refused_unseen(self, token: str) -> None:
        with pytest.raises(ValueError) as caught:
            TwitchModuleClient("http://127.0.0.1", token)

        assert MARK not in everything_said(caught.value)

    def test_the_line_end_of_a_token_file_does_not_count(self, module: PlayedModule) -> None:
        client = TwitchModuleClient(module.url, f"{SERVICE_TOKEN}\n")

        assert client.get(USERS) == {"users": []}
        client.close()

    @pytest.mark.parametrize("seconds", [0, -1, float("nan")])
    def test_a_timeout_must_be_some_time(self, seconds: float) -> None:
        with pytest.raises(ValueError):
            TwitchModuleClient("http://127.0.0.1", SERVICE_TOKEN, timeout_seconds=seconds)


def test_the_file_needs_requests_and_nothing_else() -> None:
    source = Path(client_module.__file__).read_text(encoding="utf-8")
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(str(node.module).partition(".")[0])

    assert names - sys.stdlib_module_names == {"requests"}
