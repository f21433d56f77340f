"""Another policy is previewed, applied and undone by an admin, over HTTP."""

from typing import Any

from apps.twitch_module.models.database import Database
from tests.e2e.conftest import Start
from tests.e2e.events.test_main_job import received, statuses, wait_for
from tests.messages import VIEWER, Message, follow_of
from tests.processes import Module, Sandbox, wait_until

RUNS = "/twitch/api/policies/runs"
SINCE = "2020-01-01T00:00:00Z"


def once(module: Module, run_id: int, state: str) -> dict[str, Any]:
    """The run, once it is in this state."""

    def run() -> dict[str, Any]:
        shown: dict[str, Any] = module.call("GET", f"{RUNS}/{run_id}").json()["run"]
        return shown

    wait_until(lambda: run()["state"] == state, seconds=15)
    return run()


def points(module: Module) -> list[int]:
    board = module.call("GET", "/twitch/api/leaderboard").json()["leaderboard"]
    return [one["points"] for one in board]


def make_old(module: Module) -> None:
    """Let a minute pass: the last seconds are not looked at, in which others might yet commit."""
    uri = module.setting("DB_URI")
    with Database(uri, module.output.parent).transaction() as transaction:
        transaction.execute("UPDATE twitch_events SET received_at_ms = received_at_ms - 60000")


def test_a_policy_is_previewed_applied_and_undone(start: Start, sandbox: Sandbox) -> None:
    module = start()
    module.post(Message("channel.cheer"))
    for number in range(3):
        module.post(Message(event=follow_of(number)))
    wait_for(sandbox, 4)
    wait_until(lambda: statuses(module) == {"delivered"})
    order = {"policy": {"follow": 4, "bits": {"per_unit": 2}}, "since": SINCE}
    make_old(module)

    begun = module.call("POST", "/twitch/api/policies/preview", json=order)
    assert 202 == begun.status_code, begun.text
    run = once(module, begun.json()["run"]["id"], "read")
    changes = module.call("GET", f"{RUNS}/{run['id']}/changes?limit=1").json()
    assert (4, 4, 250, 18, []) == tuple(
        run[name] for name in ("changes", "users", "gain", "lose", "pruned")
    )
    first = changes["changes"][0]
    assert (VIEWER["id"], "bits", 250, 500) == tuple(
        first[name] for name in ("user_id", "activity_type", "points_before", "points_after")
    )
    assert "1" == changes["next_cursor"]
    assert [250, 10, 10, 10] == points(module)

    assert 202 == module.call("POST", f"{RUNS}/{run['id']}/apply").status_code
    once(module, run["id"], "applied")
    assert [500, 4, 4, 4] == points(module)
    calls = wait_for(sandbox, 8)
    assert [-6, -6, -6, 250] == sorted(call["json"]["amount"] for call in calls[4:])

    assert 202 == module.call("POST", f"{RUNS}/{run['id']}/undo").status_code
    once(module, run["id"], "undone")
    assert [250, 10, 10, 10] == points(module)
    wait_for(sandbox, 12)
    assert 280 == sum(call["json"]["amount"] for call in received(sandbox))
    assert 409 == module.call("POST", f"{RUNS}/{run['id']}/apply").status_code
    why = module.call("GET", f"/twitch/api/users/{VIEWER['id']}/points").json()["activities"]
    assert ["correction", "correction", "earned"] == [one["kind"] for one in why]
    assert f"-250: undoes run {run['id']}: 250 becomes 500 on one day" == why[0]["why"]
    done = [one["action"] for one in module.all("/twitch/api/audit")]
    assert ["policy.undo", "policy.apply", "policy.preview"] == done[:3]


def test_what_cannot_be_previewed_is_refused(start: Start) -> None:
    module = start()
    wrong = {"policy": {"folow": 5}, "since": SINCE}
    refused = module.call("POST", "/twitch/api/policies/preview", json=wrong)
    elsewhere = {"policy": {"follow": 5}, "since": SINCE, "channel_id": "1"}

    assert (422, True) == (refused.status_code, "folow is no activity" in refused.json()["detail"])
    unknown = module.call("POST", "/twitch/api/policies/preview", json=elsewhere)
    assert 404 == unknown.status_code
    assert 404 == module.call("POST", f"{RUNS}/9/apply").status_code
    assert 404 == module.call("GET", f"{RUNS}/x/changes").status_code
    assert {"runs": [], "next_cursor": None} == module.call("GET", RUNS).json()
