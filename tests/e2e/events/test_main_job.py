"""A webhook becomes points in WaddleBot's reputation API: once, whatever happens."""

import json
from typing import Any

import pytest
import requests

from apps.twitch_module.domain.events.catalogue import DEFAULT_TYPES
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.heartbeats import FRESH_MS
from tests.conftest import on_sqlite
from tests.e2e.conftest import Start, shared_server
from tests.messages import BROADCASTER, EVENTS, RAIDER, VIEWER, Message, follow_of
from tests.processes import Module, Sandbox, wait_until

SEVEN_KEYS = {"userid", "activity", "amount", "text", "namespace", "namespaceid", "platform"}

TABLE = [
    ("channel.follow", "follow", 10, VIEWER),
    ("channel.subscribe", "sub", 50, VIEWER),
    ("channel.cheer", "bits", 250, VIEWER),
    ("channel.raid", "raid", 30, RAIDER),
    ("channel.subscription.gift", "subgift", 60, VIEWER),
    ("channel.ban", "ban", -10, VIEWER),
]


def received(sandbox: Sandbox, api: str = "reputation") -> list[dict[str, Any]]:
    """What WaddleBot got, oldest first."""
    calls: list[dict[str, Any]] = sandbox.control(f"received?api={api}")["received"]
    return calls


def wait_for(sandbox: Sandbox, count: int, seconds: float = 15) -> list[dict[str, Any]]:
    """What the reputation API got, once it is this much."""
    wait_until(lambda: len(received(sandbox)) >= count, seconds=seconds)
    return received(sandbox)


def statuses(module: Module) -> set[str]:
    return {row["status"] for row in module.all("/twitch/activities")}


def test_each_of_the_six_activities_arrives_once_with_exactly_the_seven_keys(
    module: Module, sandbox: Sandbox
) -> None:
    sent = {event_type: Message(event_type) for event_type, *_ in TABLE}
    for _ in range(5):
        for message in sent.values():
            answer = module.post(message)
            assert (204, b"") == (answer.status_code, answer.content)

    wait_for(sandbox, 6)
    wait_until(lambda: statuses(module) == {"delivered"})
    by_key = {call["headers"]["idempotency-key"]: call["json"] for call in received(sandbox)}

    assert len(received(sandbox)) == 6
    for event_type, activity, points, who in TABLE:
        body = by_key[f"{sent[event_type].message_id}:{activity}"]
        assert set(body) == SEVEN_KEYS
        assert body["activity"] == activity
        assert body["amount"] == points
        assert body["text"] == f"{activity} activity for {who['name']}"
        assert body["platform"] == "Twitch"
        assert isinstance(body["userid"], int) and isinstance(body["namespaceid"], int)


def test_the_context_api_is_asked_for_the_user_by_name_and_only_once(
    module: Module, sandbox: Sandbox
) -> None:
    module.post(Message("channel.follow"))
    wait_for(sandbox, 1)
    module.post(Message("channel.cheer"))
    wait_for(sandbox, 2)

    assert [{"identity_name": VIEWER["name"]}] == [
        call["json"] for call in received(sandbox, "context")
    ]


@on_sqlite
def test_every_call_says_who_calls(start: Start, sandbox: Sandbox) -> None:
    module = start(WADDLEBOT_API_KEY="the-key-of-waddlebot")
    module.post(Message())
    wait_for(sandbox, 1)

    for api in ("context", "reputation"):
        headers = received(sandbox, api)[0]["headers"]
        assert headers["x-module-name"] == "twitch"
        assert headers["user-agent"] == f"WaddleBot-twitch/{headers['x-module-version']}"
        assert headers["authorization"] == "Bearer the-key-of-waddlebot"


