"""Admins' logins: in, on and out."""

from py4web import request
from pydantic import BaseModel, ConfigDict, Field

from ..common import services
from ..errors import Invalid
from ..services.admin_auth import TokenPair
from .http import (
    Answer,
    bearer,
    endpoint,
    no_content,
    origin,
    read_form_or_json,
    read_query,
    reply,
)


class Credentials(BaseModel):
    """What an admin logs in with."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(max_length=200)
    password: str = Field(max_length=1000)


class RefreshToken(BaseModel):
    """A refresh token, in the body or in the query."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: str | None = Field(None, max_length=200)


class Tokens(BaseModel):
    """The answer to a login and to a refresh."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105  # its type
    expires_in: int
    refresh_token: str
    refresh_expires_in: int


@endpoint("/api/auth/login", "POST")
def log_in() -> Answer:
    """An access token for 15 minutes, and a refresh token for 7 days."""
    given = read_form_or_json(Credentials)
    pair = services().admin_auth.log_in(given.username, given.password, origin())
    return reply(_tokens(pair))


@endpoint("/api/auth/refresh", "POST")
def refresh() -> Answer:
    """A new pair. The refresh token that was given is used up."""
    refresh_token = _refresh_token()
    if refresh_token is None:
        raise Invalid("refresh_token: Field required")
    return reply(_tokens(services().admin_auth.refresh(refresh_token, origin())))


@endpoint("/api/auth/logout", "POST")
def log_out() -> Answer:
    """End the session of the refresh token, or else of the access token, that is given."""
    refresh_token = _refresh_token()
    if refresh_token is not None:
        services().admin_auth.log_out(refresh_token, origin())
    else:
        caller = services().admin_auth.identify(bearer(), origin())
        services().admin_auth.log_out_caller(caller)
    return no_content()


def _refresh_token() -> str | None:
    in_body = read_form_or_json(RefreshToken).refresh_token
    if in_body is not None or not request.environ.get("QUERY_STRING"):
        return in_body
    return read_query(RefreshToken).refresh_token


def _tokens(pair: TokenPair) -> Tokens:
    return Tokens(
        access_token=pair.access_token.reveal(),
        expires_in=pair.expires_in,
        refresh_token=pair.refresh_token.reveal(),
        refresh_expires_in=pair.refresh_expires_in,
    )
