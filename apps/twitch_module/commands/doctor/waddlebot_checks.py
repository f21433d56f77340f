"""The doctor's checks of WaddleBot's own APIs: only whether somebody answers there."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from ...domain.delivery.reputation_contract import CONTRACTS
from ...errors import CallFailed
from .check import OK, WRONG, Examination, Finding


def check_context(examination: Examination) -> Iterator[Finding]:
    """Whether the API answers that knows who a user is, if the contract asks one."""
    examination.need("REPUTATION_CONTRACT")
    contract = examination.settings.reputation_contract
    if CONTRACTS[contract].needs_context:
        yield _answering(examination, "context API", "CONTEXT_API_URL")
    else:
        yield Finding("context API", OK, f"REPUTATION_CONTRACT={contract} asks none")


def check_reputation(examination: Examination) -> Iterator[Finding]:
    """Whether the API answers that takes the activities."""
    examination.need("REPUTATION_CONTRACT")
    if examination.settings.reputation_contract == "router":
        yield _answering(examination, "router", "CORE_API_URL", "/router/events")
    else:
        yield _answering(examination, "reputation API", "REPUTATION_API_URL")


def check_core(examination: Examination) -> Iterator[Finding]:
    """Whether the core answers that this module registers at, if there is one."""
    examination.need("CORE_API_URL")
    if examination.settings.core_api_url is None:
        yield Finding("core API", OK, "CORE_API_URL is not set: this module registers nowhere")
    else:
        yield _answering(examination, "core API", "CORE_API_URL", "/api/modules/register")


def check_gateway(examination: Examination) -> Iterator[Finding]:
    """Whether the API answers that takes activation keys, if there is one."""
    variable = "GATEWAY_ACTIVATE_URL"
    examination.need(variable)
    if examination.settings.gateway_activate_url is None:
        yield Finding("gateway API", OK, f"{variable} is not set: logins activate no gateway")
    else:
        yield _answering(examination, "gateway API", variable)


def _answering(examination: Examination, name: str, variable: str, path: str = "") -> Finding:
    """Any answer will do: a real call would give points, or use a key up."""
    examination.need(variable)
    url = f"{getattr(examination.settings, variable.lower())}{path}"
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
