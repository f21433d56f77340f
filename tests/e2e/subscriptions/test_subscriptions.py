"""Channels and their subscriptions, over HTTP: what should be subscribed is, and stays so."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.twitch_module.domain.events.catalogue import CATALOGUE, DEFAULT_TYPES, REVOKED
from tests.conftest import on_sqlite
from tests.e2e.conftest import Start, shared_server
from tests.e2e.tokens.test_logins import STREAMER, Browser, log_in
from tests.messages import BROADCASTER, EVENTS, Message, person
from tests.processes import Module, Sandbox, wait_until

COUNT = len(DEFAULT_TYPES)

CREATE = "POST /sandbox/helix/eventsub/subscriptions"
NAMES = {"id": STREAMER, "login": "sandbox_streamer", "name": "Sandbox Streamer"}


def add(module: Module, channel_id: str = STREAMER) -> dict[str, Any]:
    answer = module.call("POST", "/twitch/api/channels", json={"channel_id": channel_id})
    assert answer.status_code in (200, 201), answer.text
    channel: dict[str, Any] = answer.json()["channel"]
    return channel


def set_up(module: Module, channel_id: str = STREAMER, query: str = "") -> Counter[str]:
    """How many types had which outcome."""
    answer = module.call("POST", f"/twitch/api/setup/{channel_id}{query}")
    assert answer.status_code in (200, 207), answer.text
    return Counter(result["outcome"] for result in answer.json()["results"])


def change(module: Module, **changes: Any) -> dict[str, Any]:
    answer = module.call("PATCH", f"/twitch/api/channels/{STREAMER}", json=changes)
    assert answer.status_code == 200, answer.text
    channel: dict[str, Any] = answer.json()["channel"]
    return channel


def channel(module: Module) -> dict[str, Any]:
    answer = module.call("GET", f"/twitch/api/channels/{STREAMER}").json()
    found: dict[str, Any] = answer["channel"]
    return found


def listed(module: Module) -> dict[str, Any]:
    answer = module.call("GET", "/twitch/api/subscriptions")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def created(sandbox: Sandbox) -> int:
    calls: dict[str, int] = sandbox.control("calls")["calls"]
    return calls.get(CREATE, 0)


def at_twitch(sandbox: Sandbox, event_type: str = "") -> list[dict[str, Any]]:
    everything: list[dict[str, Any]] = sandbox.control("subscriptions")["subscriptions"]
    return [one for one in everything if not event_type or one["type"] == event_type]


def enabled(sandbox: Sandbox) -> set[str]:
    return {one["type"] for one in at_twitch(sandbox) if one["status"] == "enabled"}


def revoke(sandbox: Sandbox, event_type: str, status: str) -> None:
    order = {"type": event_type, "broadcaster_user_id": STREAMER, "status": status}
    sandbox.control("revoke", order)


def follow(**changes: Any) -> Message:
    """A follow in the sandbox's channel."""
    event = {**EVENTS["channel.follow"], **person("broadcaster_user", NAMES), **changes}
    return Message("channel.follow", event)


def amounts(module: Module) -> list[int]:
    return [row["amount"] for row in module.all("/twitch/activities")]


@on_sqlite
def test_after_a_lost_database_200_channels_are_adopted_and_none_created_twice(
    module: Module, sandbox: Sandbox, tmp_path: Path
) -> None:
    users = [{"id": str(810_000 + number), "login": f"many_{number}"} for number in range(200)]
    sandbox.add_streamers(users)
    for user in users:
        add(module, user["id"])
        assert len(DEFAULT_TYPES) == set_up(module, user["id"]).total()
    wait_until(lambda: len(at_twitch(sandbox)) == 200 * COUNT + 1)  # one is the application's own
    made = created(sandbox)
    module.kill()
    for path in tmp_path.glob("storage.db*"):
        path.unlink()
    module.restart().wait_until_ready()
    outcomes: Counter[str] = Counter()
    for user in users:
        add(module, user["id"])
        outcomes += set_up(module, user["id"])

    assert Counter({"adopted": 200 * COUNT}) == outcomes
    assert made == created(sandbox)
    assert 200 * COUNT + 1 == len(at_twitch(sandbox))


