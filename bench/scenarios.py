"""What is measured, one function for each scenario. They share a workshop and a report.

Everything runs on the settings of `make serve`. Where a scenario is about receiving alone, the
server has WORKER=off, as when deliveries are a process of their own (`make worker`).
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from urllib.parse import urlencode

from . import fill, load, messages
from .installation import DATABASES, POSTGRESQL, SQLITE, Installation, Workshop, access_token
from .messages import CHANNELS, USERS
from .processes import Process, free_port, running
from .report import Report
from .rounds import Subject, ratio, turns, typical

WEBHOOK = "/twitch/webhook"
OFF = {"WORKER": "off"}


@dataclass(frozen=True)
class Run:
    """What all scenarios need. `scale` makes their counts smaller."""

    workshop: Workshop
    report: Report
    rounds: int
    rows: int  # in a large table
    scale: float

    def number(self, full: int) -> int:
        """So many, scaled."""
        return max(200, int(full * self.scale))


def accept(run: Run) -> None:
    """Receiving, closed loop: all new, half repeated, refused; beside the peers."""
    new = partial(messages.follows, path=WEBHOOK)
    with ExitStack() as stack:
        peers = stack.enter_context(_peers(run.workshop))
        subjects, installations = [*peers], {}
        for database in DATABASES:
            one = stack.enter_context(run.workshop.installation(database))
            server = stack.enter_context(one.serving(**OFF))
            installations[database] = one
            beside = _beside(run.workshop, database)
            half = partial(messages.half_repeated, path=WEBHOOK)
            wrong = partial(messages.follows, path=WEBHOOK, secret="another secret")
            subject = partial(Subject, server=server, beside=beside, alone=database == SQLITE)
            subjects += [
                subject(f"{database}, all new", requests=new),
                subject(f"{database}, half of them repeated", requests=half),
                subject(f"{database}, refused", requests=wrong, status=403),
            ]
        two = stack.enter_context(run.workshop.installation(POSTGRESQL))
        server = stack.enter_context(two.serving(WORKERS="2", **OFF))
        both = f"{POSTGRESQL}, all new, two processes, two cores"
        beside = _beside(run.workshop, POSTGRESQL)
        subjects.append(Subject(both, server, new, connections=64, alone=False, beside=beside))
        found = turns(subjects, rounds=run.rounds, number=run.number(20_000))
        _check_stored(run, installations, two)
    for name, rounds in found.items():
        against = {
            f"x {peer.name.split(',')[0]}": ratio(rounds, found[peer.name]) for peer in peers
        }
        run.report.add(name, {**typical(rounds), **against})
    sqlite = found[f"{SQLITE}, all new"]
    _, verify, twitch_api = (found[peer.name] for peer in peers)
    run.report.judge("accept, SQLite FULL / pyTwitchAPI", ratio(sqlite, twitch_api), 1.2, 1.8)
    run.report.judge("accept, SQLite FULL / verify-only action", ratio(sqlite, verify), 0.45, 0.7)
    run.report.judge(
        "accept, PostgreSQL, two processes / pyTwitchAPI", ratio(found[both], twitch_api), 1.0, 1.8
    )


LIMITED = {"ACTIVITY_POINTS": '{"follow": {"base": 10, "per_day": 100}}'}


def limits(run: Run) -> None:
    """Receiving what has a limit, beside what has none."""
    new = partial(messages.follows, path=WEBHOOK)
    for database in DATABASES:
        with ExitStack() as stack:
            subjects = []
            for name, changes in (("no limit", {}), ("a limit a day", LIMITED)):
                one = stack.enter_context(run.workshop.installation(database))
                server = stack.enter_context(one.serving(**OFF, **changes))
                beside = _beside(run.workshop, database)
                alone = database == SQLITE
                subjects.append(
                    Subject(f"{database}, {name}", server, new, alone=alone, beside=beside)
                )
            found = turns(subjects, rounds=run.rounds, number=run.number(20_000))
        for name, rounds in found.items():
            run.report.add(name, typical(rounds))
        without, limited = (found[one.name] for one in subjects)
        what = f"accept, a limit / no limit, {database}"
        run.report.judge(what, ratio(limited, without), 0.95, 1.0)


def delivering(run: Run) -> None:
    """Receiving while the same process delivers to a downstream of 20 ms: default settings."""
    for database in DATABASES:
        with (
            run.workshop.downstream() as downstream,
            run.workshop.installation(database, downstream) as one,
            one.serving() as server,
        ):
            new = partial(messages.follows, path=WEBHOOK)
            beside = _beside(run.workshop, database)
            steady = Subject(f"{database}, 1,000/s", server, new, connections=128, beside=beside)
            full = Subject(f"{database}, closed loop", server, new, alone=False, beside=beside)
            for subject, rate in ((steady, 1000), (full, None)):
                before, started = _delivered(one), time.perf_counter()
                found = turns(
                    [subject], rounds=run.rounds, number=run.number(10_000), per_second=rate
                )
                delivered = _delivered(one) - before
                figures = typical(found[subject.name])
                figures["delivered_per_second"] = delivered / (time.perf_counter() - started)
                run.report.add(subject.name, figures)
                if rate:
                    what = f"p99 ms at 1,000 events/s, delivering, {database}"
                    run.report.judge(what, figures["p99_ms"], 15, 5)


def large(run: Run) -> None:
    """The lists, and receiving, at a large table; receiving beside an empty one."""
    for database in DATABASES:
        with (
            run.workshop.installation(database) as full,
            run.workshop.installation(database) as empty,
        ):
            started = time.perf_counter()
            fill.add_past(full.database, run.rows)
            full.settle()
            figures = {"seconds": time.perf_counter() - started, "gigabytes": full.bytes() / 1e9}
            run.report.add(f"{database}, filling {run.rows:,} events", figures)
            with full.serving(**OFF) as server, empty.serving(**OFF) as beside:
                _lists(run, database, server)
                new = partial(messages.follows, path=WEBHOOK)
                subject = partial(Subject, requests=new, alone=database == SQLITE)
                subjects = [
                    subject(f"{database}, accept at {run.rows:,} events", server),
                    subject(f"{database}, accept at none", beside),
                ]
                found = turns(subjects, rounds=run.rounds, number=run.number(20_000))
        for name, rounds in found.items():
            run.report.add(name, typical(rounds))
        at_rows, at_none = found.values()
        what = f"accept at {run.rows:,} events / at none, {database}"
        run.report.judge(what, ratio(at_rows, at_none), 0.85, 0.95)


def delivery(run: Run) -> None:
    """One worker process that drains a queue: users' contexts unknown, then cached."""
    users = run.number(2000)
    for database in DATABASES:
        with (
            run.workshop.downstream() as downstream,
            run.workshop.installation(database, downstream) as one,
            one.delivering() as worker,
        ):
            fill.add_queue(one.database, 1, users=1)
            _drained(one, 1)  # it has started
            for cached, number in ((False, users), (True, run.number(20_000))):
                cpu = worker.cpu_seconds()
                fill.add_queue(one.database, number, users=users)
                per_second = _drained(one, number)
                cpu_us = (worker.cpu_seconds() - cpu) / number * 1e6
                contexts = "cached" if cached else "unknown"
                run.report.add(
                    f"{database}, {number:,} activities, contexts {contexts}",
                    {"per_second": per_second, "worker_cpu_us": cpu_us},
                )
                if cached:
                    what = f"deliveries/s, one process, context cached, {database}"
                    run.report.judge(what, per_second, 600, 1200)


