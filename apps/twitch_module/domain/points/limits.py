"""What one user can get at most from one activity in one channel: so that points are not farmed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, NamedTuple

DAY_MS = 24 * 3600 * 1000
MINUTE_MS = 60 * 1000
EVERYBODY = ""  # in place of a user: what is counted for the whole channel

Once = Literal["ever", "stream", "day"]


class Limits(NamedTuple):
    """The limits of a rule; None is no limit. A day is one of UTC, by the event's own time."""

    once: Once | None = None  # pays once in all, in a stream, in a day
    per_day: int | None = None  # points, without their sign
    per_stream: int | None = None  # likewise, from one stream's beginning to the next one's
    cooldown: float | None = None  # seconds between two that pay
    min: int | None = None  # fewer units (bits, viewers, gifts) pay nothing
    burst: int | None = None  # more of these in a channel in a minute wait for an admin


class Period(NamedTuple):
    """What a counter counts: somebody's activities in a channel, from when to when."""

    channel_id: str
    user_id: str  # or EVERYBODY
    activity: str
    name: str  # ever, day:2026-01-31, stream:<its id>, minute:<since 1970>


class Counter(NamedTuple):
    """What has been counted in a period so far."""

    points: int = 0  # without their sign
    times: int = 0
    last_at_ms: int = 0  # the newest, by the event's own time; 0 for none


NOTHING = Counter()


class Outcome(NamedTuple):
    """What the limits leave of an activity's points."""

    points: int
    limit: str | None  # that took something away, by its name
    held: bool  # an admin has to release or drop it
    counters: Mapping[Period, Counter]  # that have changed


def day(at_ms: int) -> str:
    """The day of UTC, as 2026-01-31."""
    return _date(at_ms // DAY_MS)


@lru_cache(maxsize=64)
def _date(number: int) -> str:
    return datetime.fromtimestamp(number * DAY_MS // 1000, UTC).strftime("%Y-%m-%d")


def periods(
    limits: Limits, channel_id: str, user_id: str, activity: str, at_ms: int, stream_id: str
) -> list[Period]:
    """The counters that these limits look at."""
    names = []
    if limits.once == "ever" or limits.cooldown is not None:
        names.append("ever")
    if limits.once == "day" or limits.per_day is not None:
        names.append(f"day:{day(at_ms)}")
    if limits.once == "stream" or limits.per_stream is not None:
        names.append(f"stream:{stream_id}")
    found = [Period(channel_id, user_id, activity, name) for name in names]
    if limits.burst is not None:
        minute = f"minute:{at_ms // MINUTE_MS}"
        found.append(Period(channel_id, EVERYBODY, activity, minute))
    return found


def limited(
    limits: Limits, points: int, units: float, at_ms: int, counters: Mapping[Period, Counter]
) -> Outcome:
    """What is left of the points; `counters` has every period of `periods`.

    A limit that is reached leaves nothing; a sum that would be passed leaves the rest of it.
    """
    if limits.min is not None and units < limits.min:
        return Outcome(0, "min", False, {})
    by_kind = {period.name.partition(":")[0]: counter for period, counter in counters.items()}
    left, limit = abs(points), None
    for name, rest in _rests(limits, at_ms, by_kind):
        if rest < left:
            left, limit = max(rest, 0), name
    held = limits.burst is not None and by_kind["minute"].times >= limits.burst
    return Outcome(
        left if points >= 0 else -left,
        limit,
        held and left > 0,
        {
            period: Counter(
                counter.points + left,
                counter.times + 1,
                max(counter.last_at_ms, at_ms),
            )
            for period, counter in counters.items()
            if left or period.user_id == EVERYBODY
        },
    )


def _rests(limits: Limits, at_ms: int, by_kind: Mapping[str, Counter]) -> list[tuple[str, int]]:
    """By the name of each limit that says something: how many points it leaves at most."""
    found = []
    if limits.once is not None and by_kind[limits.once].times:
        found.append(("once", 0))
    if limits.cooldown is not None and by_kind["ever"].times:
        # By the event's own time: one that comes late may be the earlier one.
        if abs(at_ms - by_kind["ever"].last_at_ms) < limits.cooldown * 1000:
            found.append(("cooldown", 0))
    if limits.per_stream is not None:
        found.append(("per_stream", limits.per_stream - by_kind["stream"].points))
    if limits.per_day is not None:
        found.append(("per_day", limits.per_day - by_kind["day"].points))
    return found
