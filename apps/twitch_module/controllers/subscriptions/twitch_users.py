"""The admins' API: Twitch's users."""

from ...common import services
from ...errors import NotFound
from ..http import Answer, endpoint, reply
from ..operations import TWITCH
from . import schemas


@endpoint(
    "/twitch/api/user/<user_id>",
    "GET",
    tag="Streamers",
    answers={200: schemas.TwitchUser},
    errors=TWITCH,
)
def show_user(user_id: str) -> Answer:
    """Show a Twitch user by id, or else by login."""
    user = None
    if user_id.isascii() and user_id.replace("_", "a").isalnum() and len(user_id) <= 50:
        if user_id.isdigit():
            user = services().base.twitch.find_user(user_id=user_id)
        user = user or services().base.twitch.find_user(login=user_id.lower())
    if user is None:
        raise NotFound(f"Twitch knows no user {user_id!r}")
    return reply(schemas.TwitchUser(user=user))
