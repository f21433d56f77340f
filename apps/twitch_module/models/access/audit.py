"""The audit log: who changed what, and when. Rows are added, and never changed."""

import json
from collections.abc import Mapping
from typing import Any

from ...domain.access.callers import Actor
from ..pages import Page, select_page
from ..transaction import Transaction

Change = Mapping[str, Any]

MAX_CHARACTERS = 4000  # of what was before, and of what is after

_SHOWN = (
    "id",
    "at_ms",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "object",
    "before_change",
    "after_change",
    "address",
    "request_id",
)


def record(
    transaction: Transaction,
    actor: Actor,
    action: str,
    subject: str,
    *,
    before: Change | None = None,
    after: Change | None = None,
) -> None:
    """Note in this transaction that `actor` did `action` to `subject`, such as "channel:12"."""
    transaction.execute(
        "INSERT INTO audit_log (at_ms, actor_kind, actor_id, actor_name, action, object,"
        " before_change, after_change, address, request_id)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            transaction.now_ms(),
            actor.kind,
            actor.id,
            actor.name,
            action,
            subject[:300],
            _text(before),
            _text(after),
            actor.origin.address,
            actor.origin.request_id,
        ],
    )


def list_entries(transaction: Transaction, **page: Any) -> Page:
    """A page of the log, newest first. Arguments: see select_page."""
    return select_page(transaction, "audit_log", _SHOWN, time="at_ms", **page)


_SECRET_NAMES = ("password", "secret", "token", "hash", "key", "authorization")


def _text(change: Change | None) -> str | None:
    if change is None:
        return None
    text = json.dumps(_redacted(change), sort_keys=True)
    return text if len(text) <= MAX_CHARACTERS else json.dumps({"too_long": len(text)})


def _redacted(value: Any) -> Any:
    """The value without what a name says to be a secret, should one ever get this far."""
    if isinstance(value, Mapping):
        return {
            name: "***" if _is_secret(name, inner) else _redacted(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(inner) for inner in value]
    return value


def _is_secret(name: object, value: object) -> bool:
    return isinstance(value, str) and any(word in str(name).lower() for word in _SECRET_NAMES)
