"""The points policy: which activity gives how many points, and why."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from ..events.notification import Notification
from .exclusion import PUBLIC_BOTS
from .limits import Limits
from .multiplier import Multiplier

MAX_POINTS = 2**53 - 1  # the largest integer that every JSON reader keeps exactly


class Asked(NamedTuple):
    """What of an event a rule looks at."""

    units: float = 0  # bits, viewers, gifts, minutes, or money in its own currency
    tier: str | None = None  # "1000", "2000", "3000"
    currency: str | None = None
    factor: float = 1  # of the policy's multipliers, and which of them
    multiplier: str | None = None


class Rule(NamedTuple):
    """round((base + per_unit * units) * tier multiplier * factor), and never above `max`.

    Money counts as units of its currency, times what `currencies` says of that; one that it does
    not name counts nothing.
    """

    activity: str
    source: str  # where it was written: "default", "ACTIVITY_POINTS", a file, a channel
    base: float = 0
    per_unit: float = 0
    tiers: tuple[tuple[str, float], ...] = ()
    max: float | None = None
    currencies: tuple[tuple[str, float], ...] = ()
    limits: Limits | None = None

    @lru_cache(maxsize=4096)  # noqa: B019  # bounded; equal rules share it
    def price(self, asked: Asked) -> tuple[int, str]:
        """The points, and what `explain` says of them: one look into the cache."""
        return self.points(asked), self.explain(asked)

    def points(self, asked: Asked) -> int:
        """Whole points for what is asked."""
        units = asked.units
        if asked.currency is not None and self.currencies:
            rate = dict(self.currencies).get(asked.currency)
            if rate is None:
                return 0
            units *= rate
        factor = dict(self.tiers).get(asked.tier or "", 1) if self.tiers else 1
        exact = (self.base + self.per_unit * units) * factor * asked.factor
        points = round(min(max(exact, -MAX_POINTS), MAX_POINTS))
        return points if self.max is None else min(points, math.floor(self.max))

    def explain(self, asked: Asked) -> str:
        """The rule and what went into it, as the JSON that an activity keeps."""
        said: dict[str, object] = {
            "activity": self.activity,
            "source": self.source,
            "base": self.base,
            "per_unit": self.per_unit,
            "units": asked.units,
            "tier": asked.tier,
            "tier_multiplier": dict(self.tiers).get(asked.tier or "", 1),
            "max": self.max,
        }
        if asked.currency is not None:
            rate = dict(self.currencies).get(asked.currency, 0) if self.currencies else 1
            said |= {"currency": asked.currency, "currency_rate": rate}
        if asked.multiplier is not None:
            said |= {"multiplier": asked.multiplier, "multiplier_factor": asked.factor}
        return json.dumps(said)


DEFAULT_RULES = (
    Rule("follow", "default", base=10),
    Rule("sub", "default", base=50),
    Rule("bits", "default", per_unit=1),
    Rule("raid", "default", base=30),
    Rule("subgift", "default", base=60),
    Rule("ban", "default", base=-10),
    Rule("timeout", "default"),
)


@dataclass(frozen=True)
class Policy:
    """The rules by activity, and what holds for all of them.

    An activity without a rule is recorded and not scored.
    """

    rules: Mapping[str, Rule]
    ignore: frozenset[str] = frozenset()  # user ids that get nothing
    ignore_bots: bool = True  # whether the public chat bots get nothing, either
    multipliers: tuple[Multiplier, ...] = ()
    source: str = "default"  # where it was amended last

    @cached_property
    def ignored(self) -> frozenset[str]:
        """The ids of all users who get nothing."""
        return self.ignore | PUBLIC_BOTS.keys() if self.ignore_bots else self.ignore

    @cached_property
    def looks_at_streams(self) -> bool:
        """Whether it matters when a channel is live."""
        limits = (rule.limits for rule in self.rules.values())
        return any(one.live for one in self.multipliers) or any(
            one is not None and (one.once == "stream" or one.per_stream is not None)
            for one in limits
        )

    def rule_for(self, notification: Notification) -> Rule | None:
        """The rule that gives this notification's points, or None when nothing does."""
        return self.rules.get(notification.activity) if notification.activity else None


def default_policy() -> Policy:
    """The policy of a fresh installation.

    Gifts score for the giver. Who receives one scores where a policy names `sub_gifted`.
    """
    return Policy({rule.activity: rule for rule in DEFAULT_RULES})
