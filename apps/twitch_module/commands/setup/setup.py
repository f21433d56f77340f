"""`setup`: the wizard that connects the bot's account, and writes `.env`."""

from typing import NamedTuple
from urllib.parse import urlsplit

import click

from ...common import Services
from ...domain.events.catalogue import types_in_use
from ...domain.tokens.oauth import Grant, Validation
from ...errors import ModuleError
from ...services.tokens.login_links import scopes_to_ask_for
from ...settings import LOOPBACK, Settings
from .. import env_file
from ..installation import Installation, services_on
from ..terminal import say
from .answer_checks import Outside
from .bot import BOT_NAME, scopes_of_login
from .browser_login import log_in_by_browser
from .channel_offer import offer_channel
from .device_flow import log_in_by_device
from .failure import CONSOLE, SetupFailed, explained
from .questions import Answers, Interview, tell_what_hides


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

    Asks for the Twitch application, the bot and its channel, and checks each answer at once; has
    the bot log in at Twitch; stores its tokens, and the answers; adds the channel. When something
    goes wrong before that, nothing is written.

    Example: cli setup --device
    """
    login = _Login(device, paste, not no_browser, wait * 60)
    progress = _Progress()
    try:
        answers, own_redirect = _asked(installation, device, redirect_uri)
        services = services_on(answers.settings)
        grant = login.grant(answers, own_redirect)
        _keep(installation, services, answers, grant, progress)
        offer_channel(installation, services, answers)
        _tell_what_is_next(answers)
    except (click.Abort, KeyboardInterrupt, EOFError) as error:
        raise Stopped(progress.kept) from error


class Stopped(SetupFailed):
    """Whoever sits there has stopped the wizard; the message says what was kept."""

    title = "Stopped"


class _Progress:
    kept = "nothing was written"


class _Login(NamedTuple):
    """How the bot logs in at Twitch."""

    device: bool
    paste: bool
    open_browser: bool
    wait_seconds: float

    def grant(self, answers: Answers, redirect_uri: str) -> Grant:
        """The bot's tokens. Raises SetupFailed."""
        settings = answers.settings
        usual = scopes_to_ask_for(
            types_in_use(settings.points.rules), settings.twitch_scopes.split()
        )
        scopes = scopes_of_login(settings, answers.bot, answers.channel, usual)
        if self.device:
            return log_in_by_device(
                settings, scopes, open_browser=self.open_browser, wait_seconds=self.wait_seconds
            )
        return log_in_by_browser(
            settings,
            scopes,
            redirect_uri=redirect_uri,
            open_browser=self.open_browser,
            paste=self.paste,
            wait_seconds=self.wait_seconds,
        )


def _asked(
    installation: Installation, device: bool, redirect_uri: str | None
) -> tuple[Answers, str]:
    """All answers, and where Twitch sends the bot's browser back, which it knows by then."""
    interview = Interview(installation)
    interview.ask_public_url()
    public = interview.settings.twitch_redirect_uri
    own = redirect_uri or _redirect_uri(interview.settings)
    say(f"Register a Twitch application at {CONSOLE}, or open yours. Its redirect URLs:")
    if not device:
        say(f"  {own}    for the bot's login, now")
    if device or public != own:
        say(f"  {public}    for streamers' logins")
    interview.ask_application()
    outside = Outside(interview.settings)
    if not device:
        outside.wait_until_registered(own, is_needed_now=True)
    if device or public != own:
        outside.wait_until_registered(public, is_needed_now=False)
    return interview.answers(), own


def _redirect_uri(settings: Settings) -> str:
    """The address on this machine where the wizard waits, unless another one is named.

    Twitch takes http for localhost only: "Registering Your App".
    """
    configured = urlsplit(settings.twitch_redirect_uri)
    if configured.scheme == "http" and configured.hostname in LOOPBACK:
        return settings.twitch_redirect_uri
    return f"http://localhost:{settings.port}/twitch/auth/callback"


def _keep(
    installation: Installation,
    services: Services,
    answers: Answers,
    grant: Grant,
    progress: _Progress,
) -> None:
    """Check whose tokens these are, then write what has been found out, and say it."""
    try:
        validation = services.base.auth.validate(grant.access_token)
    except ModuleError as error:
        raise explained(error, answers.settings.twitch_redirect_uri) from error
    if validation is None:
        raise SetupFailed("Twitch does not know the token that it has just given. Try again")
    new = {**answers.new, **_bot_agreed_on(answers, validation)}
    user = services.base.twitch.find_user(user_id=validation.user_id) or {}
    # The file comes before the tokens: without the key in it nobody could read them.
    env_file.change(installation.env_file, new)
    display_name = str(user.get("display_name") or validation.login)
    services.tokens.users.keep_login(validation, display_name, grant)
    progress.kept = f"the answers are in {installation.env_file}, and the tokens are stored."
    progress.kept += f" Add the channel by: cli channels add {answers.channel}"
    say(f"Connected as {validation.login}; the tokens are stored")
    say(f"Written to {installation.env_file}: {', '.join(sorted(new)) or 'nothing new'}")
    tell_what_hides(installation, new)
    if answers.made_password is not None:
        name = answers.settings.admin_username
        say(f"Password of {name}, shown only this once (ADMIN_PASSWORD keeps it):")
        say(f"  {answers.made_password}")


def _bot_agreed_on(answers: Answers, validation: Validation) -> dict[str, str]:
    """The bot's name where it is to be another than was said. Raises SetupFailed."""
    if validation.login == answers.bot:
        return {}
    say(f"You have logged in as {validation.login}, not as {answers.bot}.")
    if not click.confirm(f"Shall {validation.login} be the bot?"):
        raise SetupFailed(f"Log out at Twitch, run setup again, and log in as {answers.bot}")
    return {BOT_NAME: validation.login}


def _tell_what_is_next(answers: Answers) -> None:
    say("Next: make serve, then have the streamer of")
    say(f"  {answers.channel} log in at {answers.settings.login_url}")
