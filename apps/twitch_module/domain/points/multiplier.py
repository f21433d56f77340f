"""Factors for a while, or for some: a happy hour, a live stream, VIPs and moderators."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Multiplier(NamedTuple):
    """A factor for the points of what fits all of it; what is empty fits everything."""

    name: str
    factor: float
    activities: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    minutes: tuple[int, int] | None = None  # of the day, from and until; over midnight, too
    timezone: str = "UTC"
    live: bool = False  # only while the channel is live
    tiers: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()  # of chat messages, the only events that say them


def factor_for(
    multipliers: Sequence[Multiplier],
    *,
    activity: str,
    at_ms: int,
    tier: str | None,
    badges: Collection[str],
    live: bool,
) -> tuple[float, str | None]:
    """The factor, and the name of the multiplier that gives it: the largest of those that fit."""
    fitting = [
        (one.factor, one.name)
        for one in multipliers
        if (not one.activities or activity in one.activities)
        and (not one.tiers or (tier or "") in one.tiers)
        and (not one.badges or not set(one.badges).isdisjoint(badges))
        and (live or not one.live)
        and _is_time(one, at_ms)
    ]
    return max(fitting) if fitting else (1.0, None)


def _is_time(one: Multiplier, at_ms: int) -> bool:
    if one.minutes is None and not one.days:
        return True
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(one.timezone))
    minute, day = local.hour * 60 + local.minute, DAYS[local.weekday()]
    if one.minutes is not None:
        start, end = one.minutes
        if start > end and minute < end:  # the part after midnight belongs to the day before
            day = DAYS[local.weekday() - 1]
        elif not (start <= minute < end or (start > end and minute >= start)):
            return False
    return not one.days or day in one.days
