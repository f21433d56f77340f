"""Logins with Twitch in the browser, and the tokens that they bring."""

from collections.abc import Callable
from typing import Annotated, Any

from py4web import request, response
from pydantic import BaseModel, ConfigDict, Field

from ..common import services
from ..domain.catalogue import scopes_for
from ..domain.oauth import STATE_SECONDS, missing_scopes
from ..domain.secret import Secret
from ..errors import (
    BadRequest,
    DatabaseUnavailable,
    Forbidden,
    ModuleError,
    TwitchUnavailable,
)
from ..models.tokens import NEEDS_LOGIN, TokenRow
from ..services.logins import Connected, StateRefused
from ..services.tokens import NeedsLogin, UserToken
from . import schemas
from .http import Answer, audited, endpoint, page, problem, reply, wants_page
from .operations import TWITCH, Fails, Failure, Says
from .reading import JSON, Takes
from .times import rfc3339

UserId = Annotated[str, Field(max_length=50, pattern=r"^[A-Za-z0-9_]+$")]


class LoginQuery(BaseModel):
    """What a login link may carry."""

    model_config = ConfigDict(extra="ignore")

    activation_key: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    # Ask for what this channel's own event types need.
    channel_id: UserId | None = None


class CallbackQuery(BaseModel):
    """What Twitch sends back; whatever else is there is not looked at."""

    model_config = ConfigDict(extra="ignore")

    state: str = Field("", max_length=500)
    code: str = Field("", max_length=500)
    error: str = Field("", max_length=100)


class StatusQuery(BaseModel):
    """Whose status."""

    model_config = ConfigDict(extra="forbid")

    user_id: UserId


class Declined(Forbidden):
    """The user did not agree at Twitch."""

    code = "access_denied"
    title = "Not connected"


# What asking for a user's token comes to.
_TOKEN: tuple[Failure, ...] = (
    NeedsLogin,
    *TWITCH,
    Fails(TwitchUnavailable, "renewal_paused", "renewal_in_progress"),
)


@endpoint(
    "/twitch/auth/login",
    "GET",
    tag="Streamers' logins",
    takes=Takes(LoginQuery, "query"),
    answers={
        303: Says(
            about="To Twitch's own page, with a cookie that the callback asks for",
            headers={"Location": "An address at Twitch", "Set-Cookie": "Who began the login"},
        )
    },
    errors=(DatabaseUnavailable,),
)
def begin_login(query: LoginQuery) -> Answer:
    """Send a streamer's browser to Twitch, to log in there."""
    # A browser that has two logins open goes on with the same cookie, so that both can end.
    browser = _browser() or services().logins.new_browser()
    key = Secret(query.activation_key) if query.activation_key else None
    location = services().logins.begin(browser, key, query.channel_id)
    _set_cookie(browser)
    response.status = 303
    response.headers["Location"] = location
    response.headers["Cache-Control"] = "no-store"
    return ""


@endpoint(
    "/twitch/auth/callback",
    "GET",
    tag="Streamers' logins",
    takes=Takes(CallbackQuery, "query"),
    answers={200: Says(schemas.Connected, media_types=(JSON, "text/html"))},
    errors=(
        Fails(BadRequest, StateRefused.code, "code_refused"),
        Declined,
        *TWITCH,
        DatabaseUnavailable,
    ),
)
def callback(query: CallbackQuery) -> Answer:
    """Finish a login: where Twitch sends the browser back to.

    It takes the cookie of the browser that began, and each `state` once.
    """
    try:
        activation_key = services().logins.check(query.state, _browser())
        if query.error or not query.code:
            raise Declined("Twitch says that the request was declined")
        connected = services().logins.finish(Secret(query.code), activation_key)
    except ModuleError as error:
        return _not_connected(error)
    return _connected(connected)


@endpoint(
    "/twitch/auth/status",
    "GET",
    tag="Streamers",
    takes=Takes(StatusQuery, "query"),
    answers={
        200: Says(schemas.Login | schemas.UnknownLogin, "What is known of it", media_types=(JSON,))
    },
)
def show_login(query: StatusQuery) -> Answer:
    """Show what is known of a user's login, without asking Twitch."""
    row = services().tokens.find(query.user_id)
    if row is None:
        return reply(schemas.UnknownLogin(authenticated=False, user_id=query.user_id))
    return reply(_user(row))


