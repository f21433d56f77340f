"""WaddleBot's servers: who a user is, what he did, and that this module is there."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime

from ..domain.delivery import waddlebot
from ..domain.delivery.reputation_contract import CONTRACTS
from ..domain.secret import Secret
from ..errors import CallFailed
from ..settings import Settings
from ..version import VERSION
from .http import HTTPClient


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of telling an activity: `failure` is None when it arrived."""

    failure: waddlebot.Failure | None
    status: int | None  # None when there was no answer
    body: bytes


class WaddleBotClient:
    """WaddleBot's APIs. Thread-safe; each call blocks for 10 seconds at most."""

    def __init__(self, http: HTTPClient, settings: Settings) -> None:
        self._http = http
        self._context_url = settings.context_api_url or ""  # set where the contract needs it
        self._activity_url = settings.activity_url
        self._api = CONTRACTS[settings.reputation_contract].api
        self._gateway_url = settings.gateway_activate_url
        self._core_url = settings.core_api_url
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Module-Name": waddlebot.MODULE_NAME,
            "X-Module-Version": VERSION,
        }
        if settings.waddlebot_api_key:
            key = settings.waddlebot_api_key.get_secret_value()
            self._headers["Authorization"] = f"Bearer {key}"
            if settings.reputation_contract == "router":
                self._headers["X-API-Key"] = key
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

    def send_activity(self, body: bytes, idempotency_key: str) -> Sent:
        """Send what the contract says of an activity; how it ended."""
        headers = {**self._headers, "Idempotency-Key": idempotency_key}
        try:
            answer = self._http.call("POST", self._activity_url, headers=headers, data=body)
        except CallFailed as error:
            return Sent(waddlebot.Failure(f"{self._api}: {error}", passing=True), None, b"")
        failure = waddlebot.read_outcome(answer.status, answer.headers, answer.body, self._api)
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

    def register(self, webhook_url: str, events: list[str]) -> waddlebot.Failure | None:
        """Tell the core of this module; None when it has noted it, or why not."""
        return self._tell_core("register", waddlebot.registration(VERSION, webhook_url, events))

    def send_heartbeat(self) -> waddlebot.Failure | None:
        """Tell the core that this module still works; None when it has noted it, or why not."""
        return self._tell_core("heartbeat", waddlebot.heartbeat(datetime.now(UTC)))

    def _tell_core(self, route: str, body: bytes) -> waddlebot.Failure | None:
        url = f"{self._core_url}/api/modules/{route}"
        try:
            answer = self._http.call("POST", url, headers=self._headers, data=body)
        except CallFailed as error:
            return waddlebot.Failure(f"core: {error}", passing=True)
        return waddlebot.read_outcome(answer.status, answer.headers, answer.body, "core")
