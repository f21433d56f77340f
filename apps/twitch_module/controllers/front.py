"""What stands between granian, the server of `make serve`, and the guard: RSGI on asyncio.

A request waits here without a thread: for its body, for its commit, for its turn. Webhooks are
handled on the loop itself, what could block on threads. With WSGI each request has a thread,
and many that wait for Python's lock cost a webhook a sixth of its time.
(granian's RSGI specification, github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md)
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

from granian.rsgi import ProtocolClosed, ProtocolError

from ..common import services
from ..errors import BadRequest, Busy, TooLarge, TooSlow
from ..services.events.group_commit import Commitment
from .guard import Answer, Guard, Headers, check_headers, has_body, judge, put_body, refusal
from .routes import Environ, Judged

BODY_SECONDS = 10.0  # for a whole body
AT_ONCE = 24  # requests that py4web handles: each may have a connection to the database
TURN_SECONDS = 5.0
WEBHOOKS_AT_ONCE = 4  # of those few that could block
# How long one of these waits for its turn: with what its commit may take, less than three seconds.
WEBHOOK_TURN_SECONDS = 0.25


class Front:
    """Stands between granian and the guard."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._for_py4web = ThreadPoolExecutor(AT_ONCE, "py4web")
        self._for_webhooks = ThreadPoolExecutor(WEBHOOKS_AT_ONCE, "webhook")
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._webhook_turns = asyncio.Semaphore(WEBHOOKS_AT_ONCE)
        # Which request waits for its body, and since when.
        self._reading: dict[asyncio.Task[Any], float] = {}
        self._commitment: Commitment | None = None
        self._end: asyncio.Future[BaseException | None]

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by granian, before the first request."""
        self._loop = loop
        # uvloop hears of a signal by itself, and tells granian, which waits for the requests that
        # are on their way: what these wait for ends soon from here on.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: services().begin_stop())
        loop.call_later(BODY_SECONDS / 10, self._give_up_slow_bodies)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Called by granian, for each request."""
        environ = _headers(scope)
        try:
            check_headers(environ)
            _add_request_line(environ, scope)
            status, headers, body = await self._answer(environ, scope, protocol)
        except Exception as error:
            status, headers, body = self._guard.complete(refusal(error, environ))
        if body and scope.method != "HEAD":
            protocol.response_bytes(status, headers, body)
        else:
            protocol.response_empty(status, headers)

    async def _answer(self, environ: Environ, scope: Any, protocol: Any) -> Answer:
        judged = judge(environ)
        body = b""
        if has_body(environ):
            body = await self._read(environ, protocol, judged.max_body_bytes)
        if judged.plain is None:
            environ.update(_environ_for_py4web(scope))
            put_body(environ, body)
            return await self._ask_py4web(environ, judged)
        if judged.plain.may_wait(environ):
            answer = partial(judged.plain.answer, environ, body)
            async with _turn(self._webhook_turns, WEBHOOK_TURN_SECONDS):
                response = await self._loop.run_in_executor(self._for_webhooks, answer)
        else:
            response = judged.plain.answer(environ, body)
        if response.once is not None:
            error = await self._end_of(response.once)
            if error is not None:
                response = refusal(error, environ)
        return self._guard.complete(response)

    async def _read(self, environ: Environ, protocol: Any, limit: int) -> bytes:
        """The body. Raises BadRequest, TooLarge and TooSlow."""
        task = cast("asyncio.Task[None]", asyncio.current_task(self._loop))
        self._reading[task] = self._loop.time()
        try:
            declared = environ.get("CONTENT_LENGTH")
            if declared:  # at most what is taken: the guard has seen to that
                body: bytes = await protocol()
                if len(body) < int(declared):
                    raise BadRequest("The body is shorter than Content-Length says")
                return body
            chunks = bytearray()
            async for chunk in protocol:
                chunks += chunk
                if len(chunks) > limit:
                    raise TooLarge(f"At most {limit} bytes are taken")
            return bytes(chunks)
        except asyncio.CancelledError:
            task.uncancel()
            raise TooSlow("The body did not come to its end in time") from None
        except (ProtocolClosed, ProtocolError):
            raise BadRequest("The body broke off") from None
        finally:
            del self._reading[task]

    def _give_up_slow_bodies(self) -> None:
        since = self._loop.time() - BODY_SECONDS
        for task in [task for task, begun in self._reading.items() if begun < since]:
            task.cancel()
        self._loop.call_later(BODY_SECONDS / 10, self._give_up_slow_bodies)

    async def _ask_py4web(self, environ: Environ, judged: Judged) -> Answer:
        ask = partial(_collected, self._guard, judged, environ)
        async with _turn(self._turns, TURN_SECONDS):
            return await self._loop.run_in_executor(self._for_py4web, ask)

    def _end_of(self, commitment: Commitment) -> "asyncio.Future[BaseException | None]":
        """None, or the error, once it is known how the commit ended: one for a whole batch.

        A request that waits for this is not to be cancelled: all others would be, too.
        """
        if commitment is not self._commitment:
            self._commitment, self._end = commitment, self._loop.create_future()
            commitment.when_done(partial(self._tell, self._end))
        return self._end

    def _tell(
        self, end: "asyncio.Future[BaseException | None]", error: BaseException | None
    ) -> None:
        self._loop.call_soon_threadsafe(end.set_result, error)


@asynccontextmanager
async def _turn(turns: asyncio.Semaphore, seconds: float) -> AsyncIterator[None]:
    """One of so many turns. Raises Busy when there was none in time."""
    try:
        async with asyncio.timeout(seconds):
            await turns.acquire()
    except TimeoutError:
        raise Busy("Others are being served; try again soon") from None
    try:
        yield
    finally:
        turns.release()


def _collected(guard: Guard, judged: Judged, environ: Environ) -> Answer:
    """What py4web answers, as a whole."""
    started: list[tuple[str, Headers]] = []
    pieces = guard.pass_on(
        judged, environ, lambda status, headers, *_: started.append((status, headers))
    )
    try:
        body = b"".join(pieces)
    finally:
        if close := getattr(pieces, "close", None):
            close()
    status, headers = started[-1]
    return int(status[:3]), headers, body


def _headers(scope: Any) -> Environ:
    """The headers as WSGI has them (PEP 3333): the beginning of an environment."""
    headers = scope.headers.items()
    environ: Environ = {_KEYS[name]: value for name, value in headers}
    if len(environ) < len(headers):
        environ = _with_repeated(headers)
    return environ


def _add_request_line(environ: Environ, scope: Any) -> None:
    """As much of the rest of PEP 3333 as the guard and the webhooks use."""
    path = scope.path
    environ["REQUEST_METHOD"] = scope.method
    environ["PATH_INFO"] = path if path.isascii() else path.encode().decode("latin-1")
    environ["QUERY_STRING"] = scope.query_string
    environ["REMOTE_ADDR"] = scope.client.rpartition(":")[0].strip("[]")


def _with_repeated(headers: Iterable[tuple[str, str]]) -> Environ:
    environ: Environ = {}
    for name, value in headers:
        key = _KEYS[name]
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def _environ_for_py4web(scope: Any) -> Environ:
    """What PEP 3333 wants beside that."""
    server, _, port = scope.server.rpartition(":")
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


class _Keys(dict[str, str]):
    """What WSGI calls a header, by its name in lower case."""

    def __missing__(self, name: str) -> str:
        key = name.upper().replace("-", "_")
        if name not in ("content-type", "content-length"):
            key = f"HTTP_{key}"
        if len(self) < 512:  # anybody may invent names
            self[name] = key
        return key


_KEYS = _Keys()
