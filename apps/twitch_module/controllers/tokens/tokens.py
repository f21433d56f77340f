"""The users' tokens: what is known of them, renewing, revoking, and lending them."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ...common import services
from ...domain.events.catalogue import scopes_for
from ...domain.tokens.oauth import missing_scopes
from ...errors import TwitchUnavailable
from ...models.tokens.tokens import NEEDS_LOGIN, TokenRow
from ...services.tokens.user_token import NeedsLogin, UserToken
from ..http import Answer, audited, endpoint, reply
from ..operations import TWITCH, Fails, Failure, Says
from ..reading import Takes, UserId
from ..times import rfc3339
from . import schemas


class StatusQuery(BaseModel):
    """Whose status."""

    model_config = ConfigDict(extra="forbid")

    user_id: UserId


class RefusedToken(BaseModel):
    """Which token Twitch has refused, for a caller who was lent it."""

    # Never the token itself: headers end up in logs.
    refused: Annotated[str, Field(pattern=r"^sha256=[0-9a-fA-F]{64}$")] | None = Field(
        None,
        alias="Twitch-Token-Refused",
        description="`sha256=` and the SHA-256, in hexadecimal, of the access token that Twitch"
        " answered 401 to",
    )


# What asking for a user's token comes to.
_TOKEN: tuple[Failure, ...] = (
    NeedsLogin,
    *TWITCH,
    Fails(TwitchUnavailable, "renewal_paused", "renewal_in_progress"),
)


@endpoint(
    "/twitch/auth/status",
    "GET",
    tag="Streamers",
    takes=Takes(StatusQuery, "query"),
    answers={200: Says(schemas.Login | schemas.UnknownLogin, "What is known of it")},
)
def show_login(query: StatusQuery) -> Answer:
    """Show what is known of a user's login, without asking Twitch."""
    row = services().tokens.users.find(query.user_id)
    if row is None:
        return reply(schemas.UnknownLogin(authenticated=False, user_id=query.user_id))
    return reply(_user(row))


@endpoint("/twitch/auth/users", "GET", tag="Streamers", answers={200: schemas.LoginList})
def list_logins() -> Answer:
    """List everyone with tokens, without asking Twitch."""
    return reply(schemas.LoginList(users=[_user(row) for row in services().tokens.users.list()]))


@endpoint(
    "/twitch/auth/refresh/<user_id>",
    "POST",
    tag="Streamers",
    answers={200: schemas.TokenState},
    errors=_TOKEN,
)
def renew_token(user_id: str) -> Answer:
    """Renew a user's token now; callers who come together share one renewal, and its failure.

    After a failed renewal it is tried again at once, at most every second.
    """
    token = _asking(services().tokens.users.renewed_now, user_id)
    audited("token.refresh", f"user:{user_id}")
    return reply(schemas.TokenState(**_without_token(token)))


@endpoint(
    "/twitch/auth/revoke/<user_id>",
    "POST",
    tag="Streamers",
    answers={200: schemas.RevokedLogin},
)
def revoke_tokens(user_id: str) -> Answer:
    """Revoke a user's tokens at Twitch and delete them here."""
    confirmed = services().tokens.users.forget(user_id)
    audited("token.revoke", f"user:{user_id}", after={"revoked_at_twitch": confirmed})
    return reply(schemas.RevokedLogin(user_id=user_id, deleted=True, revoked_at_twitch=confirmed))


@endpoint(
    "/twitch/auth/token/<user_id>",
    "GET",
    tag="Streamers",
    takes=Takes(RefusedToken, "header"),
    answers={200: schemas.LentToken},
    errors=_TOKEN,
)
def lend_token(said: RefusedToken, user_id: str) -> Answer:
    """Lend a valid access token to another service; never the refresh token.

    It is renewed first when it is near its end. A caller to whom Twitch has answered 401 says so
    in `Twitch-Token-Refused`: when Twitch does not take that token any more, it is renewed, once
    for all who ask. When Twitch does, the 401 meant something else, such as a missing scope, and
    the same token is lent again.
    """
    if said.refused is None:
        token = _asking(services().tokens.users.valid, user_id)
    else:
        digest = said.refused.removeprefix("sha256=").lower()
        token = _asking(services().tokens.users.instead_of, user_id, digest)
    return reply(
        schemas.LentToken(
            access_token=token.access_token.reveal(),
            token_type="bearer",  # noqa: S106  # its type
            **_without_token(token),
        )
    )


def _asking(ask: Callable[..., UserToken], *arguments: str | int) -> UserToken:
    """The token; when the user must log in again, the error names the link for it."""
    try:
        return ask(*arguments)
    except NeedsLogin as error:
        error.extra = {"login_url": services().base.settings.login_url}
        raise


def _without_token(token: UserToken) -> dict[str, Any]:
    return {
        "user_id": token.user_id,
        "login": token.login,
        "scopes": list(token.scopes),
        "expires_at": rfc3339(token.expires_at_ms),
        "expires_in": services().tokens.users.seconds_left(token.expires_at_ms),
    }


def _user(row: TokenRow) -> schemas.Login:
    scopes = row.scopes.split()
    needed = scopes_for(services().events.monitored_channels.types(row.user_id))
    return schemas.Login(
        authenticated=row.status != NEEDS_LOGIN,
        user_id=row.user_id,
        login=row.login,
        display_name=row.display_name,
        scopes=scopes,
        missing_scopes=missing_scopes(needed, scopes),
        expires_at=rfc3339(row.expires_at_ms),
        expires_in=services().tokens.users.seconds_left(row.expires_at_ms),
        status="needs_login" if row.status == NEEDS_LOGIN else "ok",
        reason=row.reason,
        last_validated_at=rfc3339(row.validated_at_ms),
        login_url=services().base.settings.login_url if row.status == NEEDS_LOGIN else None,
    )
