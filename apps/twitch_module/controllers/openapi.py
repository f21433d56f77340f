"""The API's description (OpenAPI 3.1), made of what the routes have declared of themselves."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from inspect import cleandoc
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import (
    GenerateJsonSchema,
    JsonSchemaMode,
    JsonSchemaValue,
    models_json_schema,
)

from ..domain.access.callers import Rule
from ..errors import ModuleError
from ..version import VERSION
from .operations import TAGS, Fails, Operation, Says, Token
from .reading import JSON
from .schemas import Problem

_REF = "#/components/schemas/{model}"
_PROBLEM_JSON = "application/problem+json"
_ABOUT = cleandoc(
    """
    Errors are problem documents (RFC 9457). Their `code` is for programs and does not change;
    browsers that ask for HTML get a page instead.

    Tokens go into the header `Authorization: Bearer ...` and nowhere else. People get an access
    token for a password (`POST /api/auth/login`). Services send their service token, or an access
    token that they get for it (`POST /api/auth/service-token/refresh`).

    HEAD is answered as GET is. What a path does not have is answered 405 with `Allow`, an address
    that is not there 404. Nothing may be named twice in one query, form or JSON object, and no
    text may hold a NUL. Further members may be added to answers; they never lose one.
    """
)
_PATH_PARTS: Mapping[str, tuple[str, str]] = {
    "channel_id": ("The channel's id at Twitch", "141981764"),
    "user_id": ("The user's id at Twitch", "141981764"),
    "event_id": ("Twitch's message id", "befa7b53-d79d-478f-86b9-120f112b044e"),
    "activity_id": ("The activity's number", "1"),
    "token_id": ("The service token's number", "1"),
    "run_id": ("The preview's number", "1"),
    "erasure_id": ("The erasure's number", "1"),
}
_LOGIN_OR_ID = ("The user's id or login at Twitch", "141981764")
_HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": "Seconds until the next try may succeed"},
    503: {"Retry-After": "Seconds until the next try may succeed"},
}


class _Untitled(GenerateJsonSchema):
    """Without a title for each field, which would only repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The description of these operations, as the JSON object that it is."""
    listed = list(operations)
    refs, schemas = _schemas(listed)
    paths: dict[str, dict[str, Any]] = {}
    problems: dict[str, Any] = {}
    for operation in listed:
        path = operation.path.replace("<", "{").replace(">", "}")
        described = _operation(operation, refs, problems)
        paths.setdefault(path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "WaddleBot's Twitch module", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": "/", "description": "Where this description comes from"}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": dict(sorted(problems.items())),
            "securitySchemes": {
                "access_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Of a person's session, or of a service with scopes",
                },
                "service_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "As it was shown when it was made, unless it is for exchange"
                    " only: then it brings access tokens, and serves nowhere else",
                },
            },
        },
    }


Refs = Mapping[tuple[Any, JsonSchemaMode], JsonSchemaValue]  # by model


def _schemas(operations: Iterable[Operation]) -> tuple[Refs, dict[str, Any]]:
    """A reference for each model of a body or an answer, and the schemas that they lead to."""
    used: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for operation in operations:
        if operation.takes is not None and operation.takes.media_types:
            used[operation.takes.model, "validation"] = None
        if operation.message is not None:
            used[operation.message.body, "validation"] = None
        for says in operation.answers.values():
            used |= dict.fromkeys((model, "serialization") for model in says.models)
    refs, defined = models_json_schema(list(used), ref_template=_REF, schema_generator=_Untitled)
    return refs, dict(sorted(defined["$defs"].items()))


def _operation(operation: Operation, refs: Refs, problems: dict[str, Any]) -> dict[str, Any]:
    summary, _, more = operation.text.partition("\n\n")
    who = _who(operation)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": " ".join(summary.split()).removesuffix("."),
        "description": f"{more}\n\n{who}".strip(),
        "x-who": who,
        "security": _security(operation),
        "parameters": _parameters(operation),
        "responses": _responses(operation, refs, problems),
    }
    if body := _body(operation, refs):
        described["requestBody"] = body
    return described


def _who(operation: Operation) -> str:
    """Who may call it, in words."""
    rule = operation.rule
    if operation.message is not None:
        return "For Twitch, which shows its signature."
    if not rule.anyone:
        return f"For {_people(rule)}{_services(rule)}."
    if operation.token == "service token":  # noqa: S105  # its kind
        return "For services that show their service token."
    return "For anyone."


def _people(rule: Rule) -> str:
    return {"admin": "admins", "viewer": "admins and viewers", None: "no person"}[rule.role]


def _services(rule: Rule) -> str:
    return f", and services with the scope `{rule.scope}`" if rule.scope else ""


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if not operation.rule.anyone:
        people: list[dict[str, list[str]]] = [{"access_token": []}]
        return [*people, {"service_token": []}] if operation.rule.scope else people
    kinds: dict[Token, list[dict[str, list[str]]]] = {
        "none": [],
        "optional": [{}, {"access_token": []}, {"service_token": []}],
        "service token": [{"service_token": []}],
    }
    return kinds[operation.token]


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    for name in re.findall(r"<(\w+)>", operation.path):
        about, example = _PATH_PARTS[name]
        if operation.name == "show_user":
            about, example = _LOGIN_OR_ID
        parameters.append(
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": about,
                "schema": {"type": "string", "pattern": "^[^/]+$"},
                "example": example,
            }
        )
    if operation.takes is not None and "query" in operation.takes.sources:
        alone = not operation.takes.media_types
        parameters += _fields(operation.takes.model, "query", required=alone)
    if operation.takes is not None and "header" in operation.takes.sources:
        parameters += _fields(operation.takes.model, "header", required=True)
    if operation.message is not None:
        parameters += _fields(operation.message.headers, "header", required=True)
    return parameters


def _fields(model: type[BaseModel], place: str, *, required: bool) -> list[dict[str, Any]]:
    """The fields of a model as parameters. `required`: as the model says; else none is."""
    schema = model.model_json_schema(schema_generator=_Untitled)
    parameters = []
    for name, field in schema["properties"].items():
        # A text in an address is never null: it is there or not.
        choices = [one for one in field.pop("anyOf", []) if one != {"type": "null"}]
        field = {**(choices[0] if len(choices) == 1 else {}), **field}
        if field.get("default", "") is None:
            del field["default"]
        about = field.pop("description", None)
        parameters.append(
            {
                "name": name,
                "in": place,
                "required": required and name in schema.get("required", []),
                **({"description": about} if about else {}),
                "schema": field,
            }
        )
    return parameters


def _body(operation: Operation, refs: Refs) -> dict[str, Any] | None:
    if operation.message is not None:
        schema = refs[operation.message.body, "validation"]
        return {"required": True, "content": {JSON: {"schema": schema}}}
    takes = operation.takes
    if takes is None or not takes.media_types:
        return None
    content = {"schema": refs[takes.model, "validation"]}
    return {
        # What can be read of the query, too, need not be in a body.
        "required": "query" not in takes.sources and not _may_be_empty(takes.model),
        "content": {media_type: content for media_type in takes.media_types},
    }


def _may_be_empty(model: type[BaseModel]) -> bool:
    try:
        model.model_validate({})
    except ValueError:
        return False
    return True


def _responses(operation: Operation, refs: Refs, problems: dict[str, Any]) -> dict[str, Any]:
    """By status. Errors are entered into `problems`, and only named here."""
    responses = {
        str(status): _answer(status, says, refs) for status, says in operation.answers.items()
    }
    by_status: dict[int, list[Fails]] = {}
    for failure in operation.failures():
        by_status.setdefault(failure.error.status, []).append(failure)
    for status, failures in sorted(by_status.items()):
        codes = dict.fromkeys(code for failure in failures for code in failure.codes)
        name = "-".join((str(status), *codes))
        problems[name] = _problem(status, failures, list(codes), refs)
        responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return dict(sorted(responses.items()))


def _answer(status: int, says: Says, refs: Refs) -> dict[str, Any]:
    models = [refs[model, "serialization"] for model in says.models]
    about = says.about or " or ".join(_first_line(model) for model in says.models)
    answer: dict[str, Any] = {"description": about or HTTPStatus(status).phrase}
    if says.headers:
        answer["headers"] = _headers(says.headers)
    schema = {"anyOf": models} if len(models) > 1 else next(iter(models), {"type": "object"})
    if says.media_types:
        answer["content"] = {
            media_type: {"schema": schema if media_type == JSON else {"type": "string"}}
            for media_type in says.media_types
        }
    return answer


def _problem(status: int, failures: list[Fails], codes: list[str], refs: Refs) -> dict[str, Any]:
    titles = list(dict.fromkeys(failure.error.title for failure in failures))
    code: dict[str, Any] = {"enum": codes}
    if any(failure.error is ModuleError for failure in failures):  # what nobody foresaw
        code = {"type": "string"}
        titles = ["A fault of this module's own; `detail` says where in its log"]
    schema = {
        "allOf": [
            refs[Problem, "serialization"],
            {"properties": {"status": {"const": status}, "code": code}},
        ]
    }
    answer: dict[str, Any] = {
        "description": "; ".join(titles),
        "content": {_PROBLEM_JSON: {"schema": schema}},
    }
    if status in _HEADERS:
        answer["headers"] = _headers(_HEADERS[status])
    return answer


def _headers(headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: {"description": about, "required": True, "schema": {"type": "string"}}
        for name, about in headers.items()
    }


def _first_line(described: type) -> str:
    return cleandoc(described.__doc__ or "").partition("\n")[0]
