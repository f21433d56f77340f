"""Logins with Twitch in the browser."""

from typing import Annotated

from py4web import request, response
from pydantic import BaseModel, ConfigDict, Field

from ...common import services
from ...domain.secret import Secret
from ...domain.tokens.oauth import STATE_SECONDS
from ...errors import BadRequest, DatabaseUnavailable, Forbidden, ModuleError, NotFound
from ...services.tokens.logins import Connected, StateRefused, WrongChannel
from ..http import Answer, endpoint, page, problem, reply, wants_page
from ..operations import TWITCH, Fails, Says
from ..reading import JSON, Takes, UserId
from . import schemas


class LoginQuery(BaseModel):
    """What a login link may carry."""

    model_config = ConfigDict(extra="ignore")

    activation_key: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    # Ask for what this channel's own event types need, and take nobody else's login.
    channel_id: UserId | None = None
    # And for what this type needs, which is to be subscribed by hand.
    event_type: Annotated[str, Field(max_length=100)] | None = None
    force: bool = Field(False, description="Have Twitch ask again, also who has agreed before")


class CallbackQuery(BaseModel):
    """What Twitch sends back; whatever else is there is not looked at."""

    model_config = ConfigDict(extra="ignore")

    state: str = Field("", max_length=500)
    code: str = Field("", max_length=500)
    error: str = Field("", max_length=100)


class Declined(Forbidden):
    """The user did not agree at Twitch."""

    code = "access_denied"
    title = "Not connected"


class NoLogin(NotFound):
    """Nothing is kept of a login in this browser."""

    title = "There is no login to show"


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
    browser = _browser() or services().tokens.logins.new_browser()
    key = Secret(query.activation_key) if query.activation_key else None
    location = services().tokens.logins.begin(
        browser, key, query.channel_id, query.event_type, force_verify=query.force
    )
    _set_cookie(browser)
    return _see_other(location)


@endpoint(
    "/twitch/auth/callback",
    "GET",
    tag="Streamers' logins",
    takes=Takes(CallbackQuery, "query"),
    answers={
        200: Says(schemas.Connected),
        303: Says(
            about="For browsers: to a page that says how it went, without code and state",
            headers={"Location": "/twitch/auth/connected", "Set-Cookie": "Whose login it was"},
        ),
    },
    errors=(
        Fails(BadRequest, StateRefused.code, "code_refused"),
        Declined,
        WrongChannel,
        *TWITCH,
        DatabaseUnavailable,
    ),
)
def callback(query: CallbackQuery) -> Answer:
    """Finish a login: where Twitch sends the browser back to.

    It takes the cookie of the browser that began, and each `state` once. When the link was for
    one channel (`channel_id`) and somebody else has logged in, nothing of that login is kept.
    """
    browser = _browser()
    result: Connected | WrongChannel
    try:
        begun = services().tokens.logins.check(query.state, browser)
        if query.error or not query.code:
            raise Declined("Twitch says that the request was declined")
        result = services().tokens.logins.finish(Secret(query.code), begun)
    except WrongChannel as error:
        result = error
    except ModuleError as error:
        return _not_connected(error)
    if browser is None or not wants_page():
        return _told(result)
    services().tokens.logins.remember(browser, result)
    _set_cookie(browser)  # once more: the page is to be there as long as what it shows
    return _see_other(services().base.settings.connected_url)


@endpoint(
    "/twitch/auth/connected",
    "GET",
    tag="Streamers' logins",
    answers={200: Says(schemas.Connected, media_types=(JSON, "text/html"))},
    errors=(NoLogin, WrongChannel, DatabaseUnavailable),
)
def show_connected() -> Answer:
    """Show what the login came to that has ended last in this browser, for ten minutes."""
    result = services().tokens.logins.result(_browser())
    if result is None:
        return _not_connected(
            NoLogin(
                "No login has ended in this browser within the last ten minutes;"
                " what is connected stays connected"
            )
        )
    return _told(result)


def _told(result: Connected | WrongChannel) -> Answer:
    """What a login came to, as a page or as a document."""
    if isinstance(result, WrongChannel):
        if not wants_page():
            return problem(result)
        response.status = result.status
        return page("wrong_channel.html", title=result.title, wrong=result)
    if wants_page():
        return page("connected.html", title="Connected", connected=result)
    gateway = result.gateway
    return reply(
        schemas.Connected(
            authenticated=True,
            message=f"Connected as {result.display_name}",
            user_id=result.user_id,
            login=result.login,
            display_name=result.display_name,
            scopes=list(result.scopes),
            gateway=schemas.Gateway(activated=gateway == "activated", detail=gateway)
            if gateway
            else None,
            monitored=result.monitored,
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


def _see_other(location: str) -> Answer:
    response.status = 303
    response.headers["Location"] = location
    response.headers["Cache-Control"] = "no-store"
    return ""


def _is_https() -> bool:
    return services().base.settings.twitch_redirect_uri.startswith("https:")


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
