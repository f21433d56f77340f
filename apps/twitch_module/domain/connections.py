"""How many connections a web process takes, and which it ends when somebody has too many."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from .addresses import one_customer

MOST = 4096  # of one process; each that idles takes some 10 KB
FILES_FOR_OTHERS = 512  # databases, calls out and the log: SQLite has three files a connection


class Connection(NamedTuple):
    """A connection that a client has opened."""

    file: int  # its descriptor
    address: str
    port: int
    idle_ms: int  # since something went either way, or since it was opened


def most_connections(files: int) -> int:
    """How many connections a process takes that may have so many files open."""
    return max(min(MOST, files - FILES_FOR_OTHERS), 64) if files >= 0 else MOST  # -1: any number


def superfluous(
    connections: Iterable[Connection],
    *,
    most: int,
    per_address: int,
    is_exempt: Callable[[str], bool],
) -> list[Connection]:
    """Those that are to be ended, so that there is room for others.

    Nobody has more than `per_address`, but for exempt addresses; and a quarter of `most` stays
    free. Who has been idle longest goes first: who is being answered has been idle least.
    """
    kept: list[Connection] = []
    ended: list[Connection] = []
    counts: dict[str, int] = {}
    for connection in sorted(connections, key=lambda one: one.idle_ms):
        if not is_exempt(connection.address):
            customer = one_customer(connection.address)
            counts[customer] = counts.get(customer, 0) + 1
            if counts[customer] > per_address:
                ended.append(connection)
                continue
        kept.append(connection)
    return ended + kept[most * 3 // 4 :]
