"""The entries of a points policy, as requests have them."""

from typing import Annotated, Any

from pydantic import WithJsonSchema

from ...domain.events.catalogue import SCORABLE
from ...domain.points.multiplier import DAYS
from ...domain.points.policy_reading import LIMIT_FIGURES, MAX_FIGURE, RULE_FIGURES
from ..reading import Name

ABOUT = (
    "By activity: its base (for bits: points per bit), a rule, or false for none. For all of them:"
    " ignore, ignore_bots, multipliers. See docs/points.md"
)
# The names of activities, and that bits and bits_use exclude each other, are for the domain to say.
_FIGURE = {"type": "number", "minimum": -MAX_FIGURE, "maximum": MAX_FIGURE}
_WHOLE = {"type": "integer", "minimum": 0, "maximum": MAX_FIGURE}
_NONE = {"enum": [False, None]}
_RULE = {
    "type": "object",
    "properties": {
        **dict.fromkeys(RULE_FIGURES, _FIGURE),
        **dict.fromkeys(LIMIT_FIGURES, _WHOLE),
        "cooldown": {**_FIGURE, "minimum": 0},  # seconds
        "once": {"enum": ["ever", "stream", "day", None]},
        "tiers": {"type": "object", "additionalProperties": _FIGURE},
        "currencies": {"type": "object", "additionalProperties": _FIGURE},
    },
    "additionalProperties": False,
}


def _strings(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


_TEXT = {"type": "string", "minLength": 1, "maxLength": 255}

_MULTIPLIER = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "factor": _FIGURE,
        "activities": _strings({"enum": sorted(SCORABLE)}),
        "days": _strings({"enum": list(DAYS)}),
        "tiers": _strings(_TEXT),
        "badges": _strings(_TEXT),
        "live": {"type": "boolean"},
    },
    "required": ["factor"],
    "additionalProperties": False,
    "description": "Also from, until and timezone: times that a schema cannot compare",
}
_OF_ALL = {
    "ignore": _strings(_TEXT),
    "ignore_bots": {"type": "boolean"},
    "multipliers": _strings(_MULTIPLIER),
}
Entries = Annotated[
    dict[Name, Any],
    WithJsonSchema(
        {
            "type": "object",
            "properties": _OF_ALL,
            "additionalProperties": {"anyOf": [_FIGURE, _NONE, _RULE]},
        }
    ),
]
