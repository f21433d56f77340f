"""When the channels were live."""

from collections.abc import Iterable
from typing import NamedTuple

from ..transaction import Transaction


class Stream(NamedTuple):
    """A stream; `ended_at_ms` is None while it goes on, or where its end was not heard of."""

    stream_id: str
    started_at_ms: int
    ended_at_ms: int | None


def begin(transaction: Transaction, channel_id: str, stream_id: str, at_ms: int) -> None:
    """A stream has begun."""
    transaction.execute(
        "INSERT INTO twitch_streams (channel_id, stream_id, started_at_ms) VALUES (%s, %s, %s)"
        " ON CONFLICT (channel_id, started_at_ms) DO NOTHING",
        [channel_id, stream_id, at_ms],
    )


def end(transaction: Transaction, channel_id: str, at_ms: int) -> None:
    """The stream that went on at that time has ended."""
    transaction.execute(
        "UPDATE twitch_streams SET ended_at_ms = %s WHERE channel_id = %s AND started_at_ms ="
        " (SELECT max(started_at_ms) FROM twitch_streams WHERE channel_id = %s"
        " AND started_at_ms <= %s) AND ended_at_ms IS NULL",
        [at_ms, channel_id, channel_id, at_ms],
    )


def all_of(transaction: Transaction, channel_id: str | None) -> list[tuple[str, str, int, int]]:
    """The streams of a channel, or of all: channel, stream, beginning and end."""
    of_channel = "" if channel_id is None else " WHERE channel_id = %s"
    return transaction.execute(
        "SELECT channel_id, stream_id, started_at_ms, ended_at_ms FROM twitch_streams" + of_channel,
        [] if channel_id is None else [channel_id],
    )


def copy(transaction: Transaction, known: Iterable[tuple[str, str, int, int]]) -> None:
    """Enter streams that another database knows."""
    for one in known:
        transaction.execute(
            "INSERT INTO twitch_streams (channel_id, stream_id, started_at_ms, ended_at_ms)"
            " VALUES (%s, %s, %s, %s)",
            list(one),
        )


def at(transaction: Transaction, channel_id: str, at_ms: int) -> Stream | None:
    """The last stream that had begun by then, over or not."""
    rows = transaction.execute(
        "SELECT stream_id, started_at_ms, ended_at_ms FROM twitch_streams"
        " WHERE channel_id = %s AND started_at_ms <= %s ORDER BY started_at_ms DESC LIMIT 1",
        [channel_id, at_ms],
    )
    return Stream(*rows[0]) if rows else None
