"""A process's services: built once, started and ended together."""

import atexit
import os
import sys
import time
from functools import cache
from typing import Protocol

import structlog

from .composition import Composition, compose
from .configuration import load_settings
from .errors import ModuleError
from .settings import Settings

# A process ends within ten seconds, whoever does not answer: first the calls out, then what waits
# for the database. Supervisors would kill it, and receipts would be lost.
CALL_SECONDS_AT_STOP = 3.0
STOP_SECONDS = 6.0


class Work(Protocol):
    """What goes on on threads of its own."""

    def start(self) -> None:
        """Begin. Does not block."""

    def begin_stop(self) -> None:
        """End soon. Does not block."""

    def wait(self, seconds: float) -> None:
        """Wait for the end, so long at most."""


log = structlog.get_logger("process")


class Services(Composition):
    """What the controllers and the worker work with; composition.py lists it."""

    def start_work(self) -> None:
        """Begin to deliver, and to look after tokens and subscriptions, on own threads."""
        for work in self._works():
            work.start()

    def begin_stop(self) -> None:
        """Take up no new work, and cut calls out that hang. Does not block."""
        for client in self.base.http_clients:
            client.wind_down(CALL_SECONDS_AT_STOP)
        for work in reversed(self._works()):
            work.begin_stop()

    def stop_work(self) -> None:
        """End the work; waits for what is on its way, for six seconds at most."""
        self.begin_stop()
        ends = time.monotonic() + STOP_SECONDS
        for work in reversed(self._works()):
            work.wait(max(0.0, ends - time.monotonic()))

    def stop(self) -> None:
        """End everything; the last line of the log says so."""
        self.stop_work()
        self.events.receiver.tell_refusals()
        log.info("stopped", process=os.getpid())

    def _works(self) -> "tuple[Work, ...]":
        registration = self.delivery.registration
        return (
            self.delivery.worker,
            self.tokens.upkeep,
            self.subscriptions.upkeep,
            self.points.runs,
            self.privacy,
            self.retention,
            self.heartbeat,
            *([registration] if registration else []),
        )


@cache
def services() -> Services:
    """The services of this process, built at first use, on a database of this version.

    Raises ConfigurationError or DatabaseUnavailable.
    """
    return build(load_settings(os.environ))


def build(settings: Settings, *, receives: bool = True) -> Services:
    """Services on these settings. Brings the database's schema up to date; starts no thread.

    `receives`: whether this process takes webhooks, which deliveries are not to hold up.
    """
    return Services(**vars(compose(settings, receives=receives)))


def provide_admin(built: Services) -> None:
    """See to it that the admin whom the settings name, if any, can log in with the password."""
    username, password = built.base.settings.admin_username, built.base.settings.admin_password
    if username is not None and password is not None:
        built.access.admin_users.provide(username, password.get_secret_value())


def start() -> None:
    """Build the services for a web process, and work in it unless WORKER=off.

    Ends the process with a line per problem when it cannot: py4web would otherwise go on
    without this app and answer 404 to Twitch.
    """
    try:
        built = services()
        provide_admin(built)
        built.points.runs.note_policy()
    except ModuleError as error:
        print(f"{error.title}:\n{error}", file=sys.stderr)
        raise SystemExit(2) from None
    if built.base.settings.worker == "on":
        built.start_work()
    atexit.register(built.stop)
