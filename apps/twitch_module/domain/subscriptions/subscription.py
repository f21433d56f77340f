"""What should be subscribed at Twitch, compared with what is: pure decisions.

Sources: Twitch, "Managing Event Subscriptions", and "EventSub Reference" for the statuses.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from ..events.catalogue import CATALOGUE, REVOKED
from ..events.event_type import BROADCASTER, RAIDED, READER
from ..events.eventsub import epoch_seconds
from ..text import text

ENABLED = "enabled"
PENDING = "webhook_callback_verification_pending"
LIVING = (ENABLED, PENDING)  # it delivers, or will once the challenge is answered
CHALLENGE_SECONDS = 300  # Twitch publishes no limit; a challenge comes within seconds
# An unknown subscription to our callback whose channel is not monitored is left alone for so
# long: after a lost database the channels are added again first.
STRANGER_MS = 24 * 3600 * 1000

Condition = tuple[tuple[str, str], ...]  # sorted by name

# What to do about a subscription that has ended: create it anew; wait until the streamer logs
# in; wait a day; or give it up. Whatever Twitch adds to the list is created anew.
Remedy = Literal["anew", "login", "later", "never"]
_REMEDIES: Mapping[str, Remedy] = {
    "authorization_revoked": "login",  # also after a changed password
    "moderator_removed": "login",
    "chat_user_banned": "later",
    "beta_maintenance": "later",
    "user_removed": "never",
    "version_removed": "never",
}


class Subscription(NamedTuple):
    """A subscription in Twitch's list."""

    id: str
    type: str
    version: str
    condition: Condition
    status: str
    cost: int
    created_at: str  # RFC 3339, as Twitch writes it
    callback: str  # empty for those that are no webhooks

    @property
    def channel_id(self) -> str:
        """The channel that it watches, or an empty text."""
        return channel_of(self.condition)

    def is_living(self) -> bool:
        """Whether it delivers, or will once the challenge is answered."""
        return self.status in LIVING

    def is_alike(self, wanted: "Wanted") -> bool:
        """Whether both are the same to Twitch, which does not look at the version."""
        return self.type == wanted.type and self.condition == wanted.condition

    def challenge_age_seconds(self, now: float) -> float | None:
        """For how long the challenge has not been answered; None when it is not pending."""
        if self.status != PENDING:
            return None
        created = epoch_seconds(self.created_at)
        return max(0.0, now - created) if created is not None else 0.0


class Known(NamedTuple):
    """What our own table says of a subscription."""

    status: str
    callback: str  # empty when it was never recorded
    secret_id: str  # which secret it was made with; empty when that is not known
    origin: str  # created, adopted, found or hand
    first_seen_ms: int


class Wanted(NamedTuple):
    """A subscription that there should be; `channel_id` is empty for the application's own."""

    type: str
    version: str
    condition: Condition
    channel_id: str


class Match(NamedTuple):
    """A wanted subscription, and those that Twitch has for it.

    `right` is the one that serves. `blocking` have to go before another can be created, since
    Twitch refuses an equal one to the same callback; `obsolete` go once `right` is there.
    """

    wanted: Wanted
    right: Subscription | None
    blocking: tuple[Subscription, ...]
    obsolete: tuple[Subscription, ...]
    why: str  # why those do not serve; empty when there are none


class Ours(NamedTuple):
    """By what we know a subscription as ours, and as up to date."""

    callback: str
    secret_id: str


def from_twitch(described: Mapping[str, Any]) -> Subscription:
    """The subscription in an answer or message of Twitch; what is missing there is empty."""
    condition = described.get("condition")
    condition = condition if isinstance(condition, dict) else {}
    transport = described.get("transport")
    transport = transport if isinstance(transport, dict) else {}
    cost = described.get("cost")
    return Subscription(
        text(described.get("id")),
        text(described.get("type")),
        text(described.get("version")),
        # Twitch lists the fields of a condition that were not given as empty texts.
        tuple(sorted((text(key), text(value)) for key, value in condition.items() if value)),
        text(described.get("status")),
        cost if type(cost) is int and 0 <= cost < 10**9 else 0,
        text(described.get("created_at")),
        text(transport.get("callback")),
    )


def channel_of(condition: Iterable[tuple[str, str]]) -> str:
    """The channel that a condition names, or an empty text. An account is its own channel."""
    named = dict(condition)
    keys = (BROADCASTER, RAIDED, "from_broadcaster_user_id", READER)
    return next((named[key] for key in keys if named.get(key)), "")


