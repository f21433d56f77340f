"""The WSGI application, for granian (see serve) or any other WSGI server."""

import gc
import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from py4web import core

from .logs import ErrorTickets

_APPS = Path(__file__).resolve().parent.parent


def _load() -> Any:
    """py4web with our apps, and without its dashboard, its tickets and its default apps."""
    names = os.environ.setdefault("PY4WEB_APP_NAMES", "twitch_module")
    service = Path(os.environ["PY4WEB_SERVICE"])
    service.mkdir(mode=0o700, parents=True, exist_ok=True)
    # py4web joins this to the apps folder, and an absolute path wins.
    core.DEFAULTS["PY4WEB_SERVICE_FOLDER"] = str(service)
    # Its tickets hold the environment and every message, unredacted, in a database of its own
    # that several processes cannot create at once.
    core.error_logger.initialize = lambda: None
    core.error_logger.fallback_logger = ErrorTickets()
    application = core.wsgi(apps_folder=str(_APPS), dashboard_mode="none")
    # py4web goes on without an app that it cannot load; we do not.
    if broken := {name: text for name, text in core.Reloader.ERRORS.items() if text}:
        raise SystemExit("\n".join(f"{name} cannot be loaded:\n{broken[name]}" for name in broken))
    if missing := set(names.split(",")) - set(core.Reloader.MODULES):
        raise SystemExit(f"There is no app {', '.join(sorted(missing))} in {_APPS}")
    return application


def _stop_with_parent() -> None:
    """End this process when the server's main process is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


application = _load()
# What has been loaded stays: the collector of cycles need not look at it again and again.
gc.collect()
gc.freeze()
threading.Thread(target=_stop_with_parent, name="parent-watch", daemon=True).start()