def test_a_restart_with_subscriptions_in_place_creates_none(start: Start, sandbox: Sandbox) -> None:
    module = start()
    add(module)
    set_up(module)
    # With the application's own. What is killed before its challenge is answered is made again.
    wait_until(lambda: [one["status"] for one in at_twitch(sandbox)] == ["enabled"] * (COUNT + 1))
    made = created(sandbox)
    module.kill()
    module.restart().wait_until_ready()

    assert Counter(kept=COUNT) == set_up(module)
    module.wait_until_compared()
    assert made == created(sandbox)


def test_two_servers_that_set_up_and_compare_at_once_make_no_duplicate(
    start: Start, sandbox: Sandbox
) -> None:
    one = start(RECONCILE_SECONDS="1")
    servers = [one, start(RECONCILE_SECONDS="1", PUBLIC_URL=one.url)]
    users = [{"id": str(820_000 + number), "login": f"shared_{number}"} for number in range(8)]
    sandbox.add_streamers(users)
    for user in users:
        add(one, user["id"])
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(set_up, servers * 8, [user["id"] for user in users] * 2))
    all_enabled = ["enabled"] * (8 * COUNT + 1)
    wait_until(lambda: [row["status"] for row in at_twitch(sandbox)] == all_enabled)
    distinct = {(one["type"], str(one["condition"])) for one in at_twitch(sandbox)}

    assert len(distinct) == len(at_twitch(sandbox))
    assert {"created", "kept", "adopted"} >= {name for counted in outcomes for name in counted}
    for user in users:
        assert Counter(kept=COUNT) == set_up(servers[1], user["id"])


