"""The doctor's checks of WaddleBot's own APIs: only whether somebody answers there."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from ..errors import CallFailed
from .examination import OK, WRONG, Examination, Finding


def check_context(examination: Examination) -> Iterator[Finding]:
    """Whether the API answers that knows who a user is."""
    examination.need("CONTEXT_API_URL")
    url = examination.settings.context_api_url
    yield _reached(examination, "context API", "CONTEXT_API_URL", url)


def check_reputation(examination: Examination) -> Iterator[Finding]:
    """Whether the API answers that takes the points."""
    examination.need("REPUTATION_API_URL")
    url = examination.settings.reputation_api_url
    yield _reached(examination, "reputation API", "REPUTATION_API_URL", url)


def check_gateway(examination: Examination) -> Iterator[Finding]:
    """Whether the API answers that takes activation keys, if there is one."""
    variable = "GATEWAY_ACTIVATE_URL"
    examination.need(variable)
    url = examination.settings.gateway_activate_url
    if url is None:
        yield Finding("gateway API", OK, f"{variable} is not set: logins activate no gateway")
    else:
        yield _reached(examination, "gateway API", variable, url)


def _reached(examination: Examination, name: str, variable: str, url: str) -> Finding:
    """Any answer will do: a real call would give points, or use a key up."""
    shown = _without_credentials(url)
    try:
        answer = examination.http.call("OPTIONS", url)
    except CallFailed as error:
        if error.code != "answer_too_large":
            advice = f"Is it running, and {variable} its address?"
            return Finding(name, WRONG, f"{shown}: {error}", advice)
        return Finding(name, OK, f"{shown} answers")
    return Finding(name, OK, f"{shown} answers HTTP {answer.status}")


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
