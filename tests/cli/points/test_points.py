"""`points`: on a service that has given some."""

import csv
import io
import json
from collections.abc import Iterator

import pytest

from apps.twitch_module.commands.points.points import print_csv
from tests.messages import EVENTS, Message
from tests.processes import Module, wait_until

from ..runner import Commands

CHANNEL = "70010001"
USERS = ("80010001", "80010002", "80010003")


@pytest.fixture(scope="module", autouse=True)
def given(service: Module) -> Iterator[None]:
    """Three users who have cheered in a channel: 10, 20 and 20 bits."""
    service.watch(CHANNEL)
    known = service.call("PATCH", f"/twitch/api/channels/{CHANNEL}", json={"backfill": False})
    known.raise_for_status()  # from now on, not only from the next reading of the channels
    for user, bits in zip(USERS, (10, 20, 20), strict=True):
        event = {**EVENTS["channel.cheer"], "broadcaster_user_id": CHANNEL, "bits": bits}
        event |= {"user_id": user, "user_login": f"n{user}", "user_name": f"N{user}"}
        assert 204 == service.post(Message("channel.cheer", event)).status_code

    def statuses() -> set[str]:
        listed = service.all(f"/twitch/activities?channel_id={CHANNEL}")
        return {one["status"] for one in listed}

    wait_until(lambda: statuses() == {"delivered"})
    yield
    service.call("DELETE", f"/twitch/api/channels/{CHANNEL}").raise_for_status()


def test_who_has_the_most(cli: Commands) -> None:
    shown = cli.done("points", "top", "--channel", CHANNEL, "--period", "week").splitlines()
    document = cli.json("points", "top", "--channel", CHANNEL, "--limit", "2")
    first = cli.run("points", "top", "--channel", CHANNEL, "--limit", "1")

    assert [["1", "N80010002"], ["1", "N80010003"], ["3", "N80010001"]] == [
        line.split()[:2] for line in shown[-3:]
    ]
    assert [20, 20] == [one["points"] for one in document["leaderboard"]]
    assert document["next_cursor"] and "there are more: --limit N, or --all" in first.stderr
    assert "Nobody has points" in cli.done("points", "top", "--until", "2020-01-01")


def test_all_of_them_for_a_spreadsheet(cli: Commands, capsys: pytest.CaptureFixture[str]) -> None:
    printed = cli.done("points", "top", "--channel", CHANNEL, "--all", "--csv")
    print_csv(("name", "points"), [{"name": "=1+1", "points": -5}])

    rows = list(csv.DictReader(io.StringIO(printed)))
    assert [("20", "N80010002"), ("20", "N80010003"), ("10", "N80010001")] == [
        (one["points"], one["user_name"]) for one in rows
    ]
    assert "name,points\r\n'=1+1,-5\r\n" == capsys.readouterr().out  # no formula


def test_why_somebody_has_them(cli: Commands) -> None:
    shown = cli.done("points", "why", USERS[1])
    document = cli.json("points", "why", USERS[1], "--activity", "bits")
    sheet = cli.done("points", "why", USERS[1], "--csv")

    assert "20 = (0 + 1 * 20) * 1" in shown and f"N{USERS[1]} ({USERS[1]})" in shown
    assert 20 == document["points"] == document["activities"][0]["amount"]
    assert "20 = (0 + 1 * 20) * 1" in sheet
    assert (2, True) == (
        cli.refused("points", "why", USERS[1], "--period", "week", "--since", "x")[0],
        "points" in json.dumps(document),
    )


def test_what_is_held_is_released_or_dropped_by_its_id_or_a_filter(cli: Commands) -> None:
    which = ("--type", "follow", "--channel", CHANNEL)
    number = str(cli.json("activities", "list", "--channel", CHANNEL)["activities"][0]["id"])
    for command in ("release", "drop"):
        assert "0 activities are" in cli.done("activities", command, *which)
        assert "0 activities are" in cli.done("activities", command, *which, "--yes")
        assert 2 == cli.refused("activities", command)[0]
        assert 2 == cli.refused("activities", command, number, "--all")[0]
        status, said = cli.refused("activities", command, number)
        assert (1, True) == (status, "nobody holds it" in said)
