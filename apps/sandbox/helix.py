"""api.twitch.tv/helix: who may call, and the calls about users. Twitch: API Reference."""

from typing import Any

from .endpoint import played
from .exchange import Answer, Call, RefusedCall, json_answer, reason
from .people import Person
from .state import sandbox
from .tokens import Token

LARGEST_NUMBER_OF_USERS = 100
FOLLOWERS_SCOPE = "moderator:read:followers"


@played("/sandbox/helix/users", "GET")
def users(call: Call) -> Answer:
    token, headers = authorize(call)
    ids, logins = call.query.get("id", []), call.query.get("login", [])
    if len(ids) + len(logins) > LARGEST_NUMBER_OF_USERS:
        raise refusal(400, "The number of IDs and logins exceeds 100", headers)
    if not ids and not logins:
        if token.user_id is None:
            raise refusal(400, "Must provide an ID, login or user access token", headers)
        ids = [token.user_id]
    found = [sandbox.people.get(one) for one in ids] + [
        sandbox.people.by_login(one) for one in logins
    ]
    # Unknown users are simply absent, and nobody is listed twice.
    data = [_user(person, token) for person in dict.fromkeys(found) if person]
    return json_answer({"data": data}, headers=headers)


@played("/sandbox/helix/channels/followers", "GET")
def followers(call: Call) -> Answer:
    """Without the scope, or for somebody else's channel: the total and an empty list."""
    token, headers = authorize(call)
    broadcaster_id, user_id = call.param("broadcaster_id"), call.param("user_id")
    if not broadcaster_id:
        raise refusal(400, 'Missing required parameter "broadcaster_id"', headers)
    follows = sandbox.followers.of(broadcaster_id)
    document: dict[str, Any] = {"total": len(follows), "data": [], "pagination": {}}
    if token.user_id != broadcaster_id or FOLLOWERS_SCOPE not in token.scopes:
        if user_id:
            raise refusal(401, "The ID in broadcaster_id must match the token's user", headers)
        return json_answer(document, headers=headers)
    if user_id:
        follows = [one for one in follows if one["user_id"] == user_id]
    start, size = _page(call, headers)
    document["data"] = follows[start : start + size]
    if start + size < len(follows):
        document["pagination"] = {"cursor": f"f{start + size}"}
    return json_answer(document, headers=headers)


def authorize(call: Call, *, app_only: bool = False) -> tuple[Token, dict[str, str]]:
    """The caller's token and the rate limit headers for the answer; refused with 401 or 429."""
    scheme, _, text = call.headers.get("authorization", "").partition(" ")
    client_id = call.headers.get("client-id")
    if scheme.lower() != "bearer" or not text:
        raise refusal(401, "OAuth token is missing")
    if not client_id:
        raise refusal(401, "Client ID is missing")
    token = sandbox.tokens.valid(text.strip())
    if token is None:
        raise refusal(401, "Invalid OAuth token")
    if token.client_id != client_id:
        raise refusal(401, "Client ID and OAuth token do not match")
    bucket = f"{client_id} {token.user_id or ''}"
    allowed, headers = sandbox.buckets.take(bucket, sandbox.settings.ratelimit)
    if not allowed:
        raise refusal(429, "The request rate limit has been exceeded", headers)
    if app_only and token.user_id is not None:
        raise refusal(401, "auth must use app access token to create webhook subscription", headers)
    return token, headers


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> RefusedCall:
    """Helix's error body, to be raised."""
    body = {"error": reason(status), "status": status, "message": message}
    return RefusedCall(json_answer(body, status, headers))


def _page(call: Call, headers: dict[str, str]) -> tuple[int, int]:
    first, after = call.param("first") or "20", call.param("after") or "f0"
    if not first.isdecimal() or not 1 <= int(first) <= 100:
        raise refusal(400, 'The parameter "first" was malformed', headers)
    if not after.startswith("f") or not after[1:].isdecimal():
        raise refusal(400, "The cursor is not valid", headers)
    return int(after[1:]), int(first)


def _user(person: Person, token: Token) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": person.id,
        "login": person.login,
        "display_name": person.display_name,
        "type": "",
        "broadcaster_type": "affiliate" if person.role == "streamer" else "",
        "description": "Lives in the sandbox",
        "profile_image_url": "",
        "offline_image_url": "",
        "view_count": 0,
        "created_at": "2021-05-04T09:30:00Z",
    }
    if token.user_id == person.id and "user:read:email" in token.scopes:
        shown["email"] = f"{person.login}@example.org"
    return shown
