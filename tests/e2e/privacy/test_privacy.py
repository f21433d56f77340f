"""A person's export and erasure, over HTTP, while the service goes on."""

import time

from tests.e2e.conftest import Start
from tests.messages import EVENTS, VIEWER, Message, follow_of
from tests.processes import wait_until

USER = f"/twitch/api/users/{VIEWER['id']}"


def test_a_viewer_is_shown_what_is_kept_and_erased(start: Start) -> None:
    module = start()
    repeated = Message("channel.cheer")
    for message in (repeated, Message(), Message(event=follow_of(1))):
        assert 204 == module.post(message).status_code
    wait_until(lambda: not module.all("/twitch/activities?status=pending"), 15)
    shown = module.call("GET", f"{USER}/export", params={"limit": 1}).json()
    kept = module.all(f"{USER}/export")
    assert shown["export"] == kept[:1] and shown["next_cursor"] == f"0.{kept[0]['row']['id']}"
    assert {"twitch_events", "twitch_activities", "twitch_totals"} == {one["table"] for one in kept}

    began_at = time.time() - 1
    begun = module.call("POST", f"{USER}/erase")
    assert 202 == begun.status_code
    erasure = begun.json()["erasure"]

    def erased() -> bool:
        path = f"/twitch/api/erasures/{erasure['id']}"
        return str(module.call("GET", path).json()["erasure"]["state"]) == "erased"

    wait_until(erased, 40)
    assert [] == module.all(f"{USER}/export")
    assert 204 == module.post(repeated).status_code
    assert [] == module.all(f"{USER}/export")
    board = {one["user_id"]: one["points"] for one in module.all("/twitch/api/leaderboard")}
    assert {erasure["pseudonym"]: 260, "80001": 10} == board
    late = Message(event={**EVENTS["channel.follow"], "followed_at": "2026-01-02T03:04:05Z"})
    late.at = began_at
    assert 204 == module.post(late).status_code
    assert "the user has been erased" in {one["reason"] for one in module.all("/twitch/events")}
    assert [] == module.all(f"{USER}/export")
    done = [one["action"] for one in module.all("/twitch/api/audit")]
    assert ["privacy.erase", "privacy.export"] == [one for one in done if "privacy" in one][-3:-1]


def test_what_cannot_be_erased_is_refused(start: Start) -> None:
    module = start()
    module.watch("7001")

    assert 409 == module.call("POST", "/twitch/api/users/7001/erase").status_code
    for wrong in ("some_viewer", "٣", "1" * 21):
        refused = module.call("POST", f"/twitch/api/users/{wrong}/erase")
        assert (404, "number") == (refused.status_code, refused.json()["detail"].split()[5][:6])
        assert 404 == module.call("GET", f"/twitch/api/users/{wrong}/export").status_code
    for wrong in ("1", "x", "9" * 30):
        assert 404 == module.call("GET", f"/twitch/api/erasures/{wrong}").status_code
    for cursor in ("3.1", "0.x", "0", "1." + "9" * 19):
        answer = module.call("GET", f"{USER}/export", params={"cursor": cursor})
        assert 400 <= answer.status_code < 500
