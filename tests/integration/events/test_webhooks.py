"""services/events/webhooks.py: what is acknowledged, whatever is wrong with it, is stored."""

import pytest

from apps.twitch_module.domain.events.notification import Notification, read_notification
from apps.twitch_module.domain.points.policy import default_policy
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.events import webhooks
from apps.twitch_module.services.events.monitored_channels import MonitoredChannels
from apps.twitch_module.services.events.webhooks import WebhookReceiver
from tests.environment import SECRET
from tests.messages import EVENTS, Message

from ..rows import columns, watch


def test_a_message_that_a_fault_of_ours_hits_is_kept_aside_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(body: bytes) -> Notification:
        notification = read_notification(body)
        if notification.user.id == "666":
            raise ZeroDivisionError
        return notification

    monkeypatch.setattr(webhooks, "read_notification", faulty)
    watch(database)
    receiver = WebhookReceiver(
        database,
        [SECRET.encode()],
        MonitoredChannels(database, default_policy()),
        on_activities=None,
    )
    follows = [
        Message(event={**EVENTS["channel.follow"], "user_id": user_id})
        for user_id in ("1", "666", "2")
    ]
    commitments = [
        receiver.receive(follow.environ(), follow.content()).durable for follow in follows
    ]
    for commitment in commitments:
        assert commitment is not None
        commitment.wait()

    found = columns(database, "SELECT user_id, outcome, reason FROM twitch_events ORDER BY user_id")
    assert [
        ("", "quarantined", "it could not be read"),
        ("1", "scored", None),
        ("2", "scored", None),
    ] == found
