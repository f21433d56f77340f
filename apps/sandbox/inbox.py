"""What WaddleBot's APIs received, and what they made of it: identities and scores."""

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

KEPT_CALLS = 50_000

# The core API keeps identities per namespace; the sandbox has one.
NAMESPACE_ID = 7
NAMESPACE_NAME = "sandbox"
FIRST_IDENTITY_ID = 1001


@dataclass
class Received:
    """One call as it came, and how it was answered."""

    at: float
    api: str
    headers: dict[str, str]
    body: str
    json: Any
    # Place in the order of arrival, for whoever shows only what is new.
    number: int = 0
    # The Idempotency-Key was seen before; and came with other bytes then.
    repeat: bool = False
    mismatch: bool = False
    # The answered status; None while the call is being answered.
    status: int | None = None


class Inbox:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._received: deque[Received] = deque(maxlen=KEPT_CALLS)
        self._count_by_api: Counter[str] = Counter()
        self._body_by_key: dict[str, str] = {}
        self._counted_keys: set[str] = set()
        self._identity_by_name: dict[str, int] = {}
        self._score_by_identity: Counter[int] = Counter()

    def record(self, api: str, headers: dict[str, str], body: str, parsed: Any) -> Received:
        """Keeps a call; flags it when its Idempotency-Key has been here before."""
        with self._lock:
            self._count_by_api[api] += 1
            number = self._count_by_api.total()
            one = Received(time.time(), api, headers, body, parsed, number)
            key = headers.get("idempotency-key")
            if api == "reputation" and key:
                one.repeat = key in self._body_by_key
                one.mismatch = self._body_by_key.setdefault(key, body) != body
            self._received.append(one)
            return one

    def identity(self, name: str) -> int:
        """The id of a name; made when the name is new."""
        with self._lock:
            next_id = FIRST_IDENTITY_ID + len(self._identity_by_name)
            return self._identity_by_name.setdefault(name, next_id)

    def score(self, identity_id: int, amount: int, key: str | None) -> int:
        """The new score. The same key pays once; without a key, every call pays."""
        with self._lock:
            if key is None or key not in self._counted_keys:
                self._score_by_identity[identity_id] += amount
            if key is not None:
                self._counted_keys.add(key)
            return self._score_by_identity[identity_id]

    def scores(self) -> list[dict[str, Any]]:
        """Everybody with a score, the highest first."""
        with self._lock:
            names = {number: name for name, number in self._identity_by_name.items()}
            return [
                {"userid": userid, "name": names.get(userid, ""), "score": score}
                for userid, score in self._score_by_identity.most_common()
            ]

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._count_by_api)

    def all(self, api: str | None = None, after: int = 0) -> list[Received]:
        """The calls of one API or of all, oldest first, that came after this number."""
        with self._lock:
            return [one for one in self._received if api in (None, one.api) and one.number > after]
