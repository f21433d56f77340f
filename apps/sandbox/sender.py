"""Sends EventSub messages to callbacks, and sends them again when that fails.

Twitch: Handling Webhook Events. It publishes no schedule for resending; the number and the
pause here are settings.
"""

import functools
import json
import secrets
import time
import uuid
from typing import Any

import requests

from .background import background
from .event_type import BATCHED
from .messages import Message, Messages, Try
from .signing import signature, timestamp
from .state import sandbox
from .subscriptions import ENABLED, FAILED, PENDING, Subscription

TIMEOUT_SECONDS = 10
# Twitch advises receivers to refuse what is older than 10 minutes.
STALE_SECONDS = 11 * 60
FORGED_SECRET = "a secret that nobody agreed on"


def start_verification(subscription: Subscription) -> None:
    """Challenges the callback from another thread; its answer decides about the status. Does
    nothing while the settings say that no challenge is sent."""
    if sandbox.settings.challenges == "send":
        background.run_later(0, functools.partial(_verify, subscription))


def notification(
    subscription: Subscription, event: dict[str, Any], *, how: str, message_id: str | None
) -> Message:
    """A message about an event, kept but not yet sent."""
    body: dict[str, Any] = {"subscription": subscription.as_dict()}
    if subscription.type == BATCHED:
        body["events"] = [event]
    else:
        body["event"] = event
    return _message("notification", subscription, body, how=how, message_id=message_id)


def revocation(subscription: Subscription) -> Message:
    """The message that says why a subscription has ended, kept but not yet sent."""
    return _message("revocation", subscription, {"subscription": subscription.as_dict()})


def send(message: Message) -> Try:
    """Sends it now and gives the outcome; a failure is sent again later, in the background,
    under the same id. Forged and stale messages are not: their senders are not Twitch."""
    kept = sandbox.messages
    made = _try(kept, message, retry=0)
    if message.how == "normal" and not made.succeeded():
        _resend_later(kept, message, retry=1)
    return made


def _resend_later(kept: Messages, message: Message, *, retry: int) -> None:
    """`kept` is where the message belongs; a reset in the meantime puts others in its place."""
    if retry <= sandbox.settings.redeliveries:
        job = functools.partial(_resend, kept, message, retry)
        background.run_later(sandbox.settings.redelivery_seconds, job)


def _resend(kept: Messages, message: Message, retry: int) -> None:
    if kept is not sandbox.messages or _is_over(message):
        return
    if not _try(kept, message, retry=retry).succeeded():
        _resend_later(kept, message, retry=retry + 1)


def _is_over(message: Message) -> bool:
    """Whether its subscription has ended: Twitch then sends no notification any more."""
    subscription = message.subscription
    if message.message_type != "notification":
        return False
    is_kept = sandbox.subscriptions.get(subscription.id) is subscription
    return not is_kept or subscription.status != ENABLED


def _try(kept: Messages, message: Message, *, retry: int) -> Try:
    try:
        answer = _post(message, retry=retry)
        made = Try(time.time(), answer.status_code)
    except requests.RequestException as error:
        made = Try(time.time(), None, type(error).__name__)
    kept.add_try(message, made)
    return made


def _verify(subscription: Subscription) -> None:
    challenge = secrets.token_urlsafe(24)
    body = {"challenge": challenge, "subscription": subscription.as_dict()}
    message = _message("webhook_callback_verification", subscription, body)
    try:
        answer = _post(message, retry=0)
        passed = (
            answer.status_code == 200
            and answer.content == challenge.encode()
            and answer.headers.get("Content-Type", "").startswith("text/plain")
        )
        made = Try(time.time(), answer.status_code, None if passed else "wrong answer")
    except requests.RequestException as error:
        passed = False
        made = Try(time.time(), None, type(error).__name__)
    # What ended while it was being challenged stays as it is.
    if subscription.status == PENDING:
        subscription.status = ENABLED if passed else FAILED
    sandbox.messages.add_try(message, made)


def _message(
    message_type: str,
    subscription: Subscription,
    body: dict[str, Any],
    *,
    how: str = "normal",
    message_id: str | None = None,
) -> Message:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    message = Message(
        message_id or str(uuid.uuid4()),
        message_type,
        subscription,
        # Raw UTF-8, as Twitch sends it; half a surrogate pair stays the JSON escape it was.
        text.encode("utf-8", "backslashreplace"),
        body.get("event"),
        how,
    )
    sandbox.messages.add(message)
    if subscription.type == "channel.follow" and message.event and how == "normal":
        sandbox.followers.add(str(message.event.get("broadcaster_user_id")), message.event)
    return message


def _post(message: Message, *, retry: int) -> requests.Response:
    """One signed request on a connection of its own; proxies of the environment and redirects
    are not followed."""
    subscription = message.subscription
    sent_at = timestamp(STALE_SECONDS if message.how == "stale" else 0)
    secret = FORGED_SECRET if message.how == "forged" else subscription.secret
    headers = {
        "Content-Type": "application/json",
        "Twitch-Eventsub-Message-Id": message.message_id,
        "Twitch-Eventsub-Message-Retry": str(retry),
        "Twitch-Eventsub-Message-Type": message.message_type,
        "Twitch-Eventsub-Message-Signature": signature(
            secret, message.message_id, sent_at, message.body
        ),
        "Twitch-Eventsub-Message-Timestamp": sent_at,
        "Twitch-Eventsub-Subscription-Type": subscription.type,
        "Twitch-Eventsub-Subscription-Version": subscription.version,
    }
    with requests.Session() as session:
        session.trust_env = False
        return session.post(
            subscription.callback,
            data=message.body,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
