"""Twitch's API (Helix) with the app's own access token.

Sources: twitch "Twitch API Concepts", "Getting OAuth Access Tokens" (client credentials).
"""

import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import CallFailed, TwitchRefused, TwitchUnavailable
from ..settings import Settings
from .http import Answer, HTTPClient

_MAX_PAGES = 200  # a wall against a cursor that goes in circles


class TwitchClient:
    """Helix, and the app token that it needs. Thread-safe; blocks."""

    def __init__(self, http: HTTPClient, settings: Settings) -> None:
        self._http = http
        self._api_url = settings.twitch_api_url
        self._auth_url = settings.twitch_auth_url
        self._client_id = settings.twitch_app_id
        self._client_secret = settings.twitch_app_secret
        self._callback_url = settings.twitch_webhook_callback_url
        self._webhook_secret = settings.twitch_webhook_secret
        self._token_lock = threading.Lock()
        self._app_token: str | None = None

    def find_user(
        self, *, user_id: str | None = None, login: str | None = None
    ) -> dict[str, Any] | None:
        """The Twitch user with this id or login as Helix describes it, or None."""
        parameters = {"id": user_id} if user_id else {"login": login or ""}
        answer = self._helix("GET", "/users", params=parameters)
        users = answer.get("data")
        return users[0] if isinstance(users, list) and users else None

    def create_subscription(
        self, event_type: str, version: str, condition: Mapping[str, str]
    ) -> dict[str, Any]:
        """Subscribe our callback; the new subscription as Twitch describes it.

        Raises TwitchRefused, whose `twitch_status` says why: 403 the broadcaster has not
        granted the scope, 409 it exists already, 429 there are too many.
        """
        transport = {
            "method": "webhook",
            "callback": self._callback_url,
            "secret": self._webhook_secret.get_secret_value(),
        }
        answer = self._helix(
            "POST",
            "/eventsub/subscriptions",
            json={
                "type": event_type,
                "version": version,
                "condition": dict(condition),
                "transport": transport,
            },
        )
        try:
            created: dict[str, Any] = answer["data"][0]
        except (KeyError, IndexError, TypeError) as error:
            raise TwitchUnavailable("Twitch's answer describes no subscription") from error
        return created

    def list_subscriptions(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Every subscription of this application, page by page."""
        parameters = dict(filters)
        for _ in range(_MAX_PAGES):
            answer = self._helix("GET", "/eventsub/subscriptions", params=parameters)
            if not isinstance(answer.get("data"), list):
                raise TwitchUnavailable("Twitch's answer is not a list of subscriptions")
            yield from answer["data"]
            cursor = (answer.get("pagination") or {}).get("cursor")
            if not cursor:
                return
            parameters["after"] = cursor
        raise TwitchUnavailable("Twitch's list of subscriptions does not end")

    def is_ours(self, subscription: Mapping[str, Any]) -> bool:
        """Whether this subscription calls our callback."""
        transport = subscription.get("transport")
        return isinstance(transport, dict) and transport.get("callback") == self._callback_url

    def _helix(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """The JSON object that Helix answers with. A 401 is met with a new token, once."""
        for attempt in (1, 2):
            token = self._token(renew=attempt == 2)
            headers = {"Authorization": f"Bearer {token}", "Client-Id": self._client_id}
            answer = self._call(method, f"{self._api_url}{path}", headers=headers, **content)
            if answer.status != 401:
                break
        return _accepted(answer)

    def _token(self, *, renew: bool) -> str:
        """The app access token, fetched at first use. It cannot be refreshed, only replaced."""
        with self._token_lock:
            if self._app_token is None or renew:
                answer = self._call(
                    "POST",
                    f"{self._auth_url}/token",
                    data={
                        "client_id": self._client_id,
                        "client_secret": self._client_secret.get_secret_value(),
                        "grant_type": "client_credentials",
                    },
                )
                token = _accepted(answer).get("access_token")
                if not isinstance(token, str) or not token:
                    raise TwitchUnavailable("Twitch's answer holds no access token")
                self._app_token = token
            return self._app_token

    def _call(self, method: str, url: str, **content: Any) -> Answer:
        try:
            return self._http.call(method, url, **content)
        except CallFailed as error:
            raise TwitchUnavailable(f"Twitch: {error}") from error


def _accepted(answer: Answer) -> dict[str, Any]:
    """The JSON object of a 2xx. Raises TwitchRefused for a 4xx, TwitchUnavailable otherwise.

    Bodies of errors may be empty or a proxy's HTML (twitch "API Concepts").
    """
    try:
        body = json.loads(answer.body) if answer.body else {}
    except (ValueError, RecursionError):
        body = None
    if 400 <= answer.status <= 499:
        said = body.get("message") if isinstance(body, dict) else None
        message = said[:300] if isinstance(said, str) and said else f"HTTP {answer.status}"
        raise TwitchRefused(f"Twitch says: {message}", twitch_status=answer.status)
    if not 200 <= answer.status <= 299:
        raise TwitchUnavailable(f"Twitch answers HTTP {answer.status}")
    if not isinstance(body, dict):
        raise TwitchUnavailable("Twitch's answer is not a JSON object")
    return body
