"""What the module is measured beside: `python -m bench.peers {py4web|pytwitchapi} PORT`.

py4web: the actions in peer_apps, on the server and settings of `make serve`, but called as WSGI, by
16 threads.
pytwitchapi: pyTwitchAPI's EventSubWebhook, started as its users start it. It verifies the
signature, makes an object of the event and gives it to a callback, which does nothing; it keeps
the last 50 message ids in memory, and stores nothing.
"""

import sys
import threading

from granian.constants import Interfaces
from twitchAPI.eventsub.webhook import EventSubWebhook
from twitchAPI.object.eventsub import ChannelFollowEvent
from twitchAPI.twitch import Twitch

from apps.twitch_module.serve import run_server

from .messages import CHANNELS, SECRET, subscription_id


async def on_follow(event: ChannelFollowEvent) -> None:
    """Do nothing with a follow."""


def serve_pytwitchapi(port: int) -> None:
    """Serve /callback with a subscription for each channel. Blocks."""
    twitch = Twitch("client-id", "client-secret", authenticate_app=False)
    webhook = EventSubWebhook("https://bot.example.com", port, twitch, host_binding="127.0.0.1")
    webhook.secret = SECRET
    for number in range(CHANNELS):
        # What listen_channel_follow_v2 does once Twitch has said the subscription's id.
        webhook._add_callback(subscription_id(number), on_follow, ChannelFollowEvent)
        webhook._callbacks[subscription_id(number)]["active"] = True
    webhook.start()
    threading.Event().wait()


if __name__ == "__main__":
    which, port = sys.argv[1], int(sys.argv[2])
    if which == "py4web":
        run_server("bench.py4web_peer:application", "127.0.0.1", port, 1, Interfaces.WSGI, 16)
    else:
        serve_pytwitchapi(port)
