"""Builds the events of a channel, its stream and a user's account; all values are invented."""

import uuid
from collections.abc import Callable

from .payloads import Event, Scene, triplet
from .people import FIRST_PEOPLE
from .signing import timestamp


def _train(scene: Scene) -> Event:
    total = scene.amount or 900
    contribution = {**scene.user(), "type": "bits", "total": total}
    return {
        "id": "train-0042",
        **scene.channel(),
        "total": total,
        "top_contributions": [contribution],
        "level": 2,
        "shared_train_participants": None,
        "is_shared_train": False,
        "type": "regular",
        "started_at": timestamp(seconds_ago=120),
    }


def hype_train_begin(scene: Scene) -> Event:
    best = {"all_time_high_level": 4, "all_time_high_total": 15_300}
    return {**hype_train_progress(scene), "started_at": scene.now, **best}


def hype_train_progress(scene: Scene) -> Event:
    expires_at = timestamp(seconds_ago=-300)
    return {**_train(scene), "progress": 400, "goal": 1_800, "expires_at": expires_at}


def hype_train_end(scene: Scene) -> Event:
    cooldown = timestamp(seconds_ago=-3600)
    return {**_train(scene), "ended_at": scene.now, "cooldown_ends_at": cooldown}


def poll_end(scene: Scene) -> Event:
    choices = [
        {"id": "p-a", "title": "Tea", "bits_votes": 0, "channel_points_votes": 4, "votes": 31},
        {"id": "p-b", "title": "Coffee", "bits_votes": 0, "channel_points_votes": 9, "votes": 44},
    ]
    return {
        "id": str(uuid.uuid4()),
        **scene.channel(),
        "title": "What goes into the mug?",
        "choices": choices,
        "bits_voting": {"is_enabled": False, "amount_per_vote": 0},
        "channel_points_voting": {"is_enabled": True, "amount_per_vote": 50},
        "status": "completed",
        "started_at": timestamp(seconds_ago=120),
        "ended_at": scene.now,
    }


def prediction_end(scene: Scene) -> Event:
    winner = {**scene.user(), "channel_points_won": 900, "channel_points_used": 400}
    yes = {"id": "o-yes", "title": "Yes", "color": "blue", "users": 6, "channel_points": 2_100}
    no = {"id": "o-no", "title": "No", "color": "pink", "users": 11, "channel_points": 3_000}
    return {
        "id": str(uuid.uuid4()),
        **scene.channel(),
        "title": "Done before midnight?",
        "winning_outcome_id": "o-yes",
        "outcomes": [{**yes, "top_predictors": [winner]}, {**no, "top_predictors": []}],
        "status": "resolved",
        "started_at": timestamp(seconds_ago=900),
        "ended_at": scene.now,
    }


def goal_end(scene: Scene) -> Event:
    return {
        "id": str(uuid.uuid4()),
        **scene.channel(),
        "type": "follow",
        "description": "A second camera",
        "is_achieved": True,
        "current_amount": 250,
        "target_amount": 250,
        "started_at": timestamp(seconds_ago=86_400),
        "ended_at": scene.now,
    }


def shoutout_receive(scene: Scene) -> Event:
    return {
        **scene.channel(),
        **triplet("from_broadcaster_user", FIRST_PEOPLE[3]),
        "viewer_count": scene.amount or 64,
        "started_at": scene.now,
    }


def stream_online(scene: Scene) -> Event:
    return {"id": "41000771", **scene.channel(), "type": "live", "started_at": scene.now}


def stream_offline(scene: Scene) -> Event:
    return {"id": "41000771", **scene.channel()}


def channel_update(scene: Scene) -> Event:
    return {
        **scene.channel(),
        "title": "Soldering and small talk",
        "language": "en",
        "category_id": "1469308723",
        "category_name": "Software and Game Development",
        "content_classification_labels": [],
    }


def user_authorization(scene: Scene) -> Event:
    return {"client_id": scene.client_id, **scene.user()}


def user_update(scene: Scene) -> Event:
    return {**scene.user(), "email": "", "email_verified": False, "description": "New here"}


BUILDERS: dict[str, Callable[[Scene], Event]] = {
    "channel.hype_train.begin": hype_train_begin,
    "channel.hype_train.progress": hype_train_progress,
    "channel.hype_train.end": hype_train_end,
    "channel.poll.end": poll_end,
    "channel.prediction.end": prediction_end,
    "channel.goal.end": goal_end,
    "channel.shoutout.receive": shoutout_receive,
    "stream.online": stream_online,
    "stream.offline": stream_offline,
    "channel.update": channel_update,
    "user.authorization.grant": user_authorization,
    "user.authorization.revoke": user_authorization,
    "user.update": user_update,
}
