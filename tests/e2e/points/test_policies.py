"""Another policy is previewed, applied and undone by an admin, over HTTP."""

from pathlib import Path
from typing import Any

import psutil

from apps.twitch_module.domain.points.policy import default_policy
from apps.twitch_module.models import leases
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.migrations import migrate
from apps.twitch_module.models.points import policy_runs
from apps.twitch_module.services.events.event_storage import record
from tests.e2e.conftest import Start
from tests.e2e.events.test_main_job import received, statuses, wait_for
from tests.integration.points.test_limits import follow
from tests.integration.points.test_settlement import points as points_of
from tests.integration.points.test_settlement import rows_of
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


POLICIES = "/twitch/api/policies"


def test_which_policies_were_in_force_since_when_and_by_whom(start: Start) -> None:
    module = start(ACTIVITY_POINTS='{"follow": 5}')
    module.watch("7001")
    for points in ({"follow": 7}, {"follow": 7}, None):
        channel = "/twitch/api/channels/7001"
        module.call("PATCH", channel, json={"points": points}).raise_for_status()
    module.stop()
    module.restart(ACTIVITY_POINTS="").wait_until_ready()
    module.stop()
    module.restart().wait_until_ready()

    listed = module.call("GET", POLICIES, params={"limit": 200}).json()["policies"]
    mine = module.call("GET", POLICIES, params={"channel_id": "7001", "limit": 1}).json()

    assert [
        ("default", "configuration", None),
        ("channel", "admin", "7001"),
        ("channel", "admin", "7001"),
        ("ACTIVITY_POINTS", "configuration", None),
    ] == [(one["source"], one["set_by"], one["channel_id"]) for one in listed]
    assert [10, {}, {"follow": 7}, 5] == [
        one["policy"]["follow"]["base"] if one["channel_id"] is None else one["policy"]
        for one in listed
    ]
    assert (1, str(listed[1]["id"])) == (len(mine["policies"]), mine["next_cursor"])


VIEWERS = 2_000


def test_killed_in_the_middle_another_process_writes_the_rest_and_nothing_twice(
    start: Start, sandbox: Sandbox, db_uri: str, tmp_path: Path
) -> None:
    database = Database(db_uri, tmp_path)
    migrate(database)
    with database.transaction(timeout_seconds=30) as transaction:
        rows = [row for n in range(VIEWERS) for row in rows_of(follow(n), default_policy())]
        record(transaction, rows)
        transaction.execute("UPDATE twitch_events SET received_at_ms = received_at_ms - 60000")
        transaction.execute("UPDATE twitch_activities SET status = 'delivered'")
    first, second = start(), start()
    body = {"policy": {"follow": 4}, "since": SINCE}
    previewed = first.call("POST", "/twitch/api/policies/preview", json=body).json()["run"]
    assert VIEWERS == once(first, previewed["id"], "read")["changes"]

    def done() -> int:
        with database.transaction(write=False) as transaction:
            run = policy_runs.get(transaction, previewed["id"])
        return run.done if run and run.state in ("applying", "undoing") else 0

    for verb, state, total in (("apply", "applied", 4), ("undo", "undone", 10)):
        first.call("POST", f"{RUNS}/{previewed['id']}/{verb}").raise_for_status()
        wait_until(lambda: 0 < done() < VIEWERS)
        holder(database, first, second).kill()
        assert 0 < done() < VIEWERS
        for module in (first, second):
            if module.process.poll() is not None:
                module.restart().wait_until_ready()
        once(first, previewed["id"], state)

        assert (VIEWERS * total, VIEWERS * total) == points_of(database)
        assert {total} == {one["points"] for one in first.all("/twitch/api/leaderboard")}


def holder(database: Database, *modules: Module) -> Module:
    """The one of these processes that carries runs on."""
    with database.transaction(write=False) as transaction:
        owner = leases.owner(transaction, "policy runs") or ""
    number = int(owner.split("/")[1])
    parents = {number, *(one.pid for one in psutil.Process(number).parents())}
    return next(one for one in modules if one.process.pid in parents)
