"""The channels that are monitored, and what holds for each of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from ...clients.twitch import TwitchClient
from ...domain.access.callers import Actor
from ...domain.points.policy import Policy
from ...domain.points.policy_reading import BadPolicy
from ...domain.subscriptions.channel_rules import policy_of, type_problems, types_of
from ...domain.subscriptions.subscription import LIVING
from ...domain.text import text
from ...errors import Invalid, NotFound, TwitchUnavailable
from ...models.access import audit
from ...models.database import Database
from ...models.points import policy_versions
from ...models.subscriptions import channels, subscription_failures, subscriptions
from ...models.subscriptions.channels import Channel, ChannelNames
from ...models.transaction import Transaction
from ..events.monitored_channels import MonitoredChannels
from .reconciler import Reconciler

log = structlog.get_logger("channels")

_IDS_PER_CALL = 100
GONE = "Twitch knows this user no more"


class Channels:
    """Adds, shows, changes and removes channels. Blocks on Twitch where it is asked."""

    def __init__(
        self,
        database: Database,
        twitch: TwitchClient,
        reconciler: Reconciler,
        roster: MonitoredChannels,
        policy: Policy,
    ) -> None:
        """`policy` is the usual one; channels may differ from it."""
        self._database = database
        self._twitch = twitch
        self._reconciler = reconciler
        self._roster = roster
        self._policy = policy

    def add(
        self,
        actor: Actor,
        *,
        channel_id: str | None = None,
        channel_name: str | None = None,
    ) -> tuple[Channel, bool]:
        """The channel with this id or login, and whether it is new here.

        Twitch is asked for the rest. Raises NotFound when it knows no such user, and what
        TwitchClient raises.
        """
        login = channel_name.lower() if channel_name else None
        user = self._twitch.find_user(user_id=channel_id, login=login)
        if user is None:
            raise NotFound(f"Twitch knows no user {channel_id or login!r}")
        names = _names(user)
        if not names.channel_id or not names.channel_name:
            raise TwitchUnavailable("Twitch's answer describes no user")
        with self._database.transaction() as transaction:
            new = channels.add(transaction, names)
            if new:
                after = {"channel_name": names.channel_name}
                audit.record(
                    transaction, actor, "channel.add", _subject(names.channel_id), after=after
                )
        if new:
            log.info("channel added", channel_id=names.channel_id, name=names.channel_name)
        self._roster.forget()
        return self.get(names.channel_id), new

    def get(self, channel_id: str) -> Channel:
        """One channel. Raises NotFound."""
        with self._database.transaction(write=False) as transaction:
            channel = channels.get(transaction, channel_id)
        if channel is None:
            raise NotFound(f"No channel {channel_id!r} is monitored here")
        return channel

    def list(self) -> list[Channel]:
        """Every channel, by name."""
        with self._database.transaction(write=False) as transaction:
            return channels.list_all(transaction)

    def change(self, actor: Actor, channel_id: str, changes: Mapping[str, Any]) -> Channel:
        """Set some of is_active, gateway_id, points, event_types and backfill; the channel then.

        What this means for its subscriptions happens soon after. Raises NotFound, and Invalid
        with every fault.
        """
        changes = dict(changes)
        before = self.get(channel_id)
        self._check(before, changes)
        if changes.get("event_types") is not None:
            changes["event_types"] = list(dict.fromkeys(changes["event_types"]))
        with self._database.transaction() as transaction:
            channels.change(transaction, channel_id, changes)
            if "points" in changes:
                _note_policy(transaction, actor, channel_id, changes["points"])
            audit.record(
                transaction,
                actor,
                "channel.change",
                _subject(channel_id),
                before={name: getattr(before, name) for name in changes},
                after=changes,
            )
            if changes.keys() & {"is_active", "event_types", "points"}:
                # Somebody has looked after the channel: what was given up is tried anew.
                subscription_failures.delete_channel(transaction, channel_id)
                channels.compare_soon(transaction, channel_id)
        self._roster.forget()
        return self.get(channel_id)

    def remove(self, actor: Actor, channel_id: str) -> Sequence[str]:
        """End its subscriptions at Twitch, then forget the channel; which were ended, by id.

        Where Twitch fails, the channel stays, inactive, and is tried again. Raises NotFound,
        TwitchRefused and TwitchUnavailable.
        """
        channel = self.get(channel_id)
        with self._database.transaction() as transaction:
            channels.change(transaction, channel_id, {"is_active": False})
            channels.compare_soon(transaction, channel_id)
            subscriptions.forget_wishes(transaction, channel_id)
            # From here on the upkeep of any process may end them before this one does.
            known = subscriptions.known(transaction, channel_id)
        comparison = self._reconciler.compare_channel(channel_id)
        if comparison.not_removed:
            ids = ", ".join(comparison.not_removed)
            raise TwitchUnavailable(f"Twitch has not ended the subscriptions {ids}")
        with self._database.transaction() as transaction:
            channels.delete(transaction, channel_id)
            subscription_failures.delete_channel(transaction, channel_id)
            before = {"channel_name": channel.channel_name}
            audit.record(transaction, actor, "channel.remove", _subject(channel_id), before=before)
            _note_policy(transaction, actor, channel_id, None)
        self._roster.forget()
        log.info("channel removed", channel_id=channel_id)
        living = [id_ for id_, record in known.items() if record.status in LIVING]
        return sorted({*living, *comparison.removed})

    def look_up_names(self) -> None:
        """Ask Twitch what all channels are called now, and which are gone.

        Raises TwitchRefused and TwitchUnavailable.
        """
        ids = [channel.channel_id for channel in self.list()]
        for start in range(0, len(ids), _IDS_PER_CALL):
            asked = ids[start : start + _IDS_PER_CALL]
            found = {
                names.channel_id: names for names in map(_names, self._twitch.find_users(asked))
            }
            with self._database.transaction() as transaction:
                for channel_id in asked:
                    names = found.get(channel_id)
                    if names is None:
                        channels.warn(transaction, channel_id, GONE)
                    elif names.channel_name and channels.rename(transaction, names):
                        log.info("channel renamed", **_shown(names))

    def _check(self, channel: Channel, changes: Mapping[str, Any]) -> None:
        problems: list[str] = []
        points = changes.get("points", channel.points)
        policy = self._policy
        try:
            policy = policy_of(self._policy, points)
        except BadPolicy as error:
            problems += error.problems
        event_types = changes.get("event_types", channel.event_types)
        problems += type_problems(types_of(policy, event_types))
        if problems:
            raise Invalid("; ".join(problems))


def _note_policy(
    transaction: Transaction, actor: Actor, channel_id: str, points: Mapping[str, Any] | None
) -> None:
    policy_versions.note(
        transaction,
        actor=actor.name or actor.kind,
        source="channel",
        channel_id=channel_id,
        policy=dict(points or {}),
    )


def _subject(channel_id: str) -> str:
    return f"channel:{channel_id}"


def _names(user: Mapping[str, Any]) -> ChannelNames:
    return ChannelNames(
        text(user.get("id")), text(user.get("login")), text(user.get("display_name"))
    )


def _shown(names: ChannelNames) -> dict[str, str]:
    return {"channel_id": names.channel_id, "name": names.channel_name}
