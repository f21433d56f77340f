"""Pages of a table, newest first, by keyset: the cost of a page is the same at any depth.

Row ids count up with time, so that a bound on time becomes a bound on ids, and needs no index.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .transaction import Transaction

# Processes that commit at once may write ids and times a little out of order; a webhook's commit
# ends within three seconds.
_OUT_OF_ORDER_MS = 5_000


@dataclass(frozen=True, slots=True)
class Page:
    """Rows by column name, and the id after which the next page begins (None at the end)."""

    rows: list[dict[str, Any]]
    next_before_id: int | None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a filtered page may find its rows: a join, and the condition of its index.

    A list with filters is put together from several sources, each of which has an index for
    them; together they have every row once. `names` spells the columns of the filters. `id` is
    "id + 0" where the rows must not be looked for in the order of their ids.
    """

    tables: str
    condition: str
    names: Mapping[str, str]
    id: str = "id"


def select_page(
    transaction: Transaction,
    table: str,
    columns: Sequence[str],
    *,
    time: str,
    equal: Mapping[str, str],
    sources: Sequence[Source] = (),
    since_ms: int | None = None,
    until_ms: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> Page:
    """At most `limit` rows with id < before_id, since_ms <= time < until_ms and equal columns.

    With `sources` the rows are looked for there. `columns`, `time` and the keys of `equal` are
    this program's own names, never a caller's.
    """
    above, below = id_bounds(transaction, table, time, since_ms, until_ms)
    if before_id is not None:
        below = before_id if below is None else min(below, before_id)
    sources = sources or [Source(table, "", {})]
    parts: list[str] = []
    values: list[Any] = []
    for source in sources:
        conditions, given = where(
            {_spelled(column, source, equal): value for column, value in equal.items()},
            time=source.names.get(time, time),
            since_ms=since_ms,
            until_ms=until_ms,
        )
        parts.append(_part(source, conditions, given, above, below, len(parts)))
        values += [*given, limit + 1]
    rows = transaction.select(
        f"SELECT {', '.join(columns)} FROM {table} WHERE id IN ({' UNION ALL '.join(parts)})"
        " ORDER BY id DESC LIMIT %s",
        [*values, limit + 1],
    )
    more = len(rows) > limit
    return Page(rows[:limit], rows[limit - 1]["id"] if more else None)


def _part(
    source: Source,
    conditions: list[str],
    values: list[Any],
    above: int | None,
    below: int | None,
    number: int,
) -> str:
    """The statement that finds one source's ids; the bounds are added to conditions and values."""
    for operator, bound in ((">", above), ("<", below)):
        if bound is not None:
            conditions.append(f"{source.id} {operator} %s")
            values.append(bound)
    conditions += [source.condition] if source.condition else []
    restriction = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        f"SELECT * FROM (SELECT {source.id} AS id FROM {source.tables}{restriction}"
        f" ORDER BY {source.id} DESC LIMIT %s) AS part{number}"
    )


def _spelled(column: str, source: Source, equal: Mapping[str, str]) -> str:
    name = source.names.get(column, column)
    if column == "channel_id" and "user_id" in equal:
        # Not by the channel's index: a user has few rows, a channel may have a million, and
        # SQLite cannot know.
        return f"({name} || '')"
    return name


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


def id_bounds(
    transaction: Transaction, table: str, time: str, since_ms: int | None, until_ms: int | None
) -> tuple[int | None, int | None]:
    """Ids that rows since and until these times lie strictly between; None for no bound."""
    above = below = None
    if since_ms is not None:
        above = _first_id_at(transaction, table, time, since_ms - _OUT_OF_ORDER_MS) - 1
    if until_ms is not None:
        below = _first_id_at(transaction, table, time, until_ms + _OUT_OF_ORDER_MS)
    return above, below


def _first_id_at(transaction: Transaction, table: str, time: str, at_ms: int) -> int:
    """The first id whose time is not before `at_ms`, or one past the last, by bisection."""
    # Two queries in one: SQLite finds either end by the index, but not both at once.
    ends = f"(SELECT min(id) FROM {table}), (SELECT max(id) FROM {table})"
    first, last = transaction.execute(f"SELECT {ends}")[0]
    lowest, highest = first or 1, (last or 0) + 1
    while lowest < highest:
        middle = (lowest + highest) // 2
        rows = transaction.execute(
            f"SELECT id, {time} FROM {table} WHERE id >= %s ORDER BY id LIMIT 1", [middle]
        )
        found, found_ms = rows[0] if rows else (highest, at_ms)
        if found_ms >= at_ms:
            highest = middle
        else:
            lowest = found + 1
    return int(lowest)
