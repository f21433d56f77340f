"""The admins' view of the EventSub subscriptions: the list, and what is done by hand."""

from collections.abc import Callable, Mapping
from typing import Any

from ...clients.twitch import TwitchClient
from ...domain.events.catalogue import CATALOGUE
from ...domain.subscriptions import subscription as rules
from ...domain.subscriptions.channel_rules import TWICE, counts_cheers_twice, no_channel_type
from ...domain.subscriptions.subscription import Known, Subscription, Wanted
from ...errors import Conflict, Invalid, NotFound, TwitchRefused
from ...models.database import Database
from ...models.subscriptions import channels, subscription_failures, subscriptions
from .reconciler import Reconciler
from .subscriber import Subscriber

# What Twitch's refusals mean for who asks us; any other is Twitch's fault or our configuration's.
_CONFLICTS = {
    403: "needs_login",
    409: "exists_elsewhere",
    429: "subscription_limit",
}

_SCOPES = (
    "The catalogue does not say which scopes it needs: add them to TWITCH_SCOPES, and have the"
    " streamer log in again"
)


class Subscriptions:
    """Lists, creates and deletes subscriptions. Blocks on Twitch."""

    def __init__(
        self,
        database: Database,
        twitch: TwitchClient,
        subscriber: Subscriber,
        reconciler: Reconciler,
        login_url: Callable[[str, str], str],
    ) -> None:
        self._database = database
        self._twitch = twitch
        self._subscriber = subscriber
        self._reconciler = reconciler
        self._login_url = login_url

    def list(self) -> dict[str, Any]:
        """Every subscription at Twitch with what is known of it, and what Twitch lacks.

        Keys: subscriptions, missing, total, total_cost, max_total_cost. Times are epoch ms but
        for `created_at`, which is as Twitch writes it.
        """
        listed = self._twitch.list_subscriptions()
        with self._database.transaction(write=False) as transaction:
            known = subscriptions.known(transaction)
            last_events = subscriptions.last_events(transaction)
            failed = subscription_failures.list_all(transaction)
            names = channels.logins(transaction)
            now = transaction.now_ms() / 1000
        found = [rules.from_twitch(one) for one in listed.subscriptions]
        living = {(one.channel_id, one.type) for one in found if one.is_living()}
        return {
            "subscriptions": [
                self._shown(one, known.get(one.id), last_events.get(one.id), now, names)
                for one in found
            ],
            "missing": [
                {
                    "channel_id": one.channel_id,
                    "channel_name": names.get(one.channel_id),
                    "type": one.event_type,
                    "reason": one.reason,
                    "retry_at_ms": one.retry_at_ms,
                    "login_url": self._login_url(one.channel_id, one.event_type)
                    if one.remedy == "login"
                    else None,
                }
                for one in failed
                if (one.channel_id, one.event_type) not in living
            ],
            "total": listed.total,
            "total_cost": listed.total_cost,
            "max_total_cost": listed.max_total_cost,
        }

    def create(
        self,
        event_type: str,
        version: str | None,
        condition: Mapping[str, str] | None,
        channel_id: str | None,
    ) -> tuple[dict[str, Any], bool]:
        """Subscribe by hand; the subscription, and whether it is new. It then stays wanted.

        The catalogue fills in what is not given. Raises Invalid, Conflict (with `login_url`
        where a login would help), TwitchRefused and TwitchUnavailable.
        """
        wanted = _wanted(event_type, version, condition, channel_id)
        self._check_cheers(wanted)
        try:
            outcome, made = self._subscriber.subscribe(wanted, by_hand=True)
        except TwitchRefused as refusal:
            raise self._refused(refusal, wanted) from refusal
        with self._database.transaction(write=False) as transaction:
            known = subscriptions.known(transaction, made.channel_id).get(made.id)
            now = transaction.now_ms() / 1000
            names = channels.logins(transaction, [made.channel_id])
        return self._shown(made, known, None, now, names), outcome == "created"

    def delete(self, subscription_id: str) -> bool:
        """End a subscription; whether a channel still wants it, so that it will return.

        Raises NotFound, TwitchRefused and TwitchUnavailable.
        """
        there = self._twitch.list_subscriptions(subscription_id=subscription_id).subscriptions
        with self._database.transaction(write=False) as transaction:
            known = subscriptions.known(transaction)
        if not there and subscription_id not in known:
            raise NotFound(f"Twitch has no subscription {subscription_id!r} of this application")
        self._twitch.delete_subscription(subscription_id)
        with self._database.transaction() as transaction:
            subscriptions.delete(transaction, [subscription_id])
        return any(self._reconciler.is_wanted(rules.from_twitch(one)) for one in there)

    def _shown(
        self,
        one: Subscription,
        known: Known | None,
        last_event_at_ms: int | None,
        now: float,
        names: Mapping[str, str],
    ) -> dict[str, Any]:
        return {
            "id": one.id,
            "type": one.type,
            "version": one.version,
            "status": known.status if known and _is_behind(one, known) else one.status,
            "reason": self._reason(one, known, now),
            "condition": dict(one.condition),
            "cost": one.cost,
            "created_at": one.created_at,
            "channel_id": one.channel_id or None,
            "channel_name": names.get(one.channel_id),
            "last_event_at_ms": last_event_at_ms,
            "callback": one.callback or None,
        }

    def _reason(self, one: Subscription, known: Known | None, now: float) -> str | None:
        """Why it does not deliver to us, or None when it does."""
        if not one.is_living():
            return one.status
        if one.callback != self._twitch.callback_url:
            return "it calls another address"
        age = one.challenge_age_seconds(now)
        if age is not None and not (known and _is_behind(one, known)):
            return f"its challenge has not been answered for {int(age)} seconds"
        return None

    def _check_cheers(self, wanted: Wanted) -> None:
        """Twitch would report every cheer twice."""
        if not wanted.channel_id:
            return
        types = {one.type for one in self._reconciler.wanted_for(wanted.channel_id)}
        if wanted.type not in types and counts_cheers_twice({*types, wanted.type}):
            raise Invalid(TWICE)

    def _refused(self, refusal: TwitchRefused, wanted: Wanted) -> Exception:
        if refusal.twitch_status in (400, 410):
            return Invalid(str(refusal))
        code = _CONFLICTS.get(refusal.twitch_status)
        if code is None:
            return refusal
        conflict = Conflict(str(refusal), code=code)
        if code == "needs_login":
            if wanted.type not in CATALOGUE:
                return Conflict(f"{refusal}. {_SCOPES}", code=code)
            conflict.extra = {"login_url": self._login_url(wanted.channel_id, wanted.type)}
        return conflict


def _is_behind(one: Subscription, known: Known) -> bool:
    """Whether the challenge has been answered since Twitch wrote its list."""
    return one.status == rules.PENDING and known.status == rules.ENABLED


def _wanted(
    event_type: str,
    version: str | None,
    condition: Mapping[str, str] | None,
    channel_id: str | None,
) -> Wanted:
    row = CATALOGUE.get(event_type)
    if (condition is None) == (channel_id is None):
        raise Invalid("give either condition or channel_id")
    if condition is None:
        if row is None or not row.is_of_channel:
            raise Invalid(no_channel_type(event_type))
        condition = dict.fromkeys(row.condition, channel_id or "")
    version = version or (row.version if row else None)
    if version is None:
        raise Invalid(f"{event_type} is not in the catalogue: give its version")
    sorted_condition = tuple(sorted(condition.items()))
    return Wanted(event_type, version, sorted_condition, rules.channel_of(sorted_condition))
