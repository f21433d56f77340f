"""The log: one line per happening on standard error, `key=value`."""

import logging
import sys
import uuid
from collections.abc import MutableMapping
from typing import Any

import structlog

Event = MutableMapping[str, Any]

# What could forge a line, or drive a terminal, when it comes from outside.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def _printable(_logger: Any, _method: str, event: Event) -> Event:
    return {
        name: value.translate(_CONTROL) if isinstance(value, str) else value
        for name, value in event.items()
    }


def configure_logs(level: str) -> None:
    """Set up structlog over logging, once per process.

    A handler of `logging` swallows the error of a full disk or a closed pipe: the service
    goes on without a log.
    """
    logging.raiseExceptions = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("twitch_module")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception_type_and_place,
            _printable,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "event"], drop_missing=True
            ),
        ],
        logger_factory=lambda *_names: logger,
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


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
