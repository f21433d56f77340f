"""Builds the events of the types in catalogue_more; all values are invented.

Twitch: EventSub Reference. Where it is long, only what a receiver would look at is here.
"""

from collections.abc import Callable
from typing import Any

from . import payloads_channel
from .payloads import Event, Scene, redemption, triplet
from .signing import timestamp

Builder = Callable[[Scene], Event]

MESSAGE = {"text": "hello", "fragments": [{"type": "text", "text": "hello"}]}
REWARD: dict[str, Any] = {
    "id": "f3c1a0d2-hat",
    "is_enabled": True,
    "title": "Silly hat",
    "cost": 450,
    "prompt": "Which hat?",
}
POLL_ENDS = ("ended_at", "status")
OUTCOMES: list[dict[str, Any]] = [{"id": "o-yes", "title": "Yes", "color": "blue"}]


def of_channel(**more: Any) -> Builder:
    """What only the channel is named in."""
    return lambda scene: {**scene.channel(), **more}


def by_moderator(**more: Any) -> Builder:
    """What a moderator has done to nobody in particular."""
    return lambda scene: {**scene.channel(), **scene.moderator(), **more}


def with_user(prefix: str = "user", **more: Any) -> Builder:
    """What concerns one user."""
    return lambda scene: {**scene.channel(), **triplet(prefix, scene.person), **more}


def moderated_user(**more: Any) -> Builder:
    """What a moderator has done about a user."""
    return lambda scene: {**scene.user_in_channel(), **scene.moderator(), **more}


def unfinished(build: Builder) -> Builder:
    """As at the end, with the end still to come."""

    def event(scene: Scene) -> Event:
        ended = build(scene)
        kept = {key: value for key, value in ended.items() if key not in POLL_ENDS}
        return {**kept, "ends_at": timestamp(seconds_ago=-120)}

    return event


def whisper(scene: Scene) -> Event:
    ends = triplet("from_user", scene.person) | triplet("to_user", scene.broadcaster)
    return {**ends, "whisper_id": "w-17", "whisper": {"text": "psst"}}


def shoutout(scene: Scene) -> Event:
    other = triplet("to_broadcaster_user", scene.person)
    return {**scene.channel(), **other, **scene.moderator(), "viewer_count": 64}


def shared_chat(scene: Scene) -> Event:
    host = triplet("host_broadcaster_user", scene.broadcaster)
    return {"session_id": "s-5", **scene.channel(), **host, "participants": [scene.channel()]}


def campaign(scene: Scene) -> Event:
    """Of the four types of a campaign, these name the channel as the donation does not."""
    names = {key.replace("_user", ""): value for key, value in scene.channel().items()}
    money = {"value": 900, "decimal_places": 2, "currency": "EUR"}
    return {"id": "c-1", **names, "charity_name": "Otters in Need", "current_amount": money}


def conduit(scene: Scene) -> Event:
    return {"conduit_id": "conduit-4", "shard_id": "3", "status": "websocket_disconnected"}


def drop(scene: Scene) -> Event:
    """One of a batch; the sender puts it into `events`."""
    return {"id": "d-1", "data": {**scene.user(), "entitlement_id": "e-1", "benefit_id": "b-1"}}


def extension(scene: Scene) -> Event:
    product = {"name": "Hat", "sku": "hat-1", "bits": 100, "in_development": False}
    return {"id": "x-1", "extension_client_id": "ext-9", **scene.user_in_channel()} | {
        "product": product
    }


POINTS = "channel.channel_points_"
BUILDERS: dict[str, Builder] = {
    f"{POINTS}automatic_reward_redemption.add": with_user(
        id="a-1", reward={"type": "send_highlighted_message", "channel_points": 100, "emote": None}
    ),
    f"{POINTS}custom_reward_redemption.update": redemption,
    f"{POINTS}custom_reward.add": of_channel(**REWARD),
    f"{POINTS}custom_reward.update": of_channel(**REWARD),
    f"{POINTS}custom_reward.remove": of_channel(**REWARD),
    "channel.custom_power_up_redemption.add": with_user(id="p-1", status="unfulfilled"),
    "channel.vip.add": with_user(),
    "channel.vip.remove": with_user(),
    "channel.moderator.remove": with_user(),
    "channel.poll.begin": unfinished(payloads_channel.poll_end),
    "channel.poll.progress": unfinished(payloads_channel.poll_end),
    "channel.prediction.begin": of_channel(id="pr-1", title="Done?", outcomes=OUTCOMES),
    "channel.prediction.progress": of_channel(id="pr-1", title="Done?", outcomes=OUTCOMES),
    "channel.prediction.lock": of_channel(id="pr-1", title="Done?", outcomes=OUTCOMES),
    "channel.goal.begin": unfinished(payloads_channel.goal_end),
    "channel.goal.progress": unfinished(payloads_channel.goal_end),
    "channel.charity_campaign.start": campaign,
    "channel.charity_campaign.progress": campaign,
    "channel.charity_campaign.stop": campaign,
    "channel.ad_break.begin": with_user("requester_user", duration_seconds=60, is_automatic=False),
    "channel.shoutout.create": shoutout,
    "channel.guest_star_session.begin": by_moderator(session_id="g-1"),
    "channel.guest_star_session.end": by_moderator(session_id="g-1"),
    "channel.guest_star_guest.update": by_moderator(session_id="g-1", guest_user_id=None),
    "channel.guest_star_settings.update": of_channel(slot_count=5, group_layout="tiled"),
    "channel.chat.clear": of_channel(),
    "channel.chat.clear_user_messages": with_user("target_user"),
    "channel.chat.message_delete": with_user("target_user", message_id="m-1"),
    "channel.chat.notification": with_user(
        "chatter_user", chatter_is_anonymous=False, notice_type="announcement", message=MESSAGE
    ),
    "channel.chat_settings.update": of_channel(emote_mode=True, slow_mode=False),
    "channel.chat.user_message_hold": with_user(message_id="m-1", message=MESSAGE),
    "channel.chat.user_message_update": with_user(
        message_id="m-1", message=MESSAGE, status="approved"
    ),
    "channel.shared_chat.begin": shared_chat,
    "channel.shared_chat.update": shared_chat,
    "channel.shared_chat.end": shared_chat,
    "automod.message.hold": with_user(message_id="m-1", message=MESSAGE, reason="automod"),
    "automod.message.update": moderated_user(message_id="m-1", message=MESSAGE, status="denied"),
    "automod.settings.update": by_moderator(overall_level=None, bullying=2),
    "automod.terms.update": by_moderator(action="add_blocked", terms=["spoiler"]),
    "channel.moderate": by_moderator(action="slow", slow={"wait_time_seconds": 10}),
    "channel.shield_mode.begin": by_moderator(),
    "channel.shield_mode.end": by_moderator(),
    "channel.suspicious_user.message": with_user(low_trust_status="restricted", message=MESSAGE),
    "channel.suspicious_user.update": moderated_user(low_trust_status="active_monitoring"),
    "channel.unban_request.create": with_user(id="u-1", text="please"),
    "channel.unban_request.resolve": moderated_user(id="u-1", status="approved"),
    "channel.warning.acknowledge": with_user(),
    "channel.warning.send": moderated_user(reason="links", chat_rules_cited=None),
    "user.whisper.message": whisper,
    "conduit.shard.disabled": conduit,
    "drop.entitlement.grant": drop,
    "extension.bits_transaction.create": extension,
}
