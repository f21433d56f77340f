"""Problem documents (RFC 9457) and pages, as status, headers and body."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from py4web.core import render

from ..errors import ModuleError
from ..services.events.group_commit import Commitment
from .schemas import Problem

_TEMPLATES = str(Path(__file__).resolve().parent.parent / "templates")
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'; object-src 'none'"
)


class Response(NamedTuple):
    """An answer that nothing has been done with.

    `once` is what must be durable before it is given; then it may be another one.
    """

    status: int
    headers: dict[str, str]
    body: str
    once: Commitment | None = None


def wants_page(accept: str) -> bool:
    """Whether a browser asks, and not a program, by its Accept header."""
    return "text/html" in accept and "application/json" not in accept


def page_response(template: str, status: int = 200, **context: Any) -> Response:
    """A page of `templates/`. What is put into it is escaped; nothing comes from elsewhere."""
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": _PAGE_POLICY,
    }
    body: str = render(filename=template, path=_TEMPLATES, context=context)
    return Response(status, headers, body)


def problem_response(error: ModuleError, *, as_page: bool) -> Response:
    """The error as a problem document, or as a page for a browser."""
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if as_page:
        page = page_response("problem.html", error.status, title=error.title, detail=str(error))
        return page._replace(headers={**headers, **page.headers})
    members = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": str(error),
        "code": error.code,
        **error.extra,
    }
    document = Problem.model_validate(members).model_dump(exclude_unset=True)
    return Response(error.status, headers, json.dumps(document))
