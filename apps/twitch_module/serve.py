"""The production server: `python -m apps.twitch_module.serve`.

Checks the configuration, brings the database up to date, and runs the web processes.
"""

import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import mp as _mp

from .claims import Taken, claim_port, resolved
from .configuration import load_settings
from .domain.connections import FILES_FOR_OTHERS, MOST, most_connections
from .doubts import doubts
from .errors import DatabaseUnavailable, ModuleError
from .models.database import Database
from .models.database_faults import DatabaseUnusable
from .models.migrations import migrate
from .settings import APP_FOLDER, Settings

mp: Any = _mp  # what it does not export, too

DATABASE_WAIT_SECONDS, UNUSABLE_WAIT_SECONDS = 60, 10
MAX_HEAD_BYTES = 32 * 1024  # the guard takes half of it, and says so; beyond, granian answers 431


def main(greet: Callable[[], None] = lambda: None) -> None:
    """Serve until told to stop. Exit status 2, and a line per problem, when that cannot be.

    `greet` is called when nothing is in the way.
    """
    if not (APP_FOLDER.parent / "__init__.py").is_file():  # py4web would ask to make one
        where = "it has to run in a checkout of the repository: make serve"
        print(f"The installed package does not serve; {where}", file=sys.stderr)
        raise SystemExit(2)
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until granian listens: no traceback
    try:
        settings = read_settings()
        address = resolved(settings.host, settings.port)
        claim = claim_port(address, settings.port)  # until this process ends
        prepare_database(settings)
    except Taken as taken:
        print(taken, file=sys.stderr)
        raise SystemExit(2) from None
    except ModuleError as error:
        print(f"{error.title}:\n{error}", file=sys.stderr)
        raise SystemExit(2) from None
    os.environ.setdefault("PY4WEB_SERVICE", str(settings.data_dir / "py4web"))
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    greet()
    print(f"WaddleBot's Twitch module: http://{host}:{settings.port}/twitch/health")
    print(f"Twitch calls {settings.twitch_webhook_callback_url}")
    print("Stop with Ctrl-C", flush=True)
    run_server(f"{__package__}.rsgi:application", address, settings.port, settings.workers)
    del claim


def run_server(
    target: str,
    host: str,
    port: int,
    workers: int,
    interface: Interfaces = Interfaces.RSGI,
    threads: int = 1,
) -> None:
    """Run an application, named `module:name`, as this module is run. Blocks.

    `threads` call a WSGI application.
    """
    # A forked process would inherit our connections to the database.
    multiprocessing.set_start_method("spawn")
    _spare_memory()
    Granian(
        target,
        address=host,
        port=port,
        interface=interface,
        workers=workers,
        loop=Loops.uvloop,
        # Of one thread either way, but the one for many costs a request 1.5 us less.
        runtime_mode=RuntimeModes.mt,
        runtime_threads=1,
        blocking_threads=threads,
        websockets=False,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=MAX_HEAD_BYTES),
        backlog=2048,
        backpressure=most_connections(_raise_file_limit()),
        # Below an error it only remarks that there are more threads than cores: on purpose.
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=9,  # longer than it takes in common.STOP_SECONDS
    ).serve(spawn_target=partial(_work, interface))


def _spare_memory() -> None:
    """Settings of glibc's for the web processes, which reads them at its start."""
    # They have some forty threads, and each second one would have a heap of its own, whose gaps
    # no other uses. Ten megabytes; no webhook is slower for it.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # A password's hash takes 19 MB for an instant. Once such a piece has been given back, glibc
    # would keep the next ones in its heap, for good.
    for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"):
        os.environ.setdefault(name, str(4 << 20))


def _raise_file_limit() -> int:
    """How many files this process, and those that it starts, may have open: all that it can get.

    With none left granian would stop accepting connections for good.
    """
    wanted = MOST + FILES_FOR_OTHERS
    limit, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and limit < wanted:
        limit = wanted if allowed == resource.RLIM_INFINITY else min(wanted, allowed)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, allowed))
    return wanted if limit == resource.RLIM_INFINITY else limit


def _work(interface: Interfaces, number: int, *arguments: Any) -> None:
    """What a web process runs, the first one being number 1. Blocks.

    That is granian's own function, whose name is not part of its public API: one more reason to
    pin its version.
    """
    if sys.platform == "linux":
        _suit_the_processor(number)
    getattr(mp.MPServer, f"_spawn_{interface}_worker")(number, *arguments)


def _suit_the_processor(number: int) -> None:
    """Have the threads of this process not get into each other's way; measured by make bench."""
    # Python runs one of them at a time: on two cores they hand the interpreter to and fro, which
    # costs a fifth of what one process can take, and a quarter with two processes.
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[(os.getppid() + number) % len(cores)]})
    # A thread that is woken does not take the core from the one that runs. Otherwise each
    # answer of a batch changes threads twice: another fifth.
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def read_settings() -> Settings:
    """The settings of a process that starts; what is doubtful in them is said first."""
    for found, advice in doubts(os.environ):
        print(f"Warning: {found}. {advice}", file=sys.stderr)
    return load_settings(os.environ)


def prepare_database(settings: Settings) -> None:
    """Bring the schema up to date; wait a minute for a database that is not there yet.

    What hardly mends itself, such as a wrong password, is waited for ten seconds: a database that
    is being set up may still lack the user.
    """
    began = changed = time.monotonic()
    told = ""
    while True:
        try:
            steps = _migrated(settings)
        except DatabaseUnavailable as error:
            is_new, told = told != str(error), str(error)
            changed = time.monotonic() if is_new else changed
            lasting = isinstance(error, DatabaseUnusable)
            seconds = UNUSABLE_WAIT_SECONDS if lasting else DATABASE_WAIT_SECONDS
            if time.monotonic() - (changed if lasting else began) > seconds:
                raise
            if is_new:
                print(f"{told}. Trying again for {seconds} seconds", file=sys.stderr, flush=True)
            time.sleep(1)
        else:
            if steps:
                print(f"The database has been brought up to date ({steps} steps)")
            return


def _migrated(settings: Settings) -> int:
    database = Database(settings.db_uri.get_secret_value(), settings.data_dir)
    try:
        return migrate(database)
    except DatabaseUnavailable as error:
        raise database.explained(error) from error


if __name__ == "__main__":
    main()
