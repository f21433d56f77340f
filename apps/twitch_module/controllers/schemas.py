"""The shapes that all answers share. What stands in a model is in every such answer."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


def _open(schema: dict[str, Any]) -> None:
    # We never send more than the model has; later versions may.
    schema.pop("additionalProperties", None)


class Shape(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra=_open,
        json_schema_serialization_defaults_required=True,
    )


Time = Annotated[str, Field(description="RFC 3339, UTC", json_schema_extra={"format": "date-time"})]
ChannelName = Annotated[
    str | None, Field(description="The channel's login; null when it is not monitored")
]
Reason = Annotated[str | None, Field(description="Why, in words")]
Cursor = Annotated[
    str | None, Field(description="`cursor` of the next page; null when this is the last")
]


class Problem(Shape):
    """An error (RFC 9457). `code` is for programs and stays; `detail` is for people."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str
    code: str
    login_url: str | None = Field(None, description="Where a new login at Twitch would help")


class Health(Shape):
    """The process is alive."""

    status: Literal["ok"]
    version: str


class Check(BaseModel):
    """One thing that the service needs; further members depend on the thing."""

    model_config = ConfigDict(extra="allow")

    ok: bool


class Readiness(Shape):
    """What the service needs, thing by thing."""

    status: Literal["ready", "degraded", "not ready"]
    checks: dict[str, Check]
