"""Streamers' logins with Twitch in the browser (OAuth authorization code grant, RFC 6749 4.1)."""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import structlog

from ...clients.twitch import Credential, TwitchClient
from ...clients.twitch_auth import TwitchAuth
from ...clients.waddlebot import WaddleBotClient
from ...domain.secret import Secret
from ...domain.tokens.oauth import Grant, authorize_url
from ...errors import BadRequest, Conflict, ModuleError, TwitchUnavailable
from ...models.database import Database
from ...models.subscriptions import channels
from ...models.tokens import oauth_results, oauth_states, tokens
from ...vault import Vault
from .user_tokens import UserTokens

log = structlog.get_logger("logins")

_RANDOM_BYTES = 32  # 256 bits; RFC 6749 10.10 asks for 128


class StateRefused(BadRequest):
    """The state is unknown, used, older than ten minutes, or another browser's."""

    code = "login_expired"
    title = "This login is not valid any more"


class WrongChannel(Conflict):
    """Somebody else logged in than the one whom the link is for. Nothing of it is kept."""

    code = "wrong_channel"
    title = "This link is for another channel"

    def __init__(
        self, channel_id: str, channel_name: str, display_name: str, had_key: bool
    ) -> None:
        """Whom the link is for, who logged in, and whether it held a key that is used up now."""
        super().__init__(f"This link is for {channel_name}; you logged in as {display_name}")
        self.channel_id = channel_id
        self.channel_name = channel_name
        self.display_name = display_name
        self.had_key = had_key


@dataclass(frozen=True, slots=True)
class Begun:
    """What a login came with: a key to send on, and whose login it is to be."""

    activation_key: Secret | None
    channel_id: str | None


@dataclass(frozen=True, slots=True)
class Connected:
    """A finished login. `gateway` is None when there was no activation key to send."""

    user_id: str
    login: str
    display_name: str
    scopes: tuple[str, ...]
    gateway: str | None  # "activated", or why it was not
    monitored: bool  # whether the user's channel is


class Logins:
    """Begins and finishes logins. Thread-safe; state lives in the database."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        auth: TwitchAuth,
        twitch: TwitchClient,
        waddlebot: WaddleBotClient,
        user_tokens: UserTokens,
        *,
        auth_url: str,
        client_id: str,
        redirect_uri: str,
        scopes: Callable[[str | None, str | None], Iterable[str]],
    ) -> None:
        """`scopes(channel_id, event_type)` says what to ask a streamer for; both may be None."""
        self._database = database
        self._vault = vault
        self._auth = auth
        self._twitch = twitch
        self._waddlebot = waddlebot
        self._tokens = user_tokens
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
        event_type: str | None = None,
        *,
        force_verify: bool = False,
    ) -> str:
        """Where to send this browser. The key stays here until Twitch says who logged in."""
        state = secrets.token_urlsafe(_RANDOM_BYTES)
        state_hash = _hash(state)
        sealed = self._vault.seal(_place(state_hash), activation_key) if activation_key else None
        with self._database.transaction() as transaction:
            oauth_states.begin(transaction, state_hash, _hash(browser.reveal()), sealed, channel_id)
        return authorize_url(
            self._auth_url,
            client_id=self._client_id,
            redirect_uri=self._redirect_uri,
            scopes=self._scopes(channel_id, event_type),
            state=state,
            force_verify=force_verify,
        )

    def check(self, state: str, browser: Secret | None) -> Begun:
        """Use the state up; what came with it. Raises StateRefused."""
        state_hash = _hash(state)
        begun = None
        if state and browser is not None:
            with self._database.transaction() as transaction:
                begun = oauth_states.take(transaction, state_hash, _hash(browser.reveal()))
        if begun is None:
            raise StateRefused(
                "It was used already, took longer than ten minutes, or began in another browser"
            )
        sealed = begun.activation_key
        key = self._vault.open(_place(state_hash), sealed) if sealed is not None else None
        return Begun(key, begun.channel_id)

    def finish(self, code: Secret, begun: Begun) -> Connected:
        """Exchange the code, store the tokens, activate the gateway.

        Call `check` first. Raises WrongChannel, CodeRefused, TwitchRefused, TwitchUnavailable.
        """
        grant = self._auth.exchange(code)
        validation = self._auth.validate(grant.access_token)
        if validation is None:
            raise TwitchUnavailable("Twitch does not know the token that it has just given")
        user_id, credential = validation.user_id, _Fixed(grant.access_token)
        display_name = self._display_name(user_id, credential) or validation.login
        if begun.channel_id not in (None, user_id):
            raise self._refused(begun, user_id, display_name, grant)
        self._tokens.keep_login(validation, display_name, grant)
        gateway = None
        if begun.activation_key is not None:
            failure = self._waddlebot.activate_gateway(begun.activation_key)
            gateway = "activated" if failure is None else failure.reason
            log.info("gateway", user_id=user_id, outcome=gateway)
        return Connected(
            user_id,
            validation.login,
            display_name,
            validation.scopes,
            gateway,
            self._is_monitored(user_id),
        )

    def remember(self, browser: Secret, result: Connected | WrongChannel) -> None:
        """Keep what a login came to, so that its browser can be shown that for ten minutes."""
        if isinstance(result, Connected):
            kept: dict[str, Any] = {"connected": asdict(result)}
        else:
            kept = {
                "wrong_channel": (
                    result.channel_id,
                    result.channel_name,
                    result.display_name,
                    result.had_key,
                )
            }
        with self._database.transaction() as transaction:
            oauth_results.save(transaction, _hash(browser.reveal()), kept)

    def result(self, browser: Secret | None) -> Connected | WrongChannel | None:
        """What this browser's last login came to; None when nothing of it is kept (any more)."""
        if browser is None:
            return None
        with self._database.transaction(write=False) as transaction:
            kept = oauth_results.find(transaction, _hash(browser.reveal()))
        if kept is None:
            return None
        if "wrong_channel" in kept:
            return WrongChannel(*kept["wrong_channel"])
        connected = Connected(**kept["connected"])
        # It may have been added since.
        return replace(connected, monitored=self._is_monitored(connected.user_id))

    def _refused(self, begun: Begun, user_id: str, display_name: str, grant: Grant) -> WrongChannel:
        """The error for a login of somebody else; what it brought is thrown away.

        Twitch is told so, unless that user or channel is here by a login or an order of its own:
        nothing of theirs may end by this.
        """
        channel_id = begun.channel_id or ""
        with self._database.transaction(write=False) as transaction:
            is_known = tokens.get(transaction, user_id) or channels.get(transaction, user_id)
            channel = channels.get(transaction, channel_id)
        if not is_known:
            self._auth.revoke(grant.access_token)
        name = channel.display_name if channel else self._display_name(channel_id)
        log.info("login for another channel", user_id=user_id, channel_id=channel_id)
        return WrongChannel(
            channel_id,
            name or f"the channel {channel_id}",
            display_name,
            begun.activation_key is not None,
        )

    def _is_monitored(self, user_id: str) -> bool:
        with self._database.transaction(write=False) as transaction:
            channel = channels.get(transaction, user_id)
        return channel is not None and channel.is_active

    def _display_name(self, user_id: str, credential: Credential | None = None) -> str | None:
        """How a user's name is written; nothing that a login should fail for."""
        try:
            user = self._twitch.find_user(user_id=user_id, credential=credential)
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
