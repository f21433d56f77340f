"""Whether Twitch sends browsers back to an address."""

from urllib.parse import parse_qs, urlsplit

from ...clients.http import HTTPClient
from ...domain.tokens.oauth import authorize_url
from ...errors import CallFailed

MISMATCH = "redirect_mismatch"


def is_registered(http: HTTPClient, auth_url: str, client_id: str, url: str) -> bool | None:
    """False when Twitch refuses the address before anybody logs in; None when that is unclear.

    Twitch then goes to another registered address with an error, so that who waits at this one
    waits in vain. Source: twitchdev/issues#762.
    """
    asked = authorize_url(auth_url, client_id=client_id, redirect_uri=url, scopes=(), state="")
    try:
        answer = http.call("GET", asked)
    except CallFailed:
        return None  # the page that asks may be longer than what we read
    if answer.status == 400 and b"redirect_uri" in answer.body:
        return False
    query = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
    return False if query.get("error") == [MISMATCH] else None


def query_of(address: str) -> str:
    """The query of an address that somebody has pasted; "" when it is not an address."""
    try:
        return urlsplit(address.strip()).query
    except ValueError:
        return ""
