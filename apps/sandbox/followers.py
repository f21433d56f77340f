"""Who follows whom, as Helix lists it. Twitch: API Reference, Get Channel Followers."""

import threading
from datetime import UTC, datetime
from typing import Any

from .signing import moment, whole_seconds

NAMES = ("user_id", "user_login", "user_name")
LONG_AGO = datetime.min.replace(tzinfo=UTC)

# When the follow was, and the entry of the list.
Follow = tuple[datetime, dict[str, Any]]


class Followers:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        # broadcaster -> user -> follow.
        self._follows: dict[str, dict[str, Follow]] = {}

    def add(self, broadcaster_id: str, event: dict[str, Any]) -> None:
        """Lists what the event of a follow tells; somebody who follows again is listed once."""
        with self._lock:
            channel = self._follows.setdefault(broadcaster_id, {})
            channel[str(event.get("user_id"))] = _follow(event)

    def of(self, broadcaster_id: str) -> list[dict[str, Any]]:
        """A channel's followers, newest first, with times in whole seconds."""
        with self._lock:
            follows = list(self._follows.get(broadcaster_id, {}).values())
        follows.sort(key=lambda follow: follow[0], reverse=True)
        return [entry for _, entry in follows]

    def count(self, broadcaster_id: str) -> int:
        with self._lock:
            return len(self._follows.get(broadcaster_id, {}))


def _follow(event: dict[str, Any]) -> Follow:
    """A test may send an event with any nonsense for a time; such a follow is the oldest."""
    entry = {key: event.get(key) for key in (*NAMES, "followed_at")}
    try:
        followed_at = moment(str(entry["followed_at"]))
    except ValueError:
        return LONG_AGO, entry
    return followed_at, {**entry, "followed_at": whole_seconds(followed_at)}
