"""Serves the no-op action as the module is served: `python -m bench.noop_server PORT FOLDER`."""

import os
import sys
from pathlib import Path

from py4web import core

from apps.twitch_module.serve import run_server

if __name__ != "__main__":  # a web process
    core.DEFAULTS["PY4WEB_SERVICE_FOLDER"] = os.environ["PY4WEB_SERVICE"]
    core.error_logger.initialize = lambda: None
    folder = Path(__file__).resolve().parent / "noop_apps"
    application = core.wsgi(apps_folder=str(folder), dashboard_mode="none")

if __name__ == "__main__":
    os.environ["PY4WEB_SERVICE"] = sys.argv[2]
    run_server("bench.noop_server:application", "127.0.0.1", int(sys.argv[1]), 1)
