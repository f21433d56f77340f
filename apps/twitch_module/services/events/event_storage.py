"""From a message to rows: the event, the activity that it earns, and writing both, once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from ...domain.events import eventsub
from ...domain.events.notification import NOBODY, Notification, contributions
from ...domain.points.exclusion import excluded
from ...domain.points.judgement import TAKES_BACK
from ...domain.points.multiplier import factor_for
from ...domain.points.natural_key import happened_at_ms, natural_key
from ...domain.points.policy import Asked, Policy, Rule
from ...domain.privacy.erasure import ERASED, Erased, without
from ...domain.text import text
from ...models.delivery import activities, outbox
from ...models.events import events, ingest
from ...models.events.ingest import Entry
from ...models.events.message_ids import RecentIds
from ...models.points import streams, totals
from ...models.points.totals import Change, sum_of
from ...models.transaction import Transaction
from ..points.settlement import Terms, Undecided, settle

_STREAMS = ("stream.online", "stream.offline")
IN_SHARES = "each contribution is an event of its own"


class StreamChange(NamedTuple):
    """A stream has begun, or, without its id, ended."""

    stream_id: str | None
    at_ms: int


class Row(NamedTuple):
    """An event, and what it earns as long as nothing speaks against it."""

    entry: Entry
    takes_back: bool = False  # whether it takes the points of another one back
    terms: Terms | None = None  # where its points depend on what has happened before
    stream: StreamChange | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a channel when its events are scored."""

    policy: Policy
    monitored: bool = True
    bot_login: str | None = None  # the bot's own account
    erased: Erased | None = None  # None while that is nobody


class Recorded(NamedTuple):
    """What was new: row ids by message id, and how many activities there were."""

    new: Mapping[str, int]
    activities: int


def interpret(
    message: eventsub.Message, notification: Notification, standing: Standing
) -> list[Row]:
    """The event's row, with the activity that it earns, if any; then one for each share in it.

    What is scored must say who and how much; whatever else is missing is kept as it came.
    """
    if standing.erased is not None and standing.erased.covers(
        notification.user.id, message.sent_at_ms
    ):
        return [_nobodys(message, notification)]
    rule = standing.policy.rule_for(notification)
    takes_back = notification.activity in TAKES_BACK
    if rule is None and not takes_back:
        row = _unscored(message, notification, None)
        if notification.event_type in _STREAMS and notification.fault is None:
            row = row._replace(stream=_stream(message, notification))
        return [row]
    if notification.fault is not None:
        return [quarantined(message, notification.fault)]
    shares = contributions(notification)
    if shares is not None:
        rows = [_unscored(message, notification, IN_SHARES)]
        for share in shares:
            if standing.erased is not None and standing.erased.covers(
                share.user.id, message.sent_at_ms
            ):
                continue
            part = message._replace(
                message_id=f"{message.message_id}/{share.user.id}/{share.event['type']}",
                body=orjson.dumps(share.event),
            )
            rows.append(_scored(part, share, standing, rule))
        return rows
    return [_scored(message, notification, standing, rule)]


def quarantined(message: eventsub.Message, reason: str) -> Row:
    """The row for a properly signed message that cannot be understood: kept raw."""
    event = events.NewEvent(
        message.message_id,
        text(message.subscription_type),
        text(message.subscription_version),
        *("", "", "", "", "", ""),
        message.sent_at_ms,
        events.QUARANTINED,
        reason,
        message.body,
    )
    return Row(Entry(event))


def record(
    transaction: Transaction,
    rows: Sequence[Row],
    *,
    recent: RecentIds | None = None,
    announced: bool = False,
) -> Recorded:
    """Write those that are not there yet, and what they change. Does not commit.

    `recent` is what a thread that records often keeps. `announced`: whether the workers of other
    processes are to hear of it at the commit.
    """
    by_id: dict[str, Row] = {}
    for row in rows:
        by_id.setdefault(row.entry.event.event_id, row)
    entries = [row.entry for row in by_id.values()]
    earning = any(entry.key is not None or entry.activity is not None for entry in entries)
    stored = ingest.insert(transaction, entries, recent=recent, announced=announced and earning)
    for event_id, row in by_id.items():
        if row.stream is not None and event_id in stored.new:
            _note_stream(transaction, row.entry.event.channel_id, row.stream)
    undecided = [
        Undecided(
            row.entry,
            stored.new[event_id],
            row.takes_back,
            row.terms,
            stored.new[event_id] in stored.holding,
        )
        for event_id, row in by_id.items()
        if row.entry.key is not None and event_id in stored.new and event_id not in stored.earned
    ]
    settled = settle(transaction, undecided) if undecided else None
    if not transaction.sqlite:
        paid = [_change(by_id[event_id].entry) for event_id in stored.earned]
        totals.add(transaction, paid + (settled.changes if settled else []))
    return Recorded(stored.new, len(stored.earned) + (settled.activities if settled else 0))


