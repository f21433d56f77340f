"""Builds the events of what viewers do. Twitch: EventSub Reference; all values are invented."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .people import Person
from .signing import timestamp

Event = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """Who does what, and where; builders take from it what their type shows."""

    broadcaster: Person
    # None does it anonymously, where that is possible.
    person: Person | None
    # Bits, gifts, viewers: whatever the type counts.
    amount: int = 0
    tier: str = "1000"
    client_id: str = ""
    now: str = field(default_factory=timestamp)

    def channel(self) -> Event:
        return triplet("broadcaster_user", self.broadcaster)

    def user(self) -> Event:
        return triplet("user", self.person)

    def user_in_channel(self) -> Event:
        return {**self.user(), **self.channel()}

    def moderator(self) -> Event:
        return triplet("moderator_user", self.broadcaster)


def triplet(prefix: str, person: Person | None) -> Event:
    """A user's id, login and name under the names that Twitch gives them."""
    return {
        f"{prefix}_id": person.id if person else None,
        f"{prefix}_login": person.login if person else None,
        f"{prefix}_name": person.display_name if person else None,
    }


def follow(scene: Scene) -> Event:
    return {**scene.user_in_channel(), "followed_at": scene.now}


def subscribe(scene: Scene) -> Event:
    return {**scene.user_in_channel(), "tier": scene.tier, "is_gift": False}


def subscription_gift(scene: Scene) -> Event:
    gifts = scene.amount or 5
    return {
        **scene.user_in_channel(),
        "total": gifts,
        "tier": scene.tier,
        "cumulative_total": gifts + 12 if scene.person else None,
        "is_anonymous": scene.person is None,
    }


def subscription_message(scene: Scene) -> Event:
    return {
        **scene.user_in_channel(),
        "tier": scene.tier,
        "message": {"text": "Back for another month", "emotes": []},
        "cumulative_months": 9,
        "streak_months": 4,
        "duration_months": 1,
    }


def cheer(scene: Scene) -> Event:
    bits = scene.amount or 100
    return {
        "is_anonymous": scene.person is None,
        **scene.user_in_channel(),
        "message": f"Cheer{bits} well played",
        "bits": bits,
    }


def bits_use(scene: Scene) -> Event:
    bits = scene.amount or 100
    cheermote = {"prefix": "Cheer", "bits": bits, "tier": 100}
    first = {"type": "cheermote", "text": f"Cheer{bits}", "cheermote": cheermote, "emote": None}
    return {
        **scene.user_in_channel(),
        "bits": bits,
        "type": "cheer",
        "power_up": None,
        "message": {"text": f"Cheer{bits}", "fragments": [first]},
    }


def raid(scene: Scene) -> Event:
    """Names no broadcaster_user at all: the two channels have names of their own."""
    return {
        **triplet("from_broadcaster_user", scene.person),
        **triplet("to_broadcaster_user", scene.broadcaster),
        "viewers": scene.amount or 25,
    }


def ban(scene: Scene) -> Event:
    return {
        **scene.user_in_channel(),
        **scene.moderator(),
        "reason": "keeps advertising",
        "banned_at": scene.now,
        "ends_at": None,
        "is_permanent": True,
    }


def unban(scene: Scene) -> Event:
    return {**scene.user_in_channel(), **scene.moderator()}


def moderator_add(scene: Scene) -> Event:
    return scene.user_in_channel()


def chat_message(scene: Scene) -> Event:
    text = "!points"
    fragment = {"type": "text", "text": text, "cheermote": None, "emote": None, "mention": None}
    return {
        **scene.channel(),
        **triplet("chatter_user", scene.person),
        "message_id": str(uuid.uuid4()),
        "message": {"text": text, "fragments": [fragment]},
        "message_type": "text",
        "badges": [],
        "cheer": None,
        "color": "#2E8B57",
        "reply": None,
        "channel_points_custom_reward_id": None,
        **triplet("source_broadcaster_user", None),
        "source_message_id": None,
        "source_badges": None,
        "is_source_only": None,
    }


def redemption(scene: Scene) -> Event:
    reward = {"id": "f3c1a0d2-hat", "title": "Silly hat", "cost": 450, "prompt": "Which hat?"}
    return {
        "id": str(uuid.uuid4()),
        **scene.user_in_channel(),
        "user_input": "the green one",
        "status": "unfulfilled",
        "reward": reward,
        "redeemed_at": scene.now,
    }


def charity_donation(scene: Scene) -> Event:
    return {
        "id": str(uuid.uuid4()),
        "campaign_id": "c0ffee00-0000-4000-8000-00000000cafe",
        **scene.user_in_channel(),
        "charity_name": "Otters in Need",
        "charity_description": "Clean rivers",
        "charity_logo": "https://otters.example.org/logo.png",
        "charity_website": "https://otters.example.org",
        "amount": {"value": scene.amount or 750, "decimal_places": 2, "currency": "EUR"},
    }


BUILDERS: dict[str, Callable[[Scene], Event]] = {
    "channel.follow": follow,
    "channel.subscribe": subscribe,
    "channel.subscription.gift": subscription_gift,
    "channel.subscription.message": subscription_message,
    "channel.subscription.end": subscribe,
    "channel.cheer": cheer,
    "channel.bits.use": bits_use,
    "channel.raid": raid,
    "channel.ban": ban,
    "channel.unban": unban,
    "channel.moderator.add": moderator_add,
    "channel.chat.message": chat_message,
    "channel.channel_points_custom_reward_redemption.add": redemption,
    "channel.charity_campaign.donate": charity_donation,
}