def wanted_for_channel(channel_id: str, event_types: Iterable[str]) -> list[Wanted]:
    """What a channel with these types should have."""
    return [_wanted(name, channel_id, channel_id) for name in event_types]


def needed_grants(wanted: Wanted) -> dict[str, list[tuple[str, ...]]]:
    """By user id, the groups of scopes of which he must have granted one each.

    Empty for types that are not in the catalogue: what they need is not known.
    """
    needed: dict[str, list[tuple[str, ...]]] = {}
    if wanted.type in CATALOGUE:
        for user_id, scopes in CATALOGUE[wanted.type].grants_for(dict(wanted.condition)):
            needed.setdefault(user_id, []).append(scopes)
    return needed


def wanted_for_application(client_id: str) -> Wanted:
    """Twitch tells us of users who disconnect the application."""
    return _wanted(REVOKED, client_id, "")


def _wanted(name: str, subject: str, channel_id: str) -> Wanted:
    row = CATALOGUE[name]
    condition = tuple(sorted((key, subject) for key in row.condition))
    return Wanted(row.name, row.version, condition, channel_id)


def match(
    wanted: Wanted,
    there: Iterable[Subscription],
    known: Mapping[str, Known],
    ours: Ours,
    now: float,
) -> Match:
    """What Twitch has for a wanted one. `there` are those of this type and condition."""
    right: Subscription | None = None
    wrong: list[Subscription] = []
    why = ""
    for subscription in there:
        if not is_ours(subscription, known, ours):
            continue
        fault = _fault(subscription, wanted, known.get(subscription.id), ours, now)
        if not fault and right is None:
            right = subscription
            continue
        wrong.append(subscription)
        why = why or fault
    blocking = [one for one in wrong if one.is_living() and one.callback == ours.callback]
    obsolete = [one for one in wrong if one not in blocking]
    if right is not None:
        return Match(wanted, right, (), tuple(wrong), "")
    return Match(wanted, None, tuple(blocking), tuple(obsolete), why)


def is_ours(subscription: Subscription, known: Mapping[str, Known], ours: Ours) -> bool:
    """Whether it calls our callback, or one that it was made with by this installation."""
    if not subscription.callback:
        return False
    record = known.get(subscription.id)
    return subscription.callback == ours.callback or (
        record is not None and record.callback == subscription.callback
    )


def is_superfluous(
    subscription: Subscription,
    known: Mapping[str, Known],
    ours: Ours,
    monitored: Iterable[str],
    now_ms: int,
) -> bool:
    """Whether one that nobody wants is to be removed.

    Not what belongs to another callback. One that is not of our making, for a channel that is
    not monitored, has a day to become wanted.
    """
    if not is_ours(subscription, known, ours):
        return False
    record = known.get(subscription.id)
    if subscription.channel_id in monitored:
        return True
    if record is None:
        return False
    return record.origin != "found" or record.first_seen_ms < now_ms - STRANGER_MS


def remedy(status: str) -> Remedy:
    """What to do about a subscription that has ended with this status."""
    return _REMEDIES.get(status, "anew")


def _fault(
    subscription: Subscription, wanted: Wanted, record: Known | None, ours: Ours, now: float
) -> str:
    """Why a subscription does not serve; empty when it does."""
    if not subscription.is_living():
        return subscription.status
    if subscription.callback != ours.callback:
        return "it calls an earlier callback address"
    if subscription.version != wanted.version:
        return f"it has version {subscription.version}"
    if record is not None and record.secret_id not in ("", ours.secret_id):
        return "it is signed with an earlier secret"
    age = subscription.challenge_age_seconds(now)
    if age is not None and age > CHALLENGE_SECONDS:
        return f"its challenge has not been answered for {int(age // 60)} minutes"
    return ""


def retry_delay_seconds(remedy: Remedy, failures: int) -> float | None:
    """How long until a type is tried again after so many failures in a row; None for never.

    What waits for a login is asked about once a day all the same: the grant may have been
    given to the same application elsewhere.
    """
    if remedy == "never":
        return None
    if remedy in ("login", "later"):
        return 24 * 3600.0
    return 0.0 if failures == 1 else min(60.0 * 4 ** min(failures - 2, 10), 12 * 3600.0)
