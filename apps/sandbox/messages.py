"""What the sandbox's Twitch has sent: every message, and every try to deliver it."""

import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from .subscriptions import Subscription

KEPT_MESSAGES = 5_000


@dataclass
class Try:
    at: float
    # The callback's status, or None with the error that kept it from answering.
    status: int | None
    error: str | None = None

    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass
class Message:
    """One EventSub message; its id and body stay the same in every try."""

    message_id: str
    # notification, webhook_callback_verification or revocation.
    message_type: str
    subscription: Subscription
    body: bytes
    event: dict[str, Any] | None = None
    # normal, forged or stale: how it was made.
    how: str = "normal"
    at: float = field(default_factory=time.time)
    tries: list[Try] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "message_id": self.message_id,
            "message_type": self.message_type,
            "type": self.subscription.type,
            "subscription_id": self.subscription.id,
            "how": self.how,
            "at": self.at,
            "event": self.event,
            "tries": [asdict(one) for one in self.tries],
        }


class Messages:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: deque[Message] = deque(maxlen=KEPT_MESSAGES)

    def add(self, message: Message) -> None:
        with self._lock:
            self._sent.append(message)

    def add_try(self, message: Message, made: Try) -> None:
        with self._lock:
            message.tries.append(made)

    def last(self, event_type: str | None) -> Message | None:
        """The last notification that Twitch itself could have sent, of one type or of any."""
        with self._lock:
            for message in reversed(self._sent):
                genuine = message.event is not None and message.how == "normal"
                if genuine and event_type in (None, message.subscription.type):
                    return message
        return None

    def all(self, newest: int = KEPT_MESSAGES) -> list[dict[str, Any]]:
        """The newest so many, oldest first."""
        with self._lock:
            return [message.as_dict() for message in list(self._sent)[-newest:]]
