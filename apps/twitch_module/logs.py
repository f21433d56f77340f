"""The log: one line per happening on standard error, `key=value`."""

import logging
import sys
import uuid
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO

import structlog

Event = MutableMapping[str, Any]

# What could forge a line, or drive a terminal, when it comes from outside.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


class _Unbreakable:
    """A stream whose disk may be full or whose reader gone: the service goes on without."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def configure_logs(level: str) -> None:
    """Set up structlog, once per process."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception_type_and_place,
            _printable,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "event"], drop_missing=True
            ),
        ],
        logger_factory=structlog.WriteLoggerFactory(_Unbreakable(sys.stderr)),  # type: ignore[arg-type]  # all that it uses
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )


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
        error, chain = sys.exc_info()[1], []
        while error is not None:
            place = error.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
            chain.append(f"{type(error).__name__} at {where}")
            error = error.__cause__ or error.__context__
        event["error"] = " < ".join(chain)
    return event


class ErrorTickets:
    """What py4web reports its errors to, in place of its tickets: type and place only."""

    def log(self, app_name: str, _snapshot: Any) -> str:
        """Write one line; the reference that the error page may show."""
        reference = uuid.uuid4().hex[:12]
        structlog.get_logger("py4web").error(
            "unexpected error", app=app_name, reference=reference, exc_info=True
        )
        return reference