def test_an_anonymous_cheer_is_recorded_and_belongs_to_nobody(
    module: Module, sandbox: Sandbox
) -> None:
    nobody = {"user_id": None, "user_login": None, "user_name": None, "is_anonymous": True}
    module.post(Message("channel.cheer", {**EVENTS["channel.cheer"], **nobody}))
    module.post(Message("channel.follow"))
    wait_for(sandbox, 1)

    (skipped,) = module.call("GET", "/twitch/activities?status=skipped").json()["activities"]

    assert ("skipped", "anonymous", None) == (
        skipped["status"],
        skipped["reason"],
        skipped["user_id"],
    )
    assert ["follow"] == [call["json"]["activity"] for call in received(sandbox)]


def test_a_repeat_after_a_restart_pays_nothing(module: Module, sandbox: Sandbox) -> None:
    message = Message()
    module.post(message)
    wait_for(sandbox, 1)
    assert module.stop() == 0

    module.restart().wait_until_ready()
    again = module.post(message)
    other = Message("channel.raid")
    module.post(other)
    wait_for(sandbox, 2)

    assert again.status_code == 204
    assert [10, 30] == [call["json"]["amount"] for call in received(sandbox)]


def test_a_kill_right_after_an_acknowledgement_loses_and_doubles_nothing(
    module: Module, sandbox: Sandbox
) -> None:
    api = "/sandbox/waddlebot/reputation"
    sandbox.control("faults", {"path": api, "status": 503, "times": -1})
    acknowledged = []
    for number in range(30):
        message = Message(event=follow_of(number))
        if module.post(message).status_code == 204:
            acknowledged.append(f"{message.message_id}:follow")
    module.kill()

    sandbox.delete("/control/faults").raise_for_status()
    expire_leases(module)
    module.restart().wait_until_ready()
    wait_until(lambda: statuses(module) == {"delivered"}, seconds=40)

    accepted = [call for call in received(sandbox) if call["status"] == 200]
    assert len(acknowledged) == 30
    assert set(acknowledged) == {call["headers"]["idempotency-key"] for call in accepted}
    assert not any(call["mismatch"] for call in received(sandbox))
    scores = sandbox.control("scores")["scores"]
    assert sum(score["score"] for score in scores) == 300


def test_a_kill_between_the_call_and_its_receipt_repeats_the_same_bytes(
    module: Module, sandbox: Sandbox
) -> None:
    order = {"path": "/sandbox/waddlebot/reputation", "times": 1, "after": True, "delay": 30}
    sandbox.control("faults", order)
    message = Message()
    module.post(message)
    wait_for(sandbox, 1)  # it has the points, and we have no answer
    module.kill()

    expire_leases(module)
    module.restart().wait_until_ready()
    wait_until(lambda: statuses(module) == {"delivered"})

    first, second = received(sandbox)
    assert (False, True) == (first["repeat"], second["repeat"])
    assert first["body"] == second["body"]
    assert [10] == [score["score"] for score in sandbox.control("scores")["scores"]]


def expire_leases(module: Module) -> None:
    """Let the time pass until retries are due, and until leases of dead processes have ended."""
    uri = module.setting("DB_URI")
    with Database(uri, module.output.parent).transaction() as transaction:
        transaction.execute(
            "UPDATE twitch_activities SET due_at_ms = 0 WHERE status IN ('leased', 'pending')"
        )


