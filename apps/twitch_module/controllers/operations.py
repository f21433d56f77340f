"""What each route says of itself. The API's description and its page are made of nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Final, Literal, get_args

from pydantic import BaseModel

from ..domain.access.callers import Rule
from ..errors import (
    BadRequest,
    Busy,
    DatabaseUnavailable,
    Forbidden,
    HeadersTooLarge,
    ModuleError,
    NotFound,
    RateLimited,
    TooLarge,
    TooSlow,
    TwitchRefused,
    TwitchUnavailable,
    Unauthenticated,
)
from .reading import JSON, Takes

Tag = Literal[
    "Channels",
    "Subscriptions",
    "Events",
    "Activities",
    "Points",
    "Privacy",
    "Streamers",
    "Streamers' logins",
    "Admins",
    "Service tokens",
    "Audit",
    "Operation",
    "Webhook",
]
TAGS: Final[Mapping[Tag, str]] = {
    "Channels": "The monitored channels, what holds for each of them, and setting them up.",
    "Subscriptions": "What Twitch sends us: the EventSub subscriptions at Twitch.",
    "Events": "What Twitch has sent, newest first.",
    "Activities": "What events earn, and its delivery to WaddleBot.",
    "Points": "Who has how many and why, and correcting them.",
    "Privacy": "What is kept of a user, and taking the user out of it.",
    "Streamers": "Twitch's users, and the tokens of those who have logged in.",
    "Streamers' logins": "Addresses for streamers' browsers; programs need none of them.",
    "Admins": "Sessions of people: a password brings an access token for 15 minutes.",
    "Service tokens": "Tokens of other services: made by admins, renewed by the services.",
    "Audit": "Who changed what.",
    "Operation": "Health, metrics, and this description.",
    "Webhook": "Where Twitch posts its messages.",
}

# How a caller shows who he is, where the policy lets anyone in.
Token = Literal["none", "optional", "service token"]


@dataclass(frozen=True, slots=True)
class Says:
    """An answer that is no error: its model, or text of some media type, or nothing."""

    model: type[BaseModel] | UnionType | None = None
    about: str = ""  # else what the model says of itself
    media_types: tuple[str, ...] = ()  # JSON for a model, nothing without one, unless named
    headers: Mapping[str, str] = field(default_factory=dict)  # those that are always there

    def __post_init__(self) -> None:
        if self.model is not None and not self.media_types:
            object.__setattr__(self, "media_types", (JSON,))  # as frozen dataclasses do it

    @property
    def models(self) -> tuple[type[BaseModel], ...]:
        """The models, one of which it is."""
        if isinstance(self.model, UnionType):
            return get_args(self.model)
        return () if self.model is None else (self.model,)


NO_CONTENT: Final = Says(about="Done; there is nothing to say.")


@dataclass(frozen=True, slots=True)
class Fails:
    """An error of a route, with those codes that are not the class's own."""

    error: type[ModuleError]
    codes: tuple[str, ...]

    def __init__(self, error: type[ModuleError], *codes: str) -> None:
        object.__setattr__(self, "error", error)
        object.__setattr__(self, "codes", codes or (error.code,))


Failure = type[ModuleError] | Fails
Answers = Mapping[int, type[BaseModel] | Says]

# What calls to Twitch come to.
TWITCH: Final[tuple[Failure, ...]] = (TwitchUnavailable, TwitchRefused, RateLimited)

# What an access token, or a service token in its place, is refused with.
WRONG_TOKEN: Final = Fails(
    Unauthenticated,
    "unauthenticated",
    "token_invalid",
    "token_expired",
    "session_ended",
    "service_token_invalid",
)

_EVERYWHERE: Final[tuple[Failure, ...]] = (BadRequest, HeadersTooLarge, Busy, ModuleError)
_WITH_TOKEN: Final[tuple[Failure, ...]] = (
    WRONG_TOKEN,
    Fails(Forbidden, "forbidden", "exchange_only"),
    DatabaseUnavailable,
)


@dataclass(frozen=True, slots=True)
class Message:
    """What an action reads by itself, as it came: these only describe it."""

    headers: type[BaseModel]
    body: type[BaseModel]


@dataclass(frozen=True, slots=True)
class Operation:
    """A route, as it is declared with `endpoint`."""

    method: str
    path: str  # with <names>
    name: str
    text: str  # the action's docstring
    rule: Rule
    tag: Tag
    takes: Takes[BaseModel] | None
    answers: Mapping[int, Says]
    own_failures: tuple[Failure, ...]
    token: Token
    message: Message | None

    def failures(self) -> list[Fails]:
        """Every error that it can answer with, those included that all such routes share."""
        shared = [*_EVERYWHERE, *(() if self.rule.anyone else _WITH_TOKEN)]
        if "<" in self.path:
            shared.append(NotFound)
        if self.takes is not None:
            shared.append(self.takes.refusal)
        if self.message is not None or (self.takes is not None and self.takes.media_types):
            shared += [TooLarge, TooSlow]
        return [
            one if isinstance(one, Fails) else Fails(one) for one in (*shared, *self.own_failures)
        ]

    def check(self, status: int, answer: BaseModel) -> None:
        """Raises TypeError when an answer is not one of those that were declared."""
        declared = self.answers.get(status)
        if declared is None or not isinstance(answer, declared.models):
            raise TypeError(f"{self.name} does not declare {status} {type(answer).__name__}")


OPERATIONS: Final[dict[tuple[str, str], Operation]] = {}


def declare(operation: Operation) -> None:
    """Enter an operation. Raises ValueError when another one has its name."""
    key = (operation.method, operation.path)
    for other, existing in OPERATIONS.items():
        if existing.name == operation.name and other != key:
            raise ValueError(f"{key} and {other} are both called {operation.name}")
    OPERATIONS[key] = operation


def described(answers: Answers) -> dict[int, Says]:
    """The answers in their long form."""
    return {status: one if isinstance(one, Says) else Says(one) for status, one in answers.items()}
