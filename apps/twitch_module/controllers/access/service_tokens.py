"""Service tokens: made, listed and revoked by admins, exchanged and renewed by services."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ...common import services
from ...domain.access.callers import Scope
from ...domain.secret import Secret
from ...errors import Conflict, DatabaseUnavailable, NotFound, Unauthenticated
from ...models.access.service_tokens import ServiceToken
from ...services.access.service_tokens import MAX_DAYS, MIN_DAYS, TooEarly
from ..http import Answer, actor, bearer, endpoint, no_content, origin, reply
from ..operations import NO_CONTENT, Fails
from ..reading import Takes
from ..schemas import Shape, Time
from ..times import rfc3339

_PATH = "/api/auth/service-token"
Name = Annotated[
    str,
    # No control characters, and something visible at both ends.
    StringConstraints(
        max_length=100, pattern=r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"
    ),
]
_ONE_OF_BOTH: dict[str, Any] = {
    "oneOf": [
        {"required": ["days"], "properties": {"days": {"type": "integer"}}},
        {"required": ["eternal"], "properties": {"eternal": {"const": True}}},
    ]
}


class NewServiceToken(BaseModel):
    """A token to be made: for so many days, or eternal."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_ONE_OF_BOTH)

    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=20)
    days: int | None = Field(None, ge=MIN_DAYS, le=MAX_DAYS, strict=True)
    eternal: bool = Field(False, strict=True)
    exchange_only: bool = Field(
        False, strict=True, description="It brings access tokens and does not serve as one"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "NewServiceToken":
        if (self.days is None) != self.eternal:
            raise ValueError("give either days or eternal")
        return self


class CreatedServiceToken(Shape):
    """The only answer that ever holds the token itself."""

    id: int
    service_token: str = Field(description="A JWT: its `exp` is when it ends, absent for never")
    name: str
    scopes: list[str]
    expires_at: Time | None
    exchange_only: bool


class ShownServiceToken(Shape):
    """A token as it is listed."""

    id: int
    name: str
    prefix: str = Field(description="What it is known by: `...` and its end, or its beginning")
    scopes: list[str]
    status: Literal["active", "expired", "revoked"]
    eternal: bool
    expires_at: Time | None
    created_by: str
    created_at: Time | None
    last_used_at: Time | None
    revoked_at: Time | None
    exchange_only: bool
    successor_id: int | None = Field(description="What it was renewed to")


class ServiceTokenList(Shape):
    """Every token, newest first."""

    service_tokens: list[ShownServiceToken]


class ServiceAccess(Shape):
    """The answer to an exchange."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # its type
    expires_in: int = Field(description="Seconds")
    service_token_expires_at: str | None = Field(description="null: never")


@endpoint(_PATH, "GET", tag="Service tokens", answers={200: ServiceTokenList})
def list_service_tokens() -> Answer:
    """List the service tokens, newest first, without their secrets."""
    tokens, now_ms = services().access.service_tokens.list()
    return reply(ServiceTokenList(service_tokens=[_shown(token, now_ms) for token in tokens]))


@endpoint(
    _PATH,
    "POST",
    tag="Service tokens",
    takes=Takes(NewServiceToken, "json"),
    answers={201: CreatedServiceToken},
)
def create_service_token(given: NewServiceToken) -> Answer:
    """Make a service token. It is shown this once."""
    token, secret = services().access.service_tokens.create(
        given.name, given.scopes, given.days, actor(), exchange_only=given.exchange_only
    )
    return reply(_created(token, secret), 201)


@endpoint(f"{_PATH}/<token_id>", "DELETE", tag="Service tokens", answers={204: NO_CONTENT})
def revoke_service_token(token_id: str) -> Answer:
    """End a service token; its access tokens end with it."""
    if not (token_id.isascii() and token_id.isdigit() and len(token_id) <= 18):
        raise NotFound(f"There is no service token {token_id!r}")
    services().access.service_tokens.revoke(int(token_id), actor())
    return no_content()


@endpoint(
    f"{_PATH}/refresh",
    "POST",
    tag="Service tokens",
    token="service token",  # noqa: S106  # its kind
    answers={200: ServiceAccess},
    errors=(
        Fails(Unauthenticated, "unauthenticated", "service_token_invalid"),
        DatabaseUnavailable,
    ),
)
def exchange_service_token() -> Answer:
    """Exchange a service token for an access token of 15 minutes.

    The service token goes into the Authorization header, as access tokens do.
    """
    exchange = services().access.admin_auth.exchange(bearer())
    return reply(
        ServiceAccess(
            access_token=exchange.access_token.reveal(),
            expires_in=exchange.expires_in,
            service_token_expires_at=rfc3339(exchange.service_token_expires_at_ms),
        )
    )


@endpoint(
    f"{_PATH}/renew",
    "POST",
    tag="Service tokens",
    token="service token",  # noqa: S106  # its kind
    answers={201: CreatedServiceToken},
    errors=(
        Fails(Unauthenticated, "unauthenticated", "service_token_invalid"),
        TooEarly,
        Fails(Conflict, "never_ends", "already_renewed"),
        DatabaseUnavailable,
    ),
)
def renew_service_token() -> Answer:
    """Renew the service token that calls, in its last seven days.

    The new one has the same name, scopes and days; the old one lives on to its own end. Until
    the new one is used the answer can be asked for again, and is the same.
    """
    return reply(_created(*services().access.service_tokens.renew(bearer(), origin())), 201)


def _created(token: ServiceToken, secret: Secret) -> CreatedServiceToken:
    return CreatedServiceToken(
        id=token.id,
        service_token=secret.reveal(),
        name=token.name,
        scopes=token.scopes.split(),
        expires_at=rfc3339(token.expires_at_ms),
        exchange_only=bool(token.exchange_only),
    )


def _shown(token: ServiceToken, now_ms: int) -> ShownServiceToken:
    alive = token.is_alive(now_ms)
    status: Literal["active", "expired"] = "active" if alive else "expired"
    return ShownServiceToken(
        id=token.id,
        name=token.name,
        prefix=token.prefix,
        scopes=token.scopes.split(),
        status=status if token.revoked_at_ms is None else "revoked",
        eternal=token.expires_at_ms is None,
        expires_at=rfc3339(token.expires_at_ms),
        created_by=token.created_by,
        created_at=rfc3339(token.created_at_ms),
        last_used_at=rfc3339(token.last_used_at_ms),
        revoked_at=rfc3339(token.revoked_at_ms),
        exchange_only=bool(token.exchange_only),
        successor_id=token.successor_id,
    )
