"""Points as admins and other services see them: held, released, ranked, explained."""

import json

from tests.e2e.conftest import Start
from tests.e2e.events.test_main_job import received, statuses, wait_for
from tests.messages import BROADCASTER, EVENTS, VIEWER, Message, follow_of
from tests.processes import Sandbox, wait_until

BURST = json.dumps({"follow": {"base": 10, "burst": 2}})


def test_a_burst_of_follows_is_held_until_an_admin_decides(start: Start, sandbox: Sandbox) -> None:
    module = start(ACTIVITY_POINTS=BURST)
    for number in range(5):
        assert 204 == module.post(Message(event=follow_of(number))).status_code
    wait_until(lambda: statuses(module) == {"delivered", "held"})
    held = module.all("/twitch/activities?status=held")
    path = f"/twitch/activities/{held[0]['id']}"

    assert ["held: too many in a minute"] * 3 == [one["reason"] for one in held]
    assert 2 == len(received(sandbox))
    assert 409 == module.call("POST", f"{path}/redeliver").status_code
    dropped = module.call("POST", f"{path}/drop").json()["activity"]
    assert ("skipped", 0) == (dropped["status"], dropped["amount"])
    assert 409 == module.call("POST", f"{path}/release").status_code
    which = {"type": "follow", "channel_id": BROADCASTER["id"], "since": "2020-01-01T00:00:00Z"}
    order = {"json": {**which, "dry_run": True}}
    assert {"released": 0, "matching": 2} == module.call(
        "POST", "/twitch/activities/release", **order
    ).json()
    assert {"released": 2, "matching": 2} == module.call(
        "POST", "/twitch/activities/release", json=which
    ).json()
    assert {"dropped": 0, "matching": 0} == module.call(
        "POST", "/twitch/activities/drop", json={}
    ).json()
    assert 4 == len(wait_for(sandbox, 4))
    board = module.call("GET", "/twitch/api/leaderboard").json()["leaderboard"]
    assert [(1, 10)] * 4 == [(one["rank"], one["points"]) for one in board]
    done = [one["action"] for one in module.all("/twitch/api/audit")]
    assert ["activity.drop_all", "activity.release_all", "activity.drop"] == done[:3]


def test_a_users_points_and_why(start: Start) -> None:
    module = start()
    module.post(Message("channel.follow"))
    for bits in (20, 30, 50):
        module.post(Message("channel.cheer", {**EVENTS["channel.cheer"], "bits": bits}))
    module.post(Message("channel.ban"))
    module.post(Message(event=follow_of(77)))
    wait_until(lambda: statuses(module) == {"delivered"})
    path = f"/twitch/api/users/{VIEWER['id']}/points"
    shown = module.call("GET", f"{path}?limit=2").json()

    assert (VIEWER["name"], 100) == (shown["user_name"], shown["points"])
    assert [("ban", -10, 1), ("bits", 100, 3), ("follow", 10, 1)] == [
        (one["activity_type"], one["points"], one["times"]) for one in shown["totals"]
    ]
    assert ["-10 = (-10 + 0 * 0) * 1", "50 = (0 + 1 * 50) * 1"] == [
        one["why"] for one in shown["activities"]
    ]
    rest = module.call("GET", f"{path}?activity=bits&cursor={shown['next_cursor']}").json()
    assert [30, 20] == [one["amount"] for one in rest["activities"]]
    assert (100, None) == (rest["points"], rest["next_cursor"])

    board = "/twitch/api/leaderboard"
    first = module.call("GET", f"{board}?limit=1&period=week").json()
    second = module.call("GET", f"{board}?limit=1&cursor=90:{VIEWER['id']}").json()
    # The follow was long ago, by its own time.
    assert [(1, VIEWER["id"], 90, 4)] == [
        (one["rank"], one["user_id"], one["points"], one["times"]) for one in first["leaderboard"]
    ]
    assert [(2, 10)] == [(one["rank"], one["points"]) for one in second["leaderboard"]]
    assert second["next_cursor"] is None
    nobody = module.call("GET", f"{board}?until=2020-01-01").json()
    assert {"leaderboard": [], "next_cursor": None} == nobody
    for wrong in ("period=ever", "cursor=x", "since=0", "until=2026-02-30"):
        assert 422 == module.call("GET", f"{board}?{wrong}").status_code, wrong
    assert [] == module.call("GET", "/twitch/api/users/nobody/points").json()["activities"]
