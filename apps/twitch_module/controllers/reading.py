"""Reading a request: where its values stand, and the model that checks them.

What an action takes is declared with `Takes`, and read by that same object; the API's
description is made of it, too.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Generic, Literal, TypeVar
from urllib.parse import parse_qsl

from py4web import request
from pydantic import BaseModel, Field, ValidationError

from ..domain.strict_json import NotStrict, is_storable, read_object
from ..errors import BadRequest, Invalid, ModuleError, TooLarge

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"

Source = Literal["query", "form", "json", "header"]
UserId = Annotated[str, Field(max_length=50, pattern=r"^[A-Za-z0-9_]+$")]
Model_co = TypeVar("Model_co", bound=BaseModel, covariant=True)
# Logins are 25 characters at most and ids are digits; a little more costs nothing.
TwitchName = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[A-Za-z0-9_]+$")]
Name = Annotated[str, Field(min_length=1, max_length=100)]

_MAX_FIELDS = 50


class Takes(Generic[Model_co]):
    """What an action takes: a model, and from where. All sources together make up its values."""

    def __init__(self, model: type[Model_co], *sources: Source) -> None:
        self.model = model
        self.sources = sources

    @property
    def media_types(self) -> list[str]:
        """What the body may be; empty when there is none."""
        types: dict[Source, str] = {"json": JSON, "form": FORM}
        return [types[source] for source in self.sources if source in types]

    @property
    def refusal(self) -> type[ModuleError]:
        """What values are refused with that the model does not allow."""
        return BadRequest if self.sources == ("header",) else Invalid

    def read(self) -> Model_co:
        """The values of this request, checked. Raises BadRequest, Invalid and TooLarge."""
        values = _query() if "query" in self.sources else {}
        if "header" in self.sources:
            values |= _headers(self.model)
        if self.media_types:
            in_body = self._body()
            if twice := values.keys() & in_body.keys():
                names = ", ".join(sorted(twice))
                raise BadRequest(f"In the query and in the body: {names}")
            values |= in_body
        try:
            return self.model.model_validate(values)
        except ValidationError as error:
            raise self.refusal(_faults(error)) from error

    def _body(self) -> dict[str, Any]:
        content_type = request.environ.get("CONTENT_TYPE", "")
        if "form" in self.sources and content_type.startswith(FORM):
            return _fields(_utf8(_sent()), "form")
        try:
            return read_object(_sent() or b"{}")
        except NotStrict as error:
            raise BadRequest(str(error)) from error


def _sent() -> bytes:
    """The body of this request, which the guard has read."""
    environ = request.environ
    body: bytes = environ["wsgi.input"].read() if environ.get("CONTENT_LENGTH") else b""
    return body


def read_body(environ: Mapping[str, Any], limit_bytes: int) -> bytes:
    """The request's body, whatever its encoding. Blocks until it is there.

    Raises TooLarge and BadRequest.

    Not through py4web's request: that takes chunks apart which the server took apart already,
    and has no limit.
    """
    declared = environ.get("CONTENT_LENGTH") or ""
    if declared:
        if not (declared.isascii() and declared.isdigit()):
            raise BadRequest("Content-Length is not a number")
        length = int(declared[:20])
        if length > limit_bytes:
            raise TooLarge(f"At most {limit_bytes} bytes are taken")
        body: bytes = environ["wsgi.input"].read(length)
        if len(body) < length:
            raise BadRequest("The body is shorter than Content-Length says")
        return body
    if not environ.get("wsgi.input_terminated"):
        return b""  # the server cannot tell where the body ends; reading on would block
    body = environ["wsgi.input"].read(limit_bytes + 1)
    if len(body) > limit_bytes:
        raise TooLarge(f"At most {limit_bytes} bytes are taken")
    return body


def _headers(model: type[BaseModel]) -> dict[str, str]:
    """Those headers of this request that the model names."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    keys = {name: f"HTTP_{name.upper().replace('-', '_')}" for name in names}
    return {name: request.environ[key] for name, key in keys.items() if key in request.environ}


def _query() -> dict[str, Any]:
    return _fields(request.environ.get("QUERY_STRING", ""), "query string")


def _fields(text: str, where: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise BadRequest(f"The {where} cannot be read") from error
    values = dict(pairs)
    if len(values) < len(pairs):
        raise BadRequest(f"A name stands twice in the {where}")
    if not all(is_storable(value) for value in values.values()):
        raise BadRequest("A text holds a character that cannot be stored")
    return values


def _utf8(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeError as error:
        raise BadRequest("The form cannot be read") from error


def _faults(error: ValidationError) -> str:
    """Every fault with its place; never the value itself, which may be a secret."""
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    detail = "; ".join(
        f"{'.'.join(str(part) for part in fault['loc'])}: "
        f"{fault['msg'].removeprefix('Value error, ')}".removeprefix(": ")
        for fault in faults
    )
    return detail[:1000]


def either(one: str, other: str, example: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object that has just one of two members; null counts as missing."""
    null, given = {"type": "null"}, {"not": {"type": "null"}}
    return {
        "oneOf": [
            {"required": [one], "properties": {one: given, other: null}},
            {"required": [other], "properties": {other: given, one: null}},
        ],
        "examples": [example],
    }
