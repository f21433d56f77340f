"""WaddleBot's core: who a user is, and the points that he gets."""

import base64
from dataclasses import dataclass

from ..domain import waddlebot
from ..domain.secret import Secret
from ..errors import CallFailed
from ..settings import Settings
from ..version import VERSION
from .http import HTTPClient


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a reputation call: `failure` is None when the points arrived."""

    failure: waddlebot.Failure | None
    status: int | None  # None when there was no answer
    body: bytes


class WaddleBotClient:
    """The context and reputation APIs. Thread-safe; each call blocks for 10 seconds at most."""

    def __init__(self, http: HTTPClient, settings: Settings) -> None:
        self._http = http
        self._context_url = settings.context_api_url
        self._reputation_url = settings.reputation_api_url
        self._gateway_url = settings.gateway_activate_url
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Module-Name": "twitch",
            "X-Module-Version": VERSION,
        }
        if settings.waddlebot_api_key:
            key = settings.waddlebot_api_key.get_secret_value()
            self._headers["Authorization"] = f"Bearer {key}"
        elif settings.waddlebot_basic_auth:
            pair = settings.waddlebot_basic_auth.get_secret_value().encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"

    def find_context(self, identity_name: str) -> waddlebot.Context | waddlebot.Failure:
        """Who this user is in WaddleBot, or why that is not known."""
        body = waddlebot.context_request(identity_name)
        try:
            answer = self._http.call("POST", self._context_url, headers=self._headers, data=body)
        except CallFailed as error:
            return waddlebot.Failure(f"context: {error}", passing=True)
        return waddlebot.read_context(answer.status, answer.headers, answer.body)

    def send_points(self, body: bytes, idempotency_key: str) -> Sent:
        """Send the body of a reputation call; how it ended."""
        headers = {**self._headers, "Idempotency-Key": idempotency_key}
        try:
            answer = self._http.call("POST", self._reputation_url, headers=headers, data=body)
        except CallFailed as error:
            return Sent(waddlebot.Failure(f"reputation: {error}", passing=True), None, b"")
        failure = waddlebot.read_reputation(answer.status, answer.headers, answer.body)
        return Sent(failure, answer.status, answer.body)

    def activate_gateway(self, activation_key: Secret) -> waddlebot.Failure | None:
        """Activate the gateway that this key belongs to; None when it is, or why it is not."""
        if self._gateway_url is None:
            return waddlebot.Failure("GATEWAY_ACTIVATE_URL is not set", passing=False)
        body = waddlebot.activation_request(activation_key.reveal())
        try:
            answer = self._http.call("POST", self._gateway_url, headers=self._headers, data=body)
        except CallFailed as error:
            return waddlebot.Failure(str(error), passing=True)
        return waddlebot.read_activation(answer.status, answer.headers, answer.body)
