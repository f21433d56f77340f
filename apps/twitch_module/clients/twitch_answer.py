"""What Twitch's answers have in common, from Helix and from id.twitch.tv.

Bodies of errors may be empty, without `error`, or a proxy's HTML (twitch "API Concepts").
"""

import json
from typing import Any

from ..domain.text import text
from ..errors import TwitchRefused, TwitchUnavailable
from .http import Answer


def accepted(answer: Answer) -> dict[str, Any]:
    """The JSON object of a 2xx. Raises TwitchRefused for a 4xx, TwitchUnavailable otherwise."""
    if 400 <= answer.status <= 499:
        raise TwitchRefused(f"Twitch says: {message(answer)}", twitch_status=answer.status)
    if not 200 <= answer.status <= 299:
        raise TwitchUnavailable(f"Twitch answers HTTP {answer.status}")
    body = _json(answer.body) if answer.body else {}
    if not isinstance(body, dict):
        raise TwitchUnavailable("Twitch's answer is not a JSON object")
    return body


def message(answer: Answer) -> str:
    """What Twitch says in an error, or its status."""
    body = _json(answer.body)
    said = body.get("message") if isinstance(body, dict) else None
    return text(said)[:300] if isinstance(said, str) and said else f"HTTP {answer.status}"


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
