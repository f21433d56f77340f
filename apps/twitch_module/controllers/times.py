"""Times as the API shows and takes them: RFC 3339, UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from ..domain.events.eventsub import epoch_seconds


def rfc3339(epoch_ms: int | None) -> str | None:
    """The time as text with milliseconds and Z; None stays None."""
    if epoch_ms is None:
        return None
    instant = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _epoch_ms(value: object) -> int:
    seconds = epoch_seconds(value) if isinstance(value, str) else None
    if seconds is None:
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z")
    return round(seconds * 1000)


# A time in a query: text in, epoch milliseconds out.
EpochMs = Annotated[
    int,
    BeforeValidator(_epoch_ms),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
