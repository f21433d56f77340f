"""A points policy as JSON or TOML have it: read, with every fault named at its place."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..events.catalogue import SCORABLE
from .limits import Limits, Once
from .multiplier import DAYS, Multiplier
from .policy import Policy, Rule, default_policy

MAX_FIGURE = 1_000_000_000  # bound of every figure in a policy
MAX_ENTRIES = 1_000  # of a list
RULE_FIGURES = ("base", "per_unit", "max")
LIMIT_FIGURES = ("per_day", "per_stream", "cooldown", "min", "burst")
_TABLES = ("tiers", "currencies")
_KEYS = ("base", "per_unit", "tiers", "max", "currencies", "once", *LIMIT_FIGURES)
_WHOLE = ("ignore", "ignore_bots", "multipliers")  # entries that are no activity
_MULTIPLIER = ("name", "factor", "activities", "days", "from", "until", "timezone", "live")
_MULTIPLIER_LISTS = ("activities", "days", "tiers", "badges")
_MULTIPLIER_KEYS = (*_MULTIPLIER, "tiers", "badges")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_PER_UNIT = ("bits", "bits_use")  # a number alone is points per bit


class BadPolicy(ValueError):
    """A points policy that cannot be used; `problems` names every fault and where it is."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def amended(policy: Policy, entries: Mapping[str, Any], source: str) -> Policy:
    """`policy` with the rules of `entries`, as read from JSON or TOML.

    An entry is a rule (a table), or a number (points per bit for bits, the base for all else), or
    false: this activity is not scored. It takes the place of the whole rule. `ignore`,
    `ignore_bots` and `multipliers` hold for all activities. Raises BadPolicy with every fault,
    each with its place.
    """
    rules = dict(policy.rules)
    problems: list[str] = []
    for activity, entry in entries.items():
        place = f"{source}: {activity}"
        if activity in _WHOLE:
            continue
        if activity not in SCORABLE:
            known = ", ".join((*sorted(SCORABLE), *_WHOLE))
            problems.append(f"{place} is no activity; there are {known}")
        elif entry is False or entry is None:
            rules.pop(activity, None)
        elif rule := _read_rule(activity, entry, source, place, problems):
            rules[activity] = rule
    if "bits" in rules and "bits_use" in rules:
        problems.append(
            f"{source}: bits_use counts every cheer that bits counts; set bits to false with it"
        )
    whole = _read_whole(policy, entries, source, problems)
    if problems:
        raise BadPolicy(problems)
    return Policy(rules, *whole, source)


def described(policy: Policy) -> dict[str, Any]:
    """The entries that make this policy of the default one, as JSON has them."""
    entries: dict[str, Any] = dict.fromkeys(sorted(default_policy().rules), False)
    for activity, rule in sorted(policy.rules.items()):
        limits = {} if rule.limits is None else rule.limits._asdict()
        entries[activity] = {
            "base": rule.base,
            "per_unit": rule.per_unit,
            **_set({"max": rule.max, **limits}),
            **{name: dict(table) for name in _TABLES if (table := getattr(rule, name))},
        }
    return {
        **entries,
        "ignore": sorted(policy.ignore),
        "ignore_bots": policy.ignore_bots,
        "multipliers": [_described_multiplier(one) for one in policy.multipliers],
    }


def _described_multiplier(one: Multiplier) -> dict[str, Any]:
    said: dict[str, Any] = {
        **{name: list(getattr(one, name)) or None for name in _MULTIPLIER_LISTS},
        "live": one.live or None,
    }
    if one.minutes is not None:
        start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in one.minutes)
        said |= {"from": start, "until": end}
    return {"name": one.name, "factor": one.factor, "timezone": one.timezone, **_set(said)}


def _set(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry for name, entry in entries.items() if entry is not None}


def _read_whole(
    policy: Policy, entries: Mapping[str, Any], source: str, problems: list[str]
) -> tuple[frozenset[str], bool, tuple[Multiplier, ...]]:
    """What holds for all activities."""
    ignore, bots, multipliers = policy.ignore, policy.ignore_bots, policy.multipliers
    if "ignore" in entries:
        ignore = frozenset(_strings(entries["ignore"], f"{source}: ignore", problems))
    if "ignore_bots" in entries:
        bots = entries["ignore_bots"]
        if not isinstance(bots, bool):
            problems.append(f"{source}: ignore_bots must be true or false")
    if "multipliers" in entries:
        given = entries["multipliers"]
        if not isinstance(given, list) or len(given) > MAX_ENTRIES:
            problems.append(f"{source}: multipliers must be a list of tables")
            given = []
        multipliers = tuple(
            _read_multiplier(one, f"{source}: multipliers[{number}]", problems)
            for number, one in enumerate(given)
        )
    return ignore, bots is True, multipliers


