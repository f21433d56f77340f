"""Times as the API shows and takes them: RFC 3339, UTC."""

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from ..domain.events.eventsub import epoch_seconds

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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


def _epoch_day(value: object) -> int:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be a day such as 2026-01-31")
    return (date.fromisoformat(value) - date(1970, 1, 1)).days


# A day in a query: text in, days since 1970 out.
EpochDay = Annotated[
    int, BeforeValidator(_epoch_day), WithJsonSchema({"type": "string", "format": "date"})
]
# A time in a query: text in, epoch milliseconds out.
EpochMs = Annotated[
    int,
    BeforeValidator(_epoch_ms),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
