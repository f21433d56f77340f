"""The OpenAPI document as its page shows it: text, links and tables, no markup."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]


class Piece(NamedTuple):
    """A bit of a line: plain text, code, or a link within the page."""

    text: str
    is_code: bool = False
    link: str = ""


class Field(NamedTuple):
    """A row of a table: a parameter, or a member of an object."""

    name: str
    place: str
    required: bool
    kind: list[Piece]
    about: list[Piece]


class Answer(NamedTuple):
    """What an operation answers."""

    status: str
    is_error: bool
    about: list[Piece]
    kinds: list[tuple[str, list[Piece]]]  # by media type
    codes: list[str]


class Operation(NamedTuple):
    """An operation with all that is known of it."""

    anchor: str
    method: str
    path: str
    summary: str
    about: list[list[Piece]]
    fields: list[Field]
    bodies: list[tuple[str, list[Piece]]]  # by media type
    body_required: bool
    answers: list[Answer]


class Group(NamedTuple):
    """The operations under one tag."""

    anchor: str
    name: str
    about: str
    operations: list[Operation]


class Shape(NamedTuple):
    """A named schema."""

    anchor: str
    name: str
    about: list[list[Piece]]
    fields: list[Field]


def groups(document: Schema) -> list[Group]:
    """The operations of the document, by tag."""
    by_tag: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            operation = _operation(method, path, described, document["components"])
            by_tag[described["tags"][0]].append(operation)
    return [
        Group(f"tag-{number}", tag["name"], tag["description"], by_tag[tag["name"]])
        for number, tag in enumerate(document["tags"])
    ]


def shapes(document: Schema) -> list[Shape]:
    """The named schemas of the document."""
    return [
        Shape(f"shape-{name}", name, paragraphs(schema.get("description", "")), _members(schema))
        for name, schema in document["components"]["schemas"].items()
    ]


def paragraphs(text: str) -> list[list[Piece]]:
    """Text with empty lines between paragraphs and `code`."""
    return [_line(" ".join(part.split())) for part in text.split("\n\n") if part.strip()]


def kind(schema: Schema) -> list[Piece]:
    """What a value has to be, in a few words."""
    return list(_kind(schema))


def _line(text: str) -> list[Piece]:
    parts = enumerate(text.split("`"))
    return [Piece(part, is_code=bool(number % 2)) for number, part in parts if part]


def _operation(method: str, path: str, described: Schema, components: Schema) -> Operation:
    answers = {
        status: components["responses"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        for status, one in described["responses"].items()
    }
    body = described.get("requestBody", {"content": {}})
    return Operation(
        anchor=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described["summary"],
        about=paragraphs(described["description"]),
        fields=[_parameter(one) for one in described["parameters"]],
        bodies=_contents(body["content"]),
        body_required=body.get("required", False),
        answers=[_answer(status, one) for status, one in answers.items()],
    )


def _parameter(one: Schema) -> Field:
    return Field(
        one["name"],
        one["in"],
        one["required"],
        kind(one["schema"]),
        _line(one.get("description", "")),
    )


def _answer(status: str, described: Schema) -> Answer:
    content = described.get("content", {})
    problem = content.get("application/problem+json")
    codes: list[str] = []
    if problem is not None:
        codes = problem["schema"]["allOf"][1]["properties"]["code"].get("enum", [])
    others = {name: one for name, one in content.items() if one is not problem}
    return Answer(
        status, int(status) >= 400, _line(described["description"]), _contents(others), codes
    )


def _contents(content: Schema) -> list[tuple[str, list[Piece]]]:
    return [(media_type, kind(one["schema"])) for media_type, one in content.items()]


def _members(schema: Schema) -> list[Field]:
    required = schema.get("required", [])
    return [
        Field(name, "", name in required, kind(member), _line(member.get("description", "")))
        for name, member in schema.get("properties", {}).items()
    ]


def _kind(schema: Schema) -> Iterator[Piece]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield Piece(name, link=f"#shape-{name}")
    elif choices := schema.get("anyOf"):
        for number, choice in enumerate(choices):
            yield from [Piece(" or ")] if number else []
            yield from _kind(choice)
    elif "const" in schema:
        yield Piece(_shown(schema["const"]), is_code=True)
    elif "enum" in schema:
        for number, value in enumerate(schema["enum"]):
            yield from [Piece(", ")] if number else []
            yield Piece(_shown(value), is_code=True)
    elif schema.get("type") == "array":
        yield Piece("list of ")
        yield from _kind(schema.get("items", {}))
    elif schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        yield Piece("object of ")
        yield from _kind(schema["additionalProperties"])
    else:
        yield Piece(f"{_word(schema)}{_bounds(schema)}")
    if schema.get("default") is not None:
        yield Piece(", else ")
        yield Piece(_shown(schema["default"]), is_code=True)


def _word(schema: Schema) -> str:
    if schema.get("format") == "date-time":
        return "time"
    words = {"string": "text", "null": "null", "boolean": "true or false"}
    name: str = schema.get("type", "anything")
    return words.get(name, name)


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" from {low}" if high > 2**53 else f" from {low} to {high}"
    longest = schema.get("maxLength")
    return f", at most {longest} characters" if longest else ""


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
