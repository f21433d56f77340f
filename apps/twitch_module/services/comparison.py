"""What a comparison with Twitch's list works on, and what it comes to."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ..domain.subscription import Known, Wanted
from ..models import tokens
from ..models.channels import Channel
from ..models.setbacks import Setback
from ..models.tokens import TokenRow

Outcome = Literal["created", "kept", "adopted", "refused", "waiting"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one type. `waiting` is for a login, which `login_url` begins."""

    type: str
    outcome: Outcome
    subscription_id: str | None = None
    reason: str | None = None
    login_url: str | None = None

    @property
    def is_well(self) -> bool:
        """Whether there is a subscription."""
        return self.subscription_id is not None or self.outcome in ("created", "kept", "adopted")

    def to_json(self) -> dict[str, Any]:
        """The result as the API shows it."""
        return asdict(self)


@dataclass(slots=True)
class Comparison:
    """What a comparison did, or would do: per type, and which subscriptions it removed."""

    results: list[Result] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    not_removed: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Whether everything that should be subscribed is."""
        return all(result.is_well for result in self.results)

    def warning(self, login: TokenRow | None) -> str | None:
        """What is to be known about the channel; None when all is well."""
        faults = [f"{one.type}: {one.reason}" for one in self.results if not one.is_well]
        if not faults and login is not None and login.status == tokens.NEEDS_LOGIN:
            return f"needs a new login: {login.reason}"
        return "; ".join(faults) or None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the database says of a channel; all empty for what concerns none."""

    wanted: list[Wanted]
    by_hand: list[Wanted]
    channel: Channel | None
    known: dict[str, Known]
    setbacks: dict[str, Setback]
    login: TokenRow | None
    now_ms: int

    @property
    def warning(self) -> str | None:
        """What the channel warns of now."""
        return self.channel.warning if self.channel else None

    @property
    def granted(self) -> list[str] | None:
        """The scopes of a login that holds; None without one."""
        holds = self.login is not None and self.login.status == tokens.OK
        return self.login.scopes.split() if self.login and holds else None
