"""`privacy export|erase`, on a running service."""

import json
from collections.abc import Iterator

import pytest

from tests.messages import Message, follow_of
from tests.processes import Module

from ..runner import Commands

CHANNEL = "70010003"
VIEWER = "80815"  # by follow_of


@pytest.fixture
def followed(service: Module) -> Iterator[None]:
    """A channel that somebody has followed."""
    service.watch(CHANNEL)
    event = {**follow_of(815), "broadcaster_user_id": CHANNEL}
    assert 204 == service.post(Message(event=event)).status_code
    yield
    service.call("DELETE", f"/twitch/api/channels/{CHANNEL}").raise_for_status()


@pytest.mark.usefixtures("followed")
def test_a_user_is_exported_and_erased(admin_cli: Commands) -> None:
    cli = admin_cli
    kept = json.loads(cli.done("privacy", "export", VIEWER))
    assert VIEWER == kept["user_id"]
    assert "channel.follow" == kept["tables"]["twitch_events"][0]["event_type"]

    assert 2 == cli.refused("privacy", "erase", VIEWER)[0]
    assert "remove the channel" in cli.refused("privacy", "erase", CHANNEL, "--yes")[1]
    shown = cli.done("privacy", "erase", VIEWER, "--yes")
    assert "Erased from 1 events" in shown and "erased-" in shown
    assert {} == json.loads(cli.done("privacy", "export", VIEWER))["tables"]
