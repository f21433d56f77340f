"""`setup`: the wizard that connects the bot's account, and writes `.env`."""

from typing import Any
from urllib.parse import urlsplit

import click

from ..common import Services, scopes_to_ask_for
from ..domain.access import Actor
from ..domain.oauth import Grant, Validation
from ..errors import ModuleError
from ..settings import LOOPBACK, Settings
from . import env_file
from .bot import BOT_NAME, scopes_of_login
from .browser_login import log_in_by_browser
from .device_flow import log_in_by_device
from .failure import CONSOLE, SetupFailed, explained
from .installation import Installation, services_on
from .questions import Answers, Interview, tell_what_hides
from .terminal import say


@click.command()
@click.option("--device", is_flag=True, help="Log in with a code, on any other device.")
@click.option("--paste", is_flag=True, help="Paste the address at which the browser ends.")
@click.option("--no-browser", is_flag=True, help="Only print the address to open.")
@click.option("--redirect-uri", help="Where Twitch sends the browser back; on this machine.")
@click.option("--wait", default=10.0, show_default=True, help="Minutes to wait for the login.")
@click.pass_obj
def setup(
    installation: Installation,
    device: bool,
    paste: bool,
    no_browser: bool,
    redirect_uri: str | None,
    wait: float,
) -> None:
    """Connect the bot's own account, and write .env.

    Asks for the Twitch application, the bot and its channel; has the bot log in at Twitch;
    stores its tokens, and the answers. When something goes wrong, nothing is written.

    Example: cli setup --device
    """
    interview = Interview(installation)
    say(f"You need a Twitch application: {CONSOLE}")
    answers = interview.answers()
    settings = answers.settings
    redirect_uri = redirect_uri or _redirect_uri(settings)
    services = services_on(settings)
    channel = _check_with_twitch(services, answers)
    scopes = scopes_of_login(settings, answers.bot, answers.channel, scopes_to_ask_for(settings))
    if device:
        grant = log_in_by_device(
            settings, scopes, open_browser=not no_browser, wait_seconds=wait * 60
        )
    else:
        say(f"Its redirect URLs must contain {redirect_uri}")
        grant = log_in_by_browser(
            settings,
            scopes,
            redirect_uri=redirect_uri,
            open_browser=not no_browser,
            paste=paste,
            wait_seconds=wait * 60,
        )
    _keep(installation, services, answers, grant, channel)


def _redirect_uri(settings: Settings) -> str:
    """The address on this machine where the wizard waits, unless another one is named.

    Twitch takes http for localhost only: "Registering Your App".
    """
    configured = urlsplit(settings.twitch_redirect_uri)
    if configured.scheme == "http" and configured.hostname in LOOPBACK:
        return settings.twitch_redirect_uri
    return f"http://localhost:{settings.port}/twitch/auth/callback"


def _check_with_twitch(services: Services, answers: Answers) -> dict[str, Any]:
    """The channel as Twitch describes it. Raises SetupFailed where an answer is not right."""
    try:
        services.auth.app_token()
    except ModuleError as error:
        raise explained(error, answers.settings.twitch_redirect_uri) from error
    for login in (answers.bot, answers.channel):
        user = services.twitch.find_user(login=login)
        if user is None:
            raise SetupFailed(f"Twitch knows nobody called {login}. Run setup again")
    return user or {}


def _keep(
    installation: Installation,
    services: Services,
    answers: Answers,
    grant: Grant,
    channel: dict[str, Any],
) -> None:
    """Check whose tokens these are, then write what has been found out."""
    try:
        validation = services.auth.validate(grant.access_token)
    except ModuleError as error:
        raise explained(error, answers.settings.twitch_redirect_uri) from error
    if validation is None:
        raise SetupFailed("Twitch does not know the token that it has just given. Try again")
    new = {**answers.new, **_bot_agreed_on(answers, validation)}
    user = services.twitch.find_user(user_id=validation.user_id) or {}
    services.channels.add(Actor("cli", name="setup"), channel_id=str(channel.get("id")))
    # The file comes before the tokens: without the key in it nobody could read them.
    env_file.change(installation.env_file, new)
    display_name = str(user.get("display_name") or validation.login)
    services.tokens.keep_login(validation, display_name, grant)
    _tell(installation, answers, validation, new)


def _bot_agreed_on(answers: Answers, validation: Validation) -> dict[str, str]:
    """The bot's name where it is to be another than was said. Raises SetupFailed."""
    if validation.login == answers.bot:
        return {}
    say(f"You have logged in as {validation.login}, not as {answers.bot}.")
    if not click.confirm(f"Shall {validation.login} be the bot?"):
        raise SetupFailed(f"Log out at Twitch, run setup again, and log in as {answers.bot}")
    return {BOT_NAME: validation.login}


def _tell(
    installation: Installation, answers: Answers, validation: Validation, new: dict[str, str]
) -> None:
    file = installation.env_file
    say(f"Connected as {validation.login}; the tokens are stored")
    say(f"Written to {file}: {', '.join(sorted(new)) or 'nothing new'}")
    tell_what_hides(installation, new)
    base = answers.settings.twitch_redirect_uri.partition("/twitch/auth/")[0]
    say("Next: make serve, then have the streamer of")
    say(f"  {answers.channel} log in at {base}/twitch/auth/login")
