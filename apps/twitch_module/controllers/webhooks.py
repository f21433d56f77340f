"""POST /twitch/webhook: EventSub."""

from py4web import request, response

from ..common import services
from ..domain.eventsub import MAX_BODY_BYTES
from .http import Answer, endpoint, read_body


@endpoint("/twitch/webhook", "POST")  # the signature says who it is
def webhook() -> Answer:
    """200 and the challenge, or 204 once what the message says is durable."""
    challenge = services().receiver.receive(request.environ, read_body(MAX_BODY_BYTES))
    if challenge is None:
        response.status = 204
        return b""
    # The challenge alone, as text/plain (Twitch: Handling Webhook Events).
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return challenge.encode()
