"""Taking turns: every round measures each subject once, so that what disturbs one disturbs all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from . import load
from .processes import Process


@dataclass(frozen=True)
class Subject:
    """A server, and what is sent to it. `status` is the only answer that may come."""

    name: str
    server: Process
    requests: Callable[[int], list[bytes]]
    status: int = 204
    connections: int = 32
    alone: bool = True  # whether the load has its core to itself
    # What processes beside the server have used of the processors, such as a database's.
    beside: Callable[[], float] = lambda: 0.0


@dataclass(frozen=True)
class Round:
    """One subject's turn."""

    per_second: float
    p50_ms: float
    p99_ms: float
    server_cpu_us: float  # for each request
    beside_cpu_us: float
    load_busy: float  # near 1, the generator would be what is measured

    def figures(self) -> dict[str, float]:
        """All of it by name."""
        return dict(vars(self))


def turns(
    subjects: Sequence[Subject], *, rounds: int, number: int, per_second: float | None = None
) -> dict[str, list[Round]]:
    """Rounds of so many requests by subject: closed loop, or at a rate. Warms up first."""
    for subject in subjects:
        _turn(subject, max(100, number // 5), per_second)
    results: dict[str, list[Round]] = {subject.name: [] for subject in subjects}
    for _ in range(rounds):
        for subject in subjects:
            results[subject.name].append(_turn(subject, number, per_second))
    return results


def typical(rounds: Sequence[Round]) -> dict[str, float]:
    """The median of each figure, and the rate of the best round."""
    names = rounds[0].figures()
    figures = {name: median(one.figures()[name] for one in rounds) for name in names}
    return {**figures, "best_per_second": max(one.per_second for one in rounds)}


def ratio(ours: Sequence[Round], theirs: Sequence[Round]) -> float:
    """How much faster ours is: the median over the rounds, each beside the other's turn."""
    pairs = zip(ours, theirs, strict=True)
    return median(our.per_second / their.per_second for our, their in pairs)


def _turn(subject: Subject, number: int, per_second: float | None) -> Round:
    requests = subject.requests(number)
    port, before = subject.server.port, (subject.server.cpu_seconds(), subject.beside())
    if per_second is None:
        result = load.run(port, requests, subject.connections, awake=subject.alone)
    else:
        result = load.run_at(port, requests, subject.connections, per_second)
    after = (subject.server.cpu_seconds(), subject.beside())
    if result.statuses != {subject.status: len(requests)}:
        raise AssertionError(f"{subject.name}: {result.statuses} instead of {subject.status}")
    server_us, beside_us = (
        (end - start) / len(requests) * 1e6 for start, end in zip(before, after, strict=True)
    )
    return Round(
        result.per_second,
        result.percentile_ms(0.5),
        result.percentile_ms(0.99),
        server_us,
        beside_us,
        result.busy,
    )
