"""Every type and variant of event, by another library's definitions of Twitch's payloads."""

import inspect
import typing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints
from uuid import uuid4

import twitchio.types_.eventsub as defined
from twitchio.models import eventsub_ as models

from apps.twitch_module.domain.events.catalogue import SCORABLE
from tests.conftest import on_sqlite
from tests.e2e.conftest import Start
from tests.messages import Message

# What the definitions leave open: names that only the type checker imports.
_NAMES = {**vars(typing), **vars(defined), "SubscriptionType": str, "Condition": dict[str, str]}
NOTHING = object()
PERSON = ("user_id", "user_login", "user_name")


def values(kind: Any, key: str = "") -> list[Any]:
    """Some values of a type: the first is the usual one, each further one differs from it."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is NotRequired:
        return [*values(inner[0], key), NOTHING]
    if origin in (Union, UnionType):  # with what is there before what is not
        kinds = sorted(inner, key=lambda one: one is NoneType)
        return [value for one in kinds for value in values(one, key)]
    if origin is Literal:
        return list(inner)
    if origin is list:
        return [[value] for value in values(inner[0], key)] + [[]]
    if origin is dict:
        return [{}]
    if isinstance(kind, typing.TypeVar):
        return ["open"]
    if typing.is_typeddict(origin or kind):
        return list(objects(origin or kind))
    if key == "cost":  # which the definitions once call a text
        return [300]
    return {NoneType: [None], bool: [False, True], int: [5], float: [1.5]}.get(kind, [said(key)])


def said(key: str) -> str:
    """A text, by the name of its field."""
    if key.endswith("_at"):
        return "2026-01-02T03:04:05.678901234Z"
    if key.endswith("id"):
        return str(uuid4()) if key in ("id", "message_id") else str(4000 + len(key))
    return {"tier": "1000", "sub_tier": "1000", "currency": "EUR"}.get(key, f"a {key}")


def objects(kind: Any) -> Iterator[dict[str, Any]]:
    """An object of the usual values, and for each other value of each field one that differs."""
    hints = get_type_hints(kind, _NAMES, include_extras=True)
    of_field = {key: values(hint, key) for key, hint in hints.items()}
    usual = {key: found[0] for key, found in of_field.items()}
    yield usual
    for key, found in of_field.items():
        for value in found[1:]:
            other = {**usual, key: value}
            if key in (*PERSON, "is_anonymous") and "is_anonymous" in usual:
                other |= {**dict.fromkeys(PERSON), "is_anonymous": True}
            if key == "ends_at" and "is_permanent" in usual:
                other["is_permanent"] = value is None
            yield {name: one for name, one in other.items() if one is not NOTHING}


def events() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every type of event with all its variants."""
    for _, model in inspect.getmembers(models, inspect.isclass):
        event_type = getattr(model, "subscription_type", None)
        for base in inspect.getmro(model):
            parameter = inspect.signature(base.__init__).parameters.get("payload")
            if parameter is not None and isinstance(event_type, str):
                for kind in parameter.annotation.split(" | "):
                    found = _NAMES.get(kind)
                    if found is not None:
                        yield from ((event_type, one) for one in objects(found))
                break


@on_sqlite
def test_every_type_and_variant_is_understood(start: Start) -> None:
    points = dict.fromkeys(SCORABLE - {"bits_use"}, 1)
    module = start(ACTIVITY_POINTS=str(points).replace("'", '"'))
    sent = {}
    for event_type, event in events():
        message = Message(event_type, event)
        sent[message.message_id] = (event_type, event)
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(
            module.post, [Message(t, e, message_id=one) for one, (t, e) in sent.items()]
        )
        assert {204} == {answer.status_code for answer in answers}

    kept = {one["event_id"]: one for one in module.all("/twitch/events")}
    assert len({event_type for event_type, _ in sent.values()}) >= 70
    assert len(sent) >= 391
    assert [] == [
        (sent[one], kept[one]["reason"]) for one in sent if kept[one]["outcome"] == "quarantined"
    ]
