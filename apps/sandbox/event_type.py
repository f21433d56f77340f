"""What the sandbox knows of a subscription type."""

from dataclasses import dataclass

BROADCASTER = "broadcaster_user_id"
MODERATOR = "moderator_user_id"
READER = "user_id"

# The one type whose messages hold several events.
BATCHED = "drop.entitlement.grant"

# One grant that must exist: by the user in this key of the condition, any of these scopes.
Grant = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class EventType:
    type: str
    version: str
    # What the page writes on the button.
    title: str
    # Every key must be there; of `either`, exactly one; `optional` may be.
    condition: tuple[str, ...] = (BROADCASTER,)
    either: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    removed_versions: tuple[str, ...] = ()
    # What the page's amount means for it: bits, viewers, gifts, ... or "" for nothing.
    unit: str = ""
    can_be_anonymous: bool = False

    def accepts(self, condition: dict[str, str]) -> bool:
        keys = set(condition)
        if self.either and len(keys & set(self.either)) != 1:
            return False
        allowed = {*self.condition, *self.either, *self.optional}
        return set(self.condition) <= keys <= allowed and all(condition.values())


def by_broadcaster(*scopes: str) -> tuple[Grant, ...]:
    return ((BROADCASTER, scopes),)


def by_moderator(*scopes: str) -> tuple[Grant, ...]:
    return ((MODERATOR, scopes),)


def by_reader(*scopes: str) -> tuple[Grant, ...]:
    return ((READER, scopes),)


READ_CHAT = by_reader("user:read:chat") + by_reader("user:bot")
CHAT = READ_CHAT + by_broadcaster("channel:bot")
WITH_MODERATOR = (BROADCASTER, MODERATOR)
WITH_READER = (BROADCASTER, READER)
