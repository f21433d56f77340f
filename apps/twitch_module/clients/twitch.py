"""Twitch's API (Helix). One client for every call: tokens, limits, and second tries.

Source: Twitch, "Twitch API Concepts" (dev.twitch.tv/docs/api/guide).
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ..domain.events.catalogue import CATALOGUE
from ..domain.secret import Secret
from ..errors import CallFailed, RateLimited, TwitchRefused, TwitchUnavailable
from ..settings import Settings
from .http import Answer, HTTPClient
from .twitch_answer import accepted
from .twitch_auth import TwitchAuth

DEADLINE_SECONDS = 20.0  # of one call with all its waiting and repeating
_MAX_PAGES = 1000  # a wall against a cursor that goes in circles


class Credential(Protocol):
    """Something that gives a token, and a newer one when Twitch does not take that."""

    def current(self) -> Secret:
        """The token to use."""

    def renewed(self, refused: Secret) -> Secret:
        """A newer token than the one that Twitch has refused."""


class AppCredential:
    """The application's own token. It cannot be refreshed, only replaced. Thread-safe."""

    def __init__(self, auth: TwitchAuth) -> None:
        self._auth = auth
        self._lock = threading.Lock()
        self._token: Secret | None = None

    def current(self) -> Secret:
        """The token, fetched at first use."""
        with self._lock:
            if self._token is None:
                self._token = self._auth.app_token()
            return self._token

    def renewed(self, refused: Secret) -> Secret:
        """Another token; only one thread fetches it."""
        with self._lock:
            if self._token is None or self._token == refused:
                self._token = self._auth.app_token()
            return self._token


class SubscriptionList(NamedTuple):
    """All subscriptions of the application as Twitch describes them, and its cost budget.

    `total` is Twitch's own count, which lags some seconds.
    """

    subscriptions: list[dict[str, Any]]
    total: int
    total_cost: int
    max_total_cost: int


