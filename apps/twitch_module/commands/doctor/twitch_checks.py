"""The doctor's checks of what Twitch says: clock, credentials, addresses, subscriptions."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ...domain.events.catalogue import REVOKED
from ...domain.subscriptions.subscription import (
    ENABLED,
    PENDING,
    Subscription,
    from_twitch,
    wanted_for_channel,
)
from ...errors import CallFailed, TwitchRefused
from ...settings import LOOPBACK
from ..setup.failure import CONSOLE
from ..setup.redirect import is_registered
from .check import OK, WARNING, WRONG, Examination, Finding

_CLOCK_WARNING_SECONDS = 300
_CLOCK_WRONG_SECONDS = 600  # older or newer messages are refused: Twitch, "Processing an event"
_REDIRECT_PATH, _WEBHOOK_PATH = "/twitch/auth/callback", "/twitch/webhook"


def check_clock(examination: Examination) -> Iterator[Finding]:
    """Whether this machine's clock is Twitch's; no token is needed to be told the time."""
    name = "clock"
    examination.need("TWITCH_AUTH_URL")
    before = time.time()
    try:
        url = f"{examination.settings.twitch_auth_url}/validate"
        answer = examination.http.call("GET", url)
    except CallFailed as error:
        yield Finding(
            name, WRONG, f"Twitch does not answer: {error}", "See the network, and TWITCH_AUTH_URL"
        )
        return
    try:
        theirs = parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
    except ValueError:
        yield Finding(name, WARNING, "not checked: Twitch's answer has no date")
        return
    # The answer was written at some moment of the call, and its date is cut to the second.
    ours = (before + time.time()) / 2
    off = round(ours - theirs)
    result = WRONG if abs(off) > _CLOCK_WRONG_SECONDS else WARNING
    if abs(off) <= _CLOCK_WARNING_SECONDS:
        yield Finding(name, OK, "agrees with Twitch's")
        return
    word = "ahead of" if off > 0 else "behind"
    yield Finding(name, result, f"{abs(off)} s {word} Twitch's", "Switch time synchronisation on")


def check_credentials(examination: Examination) -> Iterator[Finding]:
    """Whether Twitch gives the application a token."""
    name = "client credentials"
    examination.need("TWITCH_APP_ID", "TWITCH_APP_SECRET", "TWITCH_AUTH_URL")
    try:
        examination.auth.app_token()
    except TwitchRefused as error:
        which = "TWITCH_APP_SECRET" if error.twitch_status == 403 else "TWITCH_APP_ID"
        yield Finding(name, WRONG, str(error), f"Compare {which} with {CONSOLE}")
    else:
        yield Finding(name, OK, f"Twitch knows {examination.settings.twitch_app_id}")


def check_redirect(examination: Examination) -> Iterator[Finding]:
    """Whether streamers who log in come back to us, and Twitch sends them there."""
    name = "redirect URL"
    examination.need("TWITCH_REDIRECT_URI")
    url = examination.settings.twitch_redirect_uri
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        yield Finding(name, WRONG, f"{url} is not https", "Mend TWITCH_REDIRECT_URI or PUBLIC_URL")
    elif parts.path != _REDIRECT_PATH:
        advice = f"It must end in {_REDIRECT_PATH}: mend TWITCH_REDIRECT_URI"
        yield Finding(name, WRONG, f"{url} does not lead to this module", advice)
    else:
        examination.need("TWITCH_APP_ID", "TWITCH_AUTH_URL")
        known = is_registered(
            examination.http,
            examination.settings.twitch_auth_url,
            examination.twitch.client_id,
            url,
        )
        advice = f"Register exactly this address at {CONSOLE}"
        yield (
            Finding(name, WRONG, f"{url} is not registered at Twitch", advice)
            if known is False
            else Finding(name, OK, url)
        )


def check_callback(examination: Examination) -> Iterator[Finding]:
    """Whether Twitch may call our address, and whether this module answers there."""
    name = "callback URL"
    examination.need("TWITCH_WEBHOOK_CALLBACK_URL")
    url = examination.settings.twitch_webhook_callback_url
    if not url.endswith(_WEBHOOK_PATH):
        advice = f"Twitch's messages are taken at {_WEBHOOK_PATH}, unless a proxy says otherwise"
        yield Finding(name, WARNING, f"{url} does not end in {_WEBHOOK_PATH}", advice)
        return
    try:
        answer = examination.http.call("GET", url.removesuffix("/webhook") + "/health")
        reached = answer.status == 200 and _says_health(answer.body)
        reason = f"another program answers there (HTTP {answer.status})"
    except CallFailed as error:
        reached, reason = False, str(error)
    advice = "Start it with make serve; see the proxy, DNS and the firewall"
    yield (
        Finding(name, OK, f"this module answers at {url}")
        if reached
        else Finding(name, WARNING, f"this module does not answer at {url}: {reason}", advice)
    )


def check_subscriptions(examination: Examination) -> Iterator[Finding]:
    """Whether Twitch has all of our subscriptions, and delivers them."""
    name, twitch = "subscriptions", examination.twitch
    examination.need(
        "TWITCH_APP_ID", "TWITCH_APP_SECRET", "TWITCH_WEBHOOK_CALLBACK_URL", "ACTIVITY_POINTS"
    )
    listed = twitch.list_subscriptions()
    everything = [from_twitch(one) for one in listed.subscriptions]
    ours = [one for one in everything if one.callback == twitch.callback_url]
    statuses = Counter(one.status for one in ours)
    pending = statuses.pop(PENDING, 0)
    enabled = statuses.pop(ENABLED, 0)
    cost = f"cost {listed.total_cost} of {listed.max_total_cost}"
    again = "POST /twitch/api/setup/<channel_id>"
    for status, count in statuses.items():
        yield Finding(name, WRONG, f"{count} failed at Twitch: {status}", f"Make anew: {again}")
    missing = _missing(examination, ours)
    for channel, types in missing.items():
        detail = f"{channel} lacks {', '.join(types)}"
        yield Finding(name, WRONG, detail, f"Have the streamer log in, then {again}")
    if pending:
        detail = f"{pending} wait for our answer to Twitch's challenge"
        yield Finding(name, WARNING, detail, "Can Twitch reach the callback URL?")
    if not any(one.type == REVOKED for one in ours):
        detail = f"{REVOKED} is missing: nobody tells us who disconnects the application"
        yield Finding(name, WARNING, detail, "A running server or worker makes it")
    if not statuses and not missing:
        others = len(everything) - len(ours)
        detail = f"{enabled} enabled, {pending} pending, {others} for other addresses; {cost}"
        yield Finding(name, OK, detail)


def _missing(examination: Examination, ours: list[Subscription]) -> dict[str, list[str]]:
    """By channel, the types that Twitch neither delivers nor is about to."""
    alive = {(one.type, one.condition) for one in ours if one.is_living()}
    missing: dict[str, list[str]] = {}
    for channel in examination.channels:
        types = examination.types(channel)
        for wanted in wanted_for_channel(channel.channel_id, types):
            if (wanted.type, wanted.condition) not in alive:
                missing.setdefault(channel.channel_name, []).append(wanted.type)
    return missing


def _says_health(body: bytes) -> bool:
    try:
        document = json.loads(body)
    except ValueError:
        return False
    return isinstance(document, dict) and {"status", "version"} <= document.keys()
