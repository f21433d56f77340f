"""The monitored channels as the webhooks need them: points, names, at every event.

With them, who has been erased.

Read from the database at most once a second, so that other processes' changes hold within
that second, and those of this process, and new channels, at once.
"""

import threading
import time
from dataclasses import dataclass, replace

from ...domain.points.policy import Policy
from ...domain.privacy.erasure import Erased
from ...domain.subscriptions.channel_rules import types_of, usable_policy
from ...errors import DatabaseUnavailable
from ...models.database import Database
from ...models.privacy import erasures
from ...models.subscriptions import channels
from ...models.subscriptions.channels import Channel, ChannelNames
from .event_storage import Standing

FRESH_SECONDS = 1.0
READ_SECONDS = 0.3  # a webhook must be answered within three seconds, and commits after this
# After a failed reading nobody tries again for so long: each try takes its time, and those who
# wait for it would try one after the other.
PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Entry:
    """What holds for one channel."""

    names: ChannelNames
    standing: Standing
    types: tuple[str, ...]
    backfill: bool


class MonitoredChannels:
    """Knows every channel. Thread-safe; blocks on the database when it is read anew."""

    def __init__(self, database: Database, policy: Policy, bot_login: str | None = None) -> None:
        """`policy` is the usual one."""
        self._database = database
        self._usual = policy
        self._bot_login = bot_login
        self.unknown = Standing(policy, monitored=False)  # of a channel that is not here
        self._lock = threading.Lock()
        self._erased: Erased | None = None
        self._entries: dict[str, Entry] = {}
        self._read_at = float("-inf")
        self._failed_at = float("-inf")

    def find(self, channel_id: str) -> Entry | None:
        """The channel's entry, or None. Raises DatabaseUnavailable."""
        entry = self._entries.get(channel_id)
        if entry is None or not self._is_fresh():
            with self._lock:  # the others wait for the one that reads
                if time.monotonic() - self._failed_at < PAUSE_SECONDS:
                    raise DatabaseUnavailable("The channels cannot be read")
                try:
                    if not self._is_fresh() or self._is_new(channel_id):
                        self._read()
                except BaseException:
                    self._read_at, self._failed_at = float("-inf"), time.monotonic()
                    raise
        return self._entries.get(channel_id)

    def forget(self) -> None:
        """Something has been changed: read it anew at the next event."""
        self._read_at = float("-inf")

    def standing(self, channel_id: str) -> Standing:
        """How a channel's events are scored. Raises DatabaseUnavailable."""
        entry = self.find(channel_id)
        return self.unknown if entry is None else entry.standing

    def types(self, channel_id: str) -> tuple[str, ...]:
        """The event types of a channel, monitored or not. Raises DatabaseUnavailable."""
        entry = self.find(channel_id)
        return entry.types if entry else types_of(self._usual, None)

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._read_at <= FRESH_SECONDS

    def _is_new(self, channel_id: str) -> bool:
        """Whether another process has just added this channel."""
        if channel_id in self._entries:
            return False
        with self._database.transaction(timeout_seconds=READ_SECONDS, write=False) as transaction:
            return channels.get(transaction, channel_id) is not None

    def _read(self) -> None:
        # Noted before the reading: what is changed meanwhile is to be read again.
        self._read_at = time.monotonic()
        with self._database.transaction(timeout_seconds=READ_SECONDS, write=False) as transaction:
            listed = channels.list_all(transaction)
            erased = erasures.erased(transaction) or None
        self._erased = erased
        self.unknown = replace(self.unknown, erased=erased)
        self._entries = {channel.channel_id: self._entry(channel) for channel in listed}

    def _entry(self, channel: Channel) -> Entry:
        policy = usable_policy(self._usual, channel.points)
        return Entry(
            ChannelNames(channel.channel_id, channel.channel_name, channel.display_name),
            Standing(policy, bot_login=self._bot_login, erased=self._erased),
            types_of(policy, channel.event_types),
            channel.backfill,
        )
