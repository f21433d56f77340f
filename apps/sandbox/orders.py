"""Reads the fields of an order to the control API; what is unusable is refused with 400."""

from typing import Any

from .exchange import RefusedCall, json_answer
from .signing import moment

Order = dict[str, Any]


def refused(status: int, text: str) -> RefusedCall:
    """The control API's refusal, to be raised."""
    return RefusedCall(json_answer({"error": text}, status))


def text(order: Order, name: str, default: str | None = None) -> str:
    """A text that is not empty. Without a default it must be there; null counts as absent."""
    value = order.get(name)
    if value is None:
        value = default
    if not isinstance(value, str) or not value:
        raise refused(400, f"{name} must be a text")
    return value


def texts(order: Order, name: str) -> list[str]:
    value = order.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise refused(400, f"{name} must be a list of texts")
    return value


def number(order: Order, name: str, default: int, *, least: int, most: int) -> int:
    value = order.get(name, default)
    # type() and not isinstance(): true is no number here.
    if type(value) is not int or not least <= value <= most:
        raise refused(400, f"{name} must be between {least} and {most}")
    return value


def flag(order: Order, name: str, default: bool) -> bool:
    value = order.get(name, default)
    if not isinstance(value, bool):
        raise refused(400, f"{name} must be true or false")
    return value


def time(order: Order, name: str, default: str | None = None) -> str:
    """A time in RFC 3339, as it was written."""
    value = text(order, name, default)
    try:
        moment(value)
    except ValueError as problem:
        raise refused(400, f"{name} must be a time like 2026-03-02T19:04:11Z") from problem
    return value


def rows(order: Order, name: str) -> list[Order]:
    value = order.get(name)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise refused(400, f"{name} must be a list of objects")
    return value
