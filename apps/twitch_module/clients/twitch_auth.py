"""Twitch's OAuth endpoints: exchanging codes, renewing, validating and revoking tokens.

Secrets go in bodies and headers only; an address may end up in somebody's log.
"""

from typing import Any

from ..domain.secret import Secret
from ..domain.tokens.oauth import (
    Grant,
    NotAGrant,
    Validation,
    is_dead_grant,
    read_grant,
    read_validation,
)
from ..errors import BadRequest, CallFailed, TwitchRefused, TwitchUnavailable
from ..settings import Settings
from .http import Answer, HTTPClient
from .twitch_answer import accepted, message


class CodeRefused(BadRequest):
    """Twitch does not take the authorization code: it is used, expired, or not ours."""

    code = "code_refused"
    title = "Twitch does not accept this login"


class DeadGrant(TwitchRefused):
    """Twitch does not take the refresh token any more; only a new login helps."""

    code = "dead_grant"


class AnotherApplication(TwitchUnavailable):
    """The token is not of this application, which can neither use nor renew it."""


class TwitchAuth:
    """id.twitch.tv. Thread-safe; each call blocks for ten seconds at most."""

    def __init__(self, http: HTTPClient, settings: Settings) -> None:
        self._http = http
        self._url = settings.twitch_auth_url
        self._client_id = settings.twitch_app_id
        self._client_secret = settings.twitch_app_secret
        self._redirect_uri = settings.twitch_redirect_uri

    def exchange(self, code: Secret) -> Grant:
        """The pair for an authorization code, which is good for one call.

        Raises CodeRefused, TwitchRefused (403 is a wrong client secret), TwitchUnavailable.
        """
        answer = self._token(
            grant_type="authorization_code", code=code.reveal(), redirect_uri=self._redirect_uri
        )
        if answer.status in (400, 401):
            raise CodeRefused(f"Twitch says: {message(answer)}")
        return _grant(answer)

    def renew(self, refresh_token: Secret) -> Grant:
        """A new pair. Raises DeadGrant; TwitchRefused or TwitchUnavailable change nothing."""
        answer = self._token(grant_type="refresh_token", refresh_token=refresh_token.reveal())
        if is_dead_grant(answer.status):
            raise DeadGrant(f"Twitch says: {message(answer)}", twitch_status=answer.status)
        return _grant(answer, unchanged=refresh_token)

    def app_token(self) -> Secret:
        """An access token of the application itself. Raises TwitchRefused, TwitchUnavailable."""
        body = _object(self._token(grant_type="client_credentials"))
        token = body.get("access_token")
        if not isinstance(token, str) or not token:
            raise TwitchUnavailable("Twitch's answer holds no access token")
        return Secret(token)

    def validate(self, access_token: Secret) -> Validation | None:
        """What Twitch says of a user's token, or None when it does not take it any more.

        Raises TwitchUnavailable, and AnotherApplication.
        """
        headers = {"Authorization": f"OAuth {access_token.reveal()}"}
        answer = self._call("GET", "/validate", headers=headers)
        if answer.status == 401:
            return None
        try:
            validation = read_validation(_object(answer))
        except NotAGrant as error:
            raise TwitchUnavailable(f"Twitch: {error}") from error
        if validation.client_id != self._client_id:
            raise AnotherApplication("Twitch says that the token is another application's")
        return validation

    def revoke(self, access_token: Secret) -> bool:
        """Revoke a token; whether Twitch confirmed it, or did not know it any more."""
        form = {"client_id": self._client_id, "token": access_token.reveal()}
        try:
            return self._call("POST", "/revoke", data=form).status in (200, 400)
        except TwitchUnavailable:
            return False

    def _token(self, **form: str) -> Answer:
        form["client_id"] = self._client_id
        form["client_secret"] = self._client_secret.get_secret_value()
        return self._call("POST", "/token", data=form)

    def _call(self, method: str, path: str, **content: Any) -> Answer:
        try:
            return self._http.call(method, f"{self._url}{path}", **content)
        except CallFailed as error:
            raise TwitchUnavailable(f"Twitch: {error}") from error


def _grant(answer: Answer, unchanged: Secret | None = None) -> Grant:
    """The pair in an answer; a renewal that names no refresh token leaves the old one valid."""
    body = _object(answer)
    if unchanged is not None and not body.get("refresh_token"):
        body["refresh_token"] = unchanged.reveal()
    try:
        return read_grant(body)
    except NotAGrant as error:
        raise TwitchUnavailable(f"Twitch: {error}") from error


def _object(answer: Answer) -> dict[str, Any]:
    """The JSON object of a 2xx; too many calls are no refusal here, but a matter of time."""
    if answer.status == 429:
        raise TwitchUnavailable("Twitch answers HTTP 429")
    return accepted(answer)
