import pytest

from tests.processes import Sandbox

REPUTATION = {
    "userid": 1001,
    "activity": "follow",
    "amount": 10,
    "text": "follow activity for Åse",
    "namespace": "sandbox",
    "namespaceid": 7,
    "platform": "Twitch",
}


def test_context_makes_one_identity_per_name(sandbox: Sandbox) -> None:
    first, again, other = (
        sandbox.post("/waddlebot/context", json={"identity_name": name}).json()["data"]
        for name in ("Åse", "Åse", "Bo")
    )
    assert first == again
    assert first["identity_id"] != other["identity_id"]
    assert set(first) == {"identity_id", "identity_name", "namespace_id", "namespace_name"}


@pytest.mark.parametrize("body", ["", "[1]", '{"identity_name": 3}', b"\xff\xfe{"])
def test_context_without_a_name_is_200_without_data(sandbox: Sandbox, body: str | bytes) -> None:
    answer = sandbox.post("/waddlebot/context", data=body)
    assert answer.status_code == 200
    assert set(answer.json()) == {"msg"}


def test_reputation_counts_each_key_once_and_flags_repeats(sandbox: Sandbox) -> None:
    key = {"Idempotency-Key": "m1:follow"}
    for body in (REPUTATION, REPUTATION, {**REPUTATION, "amount": 11}):
        answer = sandbox.post("/waddlebot/reputation", json=body, headers=key)
        assert (answer.status_code, answer.json()["data"]["score"]) == (200, 10)

    received = sandbox.control("received?api=reputation")["received"]
    assert [(one["repeat"], one["mismatch"]) for one in received] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    assert received[0]["headers"]["idempotency-key"] == "m1:follow"
    assert received[0]["json"] == REPUTATION
    assert received[0]["status"] == 200
    assert sandbox.control("scores")["scores"] == [{"userid": 1001, "name": "", "score": 10}]


def test_reputation_without_key_pays_every_time(sandbox: Sandbox) -> None:
    for _ in range(2):
        sandbox.post("/waddlebot/reputation", json=REPUTATION)
    assert sandbox.control("scores")["scores"][0]["score"] == 20


@pytest.mark.parametrize(
    "body", [{}, {**REPUTATION, "extra": 1}, {**REPUTATION, "amount": True}, [REPUTATION]]
)
def test_reputation_takes_exactly_the_seven_keys(sandbox: Sandbox, body: object) -> None:
    answer = sandbox.post("/waddlebot/reputation", json=body)
    assert (answer.status_code, answer.json()["status"]) == (400, 400)


def test_gateway_is_always_200_with_the_outcome_in_the_body(sandbox: Sandbox) -> None:
    sandbox.control("settings", {"gateway_keys": ["demo*", "exact"]})
    outcomes = [
        (answer.status_code, answer.json()["status"])
        for body in ({"activation_key": "demo-1"}, {"activation_key": "exactly"}, {}, [])
        for answer in [sandbox.post("/waddlebot/gateway", json=body)]
    ]
    assert outcomes == [(200, 200), (200, 404), (200, 400), (200, 400)]


def test_chunked_body_arrives_whole(sandbox: Sandbox) -> None:
    sandbox.post("/waddlebot/gateway", data=iter([b'{"activation_', b'key": "demo"}']))
    [received] = sandbox.control("received")["received"]
    assert received["body"] == '{"activation_key": "demo"}'
