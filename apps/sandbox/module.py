"""Talks to the Twitch module over HTTP, as an admin would with curl."""

import re
from typing import Any

import requests

from .people import STREAMER
from .settings import admin_credentials, module_url

TIMEOUT_SECONDS = 20
HEALTH_TIMEOUT_SECONDS = 2


class ModuleProblem(Exception):
    """Something did not work; the text is one readable line."""


def health() -> dict[str, Any]:
    """Whether the module answers: {"url", "state": ready|not ready|unreachable, "detail"}."""
    url = module_url()
    try:
        answer = _request("GET", "/twitch/health/ready", timeout=HEALTH_TIMEOUT_SECONDS)
    except ModuleProblem as problem:
        return {"url": url, "state": "unreachable", "detail": str(problem)}
    state = "ready" if answer.ok else "not ready"
    return {"url": url, "state": state, "detail": f"answered {answer.status_code}"}


def add_channel() -> dict[str, Any]:
    """Logs in, adds the sandbox's channel and sets up its subscriptions; the module's own
    answer to the last step: {"channel_id", "results": [...]}."""
    headers = {"Authorization": f"Bearer {_log_in()}"}
    channel = _json(
        _request("POST", "/twitch/api/channels", headers, {"channel_name": STREAMER.login})
    )
    channel_id = str((channel.get("channel") or {}).get("channel_id") or "")
    if not re.fullmatch(r"\w+", channel_id):
        raise ModuleProblem("POST /twitch/api/channels answered without a channel_id")
    return _json(_request("POST", f"/twitch/api/setup/{channel_id}", headers, {}))


def _log_in() -> str:
    username, password = admin_credentials()
    if not username or not password:
        raise ModuleProblem("ADMIN_USERNAME and ADMIN_PASSWORD are not set")
    credentials = {"username": username, "password": password}
    answer = _json(_request("POST", "/api/auth/login", None, credentials))
    return str(answer.get("access_token") or "")


def _request(
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
    *,
    timeout: float = TIMEOUT_SECONDS,
) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        url = module_url() + path
        try:
            return session.request(
                method, url, headers=headers, json=body, timeout=timeout, allow_redirects=False
            )
        except requests.ConnectionError as error:
            raise ModuleProblem(f"the module does not answer at {module_url()}") from error
        except requests.RequestException as error:
            text = f"{method} {path}: {type(error).__name__}"
            raise ModuleProblem(text) from error


def _json(answer: requests.Response) -> dict[str, Any]:
    """The answered object of a 2xx; anything else becomes one line."""
    step = f"{answer.request.method} {answer.request.path_url}"
    try:
        parsed = answer.json()
    except ValueError:
        parsed = None
    document = parsed if isinstance(parsed, dict) else {}
    if not answer.ok:
        detail = str(document.get("detail") or document.get("title") or answer.reason)
        raise ModuleProblem(f"{step} answered {answer.status_code}: {detail}")
    if not isinstance(parsed, dict):
        raise ModuleProblem(f"{step} answered {answer.status_code}, but no JSON object")
    return document
