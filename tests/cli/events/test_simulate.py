"""Simulated events of every type, against a running service."""

import json
import os
from pathlib import Path

import pytest

from apps.twitch_module.domain.events.catalogue import CATALOGUE, REVOKED
from tests.environment import SECRET
from tests.processes import Sandbox, free_port

from ..operator import STREAMER, STREAMER_ID
from ..runner import Commands

EVERY_TYPE = sorted(CATALOGUE)


def test_every_type_of_the_catalogue_is_taken_and_understood(cli: Commands) -> None:
    ids = {}
    for event_type in EVERY_TYPE:
        (message,) = cli.json("simulate", event_type)["messages"]
        assert message["status"] == 204
        ids[message["message_id"]] = event_type
    listed = cli.json("events", "list", "--since", "1h", "--all")["events"]
    found = {one["event_id"]: one for one in listed if one["event_id"] in ids}

    assert {name: one["event_type"] for name, one in found.items()} == ids
    assert {one["outcome"] for one in found.values()} <= {"scored", "unscored"}
    assert {"simulated"} == {one["origin"] for one in found.values()}


def earned(cli: Commands, *words: str) -> dict[str, object]:
    """The activity that one simulated event earns."""
    (activity,) = cli.json("simulate", *words, "--wait")["activities"]
    return dict(activity)


@pytest.mark.parametrize(
    ("words", "activity", "points"),
    [
        (("channel.cheer", "--bits", "250"), "bits", 250),
        (("channel.raid", "--viewers", "7"), "raid", 30),
        (("channel.subscription.gift", "--gifts", "3", "--tier", "2000"), "subgift", 60),
        (("channel.ban",), "ban", -10),
    ],
)
def test_what_was_said_is_what_is_scored(
    cli: Commands, words: tuple[str, ...], activity: str, points: int
) -> None:
    one = earned(cli, *words, "--user", "8001:A_Viewer")

    assert (one["activity_type"], one["amount"]) == (activity, points)
    assert (one["user_id"], one["user_name"]) == ("8001", "A_Viewer")
    assert one["status"] == "delivered"


def test_the_usual_channel_is_a_monitored_one_under_its_own_names(cli: Commands) -> None:
    name = cli.json("channels", "add", STREAMER)["channel"]["display_name"]
    try:
        usual = earned(cli, "channel.follow")
        named = earned(cli, "channel.follow", "--channel", STREAMER)
        (message,) = cli.json("simulate", REVOKED)["messages"]
        event = cli.json("events", "show", message["message_id"])["event"]
        shown = cli.json("channels", "show", STREAMER)["channel"]
    finally:
        cli.done("channels", "remove", STREAMER, "--yes")

    assert (usual["channel_id"], named["channel_id"]) == ("300400500", STREAMER_ID)
    assert shown["display_name"] == name
    # A streamer's login would be forgotten: that is for others, unless he is named.
    assert event["channel_id"] not in (STREAMER_ID, None)


def test_waiting_shows_a_table_and_an_anonymous_cheer_belongs_to_nobody(cli: Commands) -> None:
    shown = cli.done("simulate", "channel.cheer", "--anonymous", "--wait")

    assert "204 stored" in shown
    assert "nobody" in shown and "skipped" in shown and "anonymous" in shown


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("stream.online",), "the points policy has no rule"),
        (("channel.subscribe", "--gifted"), "the points policy has no rule"),
        (("channel.follow", "--user", "300400500"), "the broadcaster in the own channel"),
    ],
)
def test_waiting_for_what_earns_nothing_says_why(
    cli: Commands, words: tuple[str, ...], why: str
) -> None:
    assert f"earns nothing: {why}" in cli.done("simulate", *words, "--wait")


def test_the_second_follow_of_a_viewer_is_a_twin(cli: Commands) -> None:
    words = ("simulate", "channel.follow", "--user", "a_loyal_viewer", "--wait")
    first = cli.json(*words)["messages"][0]["message_id"]

    assert f"earns nothing: twin of {first}" in cli.done(*words)


def test_what_does_not_arrive_in_time_ends_with_1(cli: Commands, running_sandbox: Sandbox) -> None:
    fault = {"path": "/sandbox/waddlebot/reputation", "status": 500, "times": -1}
    running_sandbox.control("faults", fault)
    ended = cli.run("simulate", "channel.follow", "--wait", "--timeout", "0")
    running_sandbox.post("/control/reset").raise_for_status()

    assert ended.exit_code == 1
    assert "204 stored" in ended.stdout
    assert "still on their way" in ended.stderr


def test_a_repeated_message_is_stored_once(cli: Commands) -> None:
    words = ("simulate", "channel.follow", "--message-id", "the-same", "--count", "2", "--wait")
    document = cli.json(*words)

    assert [one["status"] for one in document["messages"]] == [204, 204]
    assert len(document["activities"]) == 1


