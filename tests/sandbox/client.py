"""An application of Twitch's, as a test plays it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tests.processes import Sandbox, wait_until

from .callback import Callback

CLIENT_ID = "the-client"
CLIENT_SECRET = "the-client-secret"
REDIRECT_URI = "http://127.0.0.1:9/back"
STREAMER = "100200300"
WEBHOOK_SECRET = "a-webhook-secret"


class Client:
    def __init__(self, sandbox: Sandbox):
        self.sandbox = sandbox
        self._app_token: str | None = None

    def token(self, **form: str) -> requests.Response:
        credentials = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return self.sandbox.post("/oauth2/token", data={**credentials, **form})

    def decide(self, **form: str) -> dict[str, str]:
        """Fills in the consent page; what came back at the redirect address."""
        asked = {
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": "bits:read channel:moderate",
            "state": "st&te",
        }
        answer = self.sandbox.post(
            "/oauth2/authorize", data={**asked, **form}, allow_redirects=False
        )
        assert answer.status_code == 302, answer.text
        location = answer.headers["Location"]
        assert location.startswith(form.get("redirect_uri", REDIRECT_URI) + "?")
        return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    def exchange(self, code: str, **form: str) -> requests.Response:
        fields = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI, **form}
        return self.token(code=code, **fields)

    def refresh(self, refresh_token: str) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    def log_in(self, user_id: str = STREAMER, scope: str = "bits:read") -> dict[str, Any]:
        tokens: dict[str, Any] = self.exchange(
            self.decide(user_id=user_id, scope=scope)["code"]
        ).json()
        return tokens

    def helix(self, method: str, path: str, token: str = "", **options: Any) -> requests.Response:
        if not token:
            if self._app_token is None:
                self._app_token = self.token(grant_type="client_credentials").json()["access_token"]
            token = self._app_token
        headers = {"Authorization": f"Bearer {token}", "Client-Id": CLIENT_ID}
        url = f"{self.sandbox.url}/helix{path}"
        return requests.request(method, url, headers=headers, timeout=10, **options)

    def subscribe(self, callback: str, **changes: Any) -> requests.Response:
        order = {
            "type": "stream.online",
            "version": "1",
            "condition": {"broadcaster_user_id": STREAMER},
            "transport": {"method": "webhook", "callback": callback, "secret": WEBHOOK_SECRET},
        }
        return self.helix("POST", "/eventsub/subscriptions", json={**order, **changes})

    def subscriptions(self, **query: str) -> requests.Response:
        return self.helix("GET", "/eventsub/subscriptions", params=query)

    def status_of(self, subscription_id: str) -> str:
        found = self.subscriptions(subscription_id=subscription_id).json()["data"]
        status: str = found[0]["status"]
        return status

    def enabled(self, callback: Callback, **changes: Any) -> dict[str, Any]:
        """A subscription that has passed its challenge."""
        made = self.subscribe(callback.url, **changes)
        assert made.status_code == 202, made.text
        subscription: dict[str, Any] = made.json()["data"][0]
        wait_until(lambda: self.status_of(subscription["id"]) == "enabled")
        return subscription


def follow_order() -> dict[str, Any]:
    condition = {"broadcaster_user_id": STREAMER, "moderator_user_id": STREAMER}
    return {"type": "channel.follow", "version": "2", "condition": condition}
