"""The log: one line per happening on standard error, `key=value` or JSON."""

import atexit
import hashlib
import json
import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import structlog

Event = MutableMapping[str, Any]

# What could forge a line, or drive a terminal, when it comes from outside.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


class LogQueue:
    """Where lines wait for a thread that writes them: a reader that is slow holds up nobody.

    When the disk is full, or nobody reads, lines are dropped, and counted in a later one.
    """

    MOST = 10_000  # lines that wait: some megabytes

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._waiting: queue.SimpleQueue[str | threading.Event] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._writer_of = 0  # the process that the thread is in: one that forks takes none along
        self._dropped = 0

    def write(self, text: str) -> None:
        """Have a line written. Does not block."""
        if self._waiting.qsize() >= self.MOST:
            self._dropped += 1
            return
        self._waiting.put(text)
        if self._writer_of != os.getpid():
            self._start()

    def flush(self) -> None:
        """Do nothing: the thread does it."""

    def close(self, seconds: float = 1.0) -> None:
        """Wait until all lines so far are written, so long at most."""
        written = threading.Event()
        if self._writer_of == os.getpid():
            self._waiting.put(written)
            written.wait(seconds)

    def _start(self) -> None:
        with self._starting:
            if self._writer_of != os.getpid():
                self._writer_of = os.getpid()
                threading.Thread(target=self._write_all, name="log", daemon=True).start()

    def _write_all(self) -> None:
        while True:
            waiting = self._waiting.get()
            if isinstance(waiting, threading.Event):
                waiting.set()
                continue
            with suppress(OSError, ValueError):  # a full disk, or a reader that has gone
                self._put(waiting.encode("utf-8", "backslashreplace"))
            if self._dropped and self._waiting.qsize() < self.MOST:
                dropped, self._dropped = self._dropped, 0
                structlog.get_logger("log").warning("log lines dropped", dropped=dropped)

    def _put(self, line: bytes) -> None:
        # Not by the file's own buffer: a thread that waits there at the end of the process holds
        # a lock that Python needs to end.
        while line:
            line = line[os.write(self._file.fileno(), line) :]


def configure_logs(level: str, form: str = "logfmt") -> None:
    """Set up structlog, once per process. `form` is logfmt or json."""
    lines = LogQueue(sys.stderr)
    atexit.register(lines.close)
    first = ["timestamp", "level", "event"]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception_type_and_place,
            _printable,
            _JSON(first)
            if form == "json"
            else structlog.processors.LogfmtRenderer(key_order=first, drop_missing=True),
        ],
        logger_factory=structlog.WriteLoggerFactory(lines),  # type: ignore[arg-type]  # all that it uses
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )


class _JSON:
    """A line as a JSON object, with some keys first."""

    def __init__(self, first: Sequence[str]) -> None:
        self._first = first

    def __call__(self, _logger: Any, _method: str, event: Event) -> str:
        ordered = {name: event.pop(name) for name in self._first if name in event}
        return json.dumps({**ordered, **event}, default=repr)


def _printable(_logger: Any, _method: str, event: Event) -> Event:
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[name] = value.translate(_CONTROL)
    return event


def _exception_type_and_place(_logger: Any, _method: str, event: Event) -> Event:
    """In place of a traceback: the chain of types, and where each arose.

    Messages of drivers hold row values and addresses, so that they stay out.
    """
    if event.pop("exc_info", None):
        event["error"] = _chain(sys.exc_info()[1])
    return event


def _chain(error: BaseException | None) -> str:
    """The types of an error and of those behind it, and where each arose."""
    chain: list[str] = []
    while error is not None and len(chain) < 10:
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
        chain.append(f"{type(error).__name__} at {where}")
        error = error.__cause__ or error.__context__
    return " < ".join(chain)


class UnexpectedErrors:
    """The log of errors that nobody foresaw: what and where, never what their messages say.

    The same error is written once a minute, with how often it came; somebody who can cause it
    cannot fill the disk with it.
    """

    _MOST = 200  # different errors that are told apart within a minute
    _SECONDS = 60.0

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, int]] = {}  # reference: when written, how often since

    def report(self, error: BaseException, *, route: str) -> str:
        """Log an error; the reference that its line can be found by, the same each time."""
        frames = _own_frames(error)
        chain = _chain(error)
        reference = hashlib.sha256(f"{route} {chain} {frames}".encode()).hexdigest()[:12]
        times = self._count(reference)
        if times:
            structlog.get_logger("errors").error(
                "unexpected error",
                reference=reference,
                route=route,
                error=chain,
                frames=" ".join(frames),
                times=times,
            )
        return reference

    def _count(self, reference: str) -> int:
        """How often the error has come since its last line; 0 when it is not due for one."""
        now = self._now()
        with self._lock:
            written, times = self._seen.get(reference, (-self._SECONDS, 0))
            if now - written < self._SECONDS:
                self._seen[reference] = (written, times + 1)
                return 0
            self._seen.pop(reference, None)
            while len(self._seen) >= self._MOST:
                del self._seen[next(iter(self._seen))]
            self._seen[reference] = (now, 0)
            return times + 1


unexpected = UnexpectedErrors()


class ErrorTickets:
    """What py4web reports its errors to, in place of its tickets: see UnexpectedErrors."""

    def log(self, app_name: str, _snapshot: Any) -> str:
        """Write one line; the reference that the error page may show."""
        return unexpected.report(sys.exc_info()[1] or Exception(), route=app_name)


_APPS = str(Path(__file__).resolve().parent.parent)


def _own_frames(error: BaseException) -> list[str]:
    """Where in our own code an error passed, outermost first: module:line."""
    frames = traceback.extract_tb(error.__traceback__)
    return [
        f"{Path(frame.filename).relative_to(_APPS).with_suffix('')}:{frame.lineno}"
        for frame in frames
        if frame.filename.startswith(_APPS)
    ]
