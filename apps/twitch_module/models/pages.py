"""Pages of a table, newest first, by keyset: the cost of a page is the same at any depth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .database import Transaction


@dataclass(frozen=True, slots=True)
class Page:
    """Rows by column name, and the id after which the next page begins (None at the end)."""

    rows: list[dict[str, Any]]
    next_before_id: int | None


def select_page(
    transaction: Transaction,
    table: str,
    columns: Sequence[str],
    *,
    time: str,
    equal: Mapping[str, str],
    since_ms: int | None = None,
    until_ms: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> Page:
    """At most `limit` rows with id < before_id, since_ms <= time < until_ms and equal columns.

    `columns`, `time` and the keys of `equal` are this program's own names, never a caller's.
    """
    conditions, values = where(equal, time=time, since_ms=since_ms, until_ms=until_ms)
    if before_id is not None:
        conditions.append("id < %s")
        values.append(before_id)
    restriction = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = transaction.select(
        f"SELECT {', '.join(columns)} FROM {table}{restriction} ORDER BY id DESC LIMIT %s",
        [*values, limit + 1],
    )
    more = len(rows) > limit
    return Page(rows[:limit], rows[limit - 1]["id"] if more else None)


def where(
    equal: Mapping[str, str], *, time: str, since_ms: int | None, until_ms: int | None
) -> tuple[list[str], list[Any]]:
    """The conditions of a filter, and the values of their placeholders."""
    conditions = [f"{column} = %s" for column in equal]
    values: list[Any] = list(equal.values())
    for operator, limit in ((">=", since_ms), ("<", until_ms)):
        if limit is not None:
            conditions.append(f"{time} {operator} %s")
            values.append(limit)
    return conditions, values
