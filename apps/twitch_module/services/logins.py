"""Streamers' logins with Twitch in the browser (OAuth authorization code grant, RFC 6749 4.1)."""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from ..clients.twitch import TwitchClient
from ..clients.twitch_auth import TwitchAuth
from ..clients.waddlebot import WaddleBotClient
from ..domain.oauth import Grant, authorize_url
from ..domain.secret import Secret
from ..errors import BadRequest, ModuleError, TwitchUnavailable
from ..models import oauth_states
from ..models.database import Database
from ..vault import Vault
from .tokens import Tokens

log = structlog.get_logger("logins")

_RANDOM_BYTES = 32  # 256 bits; RFC 6749 10.10 asks for 128


class StateRefused(BadRequest):
    """The state is unknown, used, older than ten minutes, or another browser's."""

    code = "login_expired"
    title = "This login is not valid any more"


@dataclass(frozen=True, slots=True)
class Connected:
    """A finished login. `gateway` is None when there was no activation key to send."""

    user_id: str
    login: str
    display_name: str
    scopes: tuple[str, ...]
    gateway: str | None  # "activated", or why it was not


class Logins:
    """Begins and finishes logins. Thread-safe; state lives in the database."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        auth: TwitchAuth,
        twitch: TwitchClient,
        waddlebot: WaddleBotClient,
        tokens: Tokens,
        *,
        auth_url: str,
        client_id: str,
        redirect_uri: str,
        scopes: Callable[[str | None], Iterable[str]],
    ) -> None:
        """`scopes` says what to ask the streamer of a channel for, or whoever logs in."""
        self._database = database
        self._vault = vault
        self._auth = auth
        self._twitch = twitch
        self._waddlebot = waddlebot
        self._tokens = tokens
        self._auth_url = auth_url
        self._client_id = client_id
        self._redirect_uri = redirect_uri
        self._scopes = scopes

    @staticmethod
    def new_browser() -> Secret:
        """What a browser is known by during its login: the value of its cookie."""
        return Secret(secrets.token_urlsafe(_RANDOM_BYTES))

    def begin(
        self,
        browser: Secret,
        activation_key: Secret | None,
        channel_id: str | None = None,
        *,
        force_verify: bool = False,
    ) -> str:
        """Where to send this browser. The key stays here until Twitch says who logged in."""
        state = secrets.token_urlsafe(_RANDOM_BYTES)
        state_hash = _hash(state)
        sealed = self._vault.seal(_place(state_hash), activation_key) if activation_key else None
        with self._database.transaction() as transaction:
            oauth_states.begin(transaction, state_hash, _hash(browser.reveal()), sealed)
        return authorize_url(
            self._auth_url,
            client_id=self._client_id,
            redirect_uri=self._redirect_uri,
            scopes=self._scopes(channel_id),
            state=state,
            force_verify=force_verify,
        )

    def check(self, state: str, browser: Secret | None) -> Secret | None:
        """Use the state up; the activation key that came with it. Raises StateRefused."""
        state_hash = _hash(state)
        begun = None
        if state and browser is not None:
            with self._database.transaction() as transaction:
                begun = oauth_states.take(transaction, state_hash, _hash(browser.reveal()))
        if begun is None:
            raise StateRefused(
                "It was used already, took longer than ten minutes, or began in another browser"
            )
        if begun.activation_key is None:
            return None
        return self._vault.open(_place(state_hash), begun.activation_key)

    def finish(self, code: Secret, activation_key: Secret | None) -> Connected:
        """Exchange the code, store the tokens, activate the gateway.

        Call `check` first. Raises CodeRefused, TwitchRefused and TwitchUnavailable.
        """
        grant = self._auth.exchange(code)
        validation = self._auth.validate(grant.access_token)
        if validation is None:
            raise TwitchUnavailable("Twitch does not know the token that it has just given")
        display_name = self._display_name(validation.user_id, grant) or validation.login
        self._tokens.keep_login(validation, display_name, grant)
        gateway = None
        if activation_key is not None:
            failure = self._waddlebot.activate_gateway(activation_key)
            gateway = "activated" if failure is None else failure.reason
            log.info("gateway", user_id=validation.user_id, outcome=gateway)
        return Connected(
            validation.user_id, validation.login, display_name, validation.scopes, gateway
        )

    def _display_name(self, user_id: str, grant: Grant) -> str | None:
        """How the user's name is written; nothing that a login should fail for."""
        try:
            user = self._twitch.find_user(user_id=user_id, credential=_Fixed(grant.access_token))
        except ModuleError:
            return None
        name = user.get("display_name") if user else None
        return name if isinstance(name, str) and name else None


class _Fixed:
    """A token that is not renewed."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def current(self) -> Secret:
        return self._token

    def renewed(self, refused: Secret) -> Secret:
        return refused


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _place(state_hash: str) -> str:
    return f"oauth_states:{state_hash}:activation_key"
