"""Taking a person out of what is kept, and knowing those who have been taken out."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from ..events.notification import NotUnderstood, read_object

ERASED = "the user has been erased"
_NAMES = ("login", "name")
# What somebody has written or been told, in any payload: https://dev.twitch.tv/docs/eventsub/
_FREE_TEXT = frozenset(
    ("text", "message", "user_input", "system_message", "reason", "parent_message_body")
)


def user_hash(key: str, user_id: str) -> str:
    """What is left of an erased user's id. Who has the key may still try all ids there are."""
    return hmac.new(key.encode(), user_id.encode(), hashlib.sha256).hexdigest()


class Erased:
    """Who has been erased, and when; false while that is nobody."""

    def __init__(self, key: str = "", times: Mapping[str, int] | None = None) -> None:
        """`times`: when (epoch ms), by the hash of the user's id."""
        self._key = key
        self._times = times or {}

    def __bool__(self) -> bool:
        return bool(self._times)

    def covers(self, user_id: str, sent_at_ms: int) -> bool:
        """Whether this was sent before its user was erased, and comes late."""
        erased_at_ms = self._times.get(user_hash(self._key, user_id))
        return erased_at_ms is not None and sent_at_ms <= erased_at_ms


def without(body: bytes, user_id: str, stand_in: str, *, by_user: bool) -> bytes:
    """A message's body without this user: `stand_in` for the id, no names, nothing they wrote.

    `by_user`: whether the event is the user's own; of other people's, only texts that name the
    user lose the name. Figures stay, so that points can be counted again. Of what is no JSON
    nothing stays.
    """
    try:
        payload = read_object(body)
    except NotUnderstood:
        return b""
    names = {name for name in _names_in(payload, user_id) if name}
    pattern = None
    if names:
        listed = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        pattern = re.compile(rf"(?<!\w)(?:{listed})(?!\w)", re.IGNORECASE)
    taken_out = _without(payload, user_id, stand_in, None if by_user else pattern, wipe=by_user)
    return json.dumps(taken_out).encode()


def _names_in(value: Any, user_id: str) -> list[str]:
    """Every login and name that stands beside the id: user_id, user_login, user_name."""
    found: list[str] = []
    if isinstance(value, list):
        for inner in value:
            found += _names_in(inner, user_id)
    elif isinstance(value, dict):
        for prefix in _prefixes(value, user_id):
            given = (value.get(prefix + name) for name in _NAMES)
            found += [name for name in given if isinstance(name, str)]
        for inner in value.values():
            found += _names_in(inner, user_id)
    return found


def _prefixes(value: Mapping[str, Any], user_id: str) -> list[str]:
    return [key[:-2] for key, inner in value.items() if inner == user_id and key.endswith("id")]


def _without(
    value: Any, user_id: str, stand_in: str, names: re.Pattern[str] | None, *, wipe: bool
) -> Any:
    if isinstance(value, list):
        return [_without(inner, user_id, stand_in, names, wipe=wipe) for inner in value]
    if not isinstance(value, dict):
        return stand_in if value == user_id else value
    hidden = {prefix + name for prefix in _prefixes(value, user_id) for name in _NAMES}
    result = {}
    for key, inner in value.items():
        if isinstance(inner, str) and (key in hidden or (wipe and key in _FREE_TEXT)):
            result[key] = ""
        elif isinstance(inner, str) and names is not None and key in _FREE_TEXT:
            result[key] = names.sub("", inner)
        else:
            result[key] = _without(inner, user_id, stand_in, names, wipe=wipe)
    return result
