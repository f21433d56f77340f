"""What privacy's answers look like."""

from typing import Any, Literal

from pydantic import Field

from ..schemas import Cursor, Shape, Time


class KeptRow(Shape):
    """A row about a user, by the names of its table's columns."""

    table: str
    row: dict[str, Any]


class Export(Shape):
    """What is kept of a user."""

    export: list[KeptRow]
    next_cursor: Cursor


class Erasure(Shape):
    """A user who is taken out of all that is kept."""

    id: int
    requested_at: Time | None
    state: Literal["erasing", "erased"]
    pseudonym: str = Field(description="What stands in the place of the user's id from now on")
    events: int = Field(description="In which the user was, as far as they are looked through")
    to_do: int | None = Field(description="Events to look through; null before it begins")
    done: int


class ErasureAnswer(Shape):
    """One erasure."""

    erasure: Erasure