@endpoint("/twitch/auth/users", "GET", tag="Streamers", answers={200: schemas.LoginList})
def list_logins() -> Answer:
    """List everyone with tokens, without asking Twitch."""
    return reply(schemas.LoginList(users=[_user(row) for row in services().tokens.list()]))


@endpoint(
    "/twitch/auth/refresh/<user_id>",
    "POST",
    tag="Streamers",
    answers={200: schemas.TokenState},
    errors=_TOKEN,
)
def renew_token(user_id: str) -> Answer:
    """Renew a user's token now; callers who come together share one renewal."""
    row = services().tokens.find(user_id)
    version = row.version if row else 0
    token = _asking(services().tokens.renewed, user_id, version)
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
    confirmed = services().tokens.forget(user_id)
    audited("token.revoke", f"user:{user_id}", after={"revoked_at_twitch": confirmed})
    return reply(schemas.RevokedLogin(user_id=user_id, deleted=True, revoked_at_twitch=confirmed))


@endpoint(
    "/twitch/auth/token/<user_id>",
    "GET",
    tag="Streamers",
    answers={200: schemas.LentToken},
    errors=_TOKEN,
)
def lend_token(user_id: str) -> Answer:
    """Lend a valid access token to another service; never the refresh token.

    It is renewed first when it is near its end.
    """
    token = _asking(services().tokens.valid, user_id)
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
        error.extra = {"login_url": services().settings.login_url}
        raise


def _without_token(token: UserToken) -> dict[str, Any]:
    return {
        "user_id": token.user_id,
        "login": token.login,
        "scopes": list(token.scopes),
        "expires_at": rfc3339(token.expires_at_ms),
        "expires_in": services().tokens.seconds_left(token.expires_at_ms),
    }


def _user(row: TokenRow) -> schemas.Login:
    scopes = row.scopes.split()
    needed = scopes_for(services().roster.types(row.user_id))
    return schemas.Login(
        authenticated=row.status != NEEDS_LOGIN,
        user_id=row.user_id,
        login=row.login,
        display_name=row.display_name,
        scopes=scopes,
        missing_scopes=missing_scopes(needed, scopes),
        expires_at=rfc3339(row.expires_at_ms),
        expires_in=services().tokens.seconds_left(row.expires_at_ms),
        status="needs_login" if row.status == NEEDS_LOGIN else "ok",
        reason=row.reason,
        last_validated_at=rfc3339(row.validated_at_ms),
        login_url=services().settings.login_url if row.status == NEEDS_LOGIN else None,
    )


def _connected(connected: Connected) -> Answer:
    if wants_page():
        return page(
            "connected.html",
            title="Connected",
            display_name=connected.display_name,
            login=connected.login,
            gateway=connected.gateway,
        )
    gateway = connected.gateway
    return reply(
        schemas.Connected(
            authenticated=True,
            message=f"Connected as {connected.display_name}",
            user_id=connected.user_id,
            login=connected.login,
            display_name=connected.display_name,
            scopes=list(connected.scopes),
            gateway=schemas.Gateway(activated=gateway == "activated", detail=gateway)
            if gateway
            else None,
        )
    )


def _not_connected(error: ModuleError) -> Answer:
    if not wants_page():
        return problem(error)
    response.status = error.status
    hint = None
    if isinstance(error, Declined):
        hint = "If the link that you came by held an activation key, use that link again."
    return page("not_connected.html", title=error.title, detail=str(error), hint=hint)


def _is_https() -> bool:
    return services().settings.twitch_redirect_uri.startswith("https:")


def _cookie_name() -> str:
    # The prefix makes browsers insist on Secure, this very host and the path / (RFC 6265bis).
    return "__Host-twitch_login" if _is_https() else "twitch_login"


def _browser() -> Secret | None:
    """What this browser was given when it began, if it sends it."""
    # By hand: http.cookies takes time that grows with the square of the length.
    wanted, value = _cookie_name(), ""
    for cookie in request.environ.get("HTTP_COOKIE", "").split(";"):
        name, _, text = cookie.partition("=")
        if name.strip() == wanted:
            value = text.strip()
    return Secret(value) if 20 <= len(value) <= 100 and value.isascii() else None


def _set_cookie(browser: Secret) -> None:
    secure = "; Secure" if _is_https() else ""
    response.headers["Set-Cookie"] = (
        f"{_cookie_name()}={browser.reveal()}; Path=/; Max-Age={STATE_SECONDS};"
        f" HttpOnly; SameSite=Lax{secure}"
    )
