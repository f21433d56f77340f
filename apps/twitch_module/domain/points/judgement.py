"""What becomes of an activity when another one holds its natural key."""

from typing import NamedTuple

from ..events.event_type import REDEMPTION_CANCELED
from .natural_key import EVER, FAMILY

TWIN_MS = 10_000  # so near, the same is the same
PAIR_MS = 10 * 60_000  # so near, a resub's message tells of the subscription
# What takes points back: from which activities.
TAKES_BACK = {"unban": ("ban", "timeout"), REDEMPTION_CANCELED: ("redemption",)}


class Claim(NamedTuple):
    """An activity that is about to be stored."""

    key: str
    activity: str
    at_ms: int  # the event's own time
    amount: int


class Holder(NamedTuple):
    """What holds the key so far. It may be something that takes points back."""

    event_id: str
    activity: str
    at_ms: int
    amount: int


class Verdict(NamedTuple):
    """What becomes of the claim."""

    unpaid: str | None  # why nobody gets points for it
    reverses: bool  # the holder's points are taken back
    takes_key: bool


def judge(claim: Claim, holder: Holder) -> Verdict:
    """What becomes of an activity that gives points; the same in whichever order the two come."""
    if holder.activity in TAKES_BACK and holder.activity != claim.activity:
        if claim.key.startswith(EVER) or claim.at_ms <= holder.at_ms:
            return Verdict(f"taken back by {holder.event_id}", False, False)
        return Verdict(None, False, True)
    apart = abs(claim.at_ms - holder.at_ms)
    same = claim.activity == holder.activity or FAMILY.get(claim.activity) == "bits"
    if claim.key.startswith(EVER) or (same and apart <= TWIN_MS):
        return Verdict(f"twin of {holder.event_id}", False, False)
    if FAMILY.get(claim.activity, claim.activity) == "sub" and not same and apart <= PAIR_MS:
        if claim.amount > holder.amount:
            return Verdict(None, holder.amount != 0, True)
        return Verdict(f"goes together with {holder.event_id}", False, False)
    return Verdict(None, False, claim.at_ms >= holder.at_ms)
