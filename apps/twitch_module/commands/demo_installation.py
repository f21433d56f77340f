"""The demo of `make run`, as an installation that a command works on."""

import json

from ..clients.http import HTTPClient
from ..demo_settings import data_folder, environment
from ..errors import CallFailed
from ..keys import generated_key
from ..vault import fernet_key
from .group import Refused
from .installation import Installation

_START = "Start it with make run; PORT and DATA_DIR have to be the same for both"


def running_demo(installation: Installation) -> Installation:
    """The demo that runs on this machine. Raises Refused when none does, and changes nothing.

    Its port and folder are found as `make run` finds them: in PORT and DATA_DIR, or the usual.
    """
    port, data = installation.environ.get("PORT") or "8000", data_folder(installation.environ)
    url = f"http://127.0.0.1:{port}"
    if not port.isdecimal() or not _answers(url):
        raise Refused(f"No demo runs at {url}", _START)
    if not (data / "webhook.key").exists():  # which asking for the settings would make
        raise Refused(f"The demo at {url} does not keep its data in {data}", _START)
    variables = environment(port, data)
    # The key beside the database is as it should be there, and no reason for a warning.
    if (data / "token.key").exists():
        key = fernet_key(generated_key(data, "token.key"))
        variables["TOKEN_ENCRYPTION_KEYS"] = key
    return Installation(variables, installation.env_file)


def _answers(url: str) -> bool:
    """Whether the sandbox's page and this module are both there."""
    http = HTTPClient(2)
    try:
        page, health = http.call("GET", f"{url}/sandbox"), http.call("GET", f"{url}/twitch/health")
        document = json.loads(health.body)
    except (CallFailed, ValueError):
        return False
    return page.status == 200 and isinstance(document, dict) and "version" in document