def test_the_downstream_away_and_back_is_met_with_probes_and_then_everything_arrives(
    module: Module, sandbox: Sandbox
) -> None:
    api = "/sandbox/waddlebot/context"
    sandbox.control("faults", {"path": api, "status": 502, "times": -1})
    messages = [Message(event=follow_of(number)) for number in range(60)]
    for message in messages:
        assert module.post(message).status_code == 204
    wait_until(lambda: sandbox.control("calls")["calls"].get(f"POST {api}", 0) >= 5)
    sandbox.delete("/control/faults").raise_for_status()
    wait_until(lambda: statuses(module) == {"delivered"}, seconds=40)

    # At most one per slot before the breaker opened, one probe every three seconds while it
    # was, and one that succeeded for each: not sixty tries every few seconds.
    calls = sandbox.control("calls")["calls"][f"POST {api}"]
    assert calls <= 60 + 16 + 30
    assert len(received(sandbox)) == 60


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 422, "body": json.dumps({"msg": "no"})}, "reputation: HTTP 422"),
        (
            {"status": 200, "body": json.dumps({"msg": "gone", "status": 404})},
            "reputation: status 404 in the answer (gone)",
        ),
    ],
)
def test_a_refused_delivery_is_dead_visible_and_can_be_delivered_again(
    module: Module, sandbox: Sandbox, fault: dict[str, Any], reason: str
) -> None:
    sandbox.control("faults", {"path": "/sandbox/waddlebot/reputation", "times": 1, **fault})
    message = Message()
    module.post(message)
    wait_until(lambda: statuses(module) == {"dead"})
    (dead,) = module.all("/twitch/activities")
    ready = module.call("GET", "/twitch/health/ready")
    metrics = module.call("GET", "/twitch/metrics").text

    again = module.call("POST", f"/twitch/activities/{dead['id']}/redeliver")
    wait_until(lambda: statuses(module) == {"delivered"})
    (delivered,) = module.all("/twitch/activities")

    assert dead["reason"] == reason
    assert (200, "degraded", 1) == (
        ready.status_code,
        ready.json()["status"],
        ready.json()["checks"]["queue"]["dead"],
    )
    assert "twitch_activities_dead 1.0" in metrics
    assert 1 == module.printed().count("level=error")  # a person has to look
    assert again.status_code == 202
    assert delivered["receipt"]["status"] == 200
    keys = {call["headers"]["idempotency-key"] for call in received(sandbox)}
    assert keys == {f"{message.message_id}:follow"}


def test_dead_ones_can_be_delivered_again_by_filter(module: Module, sandbox: Sandbox) -> None:
    sandbox.control("faults", {"path": "/sandbox/waddlebot/reputation", "times": 3, "status": 404})
    for event_type in ("channel.follow", "channel.raid", "channel.ban"):
        module.post(Message(event_type))
    wait_until(lambda: statuses(module) == {"dead"})

    path = "/twitch/activities/redeliver"
    counted = module.call("POST", path, json={"dry_run": True})
    noted = module.call("GET", "/twitch/api/audit").json()["audit"][0]["action"]
    assert counted.json() == {"redelivered": 0, "matching": 3}
    assert noted != "activity.redeliver_all"
    assert statuses(module) == {"dead"}
    answer = module.call("POST", path, json={"type": "raid"})
    wait_until(lambda: "delivered" in statuses(module))

    assert answer.json() == {"redelivered": 1, "matching": 1}
    assert [30] == [c["json"]["amount"] for c in received(sandbox) if c["status"] == 200]


def test_an_identity_that_waddlebot_does_not_know_ends_dead_with_the_reason(
    module: Module, sandbox: Sandbox
) -> None:
    body = json.dumps({"msg": "no such identity"})
    sandbox.control(
        "faults", {"path": "/sandbox/waddlebot/context", "times": 1, "status": 200, "body": body}
    )
    module.post(Message())
    wait_until(lambda: statuses(module) == {"dead"})

    (dead,) = module.all("/twitch/activities")
    assert dead["reason"] == "context: no identity (no such identity)"
    assert received(sandbox) == []


@on_sqlite
@pytest.mark.parametrize("fault", [{"garbage": True}, {"hang_up": True}, {"status": 500}])
@pytest.mark.parametrize("after", [False, True])
def test_a_failed_call_is_repeated_with_the_same_key_and_the_same_bytes(
    module: Module, sandbox: Sandbox, fault: dict[str, Any], after: bool
) -> None:
    order = {"path": "/sandbox/waddlebot/reputation", "times": 1, "after": after, **fault}
    sandbox.control("faults", order)
    module.post(Message())

    def has_failed() -> bool:
        tried = [(row["status"], row["attempts"]) for row in module.all("/twitch/activities")]
        return tried == [("pending", 1)]

    wait_until(has_failed)
    expire_leases(module)
    wait_until(lambda: statuses(module) == {"delivered"})

    (score,) = sandbox.control("scores")["scores"]
    assert score["score"] == 10
    assert len({call["body"] for call in received(sandbox)}) == 1
    (row,) = module.all("/twitch/activities")
    assert row["attempts"] == 2