def tokens(run: Run) -> None:
    """The token broker: valid tokens lent to other services."""
    for database in DATABASES:
        with run.workshop.installation(database) as one:
            users = fill.add_logins(one.database, one.key)
            with one.serving(**OFF) as server:
                paths = [f"/twitch/auth/token/{user}" for user in users]
                some = partial(_gets, paths, access_token(server))
                beside = _beside(run.workshop, database)
                name = f"{database}, token reads"
                subject = Subject(name, server, some, 200, beside=beside)
                found = turns([subject], rounds=run.rounds, number=run.number(10_000))
        run.report.add(name, typical(found[name]))


def start(run: Run) -> None:
    """From the start of the process until it says that it is ready."""
    for database in DATABASES:
        first, again = [], []
        for _ in range(run.rounds):
            with run.workshop.empty_installation(database) as one:
                for seconds in (first, again):
                    with one.serving() as server:
                        seconds.append(time.perf_counter() - server.started_at)
        run.report.add(f"{database}, on an empty database", {"seconds": median(first)})
        run.report.add(f"{database}, again", {"seconds": median(again)})
        run.report.judge(f"seconds until ready, {database}", median(first), 3, 1.5)


def memory(run: Run) -> None:
    """A web process before and after 300,000 messages that are all different."""
    for database in DATABASES:
        with (
            run.workshop.downstream() as downstream,
            run.workshop.installation(database, downstream) as one,
            one.serving() as server,
        ):
            resident = [server.resident_bytes()]
            warm_up, all_of_them = run.number(5000), run.number(300_000)
            for number in (warm_up, all_of_them):
                for first in range(0, number, 20_000):
                    some = messages.follows(min(20_000, number - first), WEBHOOK)
                    load.run(server.port, some, 32)
                resident.append(server.resident_bytes())
        ready, warm, end = (value / 1e6 for value in resident)
        figures = {"ready_mb": ready, "warm_mb": warm, "end_mb": end}
        run.report.add(f"{database}, {all_of_them:,} messages", figures)
        what = f"memory, MB after {all_of_them:,} messages, {database}"
        run.report.judge(what, end - warm, 20, 5)


SCENARIOS: dict[str, Callable[[Run], None]] = {
    one.__name__: one
    for one in (accept, limits, delivering, delivery, tokens, start, memory, large)
}


