"""Catching up with follows that Twitch could not deliver: it does not send them again.

Source: Twitch, API Reference, Get Channel Followers: newest first, with the streamer's token.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog

from ...clients.twitch import TwitchClient
from ...domain.events import eventsub
from ...domain.events.catalogue import CATALOGUE, scopes_for
from ...domain.events.eventsub import epoch_seconds
from ...domain.events.follow import BACKFILL_PREFIX, FOLLOW, follow_id
from ...domain.events.notification import read_notification
from ...domain.secret import Secret
from ...domain.text import text
from ...domain.tokens.oauth import missing_scopes
from ...errors import Conflict
from ...models.database import Database
from ...models.delivery.announcements import announce
from ...models.events import events
from ...models.subscriptions import channels
from ...models.subscriptions.channels import Channel
from ..events.event_storage import Row, interpret, record
from ..events.monitored_channels import MonitoredChannels
from ..tokens.user_token import UserToken
from ..tokens.user_tokens import UserTokens

log = structlog.get_logger("backfill")

MAX_FOLLOWERS = 10_000  # at a time; a bound for a channel that was never watched
_BATCH = 100
# A webhook may arrive after the follow that it tells of; what is older than that is settled.
_OVERLAP_MS = 15 * 60 * 1000


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Since when (epoch ms) followers were read, and whom of them we did not know."""

    since_ms: int
    missing: list[str]  # logins, newest first
    entered: int


class Backfill:
    """Enters missed follows, each once. Blocks on Twitch."""

    def __init__(
        self,
        database: Database,
        twitch: TwitchClient,
        tokens: UserTokens,
        roster: MonitoredChannels,
        on_activities: Callable[[], None],
    ) -> None:
        self._database = database
        self._twitch = twitch
        self._tokens = tokens
        self._roster = roster
        self._on_activities = on_activities

    def channels(self) -> list[str]:
        """The ids of the channels that want this."""
        with self._database.transaction(write=False) as transaction:
            listed = channels.list_all(transaction)
        return [one.channel_id for one in listed if one.backfill and one.is_active]

    def catch_up(self, channel_id: str, *, dry_run: bool = False) -> CaughtUp | None:
        """Enter the follows of a channel since the last known one; None where it is off.

        Raises NeedsLogin, NotFound and Conflict when the streamer's token does not do, and what
        TwitchClient raises.
        """
        with self._database.transaction(write=False) as transaction:
            channel = channels.get(transaction, channel_id)
            now_ms = transaction.now_ms()
        if channel is None or not channel.backfill:
            return None
        since_ms = self._since_ms(channel)
        token = self._tokens.valid(channel_id)
        if missing_scopes(scopes_for([FOLLOW]), token.scopes):
            raise Conflict("The streamer has not granted moderator:read:followers")
        followers = list(self._followers(channel, token, since_ms))
        known = self._known(channel_id, since_ms)
        missing = [
            one for one in followers if follow_id(channel_id, *_who_and_when(one)) not in known
        ]
        logins = [text(one.get("user_login")) for one in missing]
        if dry_run:
            return CaughtUp(since_ms, logins, 0)
        entered = self._enter(channel, missing)
        with self._database.transaction() as transaction:
            channels.backfilled(transaction, channel_id, now_ms - _OVERLAP_MS)
        if entered:
            log.info("caught up", channel_id=channel_id, entered=entered)
            self._on_activities()
        return CaughtUp(since_ms, logins, entered)

    def _since_ms(self, channel: Channel) -> int:
        """Up to when all follows are known; nothing is entered from before we watched."""
        if channel.backfilled_until_ms is not None:
            return channel.backfilled_until_ms
        with self._database.transaction(write=False) as transaction:
            last_ms = events.last_received_ms(transaction, channel.channel_id, FOLLOW)
        return channel.created_at_ms if last_ms is None else last_ms - _OVERLAP_MS

    def _followers(
        self, channel: Channel, token: UserToken, since_ms: int
    ) -> Iterator[dict[str, Any]]:
        credential = _StreamersToken(self._tokens, token)
        listed = self._twitch.followers(channel.channel_id, credential)
        for number, follower in enumerate(listed):
            at = epoch_seconds(text(follower.get("followed_at")))
            if at is None or at * 1000 < since_ms or number >= MAX_FOLLOWERS:
                return
            yield follower

    def _known(self, channel_id: str, since_ms: int) -> set[str | None]:
        """The follows that came as events, whether or not they were entered as such."""
        with self._database.transaction(timeout_seconds=30, write=False) as transaction:
            bodies = events.bodies_since(transaction, channel_id, FOLLOW, since_ms - _OVERLAP_MS)
        known: set[str | None] = set()
        for body in bodies:
            event = json.loads(body).get("event")
            known.add(follow_id(channel_id, *_who_and_when(event)))
        return known

    def _enter(self, channel: Channel, missing: list[dict[str, Any]]) -> int:
        entered = 0
        rows = [row for one in missing for row in self._rows(channel, one)]
        for start in range(0, len(rows), _BATCH):
            with self._database.transaction() as transaction:
                entered += record(transaction, rows[start : start + _BATCH]).activities
                announce(transaction)
        return entered

    def _rows(self, channel: Channel, follower: dict[str, Any]) -> list[Row]:
        same = follow_id(channel.channel_id, *_who_and_when(follower))
        if same is None:
            return []
        kind = CATALOGUE[FOLLOW]
        body = json.dumps(
            {
                "origin": "backfill",
                "subscription": {"id": "backfill", "type": FOLLOW, "version": kind.version},
                "event": {
                    **follower,
                    "broadcaster_user_id": channel.channel_id,
                    "broadcaster_user_login": channel.channel_name,
                    "broadcaster_user_name": channel.display_name,
                },
            }
        ).encode()
        message = eventsub.Message(
            BACKFILL_PREFIX + same, eventsub.NOTIFICATION, FOLLOW, kind.version, body, 0, 0
        )
        return interpret(
            message, read_notification(body), self._roster.standing(channel.channel_id)
        )


class _StreamersToken:
    """A streamer's token, renewed when Twitch refuses it."""

    def __init__(self, tokens: UserTokens, token: UserToken) -> None:
        self._tokens = tokens
        self._token = token

    def current(self) -> Secret:
        """The token."""
        return self._token.access_token

    def renewed(self, refused: Secret) -> Secret:
        """A newer one. Raises NeedsLogin, NotFound and TwitchUnavailable."""
        self._token = self._tokens.renewed(self._token.user_id, self._token.version)
        return self._token.access_token


def _who_and_when(event: Any) -> tuple[str, object]:
    event = event if isinstance(event, dict) else {}
    return text(event.get("user_id")), event.get("followed_at")
