"""The WSGI application of the py4web peers, as a web process of the server loads it."""

import os
from pathlib import Path

from py4web import core

core.DEFAULTS["PY4WEB_SERVICE_FOLDER"] = os.environ["PY4WEB_SERVICE"]
core.error_logger.initialize = lambda: None
application = core.wsgi(
    apps_folder=str(Path(__file__).resolve().parent / "peer_apps"), dashboard_mode="none"
)
