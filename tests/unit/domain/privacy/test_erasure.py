"""domain/privacy/erasure.py: bodies without a person."""

import json
from typing import Any

import pytest

from apps.twitch_module.domain.privacy.erasure import Erased, user_hash, without
from tests.messages import EVENTS, VIEWER

STAND_IN = "erased-1"
CHAT = {
    "broadcaster_user_id": "7001",
    "broadcaster_user_login": "the_channel",
    "chatter_user_id": "8001",
    "chatter_user_login": "art",
    "chatter_user_name": "Art",
    "color": "#00FF7F",
    "message": {
        "text": "hello, I am Art and live in Berlin",
        "fragments": [{"type": "text", "text": "hello, I am Art", "emote": None}],
    },
    "badges": [{"set_id": "art", "id": "1"}],
}
REPLY = {
    "chatter_user_id": "8002",
    "chatter_user_login": "another",
    "chatter_user_name": "Another",
    "message": {
        "text": "@Art, smart art? party",
        "fragments": [
            {
                "type": "mention",
                "text": "@Art",
                "mention": {"user_id": "8001", "user_login": "art", "user_name": "Art"},
            }
        ],
    },
    "reply": {
        "parent_user_id": "8001",
        "parent_user_login": "art",
        "parent_user_name": "Art",
        "parent_message_body": "hello, I am Art",
    },
}


def body(event: dict[str, Any]) -> bytes:
    return json.dumps({"subscription": {"type": "channel.x"}, "event": event}).encode()


def event_without(event: dict[str, Any], user_id: str, *, by_user: bool) -> dict[str, Any]:
    taken_out = json.loads(without(body(event), user_id, STAND_IN, by_user=by_user))
    assert taken_out["subscription"] == {"type": "channel.x"}
    event = taken_out["event"]
    return event


def test_of_what_they_said_nothing_stays() -> None:
    event = event_without(CHAT, "8001", by_user=True)

    assert event == {
        **CHAT,
        "chatter_user_id": STAND_IN,
        "chatter_user_login": "",
        "chatter_user_name": "",
        "message": {"text": "", "fragments": [{"type": "text", "text": "", "emote": None}]},
    }


def test_of_what_others_said_only_the_name_goes() -> None:
    event = event_without(REPLY, "8001", by_user=False)

    assert event["message"]["text"] == "@, smart ? party"
    assert event["message"]["fragments"][0] == {
        "type": "mention",
        "text": "@",
        "mention": {"user_id": STAND_IN, "user_login": "", "user_name": ""},
    }
    assert event["reply"]["parent_user_name"] == ""
    assert event["reply"]["parent_message_body"] == "hello, I am "
    assert event["chatter_user_name"] == "Another"


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_no_type_of_event_keeps_its_user(name: str) -> None:
    event = EVENTS[name]
    text = without(body(event), VIEWER["id"], STAND_IN, by_user=True).decode().lower()

    assert VIEWER["id"] not in text
    assert f'"{VIEWER["login"]}"' not in text
    assert f'"{VIEWER["name"].lower()}"' not in text


@pytest.mark.parametrize("rubbish", [b"", b"\xff", b"[1]", b'"8001"', b"[" * 100_000])
def test_of_what_is_no_json_nothing_stays(rubbish: bytes) -> None:
    assert b"" == without(rubbish, "8001", STAND_IN, by_user=True)


def test_names_that_are_no_texts_do_no_harm() -> None:
    event = {"user_id": "8001", "user_login": None, "user_name": ["(", ".*"], "id": "8001"}

    assert event_without(event, "8001", by_user=False) == {
        "user_id": STAND_IN,
        "user_login": None,
        "user_name": ["(", ".*"],
        "id": STAND_IN,
    }


def test_who_comes_back_is_somebody_new() -> None:
    nobody = Erased()
    erased = Erased("key", {user_hash("key", "8001"): 1000})

    assert not nobody and erased
    assert erased.covers("8001", 1000)
    assert not erased.covers("8001", 1001)
    assert not erased.covers("8002", 1000)
    assert user_hash("key", "8001") != user_hash("another", "8001")
