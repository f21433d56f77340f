"""domain/delivery/reputation_contract.py: what each server is told of an activity."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from apps.twitch_module.domain.delivery.reputation_contract import CONTRACTS, ContractName
from apps.twitch_module.domain.delivery.waddlebot import Context

CONTEXT = Context(17, 3, "the_channel", "A_Viewer").to_json()


@dataclass(frozen=True)
class Activity:
    activity_type: str = "follow"
    amount: int = 10
    units: int = 1
    user_id: str = "8001"
    user_name: str = "A_Viewer"
    channel_id: str = "7001"
    created_at_ms: int = 1_767_225_605_250
    context: dict[str, Any] | None = None


FOLLOW = Activity(context=CONTEXT)


def body(contract: ContractName, activity: Activity) -> bytes:
    return CONTRACTS[contract].body(activity)


def sent(contract: ContractName, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(body(contract, replace(FOLLOW, **changes)))
    return document


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_try_sends_the_same_bytes(contract: ContractName) -> None:
    stored = json.loads(json.dumps(CONTEXT))

    assert body(contract, FOLLOW) == body(contract, replace(FOLLOW, context=stored))


def test_only_the_core_asks_who_a_user_is() -> None:
    assert ["core"] == [name for name, one in CONTRACTS.items() if one.needs_context]


class TestCore:
    def test_the_bytes_are_the_seven_keys_in_their_order(self) -> None:
        assert body("core", FOLLOW) == (
            b'{"userid":17,"activity":"follow","amount":10,'
            b'"text":"follow activity for A_Viewer","namespace":"the_channel",'
            b'"namespaceid":3,"platform":"Twitch"}'
        )

    @pytest.mark.parametrize(
        ("activity", "amount"),
        [("follow", 10), ("sub", 50), ("bits", 250), ("raid", 30), ("subgift", 60), ("ban", -10)],
    )
    def test_each_activity_is_sent_with_its_points(self, activity: str, amount: int) -> None:
        assert sent("core", activity_type=activity, amount=amount) == {
            "userid": 17,
            "activity": activity,
            "amount": amount,
            "text": f"{activity} activity for A_Viewer",
            "namespace": "the_channel",
            "namespaceid": 3,
            "platform": "Twitch",
        }

    @pytest.mark.parametrize("name", ["日本語", "🎉", 'a"b\\c', "\u202e", ""])
    def test_every_name_arrives_as_it_is(self, name: str) -> None:
        assert sent("core", user_name=name)["text"] == f"follow activity for {name}"

    def test_the_name_is_the_events_and_the_namespace_is_the_contexts(self) -> None:
        context = Context(17, 3, "チャンネル", "old_name").to_json()
        told = sent("core", context=context, user_name="new_name")

        assert told["text"] == "follow activity for new_name"
        assert told["namespace"] == "チャンネル"


class TestReputationModule:
    def test_the_server_is_told_what_happened_and_no_points(self) -> None:
        assert sent("reputation_module", context=None) == {
            "user_id": "8001",
            "entity_id": "twitch+7001",
            "event_name": "follow",
            "event_data": {
                "platform": "twitch",
                "server_id": "7001",
                "channel_id": "",
                "message_content": "",
                "timestamp": "2026-01-01T00:00:05.250000+00:00",
            },
        }

    @pytest.mark.parametrize(
        ("activity", "name"),
        [("bits", "cheer"), ("sub_gifted", "sub"), ("resub", "resub"), ("raid", "raid")],
    )
    def test_activities_have_the_names_of_the_server(self, activity: str, name: str) -> None:
        assert sent("reputation_module", activity_type=activity)["event_name"] == name

    def test_bits_are_counted(self) -> None:
        data = sent("reputation_module", activity_type="bits", units=250)["event_data"]

        assert data["bits"] == 250


class TestRouter:
    def test_the_router_is_told_what_happened_and_no_points(self) -> None:
        assert sent("router", context=None) == {
            "platform": "twitch",
            "server_id": "7001",
            "channel_id": "",
            "user_id": "8001",
            "user_name": "A_Viewer",
            "message_content": "",
            "message_type": "follow",
        }

    @pytest.mark.parametrize(
        ("activity", "name"), [("sub", "subscription"), ("subgift", "subgift"), ("bits", "cheer")]
    )
    def test_activities_have_the_names_of_the_router(self, activity: str, name: str) -> None:
        assert sent("router", activity_type=activity)["message_type"] == name

    def test_bits_are_counted(self) -> None:
        assert sent("router", activity_type="bits", units=250)["bits"] == 250
