"""Who never gets points, whatever the rules say."""

from collections.abc import Collection

# Public chat bots, by their user ids at Twitch. They act in many channels and belong to nobody
# who should get points. `ignore_bots = false` in a policy lets them.
PUBLIC_BOTS = {
    "19264788": "Nightbot",
    "100135110": "StreamElements",
    "105166207": "Streamlabs",
    "1564983": "Moobot",
    "237719657": "Fossabot",
    "52268235": "Wizebot",
    "402337290": "Sery_Bot",
    "216527497": "SoundAlerts",
}

OWN_CHANNEL = "the broadcaster in the own channel"
COPY = "a copy from another channel's shared chat"
NOT_MONITORED = "the channel is not monitored"
BOT = "the bot's own account"
IGNORED = "the policy ignores this user"


def excluded(
    *,
    user_id: str,
    user_login: str,
    channel_id: str,
    source_channel_id: str,
    monitored: bool,
    bot_login: str | None,
    ignored: Collection[str],
) -> str | None:
    """Why nobody gets points for what this user did; None when nothing speaks against it.

    `source_channel_id` is where a message of a shared chat was written; empty for any other.
    """
    if not monitored:
        return NOT_MONITORED
    if source_channel_id and source_channel_id != channel_id:
        return COPY
    if user_id and user_id == channel_id:  # a raid of oneself, too
        return OWN_CHANNEL
    if bot_login and user_login.lower() == bot_login:
        return BOT
    if user_id in ignored:
        return IGNORED
    return None
