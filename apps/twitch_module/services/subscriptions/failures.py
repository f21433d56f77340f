"""Why a channel does not have a subscription that it wants, and when that is tried again."""

from collections.abc import Callable

from ...domain.events.catalogue import CATALOGUE
from ...domain.subscriptions import subscription as rules
from ...domain.subscriptions.subscription import Subscription, Wanted
from ...errors import RateLimited, TwitchRefused, TwitchUnavailable
from ...models.database import Database
from ...models.subscriptions import channels, subscription_failures
from ...models.subscriptions.subscription_failures import SubscriptionFailure
from ...models.transaction import Transaction
from .comparison import Result


def must_wait(failure: SubscriptionFailure, wanted: Wanted, now_ms: int, *, asked: bool) -> bool:
    """Whether Twitch is not to be asked again yet; a person who asks need not wait so long."""
    if failure.version != wanted.version:
        return False
    if failure.retry_at_ms is None:
        return True
    return failure.retry_at_ms > now_ms and not asked


class Failures:
    """Notes failures, and says what they come to. Blocks on the database."""

    def __init__(self, database: Database, login_url: Callable[[str, str], str]) -> None:
        """`login_url` makes the link by which a streamer grants what a type needs."""
        self._database = database
        self._login_url = login_url

    def held_back(self, failure: SubscriptionFailure) -> Result:
        """What a comparison says of a type that has failed before."""
        waits = failure.remedy == "login"
        return Result(
            failure.event_type,
            "waiting" if waits else "refused",
            None,
            failure.reason,
            self._login_url(failure.channel_id, failure.event_type) if waits else None,
        )

    def note(self, wanted: Wanted, error: TwitchRefused | TwitchUnavailable) -> Result:
        """Note why there is none, and when it is tried again. Raises RateLimited."""
        if isinstance(error, RateLimited):
            raise error
        remedy: rules.Remedy = "anew"
        if isinstance(error, TwitchRefused):
            needs_grant = wanted.type not in CATALOGUE or bool(CATALOGUE[wanted.type].grants)
            if error.twitch_status == 403 and needs_grant:
                remedy = "login"
            elif error.twitch_status == 410:
                remedy = "never"
        with self._database.transaction() as transaction:
            failure = subscription_failures.note(
                transaction, wanted.channel_id, wanted.type, wanted.version, remedy, str(error)
            )
            if failure.retry_at_ms is not None:
                delay_ms = failure.retry_at_ms - failure.failed_at_ms
                channels.compare_soon(transaction, wanted.channel_id, delay_ms)
        return self.held_back(failure)


def note_end(transaction: Transaction, ended: Subscription) -> None:
    """Note that a subscription has ended, and what follows from its status, which says why."""
    remedy = rules.remedy(ended.status)
    subscription_failures.note(
        transaction, ended.channel_id, ended.type, ended.version, remedy, ended.status
    )
    channels.warn(transaction, ended.channel_id, f"{ended.type}: {ended.status}")
    channels.compare_soon(transaction, ended.channel_id)
