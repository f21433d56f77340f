"""Two py4web actions that are less than the module: what the rest of it costs shows beside them."""

import time

from py4web import action, request, response

from apps.twitch_module.domain.events.eventsub import authenticate
from apps.twitch_module.domain.events.notification import read_object
from apps.twitch_module.errors import MessageRefused
from bench.messages import SECRET

_SECRETS = [SECRET.encode()]


@action("/noop", method=["POST"])
def noop() -> str:
    """204, without a look at the request: what the server and the framework cost."""
    response.status = 204
    return ""


@action("/verify", method=["POST"])
def verify() -> str:
    """204 if the signature holds and the body is JSON: the least of a receiver. Nothing is kept."""
    body = request.environ["wsgi.input"].read(int(request.environ["CONTENT_LENGTH"]))
    try:
        authenticate(request.environ, body, _SECRETS, time.time())
        read_object(body)
    except MessageRefused:
        response.status = 403
    else:
        response.status = 204
    return ""
