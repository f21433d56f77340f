"""Small things that are known once: a JSON value by name, and when it was noted."""

import json
from typing import Any

from .transaction import Transaction


def note(transaction: Transaction, name: str, value: Any) -> None:
    """Keep a value in place of the last one of this name."""
    transaction.execute(
        "INSERT INTO twitch_facts (name, value, at_ms) VALUES (%s, %s, %s)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value, at_ms = excluded.at_ms",
        [name, json.dumps(value), transaction.now_ms()],
    )


def read(transaction: Transaction, name: str) -> tuple[Any, int] | None:
    """The value and when it was noted (epoch ms), or None."""
    sql = "SELECT value, at_ms FROM twitch_facts WHERE name = %s"
    rows = transaction.execute(sql, [name])
    return (json.loads(rows[0][0]), rows[0][1]) if rows else None


def keep_first(transaction: Transaction, name: str, value: Any) -> tuple[Any, int]:
    """Note a value unless there is one; the one that stands then, whoever else was noting."""
    transaction.execute(
        "INSERT INTO twitch_facts (name, value, at_ms) VALUES (%s, %s, %s)"
        " ON CONFLICT (name) DO NOTHING",
        [name, json.dumps(value), transaction.now_ms()],
    )
    found = read(transaction, name)
    if found is None:
        raise LookupError(name)
    return found
