"""JSON from callers of the API: one object, of limited depth, and nothing that is ambiguous."""

import json
import math
from typing import Any, NoReturn

MAX_DEPTH = 32


class NotStrict(ValueError):
    """The text is no JSON object that we take; the message says why."""


def read_object(body: bytes) -> dict[str, Any]:
    """The object that a text holds. Raises NotStrict.

    Refused: other values, more than 32 levels, a name twice in one object, NaN and Infinity,
    and text that no database can store (NUL, half of a surrogate pair).
    """
    try:
        value = json.loads(body, object_pairs_hook=_without_repeats, parse_constant=_constant)
    except NotStrict:
        raise
    except (ValueError, RecursionError) as error:
        raise NotStrict("The body is not JSON") from error
    if not isinstance(value, dict):
        raise NotStrict("The body must be a JSON object")
    _check(value)
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise NotStrict("A name stands twice in one object")
    return value


def _constant(name: str) -> NoReturn:
    raise NotStrict(f"{name} is not JSON")


def _check(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return
    raise NotStrict(f"The body is nested deeper than {MAX_DEPTH} levels")


def _inner(value: Any) -> list[Any]:
    """The values inside this one that can hold others, once all have been looked at."""
    if isinstance(value, dict):
        inner = [*value, *value.values()]
    else:
        inner = value
    for one in inner:
        if isinstance(one, str) and not is_storable(one):
            raise NotStrict("A text holds a character that cannot be stored")
        if isinstance(one, float) and not math.isfinite(one):
            raise NotStrict("A number is too large")
    return [one for one in inner if isinstance(one, dict | list)]


def is_storable(text: str) -> bool:
    """Whether both databases can store a text."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
