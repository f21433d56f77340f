"""What holds for one channel: its event types and its points, its own or the usual ones."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..events.catalogue import CATALOGUE, types_in_use
from ..points.policy import Policy
from ..points.policy_reading import BadPolicy, amended

# What a channel can have.
CHANNEL_TYPES = [name for name, row in CATALOGUE.items() if row.is_of_channel]
# Every cheer would be counted twice.
_EXCLUSIVE = ("channel.cheer", "channel.bits.use")
TWICE = f"{' and '.join(_EXCLUSIVE)} count every cheer twice"


def policy_of(usual: Policy, entries: Mapping[str, Any] | None) -> Policy:
    """The usual policy with the channel's own entries. Raises BadPolicy."""
    return amended(usual, entries, "points") if entries else usual


def types_of(policy: Policy, event_types: Sequence[str] | None) -> tuple[str, ...]:
    """The types of a channel with this policy: its own, or those that the policy needs."""
    if event_types is not None:
        return tuple(event_types)
    return types_in_use(policy.rules, with_streams=policy.looks_at_streams)


def type_problems(event_types: Iterable[str]) -> list[str]:
    """Why a channel cannot have these types; empty when it can."""
    names = list(event_types)
    problems = [
        f"event_types: {no_channel_type(name)}" for name in names if name not in CHANNEL_TYPES
    ]
    if counts_cheers_twice(names):
        problems.append(f"event_types: {TWICE}")
    return problems


def counts_cheers_twice(event_types: Collection[str]) -> bool:
    """Whether Twitch would report every cheer in two ways."""
    return all(name in event_types for name in _EXCLUSIVE)


def no_channel_type(name: str) -> str:
    """Why this is no type that a channel alone is enough for, and what to do about it."""
    row = CATALOGUE.get(name)
    if row is not None:
        return (
            f"{name} is not about a channel: subscribe to it by hand, with a condition"
            f" ({', '.join(row.condition)}) and without a channel"
        )
    return (
        f"{name!r} is not in the catalogue. If Twitch has it, subscribe to it by hand,"
        " with its version and its condition, and without a channel"
    )


def usable_policy(usual: Policy, entries: Mapping[str, Any] | None) -> Policy:
    """As policy_of; where the usual policy has changed such that both do not fit, the usual."""
    try:
        return policy_of(usual, entries)
    except BadPolicy:
        return usual