def _unscored(message: eventsub.Message, notification: Notification, reason: str | None) -> Row:
    return Row(Entry(_event(message, notification, events.UNSCORED, reason)))


def _nobodys(message: eventsub.Message, notification: Notification) -> Row:
    """The row of what an erased user did before, without that user."""
    body = without(message.body, notification.user.id, "", by_user=True)
    return _unscored(message._replace(body=body), notification._replace(user=NOBODY), ERASED)


def _scored(
    message: eventsub.Message, notification: Notification, standing: Standing, rule: Rule | None
) -> Row:
    """The row of something that a rule gives points for, or that takes points back."""
    against = excluded(
        user_id=notification.user.id,
        user_login=notification.user.login,
        channel_id=notification.channel.id,
        source_channel_id=text(notification.event.get("source_broadcaster_user_id")),
        monitored=standing.monitored,
        bot_login=standing.bot_login,
        ignored=standing.policy.ignored,
    )
    if against is not None:
        return _unscored(message, notification, against)
    at_ms, key = happened_at_ms(notification, message.sent_at_ms), natural_key(notification)
    event = _event(message, notification, events.UNSCORED if rule is None else events.SCORED)
    takes_back = notification.activity in TAKES_BACK
    if rule is None:
        return Row(Entry(event, None, key, at_ms, waits=True), takes_back)
    asked = Asked(notification.units, notification.tier, notification.currency)
    policy, terms = standing.policy, None
    badges = _badges(notification.event) if policy.multipliers else ()
    if key is not None and (rule.limits is not None or policy.looks_at_streams):
        terms = Terms(rule, asked, policy, badges)
    elif policy.multipliers:
        factor, name = factor_for(
            policy.multipliers,
            activity=rule.activity,
            at_ms=at_ms,
            tier=asked.tier,
            badges=badges,
            live=False,
        )
        asked = asked._replace(factor=factor, multiplier=name)
    activity = _activity(notification, rule, asked, key, at_ms)
    waits = takes_back or terms is not None
    return Row(Entry(event, activity, key, at_ms, waits), takes_back, terms)


def _badges(event: Mapping[str, Any]) -> tuple[str, ...]:
    """The badges of who wrote a message: vip, moderator, subscriber..."""
    listed = event.get("badges")
    return tuple(
        text(badge.get("set_id"))
        for badge in (listed if isinstance(listed, list) else [])
        if isinstance(badge, dict)
    )


def _stream(message: eventsub.Message, notification: Notification) -> StreamChange:
    begins = notification.event_type == _STREAMS[0]
    stream_id = text(notification.event.get("id")) if begins else None
    return StreamChange(stream_id, happened_at_ms(notification, message.sent_at_ms))


def _note_stream(transaction: Transaction, channel_id: str, change: StreamChange) -> None:
    if change.stream_id is None:
        streams.end(transaction, channel_id, change.at_ms)
    else:
        streams.begin(transaction, channel_id, change.stream_id, change.at_ms)


def _event(
    message: eventsub.Message, notification: Notification, outcome: str, reason: str | None = None
) -> events.NewEvent:
    return events.NewEvent(
        message.message_id,
        notification.event_type,
        notification.version,
        notification.subscription_id,
        notification.channel.id,
        notification.channel.name,
        *notification.user,
        message.sent_at_ms,
        outcome,
        reason,
        message.body,
    )


def _activity(
    notification: Notification, rule: Rule, asked: Asked, key: str | None, at_ms: int
) -> activities.NewActivity:
    points, explained = rule.price(asked)
    return activities.NewActivity(
        rule.activity,
        round(notification.units),
        points,
        explained,
        outbox.SKIPPED if notification.anonymous else outbox.PENDING,
        key,
        at_ms,
        "anonymous" if notification.anonymous else None,
    )


def _change(entry: Entry) -> Change:
    event, activity = entry.event, entry.activity
    if activity is None:
        raise LookupError(event.event_id)  # only what has one is there
    of = sum_of(event.channel_id, event.user_id, activity.activity_type, activity.happened_at_ms)
    return Change(of, activity.amount, 1)
