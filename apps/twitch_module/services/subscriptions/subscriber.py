"""What is done to subscriptions at Twitch, one at a time, and kept in the database."""

import time
from collections.abc import Sequence

import structlog

from ...clients.twitch import TwitchClient
from ...domain.subscriptions import subscription as rules
from ...domain.subscriptions.subscription import Match, Ours, Subscription, Wanted
from ...errors import TwitchRefused
from ...models import key_values
from ...models.database import Database
from ...models.subscriptions import subscriptions
from .comparison import Outcome

log = structlog.get_logger("subscriber")

BUDGET = "subscription budget"  # the fact: total, total_cost, max_total_cost


class Subscriber:
    """Lists, makes and ends subscriptions. Thread-safe; blocks on Twitch."""

    def __init__(self, database: Database, twitch: TwitchClient, ours: Ours) -> None:
        """`ours` is what our subscriptions look like now."""
        self._database = database
        self._twitch = twitch
        self._ours = ours

    def list(self, **filters: str) -> list[Subscription]:
        """Twitch's list, all pages of it; its costs are kept when nothing is filtered.

        Raises TwitchRefused and TwitchUnavailable.
        """
        listed = self._twitch.list_subscriptions(**filters)
        if not filters:
            with self._database.transaction() as transaction:
                key_values.note(transaction, BUDGET, listed._asdict() | {"subscriptions": None})
        return [rules.from_twitch(one) for one in listed.subscriptions]

    def subscribe(self, wanted: Wanted, *, by_hand: bool) -> tuple[Outcome, Subscription]:
        """Have Twitch send this here, whatever was tried before; the subscription.

        When Twitch says that there is one already, somebody has made it meanwhile. Raises
        TwitchRefused and TwitchUnavailable.
        """
        for last_try in (False, True):
            try:
                made = rules.from_twitch(
                    self._twitch.create_subscription(
                        wanted.type, wanted.version, dict(wanted.condition)
                    )
                )
                self._save(wanted, made, subscriptions.CREATED, by_hand=by_hand)
                return "created", made
            except TwitchRefused as refusal:
                if refusal.twitch_status != 409 or last_try:
                    raise
            matched = self._look_again(wanted)
            if matched.right is not None:
                self._save(wanted, matched.right, subscriptions.ADOPTED, by_hand=by_hand)
                return "adopted", matched.right
            self.delete(matched.blocking)
        raise AssertionError("unreachable")

    def _look_again(self, wanted: Wanted) -> Match:
        by_channel = {"user_id": wanted.channel_id} if wanted.channel_id else {}
        there = self.list(**(by_channel or {"type": wanted.type}))
        with self._database.transaction(write=False) as transaction:
            known = subscriptions.known(transaction, wanted.channel_id)
        alike = [one for one in there if one.is_alike(wanted)]
        return rules.match(wanted, alike, known, self._ours, time.time())

    def _save(
        self, wanted: Wanted, subscription: Subscription, origin: str, *, by_hand: bool
    ) -> None:
        secret_id = self._ours.secret_id if origin == subscriptions.CREATED else ""
        with self._database.transaction() as transaction:
            if by_hand:  # the wish moves to the new one
                subscriptions.forget_wish(transaction, wanted)
                origin = subscriptions.BY_HAND
            subscriptions.save(transaction, subscription, origin=origin, secret_id=secret_id)

    def delete(self, ended: Sequence[Subscription]) -> None:
        """End subscriptions. Raises TwitchRefused and TwitchUnavailable."""
        for one in ended:
            self._twitch.delete_subscription(one.id)
            with self._database.transaction() as transaction:
                subscriptions.delete(transaction, [one.id])
            log.info("subscription removed", id=one.id, type=one.type, status=one.status)
