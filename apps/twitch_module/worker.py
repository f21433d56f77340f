"""Delivery and token upkeep as a process of their own: `python -m apps.twitch_module.worker`."""

import os
import signal
import sys
import threading

from .common import build
from .errors import ModuleError
from .serve import prepare_database, read_settings


def main() -> None:
    """Work until told to stop."""
    os.umask(0o077)
    try:
        settings = read_settings()
        prepare_database(settings)
        services = build(settings, receives=False)
    except ModuleError as error:
        print(f"{error.title}:\n{error}", file=sys.stderr)
        raise SystemExit(2) from None
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    services.start_work()
    print("WaddleBot's Twitch worker delivers", flush=True)
    stop.wait()
    services.stop()


if __name__ == "__main__":
    main()