def test_work_that_no_process_does_is_named_and_webhooks_go_on(start: Start) -> None:
    server = start(WORKER="off")
    everything = ["delivery", "tokens", "subscriptions", "retention"]

    def undone() -> list[str]:
        answer = server.call("GET", "/twitch/health/ready")
        answer.raise_for_status()
        work: list[str] = answer.json()["checks"]["work"]["done_by_nobody"]
        assert answer.json()["status"] == ("degraded" if work else "ready")
        return work

    alone = undone()
    worker = start("worker")
    wait_until(lambda: undone() == [])
    worker.kill()
    with Database(server.setting("DB_URI"), server.output.parent).transaction() as transaction:
        transaction.execute("UPDATE twitch_heartbeats SET at_ms = at_ms - %s", [FRESH_MS])
    killed = undone()
    other = start("worker")
    wait_until(lambda: undone() == [])
    other.stop()

    assert alone == killed == undone() == everything
    assert 204 == server.post(Message()).status_code


def test_two_servers_and_a_worker_share_one_database(start: Start, sandbox: Sandbox) -> None:
    one, two = start(WORKER="off"), start(WORKER="off")
    start("worker")
    messages = [Message(event=follow_of(number)) for number in range(40)]
    for message in messages:
        for module in (one, two):
            assert module.post(message).status_code == 204
    wait_for(sandbox, 40)
    wait_until(lambda: statuses(one) == {"delivered"})

    assert len(received(sandbox)) == 40
    assert len(two.all("/twitch/events")) == 40


def test_a_channel_is_added_and_set_up_and_twitch_events_flow(
    start: Start, sandbox: Sandbox
) -> None:
    module = start()
    module.wait_until_compared()
    added = module.call("POST", "/twitch/api/channels", json={"channel_name": "SANDBOX_streamer"})
    again = module.call("POST", "/twitch/api/channels", json={"channel_id": "100200300"})
    setup = module.call("POST", "/twitch/api/setup/100200300")
    repeated = module.call("POST", "/twitch/api/setup/100200300")
    wait_until(
        lambda: (
            len(DEFAULT_TYPES) + 1
            == [one["status"] for one in sandbox.control("subscriptions")["subscriptions"]].count(
                "enabled"
            )
        )
    )
    fired = sandbox.control("send", {"type": "channel.follow"})
    wait_for(sandbox, 1)

    assert (201, 200) == (added.status_code, again.status_code)
    assert added.json()["channel"] == again.json()["channel"]
    assert added.json()["channel"]["channel_name"] == "sandbox_streamer"
    assert setup.status_code == 200
    assert {"created"} == {result["outcome"] for result in setup.json()["results"]}
    assert {"kept"} == {result["outcome"] for result in repeated.json()["results"]}
    assert fired["status"] == 204


@on_sqlite
@shared_server
def test_a_type_that_twitch_refuses_is_named_and_the_others_are_set_up(
    module: Module, sandbox: Sandbox
) -> None:
    sandbox.control("grants/revoke", {"user_id": "100200300"})
    module.call("POST", "/twitch/api/channels", json={"channel_name": "sandbox_streamer"})

    answer = module.call("POST", "/twitch/api/setup/100200300")

    outcomes = {result["type"]: result["outcome"] for result in answer.json()["results"]}
    reasons = {result["reason"] for result in answer.json()["results"] if result["reason"]}
    assert answer.status_code == 207
    assert outcomes.pop("channel.raid") == "created"
    assert set(outcomes.values()) == {"waiting"}
    assert reasons == {"Twitch says: subscription missing proper authorization"}


