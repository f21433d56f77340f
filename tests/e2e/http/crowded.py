"""The module's server with a py4web that takes two seconds for each of its answers, for a test."""

import time
from collections.abc import Iterable
from typing import Any

from apps.twitch_module.controllers import front
from apps.twitch_module.controllers.guard import Guard
from apps.twitch_module.wsgi import application as py4web

front.TURN_SECONDS = 0.2


def slow(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """py4web's own answer, late."""
    time.sleep(2)
    answer: Iterable[bytes] = py4web(environ, start_response)
    return answer


application = front.Front(Guard(slow))
