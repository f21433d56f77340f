"""What holds for one channel: its event types and its points, its own or the usual ones."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .catalogue import CATALOGUE, REVOKED, types_in_use
from .points import BadPolicy, Policy, amended

# What a channel can have.
CHANNEL_TYPES = [name for name in CATALOGUE if name != REVOKED]
# Every cheer would be counted twice.
_EXCLUSIVE = ("channel.cheer", "channel.bits.use")


def policy_of(usual: Policy, entries: Mapping[str, Any] | None) -> Policy:
    """The usual policy with the channel's own entries. Raises BadPolicy."""
    return amended(usual, entries, "points") if entries else usual


def types_of(policy: Policy, event_types: Sequence[str] | None) -> tuple[str, ...]:
    """The types of a channel with this policy: its own, or those that the policy needs."""
    return types_in_use(policy.rules) if event_types is None else tuple(event_types)


def type_problems(event_types: Iterable[str]) -> list[str]:
    """Why a channel cannot have these types; empty when it can."""
    names = list(event_types)
    problems = [
        f"event_types: {name!r} is no type of a channel; there are {', '.join(CHANNEL_TYPES)}"
        for name in names
        if name not in CHANNEL_TYPES
    ]
    if all(name in names for name in _EXCLUSIVE):
        problems.append(f"event_types: {' and '.join(_EXCLUSIVE)} count every cheer twice")
    return problems


def usable_policy(usual: Policy, entries: Mapping[str, Any] | None) -> Policy:
    """As policy_of; where the usual policy has changed such that both do not fit, the usual."""
    try:
        return policy_of(usual, entries)
    except BadPolicy:
        return usual
