"""What others say to an answer of the wizard: Twitch, and whoever listens at an address."""

from typing import Any, NamedTuple

from ...clients.http import HTTPClient
from ...clients.twitch import AppCredential, TwitchClient
from ...clients.twitch_auth import TwitchAuth
from ...errors import CallFailed, ModuleError, TwitchRefused
from ...settings import Settings
from ..terminal import say
from .asking import WrongAnswer, tell_wrong, wait_for_enter
from .failure import explained, not_registered
from .redirect import is_registered

_WRONG_SECRET = 403  # 400 is a client id that Twitch does not know


class Refusal(NamedTuple):
    """Why Twitch gives the application no token."""

    told: str
    is_of_secret: bool


class Outside:
    """Asks with the settings as they are known so far. Each call blocks for ten seconds at most."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = HTTPClient(2)
        self._auth = TwitchAuth(self._http, settings)
        self._twitch = TwitchClient(self._http, settings, AppCredential(self._auth))

    def refusal(self) -> Refusal | None:
        """Why Twitch does not take client id and secret, or None. Raises SetupFailed."""
        try:
            self._auth.app_token()
        except ModuleError as error:
            failed = explained(error, self._settings.twitch_redirect_uri)
            if not isinstance(error, TwitchRefused):
                raise failed from error
            return Refusal(f"{failed} ({error})", error.twitch_status == _WRONG_SECRET)
        return None

    def known_login(self, login: str) -> str:
        """The login, when somebody has it. Raises WrongAnswer and SetupFailed."""
        if self.user(login) is None:
            raise WrongAnswer(f"Twitch knows nobody called {login}")
        return login

    def user(self, login: str) -> dict[str, Any] | None:
        """The user with this login as Twitch describes them, or None. Raises SetupFailed."""
        try:
            return self._twitch.find_user(login=login)
        except ModuleError as error:
            raise explained(error, self._settings.twitch_redirect_uri) from error

    def why_not_reached(self, url: str) -> str | None:
        """Why nobody answers at an address, or None when somebody does."""
        try:
            self._http.call("OPTIONS", url)
        except CallFailed as error:
            return None if error.code == "answer_too_large" else str(error)
        return None

    def wait_until_registered(self, redirect_uri: str, *, is_needed_now: bool) -> None:
        """Have the redirect URL entered at Twitch. Raises SetupFailed where nobody can be asked."""
        client_id, url = self._settings.twitch_app_id, self._settings.twitch_auth_url
        while is_registered(self._http, url, client_id, redirect_uri) is False:
            if not is_needed_now:
                say(f"  Twitch does not know {redirect_uri} yet:")
                say("  add it to the application before the first streamer logs in")
                return
            tell_wrong(str(not_registered(redirect_uri)))
            wait_for_enter("Press Enter when it is there")
