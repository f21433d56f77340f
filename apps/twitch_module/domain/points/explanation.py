"""Why an activity has its points, in a line."""

from collections.abc import Mapping
from typing import Any

_BECAUSE = {"reversal": "takes back {reverses}, because of {because}", "correction": "{about}"}


def explained(kind: str, amount: int, rule: Mapping[str, Any]) -> str:
    """The sum behind the points, or, of what is derived from others, from what.

    `rule` is what the activity keeps: see policy.py and models/points/earnings.py.
    """
    if kind in _BECAUSE:
        said = {name: rule.get(name, "?") for name in ("reverses", "because", "about")}
        return f"{amount}: {_BECAUSE[kind].format(**said)}"
    told = f"{amount} = ({rule.get('base')} + {rule.get('per_unit')} * {rule.get('units')})"
    told += f" * {rule.get('tier_multiplier')}"
    if "multiplier" in rule:
        told += f" * {rule.get('multiplier_factor')} ({rule['multiplier']})"
    if rule.get("max") is not None:
        told += f", at most {rule['max']}"
    if "currency" in rule:
        told += f"; 1 {rule['currency']} counts {rule.get('currency_rate')}"
    if "limit" in rule:
        told += f"; {rule.get('without_limit')} without the limit {rule['limit']}"
    return told
