"""Who a simulated event is about: a monitored channel, and somebody."""

from typing import Any
from uuid import uuid4

import click

from ...domain.events.catalogue import REVOKED, EventType
from ...errors import ModuleError
from ..doctor.check import Examination, NotChecked
from .simulated_event import Person, invented

_CHANNEL = "Simulated_Channel"
_VIEWER = "Simulated_Viewer_"


def some_viewer() -> Person:
    """Somebody who has never been here: what a known viewer does again may earn nothing."""
    return invented(f"{_VIEWER}{uuid4().hex[:8]}")


def people_of(
    row: EventType, said: dict[str, Any], examination: Examination
) -> tuple[Person, Person | None]:
    """The channel, and the user that was named, if one was."""
    if said["anonymous"]:
        if not row.anonymous:
            raise click.UsageError(f"{row.name} is never anonymous")
        if said["user"]:
            raise click.UsageError("give either --user or --anonymous")
    user = _person(said["user"]) if said["user"] else None
    return _channel(row, said["channel"], examination), user


def _channel(row: EventType, text: str | None, examination: Examination) -> Person:
    """A monitored channel, under its own names: the service learns names from events.

    Raises UsageError for one that is not monitored: what happens there is nobody's business.
    """
    monitored = _monitored(examination)
    if text is None:
        # This one makes the service forget a streamer's login: never by default.
        if row.name == REVOKED or not row.is_of_channel:
            return invented(_CHANNEL)
        if not monitored:
            raise click.UsageError(
                "no channel is monitored: add one with cli channels add LOGIN"
                if monitored is not None
                else "which channels are monitored cannot be read here: give --channel ID:LOGIN"
            )
        return monitored[0]
    given = _person(text)
    if monitored is None:
        if not text.partition(":")[0].isdigit():
            raise click.UsageError(
                "which channels are monitored cannot be read here: give ID:LOGIN"
            )
        return given
    for one in monitored:
        if given.id == one.id or (not text[0].isdigit() and given.login == one.login):
            return given if ":" in text else one
    name = given.login if not text.isdigit() else text
    raise click.UsageError(f"{name} is not monitored: add it with cli channels add {name}")


def _monitored(examination: Examination) -> list[Person] | None:
    """The active channels of this installation; None where its database cannot be read."""
    try:
        found = examination.channels
    except (ModuleError, NotChecked):
        return None
    return [Person(one.channel_id, one.channel_name, one.display_name) for one in found]


def _person(text: str) -> Person:
    person_id, colon, name = text.removeprefix("@").partition(":")
    if colon and person_id.isdigit() and name:
        return Person(person_id, name.lower(), name)
    if colon or not person_id:
        raise click.UsageError(f"{text!r}: must be a login, an id, or ID:LOGIN")
    if person_id.isdigit():
        return Person(person_id, f"user_{person_id}", f"User_{person_id}")
    return invented(person_id)
