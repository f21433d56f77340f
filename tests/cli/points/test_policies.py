"""`points preview|apply|undo|runs`, on a running service."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.messages import Message, follow_of
from tests.processes import Module

from ..runner import Commands

CHANNEL = "70010002"


@pytest.fixture
def followed(service: Module) -> Iterator[None]:
    """A channel that somebody has followed."""
    service.watch(CHANNEL)
    event = {**follow_of(4711), "broadcaster_user_id": CHANNEL}
    assert 204 == service.post(Message(event=event)).status_code
    yield
    service.call("DELETE", f"/twitch/api/channels/{CHANNEL}").raise_for_status()


@pytest.mark.usefixtures("followed")
def test_a_policy_is_previewed_applied_and_undone(admin_cli: Commands, tmp_path: Path) -> None:
    cli, policy = admin_cli, tmp_path / "new.toml"
    policy.write_text("follow = 11\n")
    cli.execute("UPDATE twitch_events SET received_at_ms = received_at_ms - 60000")
    shown = cli.done("points", "preview", "--since", "520w", "--policy", str(policy))
    number = next(line.split()[1] for line in shown.splitlines() if line.startswith("run"))

    assert "11" in shown and f"Write it: cli points apply {number}" in shown
    assert 2 == cli.refused("points", "apply", number)[0]
    assert f"Run {number} is applied" in cli.done("points", "apply", number, "--yes")
    assert 1 == cli.refused("points", "apply", number, "--yes")[0]
    assert f"Run {number} is undone" in cli.done("points", "undo", number, "--yes")
    listed = cli.json("points", "runs")["runs"]
    assert ("undone", int(number)) == (listed[0]["state"], listed[0]["id"])
    assert number in cli.done("points", "runs")
    one = cli.json("points", "runs", number)
    assert one["changes"][0]["points_after"] == 11
    assert "correction" in json.dumps(cli.json("activities", "list", "--type", "follow"))


def test_an_earlier_policy_is_previewed_by_its_number(admin_cli: Commands) -> None:
    cli = admin_cli
    listed = cli.json("points", "policies")["policies"]
    first = str(listed[-1]["id"])

    shown = cli.done("points", "policies")
    run = cli.json("points", "preview", "--since", "1d", "--version", first)["run"]

    assert "configuration" in shown and "follow" in shown
    assert run["policy"] == listed[-1]["policy"]
    assert 1 == cli.refused("points", "preview", "--since", "1d", "--version", "99")[0]


def test_a_policy_with_a_fault_is_refused(admin_cli: Commands, tmp_path: Path) -> None:
    cli = admin_cli
    policy = tmp_path / "new.toml"
    policy.write_text("folow = 11\n")
    other = tmp_path / "no.toml"
    other.write_text("follow = [")

    since = ("points", "preview", "--since", "30d", "--policy")
    assert 2 == cli.refused("points", "preview", "--since", "30d")[0]
    assert "folow is no activity" in cli.refused(*since, str(policy))[1]
    assert 2 == cli.refused(*since, str(other))[0]
