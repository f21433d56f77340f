"""Who may call which route. A route that does not stand here cannot be declared, nor called.

HEAD is answered as GET is, without the body. Every other method that a path does not have here,
OPTIONS too, is answered 405: this API is not for other origins' pages.
"""

from typing import Final

from ..domain.access.callers import Rule
from ..domain.events.eventsub import MAX_BODY_BYTES as MAX_MESSAGE_BYTES

_ANYONE: Final = Rule(anyone=True)
_ADMIN: Final = Rule("admin")

# Declared by py4web for the folder static/.
STATIC: Final = r"/twitch_module/static/<re((_\d+(\.\d+){2}/)?)><fp.path()>"

POLICY: Final[dict[tuple[str, str], Rule]] = {
    ("GET", "/twitch/health"): _ANYONE,
    ("GET", "/twitch/health/ready"): _ANYONE,
    # For scrapers of this machine; others show a token of any kind.
    ("GET", "/twitch/metrics"): _ANYONE,
    ("GET", STATIC): _ANYONE,
    ("GET", "/twitch/openapi.json"): _ANYONE,
    ("GET", "/twitch/docs"): _ANYONE,
    # Twitch shows its signature.
    ("POST", "/twitch/webhook"): Rule(anyone=True, max_body_bytes=MAX_MESSAGE_BYTES),
    # Streamers' browsers; the callback, and what it came to, belong to the browser that began.
    ("GET", "/twitch/auth/login"): _ANYONE,
    ("GET", "/twitch/auth/callback"): _ANYONE,
    ("GET", "/twitch/auth/connected"): _ANYONE,
    # These take a password, a refresh token or a service token.
    ("POST", "/api/auth/login"): _ANYONE,
    ("POST", "/api/auth/refresh"): _ANYONE,
    ("POST", "/api/auth/logout"): _ANYONE,
    ("POST", "/api/auth/service-token/refresh"): _ANYONE,
    ("POST", "/api/auth/service-token/renew"): _ANYONE,
    ("GET", "/api/auth/service-token"): Rule("viewer"),
    ("POST", "/api/auth/service-token"): _ADMIN,
    ("DELETE", "/api/auth/service-token/<token_id>"): _ADMIN,
    ("GET", "/twitch/api/audit"): _ADMIN,
    ("GET", "/twitch/auth/status"): Rule("viewer", "users:read"),
    ("GET", "/twitch/auth/users"): Rule("viewer", "users:read"),
    ("POST", "/twitch/auth/refresh/<user_id>"): Rule("admin", "tokens:read"),
    ("POST", "/twitch/auth/revoke/<user_id>"): _ADMIN,
    ("GET", "/twitch/auth/token/<user_id>"): Rule("admin", "tokens:read"),
    ("GET", "/twitch/events"): Rule("viewer", "events:read"),
    ("GET", "/twitch/events/<event_id>"): Rule("viewer", "events:read"),
    ("GET", "/twitch/activities"): Rule("viewer", "activities:read"),
    ("GET", "/twitch/activities/<activity_id>"): Rule("viewer", "activities:read"),
    ("POST", "/twitch/activities/redeliver"): Rule("admin", "activities:write"),
    ("POST", "/twitch/activities/<activity_id>/redeliver"): Rule("admin", "activities:write"),
    ("POST", "/twitch/activities/release"): Rule("admin", "activities:write"),
    ("POST", "/twitch/activities/<activity_id>/release"): Rule("admin", "activities:write"),
    ("POST", "/twitch/activities/drop"): Rule("admin", "activities:write"),
    ("POST", "/twitch/activities/<activity_id>/drop"): Rule("admin", "activities:write"),
    ("GET", "/twitch/api/leaderboard"): Rule("viewer", "activities:read"),
    ("GET", "/twitch/api/users/<user_id>/points"): Rule("viewer", "activities:read"),
    ("GET", "/twitch/api/users/<user_id>/export"): _ADMIN,
    ("POST", "/twitch/api/users/<user_id>/erase"): _ADMIN,
    ("GET", "/twitch/api/erasures/<erasure_id>"): _ADMIN,
    ("GET", "/twitch/api/policies"): Rule("viewer"),
    ("POST", "/twitch/api/policies/preview"): _ADMIN,
    ("GET", "/twitch/api/policies/runs"): Rule("viewer"),
    ("GET", "/twitch/api/policies/runs/<run_id>"): Rule("viewer"),
    ("GET", "/twitch/api/policies/runs/<run_id>/changes"): Rule("viewer"),
    ("POST", "/twitch/api/policies/runs/<run_id>/apply"): _ADMIN,
    ("POST", "/twitch/api/policies/runs/<run_id>/undo"): _ADMIN,
    ("GET", "/twitch/api/channels"): Rule("viewer", "channels:read"),
    ("POST", "/twitch/api/channels"): Rule("admin", "channels:write"),
    ("GET", "/twitch/api/channels/<channel_id>"): Rule("viewer", "channels:read"),
    ("PATCH", "/twitch/api/channels/<channel_id>"): Rule("admin", "channels:write"),
    ("DELETE", "/twitch/api/channels/<channel_id>"): Rule("admin", "channels:write"),
    ("GET", "/twitch/api/subscriptions"): Rule("viewer", "subscriptions:read"),
    ("POST", "/twitch/api/subscriptions"): Rule("admin", "subscriptions:write"),
    ("DELETE", "/twitch/api/subscriptions"): Rule("admin", "subscriptions:write"),
    ("GET", "/twitch/api/user/<user_id>"): Rule("viewer", "users:read"),
    ("POST", "/twitch/api/setup/<channel_id>"): Rule("admin", "subscriptions:write"),
}


def rule_for(method: str, route: str) -> Rule | None:
    """Who may call a route, given as it is declared; None when it does not stand here."""
    return POLICY.get(("GET" if method == "HEAD" else method, route))
