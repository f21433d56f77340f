"""Admins' logins: in, on and out."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ...common import services
from ...errors import DatabaseUnavailable, Forbidden, Invalid, TooManyRequests, Unauthenticated
from ...services.access.admin_auth import TokenPair
from ...services.access.passwords import TooBusy
from ..http import Answer, bearer, endpoint, no_content, origin, reply
from ..operations import NO_CONTENT, WRONG_TOKEN, Fails
from ..reading import Takes
from ..schemas import Shape


class Credentials(BaseModel):
    """What an admin logs in with."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(max_length=200)
    password: str = Field(max_length=1000)


class RefreshToken(BaseModel):
    """A refresh token, in the body or in the query."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: str | None = Field(None, max_length=200)


class Tokens(Shape):
    """An access token, and the refresh token for the next one."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # its type
    expires_in: int = Field(description="Seconds that the access token lasts")
    refresh_token: str = Field(description="Good for one use")
    refresh_expires_in: int = Field(description="Seconds")


@endpoint(
    "/api/auth/login",
    "POST",
    tag="Admins",
    takes=Takes(Credentials, "json", "form"),
    answers={200: Tokens},
    errors=(
        Fails(Unauthenticated, "wrong_credentials", "no_admin"),
        TooManyRequests,
        TooBusy,
        DatabaseUnavailable,
    ),
)
def log_in(given: Credentials) -> Answer:
    """Log in: an access token for 15 minutes, and a refresh token for 7 days.

    Ten wrong passwords within five minutes, for one user or from one address, and the next try
    is a 429.
    """
    pair = services().access.admin_auth.log_in(given.username, given.password, origin())
    return reply(_tokens(pair))


@endpoint(
    "/api/auth/refresh",
    "POST",
    tag="Admins",
    takes=Takes(RefreshToken, "query", "json", "form"),
    answers={200: Tokens},
    errors=(
        Fails(Unauthenticated, "refresh_token_invalid", "session_ended"),
        DatabaseUnavailable,
    ),
)
def refresh_session(given: RefreshToken) -> Answer:
    """Go on with a session: a new pair of tokens.

    The refresh token that is given, in the query or in the body, is used up. Its second use
    ends the session: somebody has stolen it.
    """
    if given.refresh_token is None:
        raise Invalid("refresh_token: Field required")
    return reply(_tokens(services().access.admin_auth.refresh(given.refresh_token, origin())))


@endpoint(
    "/api/auth/logout",
    "POST",
    tag="Admins",
    token="optional",  # noqa: S106  # whether there is one
    takes=Takes(RefreshToken, "query", "json", "form"),
    answers={204: NO_CONTENT},
    errors=(
        WRONG_TOKEN,
        Fails(Unauthenticated, "refresh_token_invalid"),
        Fails(Forbidden, "forbidden", "exchange_only"),
        DatabaseUnavailable,
    ),
)
def log_out(given: RefreshToken) -> Answer:
    """End the session of the refresh token, or else of the access token, that is given."""
    if given.refresh_token is not None:
        services().access.admin_auth.log_out(given.refresh_token, origin())
    else:
        caller = services().access.admin_auth.identify(bearer(), origin())
        services().access.admin_auth.log_out_caller(caller)
    return no_content()


def _tokens(pair: TokenPair) -> Tokens:
    return Tokens(
        access_token=pair.access_token.reveal(),
        expires_in=pair.expires_in,
        refresh_token=pair.refresh_token.reveal(),
        refresh_expires_in=pair.refresh_expires_in,
    )
