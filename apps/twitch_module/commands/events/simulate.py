"""`simulate`: send a running service what Twitch would send it."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import click

from ...domain.events.catalogue import CATALOGUE, EventType
from ...domain.events.follow import SIMULATED_PREFIX
from ...errors import ConfigurationError
from ...settings import Settings
from ..api_client import Api, poll, segment
from ..delivery.activities import COLUMNS, cells
from ..doctor.check import Examination
from ..installation import Installation
from ..pages import fetch
from ..parameter_types import EVENT_TYPE
from ..remote import as_json, remote
from ..terminal import note, say, show_json, show_list
from .simulated_event import Act, Person, body_of, headers_of, is_gift
from .simulated_people import people_of, some_viewer

_OLD = timedelta(minutes=11)  # one more than is taken
_USUAL_UNITS = 100
_FINAL = ("delivered", "skipped", "dead")
_UNIT_OPTIONS = {"bits": "bits", "viewers": "viewers", "viewer_count": "viewers", "total": "gifts"}


@dataclass(frozen=True)
class Sent:
    """A message, and what came back."""

    message_id: str
    status: int
    code: str | None
    detail: str


@click.command(
    short_help="Send a running service an event, signed as Twitch's.",
    epilog=f"Types: {', '.join(CATALOGUE)}.",
)
@click.argument("event_type", metavar="TYPE", type=EVENT_TYPE)
@click.option(
    "--channel",
    help="A monitored channel: its login, id, or ID:LOGIN.  [default: the first one]",
)
@click.option("--user", help="A login, an id, or ID:LOGIN.  [default: somebody new each time]")
@click.option("--bits", type=click.IntRange(min=0), metavar="N", help="So many bits.")
@click.option("--viewers", type=click.IntRange(min=0), metavar="N", help="So many viewers.")
@click.option("--gifts", type=click.IntRange(min=0), metavar="N", help="So many gifts.")
@click.option(
    "--amount", type=click.IntRange(min=0), metavar="N", help="So much of whatever TYPE counts."
)
@click.option("--tier", type=click.Choice(["1000", "2000", "3000"]), help="Of a subscription.")
@click.option("--gifted", is_flag=True, help="A subscription that somebody has given.")
@click.option("--anonymous", is_flag=True, help="By somebody who stays unnamed.")
@click.option(
    "--count",
    type=click.IntRange(1, 10_000),
    metavar="N",
    default=1,
    help="So many messages.  [default: 1]",
)
@click.option("--message-id", metavar="ID", help="With this id; again, to send a repetition.")
@click.option("--forged", is_flag=True, help="With a wrong signature; it is to be refused.")
@click.option("--old", is_flag=True, help="With a time too long ago; it is to be refused.")
@click.option("--body", type=click.File("rb"), help="The event, or the whole body; - is stdin.")
@click.option("--wait", is_flag=True, help="Follow what it earns until WaddleBot has it.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 86_400),
    metavar="N",
    default=60,
    help="Seconds to --wait.  [default: 60]",
)
@as_json
@remote
def simulate(api: Api, event_type: str, wait: bool, as_json: bool, **options: Any) -> None:
    """Send an event of TYPE to the webhook of your own service, signed with this machine's
    TWITCH_WEBHOOK_SECRET.

    What it earns is really delivered to WaddleBot. Nothing needs a login but --wait. Exit status
    1 when a message is refused (or not refused, with --forged and --old), or does not arrive.

    Example: cli simulate channel.cheer --bits 250 --wait
    """
    installation: Installation = click.get_current_context().obj
    timeout_seconds = options.pop("timeout")
    settings, faulty = installation.usable_settings()
    if "TWITCH_WEBHOOK_SECRET" in faulty:
        raise ConfigurationError(["TWITCH_WEBHOOK_SECRET: the one of the service is needed"])
    to_be_refused = options["forged"] or options["old"]
    if wait and to_be_refused:
        raise click.UsageError("there is nothing to --wait for: it will be refused")
    sent = _send_all(api, event_type, Examination(settings, faulty, ""), **options)
    is_well = all((one.status == 204) != to_be_refused for one in sent)
    document: dict[str, Any] = {"type": event_type, "messages": [asdict(one) for one in sent]}
    if not as_json:
        _tell(event_type, sent)
    if wait and is_well:
        document["activities"] = _followed(api, sent, timeout_seconds, tell=not as_json)
        is_well = all(one["status"] in ("delivered", "skipped") for one in document["activities"])
    if as_json:
        show_json(document)
    raise SystemExit(0 if is_well else 1)


def _send_all(
    api: Api,
    event_type: str,
    examination: Examination,
    *,
    count: int,
    message_id: str | None,
    forged: bool,
    old: bool,
    body: Any,
    **said: Any,
) -> list[Sent]:
    """Send so many messages, one after the other; what came back."""
    given = body.read() if body else None
    channel, user = people_of(CATALOGUE[event_type], said, examination)
    settings = examination.settings
    secret = b"not-the-secret-of-the-service" if forged else settings.webhook_secrets[0]
    sent = []
    for _ in range(count):
        instant = datetime.now(UTC) - (_OLD if old else timedelta())
        timestamp = instant.isoformat().replace("+00:00", "Z")
        who = user or (None if said["anonymous"] else some_viewer())
        act = _act(CATALOGUE[event_type], said, channel, who, timestamp, settings)
        this_id = message_id or f"{SIMULATED_PREFIX}{uuid4().hex[:16]}"
        this_body = _body(act, given)
        headers = _headers(event_type, this_body, this_id, timestamp, secret)
        status, problem = api.post_webhook(this_body, headers)
        problem = problem if isinstance(problem, dict) else {}
        detail = str(problem.get("detail") or "")
        sent.append(Sent(this_id, status, problem.get("code"), detail))
    return sent


def _act(
    row: EventType,
    said: dict[str, Any],
    channel: Person,
    user: Person | None,
    now: str,
    settings: Settings,
) -> Act:
    """What is to happen. Raises UsageError for what this type does not have."""
    tier = said["tier"]
    if tier and not row.tier:
        raise click.UsageError(f"{row.name} has no tier")
    if said["gifted"] and not is_gift(row):
        raise click.UsageError(f"{row.name} cannot be --gifted")
    units = _units(row, said)
    gifted = said["gifted"]
    return Act(row, channel, user, units, tier or "1000", gifted, now, settings.twitch_app_id)


def _units(row: EventType, said: dict[str, Any]) -> int:
    own = _UNIT_OPTIONS.get(row.units or "")
    given = {
        name: said[name]
        for name in ("bits", "viewers", "gifts", "amount")
        if said[name] is not None
    }
    for name in given:
        counts = row.units or row.money or row.shares
        if counts is None or name not in (own, "amount"):
            takes = f"; it has --{own or 'amount'}" if counts else ""
            raise click.UsageError(f"{row.name} has no --{name}{takes}")
    return next(iter(given.values()), 5 if own == "gifts" else _USUAL_UNITS)


def _body(act: Act, given: bytes | None) -> bytes:
    """The body; what was given is the event, or else is sent byte for byte."""
    if given is None:
        return body_of(act)
    try:
        document = json.loads(given)
    except (ValueError, RecursionError):
        return given
    if isinstance(document, dict) and "subscription" not in document:
        return body_of(act, document)
    return given


def _headers(
    event_type: str, body: bytes, message_id: str, timestamp: str, secret: bytes
) -> dict[str, str]:
    if not message_id.isascii() or not message_id.isprintable() or " " in message_id:
        raise click.UsageError("--message-id: visible ASCII characters, without spaces")
    return headers_of(event_type, body, message_id=message_id, timestamp=timestamp, secret=secret)


def _tell(event_type: str, sent: Sequence[Sent]) -> None:
    for one in sent:
        came = "stored" if one.status == 204 else f"{one.code or 'not stored'}: {one.detail}"
        say(f"{event_type} {one.message_id}: {one.status} {came}")


def _followed(
    api: Api, sent: Sequence[Sent], timeout_seconds: float, *, tell: bool
) -> list[dict[str, Any]]:
    """What the messages earned, once nothing of it is on its way any more, or time is over."""
    began = time.monotonic()
    ids = list(dict.fromkeys(one.message_id for one in sent))
    events = [api.get(f"/twitch/events/{segment(one)}")["event"] for one in ids]
    scored = {one["event_id"] for one in events if one["outcome"] == "scored"}
    found: list[dict[str, Any]] = []
    since = min(one["received_at"] for one in events)
    for _ in poll(timeout_seconds) if scored else ():
        rows = fetch(
            api,
            "/twitch/activities",
            {},
            limit=None,
            everything=True,
            cursor=None,
            since=since,
            until=None,
        ).rows
        found = [one for one in rows if one["event_id"] in scored]
        if len(found) == len(scored) and all(one["status"] in _FINAL for one in found):
            break
    if tell and not scored:
        for why in sorted({one["reason"] or "the points policy has no rule" for one in events}):
            say(f"It is recorded, and earns nothing: {why}")
    elif tell:
        show_list(COLUMNS, [cells(one) for one in found])
        waiting = sum(one["status"] not in _FINAL for one in found)
        if waiting:
            waited = int(time.monotonic() - began)
            note(f"{waiting} are still on their way after {waited} s: cli activities list")
    return found
