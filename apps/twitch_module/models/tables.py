"""The tables as pydal sees them. The schema itself is made by the migrations.

Times that code compares are epoch milliseconds. `twitch_events.body` is missing here on
purpose: it holds the bytes that Twitch signed, which pydal would store as base64.
"""

from typing import Any

from pydal import Field

_TEXT, _BIGINT = "text", "bigint"

TABLES: dict[str, dict[str, str]] = {
    "twitch_events": {
        "event_id": _TEXT,  # Twitch's message id; unique
        "event_type": _TEXT,
        "event_version": _TEXT,
        "subscription_id": _TEXT,
        "channel_id": _TEXT,
        "channel_name": _TEXT,
        "user_id": _TEXT,
        "user_login": _TEXT,
        "user_name": _TEXT,
        "received_at_ms": _BIGINT,
        "sent_at_ms": _BIGINT,  # by Twitch's timestamp; empty where that was never recorded
        "outcome": _TEXT,  # scored, unscored or quarantined
        "reason": _TEXT,
    },
    "twitch_activities": {
        # `id` is that of the event's row: an event earns one activity at most.
        "event_id": _TEXT,  # Twitch's message id
        "activity_type": _TEXT,
        "user_id": _TEXT,
        "user_login": _TEXT,
        "user_name": _TEXT,
        "channel_id": _TEXT,
        "units": _BIGINT,
        "amount": _BIGINT,  # the points
        "rule": _TEXT,  # JSON: the rule that gave them, and what went into it
        "status": _TEXT,  # pending, leased, delivered, skipped, dead or held
        "reason": _TEXT,  # why it is skipped or dead, or what the last try ran into
        "attempts": _BIGINT,
        "due_at_ms": _BIGINT,  # pending: the next try; leased: the end of the lease
        "lease_version": _BIGINT,  # grows with every claim; a late answer carries an old one
        "context": _TEXT,  # JSON: who the user is in WaddleBot, once it is known
        "receipt": _TEXT,  # JSON: the last answer of the reputation API
        "delivered_at_ms": _BIGINT,
        "created_at_ms": _BIGINT,
        "natural_key": _TEXT,  # what it is, under whichever message id; empty for nobody's
        "happened_at_ms": _BIGINT,  # by the event; empty where that was never recorded
        "kind": _TEXT,  # earned, reversal or correction
        "reverses": _BIGINT,  # the activity whose points it takes back; unique
    },
    "twitch_natural_keys": {
        "key": _TEXT,
        "id": _BIGINT,  # of the event that holds it
        "at_ms": _BIGINT,  # when that happened
    },
    "twitch_totals": {
        "channel_id": _TEXT,
        "user_id": _TEXT,
        "activity_type": _TEXT,
        "day": _BIGINT,  # of UTC, since 1970-01-01
        "points": _BIGINT,
        "times": _BIGINT,  # that gave points
    },
    "twitch_limit_counters": {
        "channel_id": _TEXT,
        "user_id": _TEXT,  # empty for what is counted for the whole channel
        "activity_type": _TEXT,
        "period": _TEXT,  # ever, a day, a stream or a minute
        "points": _BIGINT,  # without their sign
        "times": _BIGINT,
        "last_at_ms": _BIGINT,  # the newest, by the event's own time
    },
    "twitch_streams": {
        "channel_id": _TEXT,
        "stream_id": _TEXT,
        "started_at_ms": _BIGINT,
        "ended_at_ms": _BIGINT,
    },
    "twitch_policy_runs": {
        "at_ms": _BIGINT,
        "actor": _TEXT,
        "channel_id": _TEXT,  # NULL for all
        "since_ms": _BIGINT,
        "policy": _TEXT,  # JSON: its entries
        "state": _TEXT,
        "reason": _TEXT,
        "up_to": _BIGINT,  # the last event that is looked at
        "from_day": _BIGINT,
        "pruned": _TEXT,  # JSON
        "to_do": _BIGINT,
        "done": _BIGINT,
        "changes": _BIGINT,
    },
    "twitch_policy_changes": {
        "run_id": _BIGINT,
        "number": _BIGINT,
        "channel_id": _TEXT,
        "channel_name": _TEXT,
        "user_id": _TEXT,
        "user_login": _TEXT,
        "user_name": _TEXT,
        "activity_type": _TEXT,
        "day": _BIGINT,
        "points_before": _BIGINT,
        "points_after": _BIGINT,
        "activity_id": _BIGINT,  # the correction's
    },
    "twitch_policy_versions": {
        "at_ms": _BIGINT,  # in force from then on
        "actor": _TEXT,
        "source": _TEXT,  # where it is written: a file, a variable, a channel
        "channel_id": _TEXT,  # empty for that of all channels
        "policy": _TEXT,  # JSON: the entries
    },
    "twitch_erasures": {
        "user_hash": _TEXT,  # unique
        "at_ms": _BIGINT,
        "pseudonym": _TEXT,  # in the place of the user's id
        "user_id": _TEXT,  # empty once all is done
        "up_to": _BIGINT,  # the last event that is looked through
        "scanned_to": _BIGINT,
        "events": _BIGINT,  # in which the user was
    },
    "twitch_channels": {
        "channel_id": _TEXT,  # Twitch's user id of the broadcaster; unique
        "channel_name": _TEXT,  # the login
        "display_name": _TEXT,
        "is_active": _BIGINT,  # 1 or 0
        "gateway_id": _TEXT,
        "points": _TEXT,  # JSON: the channel's own points policy
        "event_types": _TEXT,  # JSON: the types of this channel; empty means the default ones
        "warning": _TEXT,  # why the channel does not get all its events
        "created_at_ms": _BIGINT,
        "compare_at_ms": _BIGINT,  # when its subscriptions are compared with Twitch's next
        "backfill": _BIGINT,  # 1 when missed follows are to be caught up with
        "backfilled_until_ms": _BIGINT,  # all follows up to here are known
    },
    "twitch_subscriptions": {
        "subscription_id": _TEXT,  # Twitch's id; unique
        "event_type": _TEXT,
        "version": _TEXT,
        "condition": _TEXT,  # JSON
        "channel_id": _TEXT,
        "status": _TEXT,  # as Twitch spells it
        "cost": _BIGINT,
        "updated_at_ms": _BIGINT,
        "callback": _TEXT,  # what it calls; empty when that was never recorded
        "secret_id": _TEXT,  # a fingerprint of its secret; empty when that is not known
        "origin": _TEXT,  # created, adopted, found (and nobody's) or hand
        "first_seen_ms": _BIGINT,
        "last_event_at_ms": _BIGINT,  # to ten seconds
    },
    "twitch_setbacks": {
        "channel_id": _TEXT,  # unique together with the type; empty for the application's own
        "event_type": _TEXT,
        "version": _TEXT,
        "remedy": _TEXT,  # anew, login, later or never
        "reason": _TEXT,
        "failures": _BIGINT,  # within a day of each other
        "failed_at_ms": _BIGINT,
        "retry_at_ms": _BIGINT,  # empty for never
    },
    "twitch_facts": {
        "name": _TEXT,
        "value": _TEXT,  # JSON
        "at_ms": _BIGINT,
    },
    "twitch_tokens": {
        "user_id": _TEXT,  # Twitch's id; unique
        "login": _TEXT,
        "display_name": _TEXT,
        "access_token": _TEXT,  # sealed
        "refresh_token": _TEXT,  # sealed
        "scopes": _TEXT,  # with spaces between
        "expires_at_ms": _BIGINT,
        "renewed_at_ms": _BIGINT,  # empty until the first renewal after a login
        "status": _TEXT,  # ok or needs_login
        "reason": _TEXT,  # why a login is needed, or what the last renewal ran into
        "version": _BIGINT,  # grows with every new pair
        "lease_until_ms": _BIGINT,  # until when somebody is renewing it
        "failures": _BIGINT,  # renewals that failed in a row
        "retry_at_ms": _BIGINT,  # no renewal before this, unless somebody asks for one by hand
        "failed_at_ms": _BIGINT,  # when the last renewal failed; empty when it did not
        "validated_at_ms": _BIGINT,
        "check_at_ms": _BIGINT,  # when it is to be validated
        "created_at_ms": _BIGINT,
    },
    "oauth_states": {
        "state_hash": _TEXT,  # SHA-256 of the state; unique
        "browser_hash": _TEXT,  # SHA-256 of the cookie of the browser that began
        "activation_key": _TEXT,  # sealed
        "expires_at_ms": _BIGINT,
        "channel_id": _TEXT,  # whose login it is to be; empty for anybody's
    },
    "oauth_results": {
        "browser_hash": _TEXT,  # as above; unique
        "result": _TEXT,  # JSON: what the browser's last login came to
        "expires_at_ms": _BIGINT,
    },
    "admin_users": {
        "username": _TEXT,  # in lower case; unique
        "password_hash": _TEXT,  # Argon2id
        "configured_hash": _TEXT,  # of the ADMIN_PASSWORD that was applied last
        "role": _TEXT,  # viewer or admin
        "is_active": _BIGINT,  # 1 or 0
        "created_at_ms": _BIGINT,
        "changed_at_ms": _BIGINT,
    },
    "admin_sessions": {
        # A login, and all the refresh tokens that come from it.
        "session_id": _TEXT,  # stands in the access tokens; unique
        "user_id": _BIGINT,
        "customer": _TEXT,  # the address of the login, or its /64
        "created_at_ms": _BIGINT,
        "used_at_ms": _BIGINT,  # the last refresh
        "expires_at_ms": _BIGINT,
        "ended_at_ms": _BIGINT,
        "end_reason": _TEXT,  # logout, reuse, password or disabled
    },
    "admin_refresh_tokens": {
        "token_hash": _TEXT,  # SHA-256; unique
        "session_id": _TEXT,
        "created_at_ms": _BIGINT,
        "used_at_ms": _BIGINT,  # once; a second use ends the session
    },
    "service_tokens": {
        "name": _TEXT,
        "prefix": _TEXT,  # what the token is known by: ... and its end; of older ones the beginning
        "secret_hash": _TEXT,  # SHA-256; unique
        "scopes": _TEXT,  # with spaces between
        "expires_at_ms": _BIGINT,  # empty: eternal
        "created_by": _TEXT,
        "created_at_ms": _BIGINT,
        "last_used_at_ms": _BIGINT,  # to a minute
        "revoked_at_ms": _BIGINT,
        "exchange_only": _BIGINT,  # 1 or 0
        "successor_id": _BIGINT,  # the token that it was renewed to
    },
    "login_attempts": {
        "username_hash": _TEXT,  # of what was typed: it may be a password
        "customer": _TEXT,  # the address, or its /64
        "at_ms": _BIGINT,
    },
    "audit_log": {
        "at_ms": _BIGINT,
        "actor_kind": _TEXT,  # admin, service, cli, system or anonymous
        "actor_id": _TEXT,
        "actor_name": _TEXT,
        "action": _TEXT,  # what was done: channel.add
        "object": _TEXT,  # to what: channel:1234
        "before_change": _TEXT,  # JSON, without secrets
        "after_change": _TEXT,
        "address": _TEXT,
        "request_id": _TEXT,
    },
    "twitch_leases": {
        "name": _TEXT,
        "owner": _TEXT,
        "until_ms": _BIGINT,
    },
    "twitch_heartbeats": {
        "kind": _TEXT,  # of work: delivery, tokens, subscriptions or retention
        "process": _TEXT,  # host, number, and something random; unique together with the kind
        "at_ms": _BIGINT,
    },
}


def define_tables(db: Any) -> None:
    """Tell pydal about the tables, without touching the database."""
    for name, columns in TABLES.items():
        db.define_table(name, *(Field(column, kind) for column, kind in columns.items()))