@on_sqlite
@shared_server
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"status": 500}, 502, "twitch_unavailable"),
        ({"garbage": True}, 502, "twitch_unavailable"),
        ({"hang_up": True}, 502, "twitch_unavailable"),
        ({"status": 401}, 502, "twitch_refused"),
    ],
)
def test_a_twitch_that_fails_is_named_when_a_channel_is_added(
    module: Module, sandbox: Sandbox, fault: dict[str, Any], status: int, code: str
) -> None:
    sandbox.control("faults", {"path": "/sandbox/helix/users", "times": 2, **fault})

    answer = module.call("POST", "/twitch/api/channels", json={"channel_name": "anybody"})

    assert (status, code) == (answer.status_code, answer.json()["code"])


@on_sqlite
@shared_server
def test_an_unknown_channel_is_not_found(module: Module) -> None:
    unknown = module.call("POST", "/twitch/api/channels", json={"channel_name": "nobody_at_all"})
    missing = module.call("POST", "/twitch/api/setup/1")

    assert (404, 404) == (unknown.status_code, missing.status_code)


@on_sqlite
@shared_server
def test_nothing_is_open_to_somebody_without_a_token(module: Module) -> None:
    for method, path in [
        ("GET", "/twitch/events"),
        ("GET", "/twitch/events/x"),
        ("GET", "/twitch/activities"),
        ("GET", "/twitch/activities/1"),
        ("POST", "/twitch/activities/1/redeliver"),
        ("POST", "/twitch/activities/redeliver"),
        ("GET", "/twitch/api/channels"),
        ("POST", "/twitch/api/channels"),
        ("POST", "/twitch/api/setup/1"),
    ]:
        for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eDp5"}):
            answer = requests.request(method, module.url + path, headers=headers, timeout=10)
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"] == "Bearer"


@on_sqlite
@shared_server
def test_a_wrong_password_is_refused_like_a_wrong_name(module: Module) -> None:
    answers = [
        requests.post(module.url + "/api/auth/login", data=credentials, timeout=10)
        for credentials in (
            {"username": "admin", "password": "wrong"},
            {"username": "nobody", "password": "wrong"},
        )
    ]

    assert [401, 401] == [answer.status_code for answer in answers]
    assert answers[0].json() == answers[1].json()


@shared_server
def test_the_lists_are_newest_first_paged_and_filtered(module: Module) -> None:
    for number in range(7):
        module.post(Message(event=follow_of(number)))
    module.post(Message("channel.raid"))

    first = module.call("GET", "/twitch/events?limit=3").json()
    second = module.call("GET", f"/twitch/events?limit=3&cursor={first['next_cursor']}").json()
    one = module.call("GET", "/twitch/events?user_id=80003&type=channel.follow").json()
    none = module.call("GET", "/twitch/events?until=2020-01-01T00:00:00Z").json()
    single = module.call("GET", f"/twitch/events/{one['events'][0]['event_id']}").json()["event"]

    assert [RAIDER["name"], "viewer6", "viewer5"] == [e["user_name"] for e in first["events"]]
    assert ["viewer4", "viewer3", "viewer2"] == [e["user_name"] for e in second["events"]]
    assert ["viewer3"] == [event["user_name"] for event in one["events"]]
    assert none == {"events": [], "next_cursor": None}
    assert single["broadcaster_user_id"] == BROADCASTER["id"]
    assert json.loads(single["event_data"])["event"]["user_name"] == "viewer3"


@on_sqlite
@shared_server
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=-1", "since=yesterday", "colour=red"]
)
def test_a_bad_query_is_a_problem_document_that_names_the_parameter(
    module: Module, query: str
) -> None:
    answer = module.call("GET", f"/twitch/activities?{query}")

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(query.partition("=")[0])
