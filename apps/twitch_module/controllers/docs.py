"""The API's description: for programs, and as a page for people."""

import json
from functools import cache
from typing import Any

from py4web import response

from .answers import Response, page_response
from .docs_view import groups, paragraphs, shapes
from .http import Answer, endpoint, give
from .openapi import document
from .operations import OPERATIONS, Says
from .reading import JSON


@endpoint(
    "/twitch/openapi.json",
    "GET",
    tag="Operation",
    answers={200: Says(about="An OpenAPI 3.1 document", media_types=(JSON,))},
)
def show_openapi() -> Answer:
    """Describe this API to programs (OpenAPI 3.1)."""
    response.headers["Content-Type"] = "application/json; charset=utf-8"
    return _text()


@endpoint(
    "/twitch/docs",
    "GET",
    tag="Operation",
    answers={200: Says(about="A page", media_types=("text/html",))},
)
def show_docs() -> Answer:
    """Describe this API to people: the same description, as a page."""
    return give(_page())


# Both are made once, when somebody asks: by then every route has been declared.
@cache
def _document() -> dict[str, Any]:
    return document(OPERATIONS.values())


@cache
def _text() -> str:
    return json.dumps(_document())


@cache
def _page() -> Response:
    described = _document()
    return page_response(
        "docs.html",
        title="API",
        version=described["info"]["version"],
        about=paragraphs(described["info"]["description"]),
        groups=groups(described),
        shapes=shapes(described),
    )
