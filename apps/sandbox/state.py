"""The one state of the sandbox: who exists, what was issued, what was sent and received.

All of it lives in memory. A reset puts new, empty parts in the place of the old ones, so
that a thread still busy with the past writes into parts that nobody reads any more.
"""

import threading
from collections import Counter

from .device_codes import DeviceCodes
from .faults import Faults
from .followers import Followers
from .inbox import Inbox
from .messages import Messages
from .people import People
from .ratelimit import Buckets
from .settings import Settings
from .subscriptions import Subscriptions
from .tokens import Tokens


class Sandbox:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Lets the page notice a reset: what it shows belongs to an earlier run.
        self.run = 0
        self.reset()

    def reset(self) -> None:
        self.run += 1
        self.settings = Settings()
        self.people = People()
        self.tokens = Tokens()
        self.devices = DeviceCodes()
        self.subscriptions = Subscriptions()
        self.messages = Messages()
        self.followers = Followers()
        self.inbox = Inbox()
        self.faults = Faults()
        self.buckets = Buckets()
        self._calls: Counter[str] = Counter()

    def count_call(self, method: str, path: str) -> None:
        with self._lock:
            self._calls[f"{method} {path}"] += 1

    def calls(self) -> dict[str, int]:
        """How often each played route was called, also when a fault answered."""
        with self._lock:
            return dict(self._calls)


sandbox = Sandbox()
