"""The EventSub subscriptions of all clients. Twitch: Managing Event Subscriptions."""

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from .catalogue import EVENT_TYPES
from .signing import timestamp

PENDING = "webhook_callback_verification_pending"
FAILED = "webhook_callback_verification_failed"
ENABLED = "enabled"
ALIVE = (ENABLED, PENDING)

# Twitch: at most this many with the same type and condition.
LARGEST_NUMBER_ALIKE = 3
SECRET_LENGTHS = range(10, 101)

Kind = tuple[str, str, frozenset[tuple[str, str]]]


class AlreadyExists(Exception):
    """The same type and condition for the same callback is alive."""


class LimitReached(Exception):
    """Too many alike, or the total cost would be too high."""


@dataclass
class Subscription:
    client_id: str
    type: str
    version: str
    condition: dict[str, str]
    callback: str
    secret: str
    cost: int
    status: str = PENDING
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: str = field(default_factory=timestamp)
    # Place in the order of creation; the list's cursor is made of it.
    number: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As Twitch shows it: without the secret."""
        return {
            "id": self.id,
            "status": self.status,
            "type": self.type,
            "version": self.version,
            "condition": self.condition,
            "created_at": self.created_at,
            "transport": {"method": "webhook", "callback": self.callback},
            "cost": self.cost,
        }

    def kind(self) -> Kind:
        """What subscriptions that Twitch calls the same have in common."""
        return self.client_id, self.type, frozenset(self.condition.items())

    def needs_grant_of(self, user_id: str) -> bool:
        """Whether nobody may have it unless this user agrees."""
        row = EVENT_TYPES.get(self.type)
        return row is not None and any(self.condition.get(key) == user_id for key, _ in row.grants)

    def watches(self, event_type: str, broadcaster_id: str) -> bool:
        """Whether an event of this type in this channel would be sent to it. Types that name
        no channel (a client's or a user's own) match whatever the channel is."""
        if self.type != event_type:
            return False
        channels = [
            value for key, value in self.condition.items() if key.endswith("broadcaster_user_id")
        ]
        return broadcaster_id in channels if channels else True


class Subscriptions:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._by_id: dict[str, Subscription] = {}
        # The same, by what is asked for: a test may keep thousands of them. id -> subscription,
        # oldest first.
        self._of_client: dict[str, dict[str, Subscription]] = {}
        self._of_kind: dict[Kind, dict[str, Subscription]] = {}
        self._created = 0

    def create(self, new: Subscription, *, max_total_cost: int) -> Subscription:
        """Adds it, or raises AlreadyExists or LimitReached; both checked in one step."""
        with self._lock:
            alike = self._of_kind.get(new.kind(), {}).values()
            alive = [one for one in alike if one.status in ALIVE]
            if any(one.callback == new.callback for one in alive):
                raise AlreadyExists
            if len(alive) >= LARGEST_NUMBER_ALIKE:
                raise LimitReached("number of subscriptions with this type and condition")
            if self.total_cost(new.client_id) + new.cost > max_total_cost:
                raise LimitReached("maximum total cost exceeded")
            self.put(new)
            return new

    def put(self, new: Subscription) -> None:
        """Adds it as it is, whatever Twitch would say."""
        with self._lock:
            self._created += 1
            new.number = self._created
            self._by_id[new.id] = new
            self._of_client.setdefault(new.client_id, {})[new.id] = new
            self._of_kind.setdefault(new.kind(), {})[new.id] = new

    def of(self, client_id: str) -> list[Subscription]:
        """A client's subscriptions, dead ones included, oldest first."""
        with self._lock:
            return list(self._of_client.get(client_id, {}).values())

    def count(self, client_id: str) -> int:
        """How many a client has, dead ones included."""
        with self._lock:
            return len(self._of_client.get(client_id, {}))

    def all(self) -> list[Subscription]:
        with self._lock:
            return list(self._by_id.values())

    def get(self, subscription_id: str) -> Subscription | None:
        with self._lock:
            return self._by_id.get(subscription_id)

    def find(self, event_type: str, broadcaster_id: str) -> Subscription | None:
        """The oldest enabled one that an event of this type and channel goes to."""
        for one in self.all():
            if one.status == ENABLED and one.watches(event_type, broadcaster_id):
                return one
        return None

    def delete(self, subscription_id: str, client_id: str | None = None) -> bool:
        """Removes it, when it belongs to this client (None: whoever owns it)."""
        with self._lock:
            found = self._by_id.get(subscription_id)
            if found is None or client_id not in (None, found.client_id):
                return False
            del self._by_id[subscription_id]
            del self._of_client[found.client_id][subscription_id]
            del self._of_kind[found.kind()][subscription_id]
            return True

    def total_cost(self, client_id: str) -> int:
        return sum(one.cost for one in self.of(client_id) if one.status in ALIVE)


def is_secret(text: str) -> bool:
    """Whether Twitch takes it to sign messages with."""
    return text.isascii() and len(text) in SECRET_LENGTHS


def cost(event_type: str, named_user_agreed: bool) -> int:
    """Twitch: 0 when a user must agree, or has agreed to anything anyway; otherwise 1."""
    row = EVENT_TYPES.get(event_type)
    return 0 if (row and row.grants) or named_user_agreed else 1