def _read_rule(
    activity: str, entry: object, source: str, place: str, problems: list[str]
) -> Rule | None:
    given: Mapping[str, Any]
    if isinstance(entry, Mapping):
        given = entry
    else:
        given = {"per_unit" if activity in _PER_UNIT else "base": entry}
    faults = [
        f"{place}.{key} is unknown; a rule has {', '.join(_KEYS)}"
        for key in given
        if key not in _KEYS
    ]
    figures = {key: given[key] for key in (*RULE_FIGURES, *LIMIT_FIGURES) if key in given}
    tables: dict[str, tuple[tuple[str, Any], ...]] = {}
    for name in _TABLES:
        table = given.get(name, {})
        if not isinstance(table, Mapping):
            example = "2000 = 2" if name == "tiers" else "EUR = 1"
            what = "tiers" if name == "tiers" else "currencies"
            faults.append(f"{place}.{name} must map {what} to factors, such as {example}")
            table = {}
        figures |= {f"{name}.{key}": factor for key, factor in table.items()}
        tables[name] = tuple((str(key), factor) for key, factor in table.items())
    faults += _bad_figures(figures, place)
    once = given.get("once")
    if once is not None and once not in get_args(Once):
        faults.append(f"{place}.once must be one of {', '.join(get_args(Once))}")
    if faults:
        problems += faults
        return None
    limits = Limits(once, *(given.get(name) for name in LIMIT_FIGURES))
    return Rule(
        activity,
        source,
        given.get("base", 0),
        given.get("per_unit", 0),
        tables["tiers"],
        given.get("max"),
        tables["currencies"],
        None if limits == Limits() else limits,
    )


def _bad_figures(figures: Mapping[str, object], place: str) -> list[str]:
    faults = []
    for name, figure in figures.items():
        if isinstance(figure, bool) or not isinstance(figure, int | float):
            faults.append(f"{place}.{name} must be a number, not {figure!r}")
        elif not abs(figure) <= MAX_FIGURE:  # not a number, either
            faults.append(f"{place}.{name} must be between -{MAX_FIGURE} and {MAX_FIGURE}")
        elif name in LIMIT_FIGURES and figure < 0:
            faults.append(f"{place}.{name} must not be negative")
        elif name in LIMIT_FIGURES and name != "cooldown" and not isinstance(figure, int):
            faults.append(f"{place}.{name} must be a whole number")
    return faults


def _read_multiplier(given: object, place: str, problems: list[str]) -> Multiplier:
    """A multiplier; whatever comes back when there are problems is not used."""
    if not isinstance(given, Mapping):
        problems.append(f"{place} must be a table with a factor")
        return Multiplier("", 1)
    problems += [
        f"{place}.{key} is unknown; a multiplier has {', '.join(_MULTIPLIER_KEYS)}"
        for key in given
        if key not in _MULTIPLIER_KEYS
    ]
    problems += _bad_figures({"factor": given.get("factor")}, place)
    lists = {
        key: tuple(_strings(given.get(key, []), f"{place}.{key}", problems))
        for key in _MULTIPLIER_LISTS
    }
    for key, known in (("activities", SCORABLE), ("days", DAYS)):
        if unknown := [one for one in lists[key] if one not in known]:
            problems.append(f"{place}.{key}: {unknown[0]!r} is not one of {_listed(known)}")
    name = given.get("name", place.partition(": ")[2])
    _strings([name], f"{place}.name", problems)
    timezone = given.get("timezone", "UTC")
    try:
        ZoneInfo(timezone)
    except (TypeError, ValueError, OSError, ZoneInfoNotFoundError):
        problems.append(f"{place}.timezone must be a name such as Europe/Berlin")
        timezone = "UTC"
    if not isinstance(given.get("live", False), bool):
        problems.append(f"{place}.live must be true or false")
    return Multiplier(
        name,
        given.get("factor", 1),
        lists["activities"],
        lists["days"],
        _read_times(given, place, problems),
        timezone,
        given.get("live") is True,
        lists["tiers"],
        lists["badges"],
    )


def _read_times(
    given: Mapping[str, Any], place: str, problems: list[str]
) -> tuple[int, int] | None:
    times = [given.get("from"), given.get("until")]
    if times == [None, None]:
        return None
    matches = [_TIME.fullmatch(one) if isinstance(one, str) else None for one in times]
    minutes = [int(one[1]) * 60 + int(one[2]) for one in matches if one is not None]
    if len(minutes) < 2 or minutes[0] == minutes[1]:
        problems.append(f"{place}.from and until must be two times, such as 18:00 and 20:00")
        return None
    return minutes[0], minutes[1]


def _strings(given: object, place: str, problems: list[str]) -> Sequence[str]:
    if (
        isinstance(given, list)
        and len(given) <= MAX_ENTRIES
        and all(isinstance(one, str) and 0 < len(one) <= 255 for one in given)
    ):
        return given
    problems.append(f"{place} must be a list of strings, {MAX_ENTRIES} at most")
    return []


def _listed(known: Collection[str]) -> str:
    return ", ".join(known if isinstance(known, tuple) else sorted(known))