class TwitchClient:
    """Helix. Thread-safe; a call blocks for 20 seconds at most."""

    def __init__(self, http: HTTPClient, settings: Settings, app: Credential) -> None:
        self._http = http
        self._app = app
        self._api_url = settings.twitch_api_url
        self._client_id = settings.twitch_app_id
        self.callback_url = settings.twitch_webhook_callback_url
        self._webhook_secret = settings.twitch_webhook_secret

    def find_user(
        self,
        *,
        user_id: str | None = None,
        login: str | None = None,
        credential: Credential | None = None,
    ) -> dict[str, Any] | None:
        """The Twitch user with this id or login as Helix describes it, or None."""
        parameters = {"id": user_id} if user_id else {"login": login or ""}
        users = self._users(parameters, credential)
        return users[0] if users else None

    def find_users(self, user_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Those of these users that Twitch knows, 100 ids at most."""
        return self._users({"id": list(user_ids)}, None)

    def _users(
        self, parameters: Mapping[str, Any], credential: Credential | None
    ) -> list[dict[str, Any]]:
        answer = self.call("GET", "/users", credential=credential, params=parameters)
        return _objects(answer, "users")

    def followers(self, channel_id: str, credential: Credential) -> Iterator[dict[str, Any]]:
        """The channel's followers, newest first, read page by page as they are asked for.

        Twitch gives an empty list, and no error, to a token without the scope
        moderator:read:followers.
        """
        parameters = {"broadcaster_id": channel_id, "first": "100"}
        for page in self._pages("/channels/followers", parameters, credential):
            yield from _objects(page, "followers")

    def create_subscription(
        self, event_type: str, version: str, condition: Mapping[str, str]
    ) -> dict[str, Any]:
        """Subscribe our callback; the new subscription as Twitch describes it.

        Raises TwitchRefused, whose `twitch_status` says why: 403 the broadcaster has not
        granted the scope, 409 it exists already, 429 there are too many.
        """
        transport = {
            "method": "webhook",
            "callback": self.callback_url,
            "secret": self._webhook_secret.get_secret_value(),
        }
        order: dict[str, Any] = {
            "type": event_type,
            "version": version,
            "condition": dict(condition),
            "transport": transport,
        }
        if event_type in CATALOGUE and CATALOGUE[event_type].batched:
            order["is_batching_enabled"] = True
        answer = self.call("POST", "/eventsub/subscriptions", json=order)
        try:
            created: dict[str, Any] = answer["data"][0]
        except (KeyError, IndexError, TypeError) as error:
            raise TwitchUnavailable("Twitch's answer describes no subscription") from error
        return created

    def list_subscriptions(self, **filters: str) -> SubscriptionList:
        """Every subscription of this application, of all pages; each once.

        At most one filter is allowed: status, type, user_id or subscription_id. Raises rather
        than to give a part of the list.
        """
        found: dict[str, dict[str, Any]] = {}
        last: dict[str, Any] = {}
        for last in self._pages("/eventsub/subscriptions", filters, None):
            found |= {str(one.get("id")): one for one in _objects(last, "subscriptions")}
        costs = (_count(last.get(name)) for name in ("total", "total_cost", "max_total_cost"))
        return SubscriptionList(list(found.values()), *costs)

    def delete_subscription(self, subscription_id: str) -> None:
        """End a subscription; one that is gone already is as good."""
        try:
            self.call("DELETE", "/eventsub/subscriptions", params={"id": subscription_id})
        except TwitchRefused as refusal:
            if refusal.twitch_status != 404:
                raise

    def _pages(
        self, path: str, parameters: Mapping[str, str], credential: Credential | None
    ) -> Iterator[dict[str, Any]]:
        query = dict(parameters)
        for _ in range(_MAX_PAGES):
            page = self.call("GET", path, credential=credential, params=query)
            yield page
            cursor = (page.get("pagination") or {}).get("cursor")
            if not cursor:
                return
            query["after"] = cursor
        raise TwitchUnavailable("Twitch's list does not end")

    @property
    def client_id(self) -> str:
        """The application's id, which a few conditions name."""
        return self._client_id

    def call(
        self, method: str, path: str, *, credential: Credential | None = None, **content: Any
    ) -> dict[str, Any]:
        """The JSON object that Helix answers with; with the app's token unless told otherwise.

        A 401 is met with a renewed token, once; a 503 with a second try; the rate limit with
        waiting until the bucket is full again, where that is before the deadline, and RateLimited
        otherwise. Raises TwitchRefused (also for the 429 that means too many subscriptions) and
        TwitchUnavailable.
        """
        ends = time.monotonic() + DEADLINE_SECONDS
        credential = credential or self._app
        token = credential.current()
        tried_anew: set[int] = set()
        while True:
            answer = self._send(method, path, token, content)
            wait = _seconds_until_reset(answer) if answer.status == 429 else None
            if wait is not None:
                if time.monotonic() + wait > ends:
                    raise RateLimited("Twitch's rate limit is used up", seconds=wait)
                time.sleep(wait)
            elif answer.status in tried_anew or answer.status not in (401, 503):
                return accepted(answer)
            elif answer.status == 401:
                token = credential.renewed(token)
            tried_anew.add(answer.status)

    def _send(self, method: str, path: str, token: Secret, content: dict[str, Any]) -> Answer:
        headers = {"Authorization": f"Bearer {token.reveal()}", "Client-Id": self._client_id}
        try:
            return self._http.call(method, f"{self._api_url}{path}", headers=headers, **content)
        except CallFailed as error:
            raise TwitchUnavailable(f"Twitch: {error}") from error


def _objects(page: Mapping[str, Any], what: str) -> list[dict[str, Any]]:
    data = page.get("data")
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise TwitchUnavailable(f"Twitch's answer is not a list of {what}")
    return data


def _count(value: object) -> int:
    return value if type(value) is int and value >= 0 else 0


def _seconds_until_reset(answer: Answer) -> float | None:
    """How long until the rate limit's bucket is full; None when the 429 is about another limit.

    The same status says that there are too many subscriptions; then the bucket is not empty.
    """
    if answer.headers.get("Ratelimit-Remaining") != "0":
        return None
    reset = answer.headers.get("Ratelimit-Reset", "")
    if not (reset.isascii() and reset.isdigit() and len(reset) < 12):
        return None
    return max(0.0, int(reset) - time.time()) + 0.1
