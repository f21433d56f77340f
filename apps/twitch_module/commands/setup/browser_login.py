"""The bot's login in a browser: sent to Twitch, and taken back on this machine."""

import secrets
import webbrowser
from urllib.parse import parse_qs

import click

from ...clients.http import HTTPClient
from ...clients.twitch_auth import TwitchAuth
from ...domain.secret import Secret
from ...domain.tokens.oauth import Grant, authorize_url
from ...errors import ModuleError
from ...settings import Settings
from ..terminal import say
from .failure import SetupFailed, explained, not_registered
from .redirect import MISMATCH, is_registered, query_of
from .redirect_listener import RedirectListener


def log_in_by_browser(
    settings: Settings,
    scopes: list[str],
    *,
    redirect_uri: str,
    open_browser: bool,
    paste: bool,
    wait_seconds: float,
) -> Grant:
    """The pair of whoever logs in. Raises SetupFailed."""
    http = HTTPClient(2)
    auth_url, client_id = settings.twitch_auth_url, settings.twitch_app_id
    if is_registered(http, auth_url, client_id, redirect_uri) is False:
        raise not_registered(redirect_uri)
    state = secrets.token_urlsafe(32)
    url = authorize_url(
        auth_url,
        client_id=client_id,
        redirect_uri=redirect_uri,
        scopes=scopes,
        state=state,
        # The browser is often logged in as the streamer, and not as the bot.
        force_verify=True,
    )
    if paste:
        query = _pasted(url, open_browser)
    else:
        query = _redirected(url, open_browser, redirect_uri, wait_seconds)
    code = read_redirect(query, state)
    # The code is only good together with the address that it was sent to.
    there = settings.model_copy(update={"twitch_redirect_uri": redirect_uri})
    try:
        return TwitchAuth(http, there).exchange(code)
    except ModuleError as error:
        raise explained(error, redirect_uri) from error


def read_redirect(query: str, state: str) -> Secret:
    """The code in a redirect's query. Raises SetupFailed for anything but an agreement."""
    given = {name: values[0] for name, values in parse_qs(query).items()}
    if not secrets.compare_digest(given.get("state", "").encode(), state.encode()):
        raise SetupFailed(
            "The answer belongs to another login: its state is not ours."
            " Run setup again, and use only the window that it opens"
        )
    error = given.get("error")
    if error == "access_denied":
        raise SetupFailed("It was declined at Twitch. Run setup again, and agree as the bot")
    if error == MISMATCH:
        raise SetupFailed("Twitch does not know the redirect URL. Register it, then try again")
    if error:
        raise SetupFailed(f"Twitch answers {error[:100]}. Run setup again")
    if "code" not in given:
        raise SetupFailed("The address holds no code. Run setup again, and paste all of it")
    return Secret(given["code"])


def _pasted(url: str, open_browser: bool) -> str:
    _show(url, open_browser)
    say("Then paste the address at which the browser ended.")
    query = query_of(click.prompt("Address", type=str))
    if not query:
        raise SetupFailed("That is no address with a code. Run setup again, and paste all of it")
    return query


def _redirected(url: str, open_browser: bool, redirect_uri: str, wait_seconds: float) -> str:
    with RedirectListener(redirect_uri).listening() as listener:
        _show(url, open_browser)
        say(f"Waiting at {redirect_uri} (or paste the address at which the browser ended) ...")
        query = listener.wait(wait_seconds)
    if query is None:
        raise SetupFailed(
            f"Nobody came back from Twitch within {wait_seconds / 60:g} minutes."
            " Run setup again; without a browser on this machine, with --paste or --device"
        )
    return query


def _show(url: str, open_browser: bool) -> None:
    say("Log in at Twitch as the bot, and agree:")
    say(f"  {url}")
    if open_browser:
        webbrowser.open(url)
