"""What makes a follow the same one, however it is heard of."""

from .eventsub import epoch_seconds

FOLLOW = "channel.follow"
BACKFILL_PREFIX = "backfill:"  # of the ids of events that were entered by catching up
DERIVED = "waddlebot."  # the types of events that this program makes of others begin so
SIMULATED_PREFIX = "simulated-"  # of those that the command line has sent; Twitch's are UUIDs


def follow_id(channel_id: str, user_id: str, followed_at: object) -> str | None:
    """The same for a webhook and for Twitch's list of followers, or None.

    Webhooks give the time with nanoseconds, the list in whole seconds.
    """
    seconds = epoch_seconds(followed_at) if isinstance(followed_at, str) else None
    if seconds is None or not channel_id or not user_id:
        return None
    return f"{channel_id}:{user_id}:{int(seconds)}"


def origin(event_id: str, event_type: str) -> str:
    """How an event came here: by webhook, by backfill, or simulated by whoever has the secret.

    Or `derived`: this program has made it from others.
    """
    if event_type.startswith(DERIVED):
        return "derived"
    if event_id.startswith(SIMULATED_PREFIX):
        return "simulated"
    return "backfill" if event_id.startswith(BACKFILL_PREFIX) else "webhook"
