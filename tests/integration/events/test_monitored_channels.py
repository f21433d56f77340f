"""Channels that another process has added count from their first event on."""

from apps.twitch_module.domain.points.policy import default_policy
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.events.monitored_channels import MonitoredChannels

from ..rows import watch


def test_a_channel_that_others_have_just_added_is_monitored_at_once(database: Database) -> None:
    monitored = MonitoredChannels(database, default_policy())
    before = monitored.find("7001")

    watch(database)

    assert before is None
    assert monitored.find("7001") is not None
    assert monitored.standing("7001").monitored
