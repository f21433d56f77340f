"""What a comparison with Twitch's list works on, and what it comes to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ...domain.subscriptions.subscription import Known, Wanted, needed_grants
from ...domain.tokens.oauth import missing_scopes
from ...models.subscriptions.channels import Channel
from ...models.subscriptions.subscription_failures import SubscriptionFailure
from ...models.tokens import tokens
from ...models.tokens.tokens import TokenRow

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
    failures: dict[str, SubscriptionFailure]
    logins: Mapping[str, TokenRow]  # of the streamer, and of others whose consent is needed
    now_ms: int

    @property
    def login(self) -> TokenRow | None:
        """The streamer's login."""
        return self.logins.get(self.channel.channel_id) if self.channel else None

    @property
    def warning(self) -> str | None:
        """What the channel warns of now."""
        return self.channel.warning if self.channel else None

    def lacking(self, wanted: Wanted) -> str | None:
        """Which consent is missing, as far as the logins that hold say; None when none is."""
        for user_id, scopes in needed_grants(wanted).items():
            login = self.logins.get(user_id)
            if login is None or login.status != tokens.OK:
                continue  # Twitch is asked
            if missing := missing_scopes(scopes, login.scopes.split()):
                who = "the streamer" if user_id == wanted.channel_id else login.login
                return f"{who} has not granted {' and '.join(missing)}"
        return None
