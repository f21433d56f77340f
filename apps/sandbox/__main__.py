"""Runs the sandbox alone: `python -m apps.sandbox`, on HOST (127.0.0.1) and PORT (8001).

Prints one line when it can be reached, and ends at SIGTERM with its worker process.
"""

import contextlib
import functools
import io
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.server import Server

BLOCKING_THREADS = 64
# How long a worker may finish its requests after SIGTERM.
STOP_SECONDS = 2


def main() -> None:
    host, port = os.environ.get("HOST") or "127.0.0.1", int(os.environ.get("PORT") or 8001)
    if not _is_free(host, port):
        sys.exit(f"sandbox: {host}:{port} is in use")
    os.environ.update(SANDBOX="1", PY4WEB_APP_NAMES="sandbox")
    # PORT is the sandbox's own here; the module it looks at has the usual one.
    os.environ.setdefault("SANDBOX_MODULE_URL", "http://127.0.0.1:8000")
    server = Server(
        "sandbox",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        blocking_threads=BLOCKING_THREADS,
        log_enabled=False,
        workers_kill_timeout=STOP_SECONDS,
    )
    with tempfile.TemporaryDirectory(prefix="sandbox-") as service_folder:
        load = functools.partial(load_application, service_folder, f"{host}:{port}")
        server.serve(target_loader=load, wrap_loader=False)


def load_application(service_folder: str, address: str) -> Callable[..., Any]:
    """The WSGI application, loaded in the worker process; ends it when loading failed."""
    import py4web.core

    # Otherwise py4web writes its secrets and tickets into the folder of the apps.
    py4web.core.DEFAULTS["PY4WEB_SERVICE_FOLDER"] = service_folder
    with contextlib.redirect_stdout(io.StringIO()):
        application: Callable[..., Any] = py4web.core.wsgi(
            apps_folder=str(Path(__file__).parent.parent), dashboard_mode="none"
        )
    failure = py4web.core.Reloader.ERRORS.get("sandbox")
    if failure:
        sys.exit(failure)
    parent = (os.getppid(), service_folder)
    threading.Thread(target=_end_with_parent, args=parent, daemon=True).start()
    threading.Thread(target=_announce, args=(address,), daemon=True).start()
    return application


def _is_free(host: str, port: int) -> bool:
    """Granian shares a port that another process listens on; two sandboxes would then each
    see half of the calls."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _announce(address: str) -> None:
    page = f"http://{address}/sandbox"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        with contextlib.suppress(OSError), opener.open(page, timeout=5):
            print(f"sandbox ready on {page}", flush=True)
            return
        time.sleep(0.02)


def _end_with_parent(parent: int, service_folder: str) -> None:
    """A worker whose parent was killed would keep the port for ever, and the folder."""
    while os.getppid() == parent:
        time.sleep(0.5)
    shutil.rmtree(service_folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main()
