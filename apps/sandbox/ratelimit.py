"""Helix's token buckets. Twitch: API Concepts, "Rate Limits"."""

import threading
import time

# Points per minute that the headers show while no limit is set.
USUAL_LIMIT = 800


class Buckets:
    """One bucket per key; a call costs a point, and a full bucket refills in a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, key: str, limit: int | None) -> tuple[bool, dict[str, str]]:
        """Whether the call may pass, and the Ratelimit-* headers to answer with."""
        size = limit or USUAL_LIMIT
        now = time.time()
        with self._lock:
            level, since = self._levels.get(key, (float(size), now))
            level = min(float(size), level + (now - since) * size / 60)
            allowed = limit is None or level >= 1
            level = max(0.0, level - 1) if allowed else level
            self._levels[key] = (level, now)
        full_at = now + (size - level) * 60 / size
        return allowed, {
            "Ratelimit-Limit": str(size),
            "Ratelimit-Remaining": str(int(level)),
            "Ratelimit-Reset": str(int(full_at) + 1),
        }
