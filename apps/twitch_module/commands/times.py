"""Times as commands take and show them. All are UTC."""

import re
import time
from datetime import UTC, datetime, timedelta

import click

WARN_DAYS = 7  # before a service token ends

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Moment(click.ParamType[str]):
    """A time: so long ago (2h), a day (2026-01-31), or RFC 3339. Gives what the API takes."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The time as RFC 3339 text."""
        try:
            return rfc3339(_read(value.strip(), time.time()))
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no time: give how long ago (30m, 2h, 7d), or 2026-01-31,"
                " or 2026-01-31T12:00:00Z",
                param,
                ctx,
            )


def rfc3339(instant: datetime) -> str:
    """The instant as the API writes it."""
    text = instant.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def from_ms(epoch_ms: int | None) -> str | None:
    """Epoch milliseconds as the API writes them; None stays None."""
    return None if epoch_ms is None else rfc3339(datetime.fromtimestamp(epoch_ms / 1000, UTC))


def shown(text: str | None) -> str:
    """A time of the API as people read it: to the second. A dash for None."""
    if text is None:
        return "-"
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError):
        return text


def day_and_time(text: str | None) -> tuple[str, str]:
    """The same in two parts, that can stand below each other."""
    day, _, clock = shown(text).partition(" ")
    return day, clock


def end_is_near(name: str, ends_at: str | None) -> str | None:
    """A warning that the service token of this name ends within a week, or None."""
    if ends_at is None:
        return None
    try:
        left = datetime.fromisoformat(ends_at).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    if not 0 < left <= WARN_DAYS * 86_400:
        return None
    days = int(left // 86_400)
    when = "today" if not days else f"in {days} day{'' if days == 1 else 's'}"
    return (
        f"Warning: {name} ends {when}, at {shown(ends_at)}."
        " Renew it (docs/service-tokens.md), or make another: cli service-token create"
    )


def _read(text: str, now: float) -> datetime:
    if ago := _AGO.fullmatch(text):
        return datetime.fromtimestamp(now, UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def duration(seconds: int) -> str:
    """A time as people say it: `3 h 50 min`."""
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