@pytest.mark.parametrize(
    ("option", "code"), [("--forged", "bad_signature"), ("--old", "stale_timestamp")]
)
def test_what_is_to_be_refused_is_refused_and_that_is_well(
    cli: Commands, option: str, code: str
) -> None:
    (message,) = cli.json("simulate", "channel.follow", option)["messages"]

    assert (message["status"], message["code"]) == (403, code)
    assert code in cli.done("simulate", "channel.follow", option)


def test_a_secret_that_is_not_the_services_ends_with_1(cli: Commands) -> None:
    ended = cli.run("simulate", "channel.follow", TWITCH_WEBHOOK_SECRET="another-secret")

    assert (ended.exit_code, ended.stderr) == (1, "")
    assert "403 bad_signature" in ended.stdout


def test_a_body_of_ones_own_is_the_event_or_goes_as_it_is(cli: Commands, tmp_path: Path) -> None:
    who = {"broadcaster_user_id": "300400500", "user_id": "88", "user_name": "Own"}
    event = {**who, "followed_at": ""}
    (tmp_path / "event.json").write_text(json.dumps(event))
    one = earned(cli, "channel.follow", "--body", str(tmp_path / "event.json"))
    words = ("simulate", "channel.follow", "--body", "-", "--json")
    raw = json.loads(cli.run(*words, typed="{broken").stdout)["messages"][0]
    kept = cli.json("events", "show", raw["message_id"])["event"]

    assert (one["channel_id"], one["user_name"]) == ("300400500", "Own")
    assert (kept["outcome"], kept["event_data"]) == ("quarantined", "{broken")


def test_an_event_as_large_as_twitch_sends_is_shown(cli: Commands, tmp_path: Path) -> None:
    event = {"broadcaster_user_id": "77", "user_id": "88", "followed_at": "", "x": "x" * 200_000}
    (tmp_path / "event.json").write_text(json.dumps(event))
    words = ("simulate", "channel.follow", "--body", str(tmp_path / "event.json"))
    (message,) = cli.json(*words)["messages"]
    shown = cli.json("events", "show", message["message_id"])["event"]

    assert json.loads(shown["event_data"])["event"] == event


def test_no_login_is_needed_and_nothing_reads_this_machines_database(
    cli: Commands, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    given = {
        "ADMIN_USERNAME": "",
        "ADMIN_PASSWORD": "",
        "WADDLEBOT_TWITCH_TOKEN": "",
        "DATA_DIR": str(empty),
    }

    named = ("simulate", "channel.follow", "--channel", f"{STREAMER_ID}:{STREAMER}")
    assert "204 stored" in cli.done(*named, **given)
    assert "give --channel ID:LOGIN" in cli.refused("simulate", "channel.follow", **given)[1]
    assert not os.path.exists(empty)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("channel.chear",), "did you mean channel.cheer"),
        (("nothing",), "is no event type"),
        (("channel.follow", "--bits", "3"), "has no --bits"),
        (("channel.cheer", "--gifts", "3"), "it has --bits"),
        (("channel.cheer", "--bits", "-1"), "--bits"),
        (("channel.follow", "--tier", "1000"), "has no tier"),
        (("channel.cheer", "--gifted"), "cannot be --gifted"),
        (("channel.follow", "--anonymous"), "never anonymous"),
        (("channel.cheer", "--anonymous", "--user", "x"), "--user or --anonymous"),
        (("channel.follow", "--user", "x:y"), "ID:LOGIN"),
        (("channel.follow", "--channel", "not_here"), "add it with cli channels add not_here"),
        (("channel.follow", "--channel", "987"), "987 is not monitored"),
        (("channel.follow", "--channel", "987:not_here"), "not_here is not monitored"),
        (("channel.follow", "--message-id", "a b"), "visible ASCII"),
        (("channel.follow", "--forged", "--wait"), "nothing to --wait for"),
        (("channel.follow", "--count", "0"), "--count"),
    ],
)
def test_wrong_use_is_told_before_anything_is_sent(
    cli: Commands, words: tuple[str, ...], told: str
) -> None:
    status, text = cli.refused("simulate", *words)

    assert status == 2
    assert told in text


def test_without_the_secret_or_the_service_it_says_what_is_missing(cli: Commands) -> None:
    secret = cli.refused("simulate", "channel.follow", TWITCH_WEBHOOK_SECRET="")
    service = cli.refused("simulate", "channel.follow", PORT=str(free_port()))

    assert secret[0] == 2 and "TWITCH_WEBHOOK_SECRET" in secret[1]
    assert service[0] == 2 and "nothing listens" in service[1]
    assert SECRET not in cli.printed