def _lists(run: Run, database: str, server: Process) -> None:
    """Pages of events and activities, one at a time; each query again with other values."""
    chance = random.Random(1)
    token = access_token(server)
    day = timedelta(days=1)

    def window() -> dict[str, str]:
        since = datetime.now(UTC) - day * chance.randrange(2, 360)
        return {"since": since.strftime(_TIME), "until": (since + day).strftime(_TIME)}

    def channel_id() -> str:
        return messages.channel(chance.randrange(CHANNELS))[0]

    def user_id() -> str:
        return messages.user(chance.randrange(USERS))[0]

    both = {
        "first page": dict,
        "deep page": lambda: {"cursor": str(chance.randrange(2, run.rows))},
        "channel_id": lambda: {"channel_id": channel_id()},
        "user_id": lambda: {"user_id": user_id()},
        "since, until": window,
        "channel_id, user_id": lambda: {"channel_id": channel_id(), "user_id": user_id()},
        "channel_id, since, until": lambda: {"channel_id": channel_id(), **window()},
    }
    cases = {
        "events": {
            **both,
            "type, frequent": lambda: {"type": "channel.follow"},
            "type, rare": lambda: {"type": "channel.ban"},
            "type, none of them": lambda: {"type": "channel.unban"},
        },
        "activities": {
            **both,
            "type": lambda: {"type": "raid"},
            "status=delivered": lambda: {"status": "delivered"},
            "status=dead": lambda: {"status": "dead"},
            "status=pending": lambda: {"status": "pending"},
            "status=dead, channel_id": lambda: {"status": "dead", "channel_id": channel_id()},
        },
    }
    worst = 0.0
    for path, queries in cases.items():
        for name, query in queries.items():
            paths = [f"/twitch/{path}?{urlencode(query())}" for _ in range(run.number(500))]
            result = load.run(server.port, _gets(paths, token, len(paths)), 1, seconds=5)
            figures = {"p50_ms": result.percentile_ms(0.5), "p99_ms": result.percentile_ms(0.99)}
            answers = {f"HTTP {status}": count for status, count in result.statuses.items()}
            run.report.add(f"{database}, {path}: {name}", {**figures, **answers})
            worst = max(worst, figures["p99_ms"])
    what = f"list page, p99 ms of the slowest query, {database}"
    run.report.judge(what, worst, 50, 10)


_TIME = "%Y-%m-%dT%H:%M:%SZ"


@contextmanager
def _peers(workshop: Workshop) -> Iterator[list[Subject]]:
    """The no-op action, the verify-only action, and pyTwitchAPI."""
    output = workshop.folder / "peers.log"
    ports = [free_port(), free_port()]
    service = {"PY4WEB_SERVICE": str(workshop.folder / "py4web")}
    with ExitStack() as stack:
        py4web, twitch_api = (
            stack.enter_context(
                running(
                    "bench.peers",
                    *(name, str(port)),
                    port=port,
                    ready="/",
                    output=output,
                    environment=service,
                )
            )
            for name, port in zip(("py4web", "pytwitchapi"), ports, strict=True)
        )
        yield [
            Subject("no-op, a py4web action", py4web, partial(messages.follows, path="/noop")),
            Subject("verify-only, likewise", py4web, partial(messages.follows, path="/verify")),
            Subject("pyTwitchAPI", twitch_api, partial(messages.follows, path="/callback"), 200),
        ]


def _beside(workshop: Workshop, database: str) -> Callable[[], float]:
    return workshop.postgres_cpu_seconds if database == POSTGRESQL else lambda: 0.0


def _gets(paths: list[str], token: str, number: int) -> list[bytes]:
    requests = messages.gets(paths, token)
    return [requests[place % len(requests)] for place in range(number)]


def _delivered(one: Installation) -> int:
    return one.count("status = 'delivered'", "twitch_activities")


def _drained(one: Installation, number: int) -> float:
    """Deliveries per second of the last so many activities, once all are delivered."""
    ends = time.monotonic() + 600
    while one.count("status IN ('pending', 'leased')", "twitch_activities"):
        if time.monotonic() > ends:
            raise TimeoutError("the queue is not drained")
        time.sleep(0.5)
    last = int(one.value("SELECT max(id) FROM twitch_activities"))
    new = f"FROM twitch_activities WHERE id > {last - number} AND status = 'delivered'"
    delivered = int(one.value(f"SELECT count(*) {new}"))
    if delivered != number:
        raise AssertionError(f"{delivered} of {number} delivered")
    took_ms = int(one.value(f"SELECT max(delivered_at_ms) - min(delivered_at_ms) {new}"))
    return number / max(took_ms, 1) * 1000


def _check_stored(run: Run, installations: dict[str, Installation], two: Installation) -> None:
    """What was answered with 204 must be there: once."""
    number, warm_up = run.number(20_000), max(100, run.number(20_000) // 5)
    new = warm_up + number * run.rounds
    repeated = (warm_up - warm_up // 2) + (number - number // 2) * run.rounds
    for one, expected in ((two, new), *((one, new + repeated) for one in installations.values())):
        stored = one.count("1 = 1")
        if stored != expected:
            raise AssertionError(f"{stored} events are stored instead of {expected}")
