"""The monitored channels as the webhooks need them: points, names, at every event.

Read from the database at most once a second, so that other processes' changes hold within
that second, and those of this process at once.
"""

import threading
import time
from dataclasses import dataclass

from ...domain.events.catalogue import types_in_use
from ...domain.events.points import Policy
from ...domain.subscriptions.channel_rules import types_of, usable_policy
from ...errors import DatabaseUnavailable
from ...models.database import Database
from ...models.subscriptions import channels
from ...models.subscriptions.channels import Channel, ChannelNames

FRESH_SECONDS = 1.0
READ_SECONDS = 0.3  # a webhook must be answered within three seconds, and commits after this
# After a failed reading nobody tries again for so long: each try takes its time, and those who
# wait for it would try one after the other.
PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Entry:
    """What holds for one channel."""

    names: ChannelNames
    policy: Policy
    types: tuple[str, ...]
    backfill: bool


class MonitoredChannels:
    """Knows every channel. Thread-safe; blocks on the database when it is read anew."""

    def __init__(self, database: Database, policy: Policy) -> None:
        """`policy` is the usual one, for channels that are not here, too."""
        self._database = database
        self.usual = policy
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._read_at = float("-inf")
        self._failed_at = float("-inf")

    def find(self, channel_id: str) -> Entry | None:
        """The channel's entry, or None. Raises DatabaseUnavailable."""
        if not self._is_fresh():
            with self._lock:  # the others wait for the one that reads
                if time.monotonic() - self._failed_at < PAUSE_SECONDS:
                    raise DatabaseUnavailable("The channels cannot be read")
                if not self._is_fresh():
                    self._read()
        return self._entries.get(channel_id)

    def forget(self) -> None:
        """Something has been changed: read it anew at the next event."""
        self._read_at = float("-inf")

    def policy(self, channel_id: str) -> Policy:
        """The points of a channel, monitored or not. Raises DatabaseUnavailable."""
        entry = self.find(channel_id)
        return entry.policy if entry else self.usual

    def types(self, channel_id: str) -> tuple[str, ...]:
        """The event types of a channel, monitored or not. Raises DatabaseUnavailable."""
        entry = self.find(channel_id)
        return entry.types if entry else types_in_use(self.usual.rules)

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._read_at <= FRESH_SECONDS

    def _read(self) -> None:
        # Noted before the reading: what is changed meanwhile is to be read again.
        self._read_at = time.monotonic()
        try:
            with self._database.transaction(
                timeout_seconds=READ_SECONDS, write=False
            ) as transaction:
                listed = channels.list_all(transaction)
        except BaseException:
            self._read_at, self._failed_at = float("-inf"), time.monotonic()
            raise
        self._entries = {channel.channel_id: self._entry(channel) for channel in listed}

    def _entry(self, channel: Channel) -> Entry:
        policy = usable_policy(self.usual, channel.points)
        return Entry(
            ChannelNames(channel.channel_id, channel.channel_name, channel.display_name),
            policy,
            types_of(policy, channel.event_types),
            channel.backfill,
        )
