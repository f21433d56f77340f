"""What is wrong with a variable, in plain words; and which one was probably meant."""

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from pydantic.fields import FieldInfo

_SHOWN_CHARACTERS = 40  # of a wrong value


def in_plain_words(fault: Mapping[str, Any], field: FieldInfo, value: object) -> str:
    """What must be, for one of pydantic's faults; its own words are for programmers.

    The value is repeated only where it must be a number or one of some words: whatever else it
    is may be a secret, or hold one.
    """
    kind: str = fault["type"]
    if kind.startswith(("int_", "float_", "greater_than", "less_than")):
        number = "number" if kind.startswith("float_") else "whole number"
        return f"must be a {number}{_range(field)}, not {_shown(value)}"
    if kind == "literal_error":
        return f"must be {fault['ctx']['expected'].replace(chr(39), '')}, not {_shown(value)}"
    if kind.startswith("bool_"):
        return f"must be true or false, not {_shown(value)}"
    if kind in ("string_too_long", "string_too_short"):
        fewest, most = _limit(field, "min_length"), _limit(field, "max_length")
        return f"must have {fewest or 0} to {most} characters"
    if kind.startswith(("string_", "path_")):
        return "must be text in UTF-8"
    said: str = fault["msg"]
    return said.removeprefix("Value error, ")


def meant_by(name: str, known: Collection[str], *, alike: float = 0.75) -> str | None:
    """The known name that looks most like this one, if one does."""
    near = difflib.get_close_matches(name, known, 1, alike)
    return near[0] if near else None


def _range(field: FieldInfo) -> str:
    lowest, highest = _limit(field, "ge"), _limit(field, "le")
    if lowest is None and highest is None:
        return ""
    if highest is None:
        return f" from {lowest} on"
    return f" up to {highest}" if lowest is None else f" from {lowest} to {highest}"


def _limit(field: FieldInfo, name: str) -> object:
    limits = (getattr(one, name, None) for one in field.metadata)
    return next((limit for limit in limits if limit is not None), None)


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
