"""What is kept of a user: read by admins for that user, and erased."""

import re

from pydantic import BaseModel, ConfigDict, Field

from ...common import services
from ...errors import Conflict, NotFound
from ...models.privacy import erasures
from ...services.privacy.privacy import Position
from ..http import Answer, actor, endpoint, reply
from ..operations import Says
from ..reading import Takes
from ..times import rfc3339
from .schemas import Erasure, ErasureAnswer, Export, KeptRow

_USER_ID = re.compile(r"[0-9]{1,20}", re.ASCII)


class ExportQuery(BaseModel):
    """A page of what is kept."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(200, ge=1, le=1000)
    cursor: str | None = Field(
        None,
        pattern=r"^[0-2]\.[0-9]{1,18}$",
        description="The `next_cursor` of the page before",
    )


@endpoint(
    "/twitch/api/users/<user_id>/export",
    "GET",
    tag="Privacy",
    takes=Takes(ExportQuery, "query"),
    answers={200: Export},
)
def export(query: ExportQuery, user_id: str) -> Answer:
    """List everything that is kept of a user: the rows of every table that has any.

    Of other people's events that name the user it says that they do, and nothing of those people.
    """
    privacy, position = services().privacy, Position()
    if query.cursor is None:
        privacy.exported(actor(), _user(user_id))
    else:
        part, _, after_id = query.cursor.partition(".")
        position = Position(int(part), int(after_id))
    kept, after = privacy.kept(_user(user_id), position, query.limit)
    return reply(
        Export(
            export=[KeptRow(table=one.table, row=dict(one.row)) for one in kept],
            next_cursor=None if after is None else f"{after.part}.{after.after_id}",
        )
    )


@endpoint(
    "/twitch/api/users/<user_id>/erase",
    "POST",
    tag="Privacy",
    answers={
        202: Says(ErasureAnswer, "It is being done: ask for the erasure until it is `erased`")
    },
    errors=(Conflict,),
)
def erase(user_id: str) -> Answer:
    """Take a user out of everything that is kept, for good.

    A pseudonym stands in the user's place, without names and texts; points stay under it. A hash
    of the id stays, so that what the user did before and is told of late brings nobody back.
    Nothing more is delivered of what is still waiting.
    """
    return reply(
        ErasureAnswer(erasure=_shown(services().privacy.erase(actor(), _user(user_id)))), 202
    )


@endpoint(
    "/twitch/api/erasures/<erasure_id>",
    "GET",
    tag="Privacy",
    answers={200: ErasureAnswer},
)
def show_erasure(erasure_id: str) -> Answer:
    """Show how far an erasure is."""
    if not (erasure_id.isascii() and erasure_id.isdigit() and len(erasure_id) <= 15):
        raise NotFound(f"There is no erasure {erasure_id!r}")
    return reply(ErasureAnswer(erasure=_shown(services().privacy.get(int(erasure_id)))))


def _user(user_id: str) -> str:
    """Raises NotFound for what is no id: a name given by mistake would find nothing to erase."""
    if _USER_ID.fullmatch(user_id) is None:
        raise NotFound("A user's id is a number: see GET /twitch/api/user/<login>")
    return user_id


def _shown(erasure: erasures.Erasure) -> Erasure:
    return Erasure(
        id=erasure.id,
        requested_at=rfc3339(erasure.at_ms),
        state="erased" if erasure.user_id is None else "erasing",
        pseudonym=erasure.pseudonym,
        events=erasure.events,
        to_do=erasure.up_to,
        done=erasure.scanned_to,
    )
