"""Setting up a channel's EventSub subscriptions at Twitch."""

import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import structlog

from ..clients.twitch import TwitchClient
from ..domain.catalogue import CATALOGUE, REVOKED, EventType
from ..errors import DatabaseUnavailable, TwitchRefused, TwitchUnavailable
from ..models import subscriptions
from ..models.database import Database

log = structlog.get_logger("subscriptions")

# Statuses of subscriptions that deliver, or will once the challenge is answered.
_LIVING = ("enabled", "webhook_callback_verification_pending")


@dataclass(frozen=True, slots=True)
class SetupResult:
    """What became of one type: created, adopted (it was there already) or refused."""

    type: str
    outcome: str
    subscription_id: str | None = None
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The result as the API shows it."""
        return asdict(self)


class Subscriptions:
    """Makes a channel's subscriptions. Blocks on Twitch."""

    def __init__(
        self, database: Database, twitch: TwitchClient, event_types: Iterable[str]
    ) -> None:
        """`event_types` are the types that every channel gets."""
        self._database = database
        self._twitch = twitch
        self.event_types = tuple(event_types)

    def set_up(self, channel_id: str) -> list[SetupResult]:
        """Subscribe the channel to every type; what became of each. One failure stops none."""
        results = [self._set_up_type(CATALOGUE[name], channel_id) for name in self.event_types]
        for result in results:
            log.info("subscription set up", channel_id=channel_id, **result.to_json())
        return results

    def set_up_soon(self, channel_id: str) -> None:
        """The same on a thread of its own, for a caller who must not wait for Twitch."""

        def set_up() -> None:
            try:
                self.set_up(channel_id)
            except DatabaseUnavailable as error:
                log.warning("subscriptions not set up", channel_id=channel_id, reason=str(error))

        threading.Thread(target=set_up, daemon=True).start()

    def set_up_application(self) -> SetupResult:
        """Subscribe to what concerns the application itself: users who disconnect it."""
        result = self._set_up_type(CATALOGUE[REVOKED], self._twitch.client_id)
        if result.outcome != "adopted":
            log.info("subscription set up", **result.to_json())
        return result

    def _set_up_type(self, row: EventType, subject: str) -> SetupResult:
        condition = dict.fromkeys(row.condition, subject)
        try:
            try:
                created = self._twitch.create_subscription(row.name, row.version, condition)
                outcome = "created"
            except TwitchRefused as refusal:
                existing = self._existing(row, condition) if refusal.twitch_status == 409 else None
                if existing is None:
                    return SetupResult(row.name, "refused", reason=str(refusal))
                created, outcome = existing, "adopted"
        except (TwitchRefused, TwitchUnavailable) as error:
            return SetupResult(row.name, "refused", reason=str(error))
        subscription = subscriptions.from_twitch(created)
        with self._database.transaction() as transaction:
            subscriptions.save(transaction, subscription)
        return SetupResult(row.name, outcome, subscription.subscription_id)

    def _existing(self, row: EventType, condition: dict[str, str]) -> dict[str, Any] | None:
        """Our living subscription of this type and condition in Twitch's list."""
        for found in self._twitch.list_subscriptions(type=row.name):
            if (
                self._twitch.is_ours(found)
                and found.get("status") in _LIVING
                and found.get("version") == row.version
                and found.get("condition") == condition
            ):
                return found
        return None
