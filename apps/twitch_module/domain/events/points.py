"""The points policy: which activity gives how many points, and why."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from .catalogue import SCORABLE
from .notification import Notification

MAX_FIGURE = 1_000_000_000  # bound of every figure in a policy
MAX_POINTS = 2**53 - 1  # the largest integer that every JSON reader keeps exactly
RULE_FIGURES = ("base", "per_unit", "max")
_KEYS = ("base", "per_unit", "tiers", "max")


class BadPolicy(ValueError):
    """A points policy that cannot be used; `problems` names every fault and where it is."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Rule(NamedTuple):
    """round((base + per_unit * units) * tier multiplier), and never above `max`."""

    activity: str
    source: str  # where it was written: "default", "ACTIVITY_POINTS", a file, a channel
    base: float = 0
    per_unit: float = 0
    tiers: tuple[tuple[str, float], ...] = ()
    max: float | None = None

    @lru_cache(maxsize=4096)  # noqa: B019  # bounded; equal rules share it
    def points(self, units: int, tier: str | None) -> int:
        """Whole points for so many units (bits, viewers, gifts) of this tier ("1000"...)."""
        factor = dict(self.tiers).get(tier or "", 1) if self.tiers else 1
        exact = (self.base + self.per_unit * units) * factor
        points = round(min(max(exact, -MAX_POINTS), MAX_POINTS))
        return points if self.max is None else min(points, math.floor(self.max))

    @lru_cache(maxsize=4096)  # noqa: B019  # bounded; equal rules share it
    def explain(self, units: int, tier: str | None) -> str:
        """The rule and what went into it, as the JSON that an activity keeps."""
        return json.dumps(
            {
                "activity": self.activity,
                "source": self.source,
                "base": self.base,
                "per_unit": self.per_unit,
                "units": units,
                "tier": tier,
                "tier_multiplier": dict(self.tiers).get(tier or "", 1),
                "max": self.max,
            }
        )


DEFAULT_RULES = (
    Rule("follow", "default", base=10),
    Rule("sub", "default", base=50),
    Rule("bits", "default", per_unit=1),
    Rule("raid", "default", base=30),
    Rule("subgift", "default", base=60),
    Rule("ban", "default", base=-10),
)


@dataclass(frozen=True)
class Policy:
    """The rules by activity. An activity without a rule is recorded and not scored."""

    rules: Mapping[str, Rule]

    def rule_for(self, notification: Notification) -> Rule | None:
        """The rule that gives this notification's points, or None when nothing does."""
        return self.rules.get(notification.activity) if notification.activity else None


def default_policy() -> Policy:
    """The policy of a fresh installation. A gifted subscription scores as a subscription does."""
    rules = {rule.activity: rule for rule in DEFAULT_RULES}
    return Policy({**rules, "sub_gifted": rules["sub"]})


def amended(policy: Policy, entries: Mapping[str, Any], source: str) -> Policy:
    """`policy` with the rules of `entries`, as read from JSON or TOML.

    An entry is a rule (a table with `base`, `per_unit`, `tiers`, `max`), or a number (points
    per bit for bits, the base for all else), or false: this activity is not scored. It takes
    the place of the whole rule. Gifted subscriptions follow `sub` until they have an entry of
    their own. Raises BadPolicy with every fault, each with its place.
    """
    rules = dict(policy.rules)
    problems: list[str] = []
    for activity, entry in entries.items():
        place = f"{source}: {activity}"
        if activity not in SCORABLE:
            known = ", ".join(sorted(SCORABLE))
            problems.append(f"{place} is no activity; there are {known}")
        elif entry is False or entry is None:
            rules.pop(activity, None)
        elif rule := _read_rule(activity, entry, source, place, problems):
            rules[activity] = rule
    if "bits" in rules and "bits_use" in rules:
        problems.append(
            f"{source}: bits_use counts every cheer that bits counts; set bits to false with it"
        )
    if problems:
        raise BadPolicy(problems)
    if "sub_gifted" not in entries and policy.rules.get("sub_gifted") is policy.rules.get("sub"):
        rules.pop("sub_gifted", None)
        if "sub" in rules:
            rules["sub_gifted"] = rules["sub"]
    return Policy(rules)


def _read_rule(
    activity: str, entry: object, source: str, place: str, problems: list[str]
) -> Rule | None:
    given: Mapping[str, Any]
    if isinstance(entry, Mapping):
        given = entry
    else:
        given = {"per_unit" if activity in ("bits", "bits_use") else "base": entry}
    faults = [
        f"{place}.{key} is unknown; a rule has {', '.join(_KEYS)}"
        for key in given
        if key not in _KEYS
    ]
    tiers = given.get("tiers", {})
    if not isinstance(tiers, Mapping):
        faults.append(f"{place}.tiers must map tiers to factors, such as 2000 = 2")
        tiers = {}
    figures = {key: given[key] for key in RULE_FIGURES if key in given}
    figures |= {f"tiers.{tier}": factor for tier, factor in tiers.items()}
    for name, figure in figures.items():
        if isinstance(figure, bool) or not isinstance(figure, int | float):
            faults.append(f"{place}.{name} must be a number, not {figure!r}")
        elif not abs(figure) <= MAX_FIGURE:  # not a number, either
            faults.append(f"{place}.{name} must be between -{MAX_FIGURE} and {MAX_FIGURE}")
    if faults:
        problems += faults
        return None
    return Rule(
        activity,
        source,
        given.get("base", 0),
        given.get("per_unit", 0),
        tuple((str(tier), factor) for tier, factor in tiers.items()),
        given.get("max"),
    )
