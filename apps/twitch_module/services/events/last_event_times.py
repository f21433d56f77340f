"""Which subscriptions to note an event for, so that each is written once in ten seconds."""

from collections.abc import Iterable

NOTED_SECONDS = 10.0
_AT_ONCE = 100  # so that no batch of events waits for thousands of subscriptions
_REMEMBERED = 20_000


class LastEvents:
    """Remembers what was noted lately. Used by one committing thread at a time."""

    def __init__(self) -> None:
        self._noted_at: dict[str, float] = {}

    def due(self, subscription_ids: Iterable[str], now: float) -> list[str]:
        """Those whose last event is to be written at `now` (seconds), sorted."""
        before = now - NOTED_SECONDS
        ids = {one for one in subscription_ids if self._noted_at.get(one, before) <= before}
        due = sorted(ids)[:_AT_ONCE]
        if len(self._noted_at) > _REMEMBERED:
            self._noted_at.clear()
        self._noted_at |= dict.fromkeys(due, now)
        return due
