"""EventSub types about a channel itself and its stream. The catalogue's rows; see there."""

from .event_type import WITH_MODERATOR, EventType, by_broadcaster, by_moderator, read_or_manage

_CHARITY = by_broadcaster("channel:read:charity")
_GOALS = by_broadcaster("channel:read:goals")
_GUESTS = by_moderator(
    *read_or_manage("channel:guest_star"), *read_or_manage("moderator:guest_star")
)
_POLLS = by_broadcaster(*read_or_manage("channel:polls"))
_PREDICTIONS = by_broadcaster(*read_or_manage("channel:predictions"))
_REWARDS = by_broadcaster(*read_or_manage("channel:redemptions"))
_SHOUTOUTS = by_moderator(*read_or_manage("moderator:shoutouts"))
_TRAINS = by_broadcaster("channel:read:hype_train")
_REWARD, _ONE = "channel.channel_points_custom_reward", ("reward_id",)

ROWS = (
    EventType("channel.hype_train.begin", "2", "", _TRAINS),
    EventType("channel.hype_train.progress", "2", "", _TRAINS),
    EventType("channel.poll.begin", "1", "", _POLLS),
    EventType("channel.poll.progress", "1", "", _POLLS),
    EventType("channel.poll.end", "1", "", _POLLS),
    EventType("channel.prediction.begin", "1", "", _PREDICTIONS),
    EventType("channel.prediction.progress", "1", "", _PREDICTIONS),
    EventType("channel.prediction.lock", "1", "", _PREDICTIONS),
    EventType("channel.prediction.end", "1", "", _PREDICTIONS),
    EventType("channel.goal.begin", "1", "", _GOALS),
    EventType("channel.goal.progress", "1", "", _GOALS),
    EventType("channel.goal.end", "1", "", _GOALS),
    EventType("channel.charity_campaign.start", "1", "", _CHARITY),
    EventType("channel.charity_campaign.progress", "1", "", _CHARITY),
    EventType("channel.charity_campaign.stop", "1", "", _CHARITY),
    EventType(f"{_REWARD}.add", "1", "", _REWARDS),
    EventType(f"{_REWARD}.update", "1", "", _REWARDS, optional=_ONE),
    EventType(f"{_REWARD}.remove", "1", "", _REWARDS, optional=_ONE),
    EventType("channel.ad_break.begin", "1", "", by_broadcaster("channel:read:ads")),
    EventType("channel.shoutout.create", "1", "", _SHOUTOUTS, WITH_MODERATOR),
    EventType("channel.guest_star_session.begin", "beta", "", _GUESTS, WITH_MODERATOR),
    EventType("channel.guest_star_session.end", "beta", "", _GUESTS, WITH_MODERATOR),
    EventType("channel.guest_star_guest.update", "beta", "", _GUESTS, WITH_MODERATOR),
    EventType("channel.guest_star_settings.update", "beta", "", _GUESTS, WITH_MODERATOR),
    EventType("channel.update", "2"),
    EventType("stream.online", "1", time="started_at"),
    EventType("stream.offline", "1"),
)