class TestKept:
    """With a comparison every second, as it would be every ten minutes."""

    @pytest.fixture
    def module(self, start: Start) -> Module:
        module = start(RECONCILE_SECONDS="1")
        add(module)
        set_up(module)
        return module

    @pytest.fixture(autouse=True)
    def all_enabled(self, module: Module, sandbox: Sandbox) -> None:
        wait_until(lambda: enabled(sandbox) >= set(DEFAULT_TYPES))

    def test_two_deleted_behind_its_back_return(self, module: Module, sandbox: Sandbox) -> None:
        for event_type in ("channel.ban", "channel.raid"):
            gone = at_twitch(sandbox, event_type)[0]["id"]
            sandbox.delete(f"/control/subscriptions?id={gone}").raise_for_status()

        wait_until(lambda: enabled(sandbox) >= set(DEFAULT_TYPES), seconds=10)
        assert COUNT + 2 == created(sandbox) - len(at_twitch(sandbox, "user.authorization.revoke"))

    def test_one_that_failed_too_often_is_created_anew(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        before = at_twitch(sandbox, "channel.raid")[0]["id"]
        revoke(sandbox, "channel.raid", "notification_failures_exceeded")

        wait_until(
            lambda: [one["status"] for one in at_twitch(sandbox, "channel.raid")] == ["enabled"],
            seconds=10,
        )
        assert before != at_twitch(sandbox, "channel.raid")[0]["id"]
        wait_until(lambda: channel(module)["warning"] is None)

    @on_sqlite
    def test_one_without_authorization_waits_for_a_login_and_says_so(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        revoke(sandbox, "channel.ban", "authorization_revoked")
        wait_until(lambda: (missing(module, "channel.ban") or {}).get("login_url"), seconds=10)
        result = missing(module, "channel.ban") or {}
        dead = next(one for one in listed(module)["subscriptions"] if one["type"] == "channel.ban")
        warned = channel(module)["warning"]
        log_in(module)

        assert f"{module.url}/twitch/auth/login" == result["login_url"]
        assert "authorization_revoked" == result["reason"] == dead["reason"] == dead["status"]
        assert "channel.ban: authorization_revoked" == warned
        wait_until(lambda: "channel.ban" in enabled(sandbox), seconds=10)
        wait_until(lambda: listed(module)["missing"] == [])

    @on_sqlite
    def test_the_metrics_show_what_twitch_counts(self, module: Module) -> None:
        def metrics() -> set[str]:
            return set(module.call("GET", "/twitch/metrics").text.splitlines())

        counted = {
            'twitch_subscriptions{status="enabled"} 8.0',
            "twitch_subscription_total 8.0",
            "twitch_subscription_max_total_cost 10000.0",
        }
        wait_until(lambda: counted <= metrics())

    @on_sqlite
    def test_a_change_of_event_types_is_carried_out(self, module: Module, sandbox: Sandbox) -> None:
        shown = change(module, event_types=["channel.raid", "stream.online", "channel.raid"])

        assert ["channel.raid", "stream.online"] == shown["event_types"]
        wanted = {"channel.raid", "stream.online", "user.authorization.revoke"}
        wait_until(lambda: enabled(sandbox) == wanted, seconds=10)
        assert set(DEFAULT_TYPES) == set(change(module, event_types=None)["event_types"])
        wait_until(lambda: enabled(sandbox) >= set(DEFAULT_TYPES), seconds=10)


def missing(module: Module, event_type: str) -> dict[str, Any] | None:
    found = [one for one in listed(module)["missing"] if one["type"] == event_type]
    return found[0] if found else None


@on_sqlite
@shared_server
def test_a_list_of_1500_subscriptions_is_answered_whole(module: Module, sandbox: Sandbox) -> None:
    orders = [
        {
            "client_id": "app-id",
            "type": "stream.online",
            "condition": {"broadcaster_user_id": str(700_000 + number)},
            "callback": module.url + "/twitch/webhook",
            "cost": 1,
        }
        for number in range(1500)
    ]
    sandbox.control("subscriptions", {"subscriptions": orders})
    document = listed(module)
    own = {"user.authorization.revoke"}
    ids = {one["id"] for one in document["subscriptions"] if one["type"] not in own}
    shown = next(one for one in document["subscriptions"] if one["channel_id"] == "700001")

    assert 1500 == len(ids)
    assert document["total"] in (1500, 1501)
    assert document["total_cost"] >= 1500
    assert 10_000 == document["max_total_cost"]
    assert {
        "type": "stream.online",
        "version": "1",
        "status": "enabled",
        "reason": None,
        "condition": {"broadcaster_user_id": "700001"},
        "cost": 1,
        "channel_id": "700001",
        "last_event_at": None,
    }.items() <= shown.items()


@on_sqlite
@shared_server
def test_a_subscription_by_hand_is_created_listed_and_deleted(
    module: Module, sandbox: Sandbox
) -> None:
    add(module)
    order = {"type": "stream.online", "channel_id": STREAMER}
    first = module.call("POST", "/twitch/api/subscriptions", json=order)
    second = module.call("POST", "/twitch/api/subscriptions", json=order)
    made = first.json()["subscription"]
    wait_until(lambda: "stream.online" in enabled(sandbox))
    deleted = module.call("DELETE", f"/twitch/api/subscriptions?id={made['id']}")
    again = module.call("DELETE", "/twitch/api/subscriptions", json={"id": made["id"]})

    assert (201, 200) == (first.status_code, second.status_code)
    assert made["id"] == second.json()["subscription"]["id"]
    assert (200, False) == (deleted.status_code, deleted.json()["returns"])
    assert (404, "not_found") == (again.status_code, again.json()["code"])
    assert "stream.online" not in {one["type"] for one in at_twitch(sandbox)}


@on_sqlite
@shared_server
@pytest.mark.parametrize(
    ("order", "status", "code"),
    [
        ({"type": "stream.online"}, 422, "invalid"),
        ({"type": "channel.unknown", "channel_id": STREAMER}, 422, "invalid"),
        ({"type": "channel.unknown", "version": "1", "condition": {"x": "1"}}, 422, "invalid"),
        ({"type": "channel.follow", "version": "1", "channel_id": STREAMER}, 422, "invalid"),
        ({"type": "channel.bits.use", "channel_id": STREAMER}, 422, "invalid"),
        ({"type": "channel.ban", "channel_id": STREAMER}, 409, "needs_login"),
        ({"type": "stream.online", "channel_id": STREAMER, "x": 1}, 422, "invalid"),
    ],
    ids=str,
)
def test_a_subscription_that_cannot_be_is_refused(
    module: Module, sandbox: Sandbox, order: dict[str, Any], status: int, code: str
) -> None:
    add(module)
    sandbox.control("grants/revoke", {"user_id": STREAMER})
    answer = module.call("POST", "/twitch/api/subscriptions", json=order)

    assert (status, code) == (answer.status_code, answer.json()["code"]), answer.text


@on_sqlite
@shared_server
def test_the_advice_about_an_unknown_type_leads_to_a_subscription(
    module: Module, sandbox: Sandbox
) -> None:
    def subscribe(**order: Any) -> tuple[int, str]:
        answer = module.call("POST", "/twitch/api/subscriptions", json=order)
        return answer.status_code, answer.json().get("detail", "")

    add(module)
    new, condition = "channel.something.new", {"broadcaster_user_id": STREAMER}
    sandbox.control("settings", {"further_types": [new]})
    status, advice = subscribe(type=new, channel_id=STREAMER)
    # With its version and its condition, and without a channel.
    done = subscribe(type=new, version="1", condition=condition)
    application, told = subscribe(type="user.authorization.grant", channel_id=STREAMER)
    by_condition = subscribe(type="user.authorization.grant", condition={"client_id": "app-id"})
    wait_until(lambda: {new, "user.authorization.grant"} <= enabled(sandbox))
    sandbox.control("send", {"type": new, "event": {"broadcaster_user_id": STREAMER, "x": 1}})
    (event,) = [one for one in module.all("/twitch/events") if one["event_type"] == new]

    assert (422, True) == (status, "with its version and its condition" in advice)
    assert (201, "") == done
    assert (422, True) == (application, "a condition (client_id)" in told)
    assert (201, "") == by_condition
    assert ("unscored", STREAMER) == (event["outcome"], event["channel_id"])


@on_sqlite
@shared_server
def test_every_type_of_the_catalogue_can_be_subscribed_and_is_understood(
    module: Module, sandbox: Sandbox
) -> None:
    add(module)
    every = {scope for row in CATALOGUE.values() for one in row.grants for scope in one.scopes}
    granted = {"client_id": "app-id", "user_id": STREAMER, "scopes": sorted(every)}
    sandbox.control("grants", granted)
    ids = {"client_id": "app-id", "organization_id": "org-1", "extension_client_id": "ext-1"}
    for name, row in CATALOGUE.items():
        order: dict[str, Any] = {"type": name, "channel_id": STREAMER}
        if not row.is_of_channel:
            order = {"type": name, "condition": {key: ids[key] for key in row.condition}}
        if name != "channel.bits.use":  # it is refused beside channel.cheer
            answer = module.call("POST", "/twitch/api/subscriptions", json=order)
            assert answer.status_code in (200, 201), answer.text
    wait_until(lambda: enabled(sandbox) == CATALOGUE.keys() - {"channel.bits.use"}, seconds=20)
    for name in sorted(CATALOGUE.keys() - {"channel.bits.use", REVOKED}):  # unban after ban
        assert 204 == sandbox.control("send", {"type": name})["status"], name
    outcomes = {one["event_type"]: one["outcome"] for one in module.all("/twitch/events")}

    assert "scored" == outcomes.pop("waddlebot.reversal")
    assert CATALOGUE.keys() - {"channel.bits.use", REVOKED} == outcomes.keys()
    assert {"scored", "unscored"} == set(outcomes.values())
    scored = {name for name, one in outcomes.items() if one == "scored"}
    assert set(DEFAULT_TYPES) - {"channel.unban"} == scored


class TestChannels:
    @on_sqlite
    @shared_server
    def test_names_do_not_mind_their_case_and_twice_is_once(self, module: Module) -> None:
        by_name = {"channel_name": "Sandbox_STREAMER"}
        first = module.call("POST", "/twitch/api/channels", json=by_name)
        second = module.call("POST", "/twitch/api/channels", json={"channel_id": STREAMER})

        assert (201, 200) == (first.status_code, second.status_code)
        assert first.json() == second.json()
        assert {
            "channel_id": STREAMER,
            "channel_name": "sandbox_streamer",
            "display_name": "Sandbox Streamer",
            "is_active": True,
            "gateway_id": None,
            "points": None,
            "event_types": list(DEFAULT_TYPES),
        }.items() <= first.json()["channel"].items()

    @on_sqlite
    @shared_server
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"channel_id": "1"},
            {"is_active": "yes"},
            {"is_active": None},
            {"gateway_id": ""},
            {"points": {"jump": 3}},
            {"points": {"follow": "many"}},
            {"points": []},
            {"event_types": ["channel.jump"]},
            {"event_types": ["channel.cheer", "channel.bits.use"]},
            {"event_types": "channel.raid"},
            {"points": {"bits_use": 1}},
        ],
        ids=str,
    )
    def test_a_bad_change_is_refused_and_changes_nothing(
        self, module: Module, changes: dict[str, Any]
    ) -> None:
        before = add(module)
        answer = module.call("PATCH", f"/twitch/api/channels/{STREAMER}", json=changes)

        assert (422, "invalid") == (answer.status_code, answer.json()["code"]), answer.text
        assert before == channel(module)

    @on_sqlite
    @shared_server
    def test_what_is_not_there_is_not_found(self, module: Module) -> None:
        for method, path in (
            ("GET", "/twitch/api/channels/999"),
            ("PATCH", "/twitch/api/channels/999"),
            ("DELETE", "/twitch/api/channels/999"),
            ("POST", "/twitch/api/setup/999"),
            ("GET", "/twitch/api/user/nobody_at_all"),
            ("GET", "/twitch/api/user/999"),
            ("GET", "/twitch/api/user/%20"),
        ):
            body = {"json": {"is_active": False}} if method == "PATCH" else {}
            answer = module.call(method, path, **body)
            assert (404, "not_found") == (answer.status_code, answer.json()["code"]), path

    @on_sqlite
    @shared_server
    def test_a_user_is_found_by_id_and_by_login(self, module: Module, sandbox: Sandbox) -> None:
        sandbox.control("users", {"id": "77", "login": "100200300x"})
        by_id = module.call("GET", f"/twitch/api/user/{STREAMER}").json()["user"]
        by_login = module.call("GET", "/twitch/api/user/Sandbox_Streamer").json()["user"]

        assert by_id == by_login
        assert ("Sandbox Streamer", "affiliate") == (
            by_id["display_name"],
            by_id["broadcaster_type"],
        )

    def test_a_removed_channel_leaves_nothing_at_twitch_and_keeps_its_events(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        add(module)
        set_up(module)
        assert 204 == module.post(follow()).status_code
        removed = module.call("DELETE", f"/twitch/api/channels/{STREAMER}")

        assert (200, COUNT) == (removed.status_code, len(removed.json()["removed_subscriptions"]))
        assert {"user.authorization.revoke"} >= {one["type"] for one in at_twitch(sandbox)}
        assert 1 == len(module.all("/twitch/events"))
        assert 404 == module.call("GET", f"/twitch/api/channels/{STREAMER}").status_code

    def test_a_channels_own_points_hold_for_it_alone_on_every_server(self, start: Start) -> None:
        one, other = start(), start()
        add(one)
        one.watch(BROADCASTER["id"])
        change(one, points={"follow": 25, "bits": {"per_unit": 2, "max": 300}})
        wait_until(lambda: channel(other)["points"] is not None)
        for module in (one, other):
            wait_until(lambda module=module: pays(module, 25), seconds=5)
        cheer = {**EVENTS["channel.cheer"], **person("broadcaster_user", NAMES)}
        one.post(Message("channel.cheer", cheer))
        other.post(Message("channel.follow"))  # of a channel that has none of its own

        assert [10, 300] == amounts(one)[:2]
        rule = one.all("/twitch/activities")[1]["rule"]
        assert ("points", 2) == (rule["source"], rule["per_unit"])

    def test_a_renamed_channel_gets_its_name_from_an_event(self, module: Module) -> None:
        module.wait_until_compared()
        add(module)
        renamed = follow(broadcaster_user_login="new_name", broadcaster_user_name="New_Name")
        module.post(renamed)
        module.post(follow(broadcaster_user_login="", broadcaster_user_name=None))
        shown = channel(module)

        assert (STREAMER, "new_name", "New_Name") == (
            shown["channel_id"],
            shown["channel_name"],
            shown["display_name"],
        )


def pays(module: Module, points: int) -> bool:
    """Whether a follow earns so much by now: another server's change holds within a second."""
    assert 204 == module.post(follow()).status_code
    return amounts(module)[0] == points


def test_the_last_event_of_a_subscription_is_shown(module: Module, sandbox: Sandbox) -> None:
    add(module)
    set_up(module)
    wait_until(lambda: "channel.follow" in enabled(sandbox))
    sandbox.control("send", {"type": "channel.follow"})
    by_type = {one["type"]: one["last_event_at"] for one in listed(module)["subscriptions"]}

    assert by_type["channel.follow"].startswith("20")
    assert by_type["channel.raid"] is None


def test_a_new_secret_replaces_what_was_made_with_the_old_one(
    module: Module, sandbox: Sandbox
) -> None:
    add(module)
    set_up(module)
    wait_until(lambda: enabled(sandbox) >= set(DEFAULT_TYPES))
    old = module.setting("TWITCH_WEBHOOK_SECRET")
    module.stop()
    module.restart(TWITCH_WEBHOOK_SECRET="the-new-secret", TWITCH_WEBHOOK_SECRET_PREVIOUS=old)
    module.wait_until_ready()

    wait_until(
        lambda: {one["secret"] for one in at_twitch(sandbox)} == {"the-new-secret"}, seconds=15
    )
    wait_until(lambda: enabled(sandbox) >= set(DEFAULT_TYPES))
    assert Counter(kept=COUNT) == set_up(module)


@on_sqlite
def test_after_a_lost_database_an_old_secret_is_learnt_from_an_event(
    start: Start, sandbox: Sandbox
) -> None:
    module = start(
        TWITCH_WEBHOOK_SECRET="the-new-secret", TWITCH_WEBHOOK_SECRET_PREVIOUS="the-old-secret"
    )
    made = sandbox.control(
        "subscriptions",
        {
            "client_id": "app-id",
            "type": "channel.raid",
            "condition": {"to_broadcaster_user_id": STREAMER},
            "callback": module.url + "/twitch/webhook",
            "secret": "the-old-secret",
        },
    )
    before = made["subscriptions"][0]["id"]
    add(module)
    adopted = set_up(module)["adopted"]
    wait_until(lambda: enabled(sandbox) >= set(DEFAULT_TYPES))
    sandbox.control("send", {"type": "channel.raid"})

    wait_until(
        lambda: {one["id"] for one in at_twitch(sandbox, "channel.raid")} - {before}, seconds=10
    )
    assert 1 == adopted
    assert ["the-new-secret"] == [one["secret"] for one in at_twitch(sandbox, "channel.raid")]
    assert [30] == amounts(module)


@on_sqlite
@shared_server
def test_a_dry_run_shows_the_plan(module: Module, sandbox: Sandbox) -> None:
    add(module)

    assert Counter(created=COUNT) == set_up(module, query="?dry_run=1")
    assert not enabled(sandbox) & set(DEFAULT_TYPES)
    answer = module.call("POST", f"/twitch/api/setup/{STREAMER}?dry_run=maybe")
    assert 422 == answer.status_code


@on_sqlite
def test_types_beyond_the_usual_ones_are_asked_for_by_the_channels_own_link(
    module: Module, sandbox: Sandbox
) -> None:
    sandbox.control("grants/revoke", {"user_id": STREAMER})
    add(module)
    change(module, event_types=["channel.goal.end"])
    answer = module.call("POST", f"/twitch/api/setup/{STREAMER}").json()
    link = answer["results"][0]["login_url"]
    asked = Browser(module).begin(channel_id=STREAMER)

    assert f"{module.url}/twitch/auth/login?channel_id={STREAMER}" == link
    assert "channel:read:goals" == asked["scope"]


@on_sqlite
@shared_server
def test_the_link_of_a_refused_subscription_leads_to_what_it_needs(
    module: Module, sandbox: Sandbox
) -> None:
    """Chat messages need three grants: of the reader two, of the broadcaster one."""
    add(module)
    order = {"type": "channel.chat.message", "channel_id": STREAMER}
    refused = module.call("POST", "/twitch/api/subscriptions", json=order)
    link = refused.json()["login_url"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    log_in(module, **query)
    made = module.call("POST", "/twitch/api/subscriptions", json=order)
    wait_until(lambda: "channel.chat.message" in enabled(sandbox))

    assert (409, "needs_login") == (refused.status_code, refused.json()["code"])
    assert 201 == made.status_code


class TestCatchingUp:
    """Follows that Twitch could not deliver are entered, each once."""

    FOLLOWERS = 150

    def missed(self, sandbox: Sandbox, first: int, count: int, minute: int) -> None:
        followers = [
            {
                "user_id": str(600_000 + number),
                "user_login": f"follower_{number}",
                "user_name": f"Follower_{number}",
                "followed_at": f"2038-01-01T00:{minute:02}:{number % 60:02}Z",
            }
            for number in range(first, first + count)
        ]
        order = {"broadcaster_user_id": STREAMER, "followers": followers}
        sandbox.control("followers", order)

    def late_webhook(self, number: int, minute: int) -> Message:
        return follow(
            user_id=str(600_000 + number),
            user_login=f"follower_{number}",
            user_name=f"Follower_{number}",
            followed_at=f"2038-01-01T00:{minute:02}:{number % 60:02}.987654321Z",
        )

    @pytest.fixture
    def module(self, module: Module, sandbox: Sandbox) -> Module:
        module.wait_until_compared()  # with which it catches up for the first time
        add(module)
        log_in(module)
        set_up(module)
        wait_until(lambda: "channel.follow" in enabled(sandbox))
        return module

    def plan(self, module: Module) -> Any:
        answer = module.call("POST", f"/twitch/api/setup/{STREAMER}?dry_run=1").json()
        return answer.get("backfill")

    def test_those_missed_while_the_server_was_down_are_entered_once(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        change(module, backfill=True)
        assert 204 == module.post(self.late_webhook(0, 30)).status_code
        module.kill()
        self.missed(sandbox, 0, self.FOLLOWERS, 30)
        module.restart().wait_until_ready()
        wait_until(lambda: len(amounts(module)) == self.FOLLOWERS, seconds=20)
        for number in (0, 1, 149):
            assert 204 == module.post(self.late_webhook(number, 30)).status_code
        again = module.call("POST", f"/twitch/api/setup/{STREAMER}").json()["backfill"]
        events = module.all("/twitch/events")
        origins = Counter(event["origin"] for event in events)
        unpaid = [event["reason"] for event in events if event["outcome"] == "unscored"]

        assert [10] * self.FOLLOWERS == amounts(module)
        assert {"backfill": 149, "webhook": 4} == origins
        assert 3 == len(unpaid) and all(reason.startswith("twin of ") for reason in unpaid)
        assert (0, []) == (again["entered"], again["missing"])

    @on_sqlite
    def test_it_is_off_unless_a_channel_asks_for_it(self, module: Module, sandbox: Sandbox) -> None:
        self.missed(sandbox, 0, 3, 30)
        off = self.plan(module)
        change(module, backfill=True)
        on = self.plan(module)

        assert off is None
        assert ["follower_2", "follower_1", "follower_0"] == on["missing"]
        assert [] == amounts(module)

    @on_sqlite
    def test_followers_from_before_it_was_monitored_are_not_paid(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        old = {"user_id": "5", "user_login": "old", "user_name": "Old"}
        old["followed_at"] = "2020-01-01T00:00:00Z"
        sandbox.control("followers", {"broadcaster_user_id": STREAMER, "followers": [old]})
        change(module, backfill=True)

        assert [] == self.plan(module)["missing"]

    @on_sqlite
    def test_without_a_login_it_is_said(self, start: Start) -> None:
        module = start()
        add(module)
        change(module, backfill=True)
        answer = module.call("POST", f"/twitch/api/setup/{STREAMER}").json()

        assert "no tokens" in answer["backfill"]["reason"]
