"""services/subscriptions/reconciler.py between a real database and the sandbox's Twitch."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from apps.twitch_module.common import Services, build
from apps.twitch_module.configuration import load_settings
from apps.twitch_module.domain.access.callers import SYSTEM
from apps.twitch_module.domain.events.catalogue import DEFAULT_TYPES
from apps.twitch_module.domain.secret import Secret
from apps.twitch_module.domain.subscriptions.subscription import from_twitch
from apps.twitch_module.domain.tokens.oauth import Grant, Validation
from apps.twitch_module.errors import ModuleError, RateLimited, TwitchUnavailable
from apps.twitch_module.models.subscriptions import (
    channels,
    subscription_failures,
    subscriptions,
)
from apps.twitch_module.services.subscriptions.comparison import Comparison
from tests.conftest import on_sqlite
from tests.environment import environment
from tests.processes import Sandbox

STREAMER = "100200300"
CALLBACK = "https://bot.example/twitch/webhook"
PATH = "/sandbox/helix/eventsub/subscriptions"
CREATE, LIST, DELETE = f"POST {PATH}", f"GET {PATH}", f"DELETE {PATH}"


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """A Twitch that sends no challenges, since nobody would answer."""
    sandbox.control("settings", {"challenges": "never"})
    return sandbox


Build = Callable[..., Services]


@pytest.fixture
def make(sandbox: Sandbox, db_uri: str, tmp_path: Path) -> Build:
    def make(**changes: str) -> Services:
        here = {
            "DB_URI": db_uri,
            "DATA_DIR": str(tmp_path),
            "TWITCH_API_URL": f"{sandbox.url}/helix",
            "TWITCH_AUTH_URL": f"{sandbox.url}/oauth2",
        }
        return build(load_settings(environment(**{**here, **changes})))

    return make


@pytest.fixture
def services(make: Build) -> Services:
    """The module's services with the sandbox's streamer as their one channel."""
    services = make()
    services.subscriptions.channels.add(SYSTEM, channel_id=STREAMER)
    return services


def compare(services: Services, **options: Any) -> Comparison:
    return services.subscriptions.reconciler.compare_channel(STREAMER, **options)


def outcomes(comparison: Comparison) -> dict[str, str]:
    return {result.type: result.outcome for result in comparison.results}


def all_are(outcome: str) -> dict[str, str]:
    return dict.fromkeys(DEFAULT_TYPES, outcome)


def calls(sandbox: Sandbox, call: str) -> int:
    counted: dict[str, int] = sandbox.control("calls")["calls"]
    return counted.get(call, 0)


def at_twitch(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.control("subscriptions")["subscriptions"]
    return found


def put(sandbox: Sandbox, **order: Any) -> str:
    """A subscription to the streamer's raids, straight into Twitch's state; its id."""
    made = sandbox.control(
        "subscriptions",
        {
            "client_id": "app-id",
            "type": "channel.raid",
            "condition": {"to_broadcaster_user_id": STREAMER},
            "callback": CALLBACK,
            **order,
        },
    )
    subscription_id: str = made["subscriptions"][0]["id"]
    return subscription_id


def fault(sandbox: Sandbox, method: str, times: int = 1, **order: Any) -> None:
    sandbox.control("faults", {"path": PATH, "method": method, "times": times, **order})


def log_in(services: Services, *scopes: str) -> None:
    """What a login of the streamer leaves behind."""
    grant = Grant(Secret("access"), Secret("refresh"), scopes, 14_000)
    services.tokens.users.keep_login(
        Validation("app-id", STREAMER, "sandbox_streamer", scopes, 14_000), "Streamer", grant
    )


def warning(services: Services) -> str:
    return services.subscriptions.channels.get(STREAMER).warning or ""


def one(comparison: Comparison, event_type: str) -> Any:
    return next(result for result in comparison.results if result.type == event_type)


def test_what_is_missing_is_created_and_then_kept(services: Services, sandbox: Sandbox) -> None:
    first, second = compare(services), compare(services)

    assert all_are("created") == outcomes(first)
    assert all_are("kept") == outcomes(second)
    assert first.is_well and second.is_well
    assert len(DEFAULT_TYPES) == calls(sandbox, CREATE) == len(at_twitch(sandbox))


def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    services: Services, sandbox: Sandbox
) -> None:
    superfluous = put(sandbox, type="stream.online", condition={"broadcaster_user_id": STREAMER})
    raid = put(sandbox)
    plan = compare(services, dry_run=True)

    assert {**all_are("created"), "channel.raid": "adopted"} == outcomes(plan)
    assert [superfluous] == plan.removed
    assert (0, 0) == (calls(sandbox, CREATE), calls(sandbox, DELETE))
    assert {superfluous, raid} == {found["id"] for found in at_twitch(sandbox)}


def test_after_a_lost_database_all_is_adopted(
    make: Build, sandbox: Sandbox, tmp_path: Path
) -> None:
    lost = make()
    lost.subscriptions.channels.add(SYSTEM, channel_id=STREAMER)
    compare(lost)
    fresh = make(DB_URI=f"sqlite://{tmp_path}/fresh.db")
    # The whole list is looked at before the channels are there again: nothing may go.
    assert fresh.subscriptions.reconciler.compare_all(lambda _: True)
    fresh.subscriptions.channels.add(SYSTEM, channel_id=STREAMER)

    assert all_are("adopted") == outcomes(compare(fresh))
    assert all_are("kept") == outcomes(compare(fresh))
    assert len(DEFAULT_TYPES) + 1 == calls(sandbox, CREATE)  # one is the application's own
    assert 0 == calls(sandbox, DELETE)


def test_a_channel_that_is_added_meanwhile_is_left_to_whoever_adds_it(
    services: Services, make: Build, sandbox: Sandbox, tmp_path: Path
) -> None:
    compare(services)
    fresh = make(DB_URI=f"sqlite://{tmp_path}/fresh.db")

    def go_on(_: float) -> bool:
        fresh.subscriptions.channels.add(SYSTEM, channel_id=STREAMER)
        return True

    assert fresh.subscriptions.reconciler.compare_all(go_on)
    assert all_are("adopted") == outcomes(compare(fresh))


def test_what_vanished_returns(services: Services, sandbox: Sandbox) -> None:
    compare(services)
    for found in at_twitch(sandbox)[:2]:
        sandbox.delete(f"/control/subscriptions?id={found['id']}").raise_for_status()
    again = outcomes(compare(services))

    assert 2 == list(again.values()).count("created")
    assert len(DEFAULT_TYPES) - 2 == list(again.values()).count("kept")


def test_an_earlier_secret_is_replaced(make: Build, sandbox: Sandbox) -> None:
    before = make()
    before.subscriptions.channels.add(SYSTEM, channel_id=STREAMER)
    compare(before)
    after = make(TWITCH_WEBHOOK_SECRET="another-secret-of-the-tests")
    compared = compare(after)

    assert all_are("created") == outcomes(compared)
    assert "an earlier secret" in one(compared, "channel.raid").reason
    assert {"another-secret-of-the-tests"} == {found["secret"] for found in at_twitch(sandbox)}
    assert len(DEFAULT_TYPES) == len(at_twitch(sandbox))


def test_an_earlier_callback_of_ours_is_replaced_and_no_others(
    make: Build, sandbox: Sandbox
) -> None:
    foreign = put(sandbox, callback="https://staging.example/twitch/webhook")
    before = make(PUBLIC_URL="https://old.example")
    before.subscriptions.channels.add(SYSTEM, channel_id=STREAMER)
    compare(before)
    compared = compare(make())

    assert all_are("created") == outcomes(compared)
    by_callback = [found["callback"] for found in at_twitch(sandbox)]
    assert len(DEFAULT_TYPES) == by_callback.count(CALLBACK)
    assert [foreign] == [
        found["id"] for found in at_twitch(sandbox) if found["callback"] != CALLBACK
    ]


def test_what_is_not_wanted_any_more_goes(services: Services, sandbox: Sandbox) -> None:
    compare(services)
    services.subscriptions.channels.change(
        SYSTEM, STREAMER, {"event_types": ["channel.raid", "stream.online"]}
    )
    compared = compare(services)

    assert {"channel.raid": "kept", "stream.online": "created"} == outcomes(compared)
    assert len(DEFAULT_TYPES) - 1 == len(compared.removed)
    assert {"channel.raid", "stream.online"} == {found["type"] for found in at_twitch(sandbox)}


def test_an_inactive_channel_has_none(services: Services, sandbox: Sandbox) -> None:
    compare(services)
    services.subscriptions.channels.change(SYSTEM, STREAMER, {"is_active": False})

    assert ([], 6) == (compare(services).results, 6 - len(at_twitch(sandbox)))


def test_a_removed_channel_leaves_nothing_at_twitch(services: Services, sandbox: Sandbox) -> None:
    compare(services)
    ids = {one["id"] for one in at_twitch(sandbox)}
    removed = services.subscriptions.channels.remove(SYSTEM, STREAMER)

    assert ids == set(removed)
    assert ([], []) == (at_twitch(sandbox), services.subscriptions.channels.list())


def test_a_removal_names_what_another_process_ended_for_it(
    services: Services, make: Build, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The subscriptions' upkeep finds the channel due the moment it is marked for removal."""
    compare(services)
    ids = {one["id"] for one in at_twitch(sandbox)}
    own = services.subscriptions.reconciler.compare_channel

    def after_another(channel_id: str) -> Comparison:
        make().subscriptions.reconciler.compare_channel(channel_id)
        return own(channel_id)

    monkeypatch.setattr(services.subscriptions.reconciler, "compare_channel", after_another)
    removed = services.subscriptions.channels.remove(SYSTEM, STREAMER)

    assert (len(DEFAULT_TYPES), ids) == (len(ids), set(removed))


def test_a_channel_stays_while_twitch_does_not_end_its_subscriptions(
    services: Services, sandbox: Sandbox
) -> None:
    compare(services)
    fault(sandbox, "DELETE", times=-1, status=500)
    with pytest.raises(TwitchUnavailable):
        services.subscriptions.channels.remove(SYSTEM, STREAMER)
    stays = services.subscriptions.channels.get(STREAMER)
    sandbox.delete("/control/faults").raise_for_status()
    services.subscriptions.channels.remove(SYSTEM, STREAMER)

    assert not stays.is_active
    assert [] == at_twitch(sandbox)


class TestEnded:
    """What is done about a subscription that Twitch has ended depends on why."""

    def end(self, services: Services, sandbox: Sandbox, status: str) -> Comparison:
        compare(services)
        sandbox.control(
            "revoke",
            {
                "type": "channel.raid",
                "broadcaster_user_id": STREAMER,
                "status": status,
                "message": False,
            },
        )
        return compare(services)

    @pytest.fixture(autouse=True)
    def enabled(self, sandbox: Sandbox) -> None:
        """The control API ends only what delivers."""
        put(sandbox)

    @pytest.mark.parametrize(
        "status",
        ["notification_failures_exceeded", "webhook_callback_verification_failed", "brand_new"],
    )
    def test_it_is_created_anew(self, services: Services, sandbox: Sandbox, status: str) -> None:
        compared = self.end(services, sandbox, status)

        assert "created" == one(compared, "channel.raid").outcome
        assert [] == [found for found in at_twitch(sandbox) if found["status"] == status]

    @pytest.mark.parametrize("status", ["authorization_revoked", "moderator_removed"])
    def test_it_waits_for_a_login(self, services: Services, sandbox: Sandbox, status: str) -> None:
        compared = self.end(services, sandbox, status)
        waiting = one(compared, "channel.raid")
        warned = warning(services)
        log_in(services, "bits:read")
        after = one(compare(services), "channel.raid")

        assert ("waiting", status) == (waiting.outcome, waiting.reason)
        assert "https://bot.example/twitch/auth/login" == waiting.login_url
        assert f"channel.raid: {status}" == warned
        assert "created" == after.outcome

    @pytest.mark.parametrize("status", ["user_removed", "version_removed"])
    def test_it_is_given_up(self, services: Services, sandbox: Sandbox, status: str) -> None:
        compared = self.end(services, sandbox, status)
        made = calls(sandbox, CREATE)
        again = compare(services, asked=True)

        assert ("refused", status) == (
            one(compared, "channel.raid").outcome,
            one(again, "channel.raid").reason,
        )
        assert made == calls(sandbox, CREATE)
        assert f"channel.raid: {status}" == warning(services)

    @pytest.mark.parametrize("status", ["chat_user_banned", "beta_maintenance"])
    def test_it_is_tried_later(self, services: Services, sandbox: Sandbox, status: str) -> None:
        compared = self.end(services, sandbox, status)

        assert "refused" == one(compared, "channel.raid").outcome
        assert "created" == one(compare(services, asked=True), "channel.raid").outcome

    def test_the_second_end_within_a_day_is_not_answered_at_once(
        self, services: Services, sandbox: Sandbox
    ) -> None:
        status = "notification_failures_exceeded"
        first = one(self.end(services, sandbox, status), "channel.raid")
        made = calls(sandbox, CREATE)
        again = {"subscription_id": first.subscription_id, "status": status, "message": False}
        sandbox.control("revoke", again)
        second = one(compare(services), "channel.raid")

        assert "created" == first.outcome
        assert ("refused", status) == (second.outcome, second.reason)
        assert made == calls(sandbox, CREATE)


def test_a_pending_one_shows_its_age_and_an_old_one_is_tried_anew(
    services: Services, sandbox: Sandbox
) -> None:
    pending = "webhook_callback_verification_pending"
    old = put(sandbox, status=pending, created_at="2026-11-01T00:00:00Z")
    plan = one(compare(services, dry_run=True), "channel.raid")
    compare(services)
    kept = one(compare(services), "channel.raid")

    assert "created" == plan.outcome
    assert "has not been answered for" in plan.reason
    assert old not in {found["id"] for found in at_twitch(sandbox)}
    assert "seconds old" in kept.reason


def test_a_challenge_that_was_answered_is_no_end(services: Services, sandbox: Sandbox) -> None:
    pending = "webhook_callback_verification_pending"
    put_id = put(sandbox)
    known = next(one for one in at_twitch(sandbox) if one["id"] == put_id)
    with services.base.database.transaction() as transaction:
        subscriptions.save(transaction, from_twitch({**known, "status": pending}))
    compare(services)
    sandbox.delete(f"/control/subscriptions?id={put_id}").raise_for_status()
    fault(sandbox, "POST", times=-1, status=500)
    compare(services)
    with services.base.database.transaction(write=False) as transaction:
        noted = subscription_failures.of_channel(transaction, STREAMER)["channel.raid"]

    assert 1 == noted.failures  # the creation that has just failed, and nothing before it


class TestGrants:
    """Twitch is the judge, unless the streamer has told us more than Twitch could."""

    @pytest.fixture(autouse=True)
    def nothing_granted(self, sandbox: Sandbox) -> None:
        sandbox.control("grants/revoke", {"user_id": STREAMER})

    def test_without_a_login_here_twitch_is_asked(
        self, services: Services, sandbox: Sandbox
    ) -> None:
        sandbox.control(
            "grants", {"client_id": "app-id", "user_id": STREAMER, "scopes": ["bits:read"]}
        )
        compared = compare(services)

        assert {**all_are("waiting"), "channel.cheer": "created", "channel.raid": "created"} == (
            outcomes(compared)
        )
        ban = one(compared, "channel.ban")
        assert "https://bot.example/twitch/auth/login" == ban.login_url
        assert "Twitch says: subscription missing proper authorization" == ban.reason
        assert not compared.is_well

    def test_a_403_waits_for_the_login(self, services: Services, sandbox: Sandbox) -> None:
        compare(services)
        asked = calls(sandbox, CREATE)
        compare(services)
        unasked = calls(sandbox, CREATE)
        scopes = ["bits:read", "channel:read:subscriptions", "moderator:read:followers"]
        scopes.append("channel:moderate")
        sandbox.control("grants", {"client_id": "app-id", "user_id": STREAMER, "scopes": scopes})
        log_in(services, *scopes)

        assert (len(DEFAULT_TYPES),) * 2 == (asked, unasked)
        assert {**all_are("created"), "channel.raid": "kept"} == outcomes(compare(services))
        assert "" == warning(services)

    def test_a_scope_that_is_known_to_be_missing_is_said_without_asking(
        self, services: Services, sandbox: Sandbox
    ) -> None:
        log_in(services, "bits:read")
        sandbox.control(
            "grants", {"client_id": "app-id", "user_id": STREAMER, "scopes": ["bits:read"]}
        )
        compared = compare(services)

        assert 2 == calls(sandbox, CREATE)  # the cheers, and the raids that need no grant
        assert (
            "the streamer has not granted channel:moderate" == one(compared, "channel.ban").reason
        )
        assert "waiting" == one(compared, "channel.follow").outcome


class TestTwitchMisbehaves:
    """Whatever Twitch answers, nothing is lost, and it ends well when Twitch does."""

    BAD: tuple[dict[str, Any], ...] = (
        {"status": 400, "body": '{"message":"no"}'},
        {"status": 401, "body": '{"message":"Invalid OAuth token"}'},
        {"status": 403, "body": '{"message":"no"}'},
        {"status": 409, "body": '{"message":"no"}'},
        {"status": 429, "body": '{"message":"no"}', "headers": {"Ratelimit-Remaining": "9"}},
        {"status": 500},
        {"status": 503},
        {"garbage": True},
        {"garbage": True, "status": 502},
        {"hang_up": True},
    )

    @pytest.mark.parametrize("bad", BAD, ids=str)
    @on_sqlite
    def test_a_list_that_fails_is_not_an_empty_list(
        self, services: Services, sandbox: Sandbox, bad: dict[str, Any]
    ) -> None:
        compare(services)
        fault(sandbox, "GET", times=2, **bad)
        with pytest.raises(ModuleError):
            compare(services)

        assert len(DEFAULT_TYPES) == calls(sandbox, CREATE) == len(at_twitch(sandbox))
        sandbox.delete("/control/faults").raise_for_status()
        assert all_are("kept") == outcomes(compare(services))

    @pytest.mark.parametrize("bad", BAD, ids=str)
    @on_sqlite
    def test_a_second_page_that_fails_is_not_the_end_of_the_list(
        self, services: Services, sandbox: Sandbox, bad: dict[str, Any]
    ) -> None:
        compare(services)
        sandbox.control("settings", {"page_size": 4})
        page = sandbox.control("calls")["calls"].get(LIST, 0)
        fault(sandbox, "GET", times=2, skip=1, **bad)
        with pytest.raises(ModuleError):
            compare(services)

        assert page + 2 <= calls(sandbox, LIST)
        assert len(DEFAULT_TYPES) == calls(sandbox, CREATE) == len(at_twitch(sandbox))

    @pytest.mark.parametrize("bad", BAD, ids=str)
    @on_sqlite
    def test_a_creation_that_fails_is_tried_again(
        self, services: Services, sandbox: Sandbox, bad: dict[str, Any]
    ) -> None:
        fault(sandbox, "POST", times=2, **bad)
        first = compare(services)
        sandbox.delete("/control/faults").raise_for_status()

        assert not first.is_well
        assert warning(services) != ""
        assert compare(services, asked=True).is_well
        assert len(DEFAULT_TYPES) == len(at_twitch(sandbox))
        assert "" == warning(services)

    @pytest.mark.parametrize("bad", BAD, ids=str)
    @on_sqlite
    def test_a_deletion_that_fails_is_tried_again(
        self, services: Services, sandbox: Sandbox, bad: dict[str, Any]
    ) -> None:
        compare(services)
        services.subscriptions.channels.change(SYSTEM, STREAMER, {"event_types": ["channel.raid"]})
        fault(sandbox, "DELETE", times=-1, **bad)
        assert len(DEFAULT_TYPES) - 1 == len(compare(services).not_removed)
        sandbox.delete("/control/faults").raise_for_status()

        assert len(DEFAULT_TYPES) - 1 == len(compare(services).removed)
        assert 1 == len(at_twitch(sandbox))

    def test_a_creation_whose_answer_is_lost_is_adopted(
        self, services: Services, sandbox: Sandbox
    ) -> None:
        fault(sandbox, "POST", times=1, after=True, hang_up=True)
        first, second = compare(services), compare(services, asked=True)

        assert not first.is_well
        assert second.is_well
        assert "adopted" in outcomes(second).values()
        assert len(DEFAULT_TYPES) == len(at_twitch(sandbox))

    def test_a_removed_version_is_named_and_not_retried(
        self, services: Services, sandbox: Sandbox
    ) -> None:
        sandbox.control("settings", {"removed_types": ["channel.ban"]})
        first = compare(services)
        second = compare(services, asked=True)

        assert "refused" == one(first, "channel.ban").outcome
        assert one(first, "channel.ban").reason == one(second, "channel.ban").reason
        assert len(DEFAULT_TYPES) == calls(sandbox, CREATE)
        assert "channel.ban: Twitch says" in warning(services)

    def test_the_limit_of_subscriptions_is_no_rate_limit(
        self, services: Services, sandbox: Sandbox
    ) -> None:
        sandbox.control("grants/revoke", {"user_id": STREAMER})
        sandbox.control("settings", {"max_total_cost": 0})
        services.subscriptions.channels.change(SYSTEM, STREAMER, {"event_types": ["channel.raid"]})
        refused = one(compare(services), "channel.raid")

        assert ("refused", None) == (refused.outcome, refused.login_url)
        assert "Twitch says: maximum total cost exceeded" == refused.reason

    def test_the_rate_limit_is_waited_for(self, services: Services, sandbox: Sandbox) -> None:
        headers = {"Ratelimit-Remaining": "0", "Ratelimit-Reset": "4000000000"}
        fault(sandbox, "POST", times=3, status=429, headers=headers)
        with pytest.raises(RateLimited):
            compare(services)
        waits: list[float] = []

        def go_on(seconds: float) -> bool:
            waits.append(seconds)
            return True

        assert services.subscriptions.reconciler.compare_all(go_on)
        assert 2 == len([seconds for seconds in waits if seconds > 1000])
        assert all_are("kept") == outcomes(compare(services))

    def test_somebody_who_asks_is_told_of_the_rate_limit(
        self, services: Services, sandbox: Sandbox
    ) -> None:
        headers = {"Ratelimit-Remaining": "0", "Ratelimit-Reset": "4000000000"}
        fault(sandbox, "POST", times=-1, status=429, headers=headers)
        compared = compare(services, asked=True)

        assert all_are("refused") == outcomes(compared)
        assert "rate limit" in one(compared, "channel.raid").reason

    @pytest.mark.parametrize(
        ("failures", "due"),
        [(1, True), (2, False)],
    )
    def test_the_first_failure_is_retried_at_once_and_the_second_later(
        self, services: Services, sandbox: Sandbox, failures: int, due: bool
    ) -> None:
        services.subscriptions.channels.change(SYSTEM, STREAMER, {"event_types": ["channel.raid"]})
        with services.base.database.transaction() as transaction:
            channels.take_due(transaction, 10)
        fault(sandbox, "POST", times=-1, status=500)
        for _ in range(failures):
            with services.base.database.transaction() as transaction:
                channels.take_due(transaction, 10)
            compare(services)
        with services.base.database.transaction() as transaction:
            taken = channels.take_due(transaction, 10)

        assert ([STREAMER] if due else []) == taken


def test_a_renamed_channel_keeps_its_id(services: Services, sandbox: Sandbox) -> None:
    sandbox.control("users/rename", {"id": STREAMER, "login": "new_name", "display_name": "New"})
    services.subscriptions.channels.look_up_names()
    renamed = services.subscriptions.channels.get(STREAMER)

    assert ("new_name", "New") == (renamed.channel_name, renamed.display_name)


def test_a_channel_whose_user_is_gone_says_so(services: Services, sandbox: Sandbox) -> None:
    sandbox.delete(f"/control/users?id={STREAMER}").raise_for_status()
    services.subscriptions.channels.look_up_names()

    assert "Twitch knows this user no more" == warning(services)


def test_the_names_of_many_channels_are_asked_for_a_hundred_at_a_time(
    services: Services, sandbox: Sandbox
) -> None:
    add_channels(services, sandbox, 249)
    before = calls(sandbox, "GET /sandbox/helix/users")
    services.subscriptions.channels.look_up_names()

    assert 3 == calls(sandbox, "GET /sandbox/helix/users") - before


def add_channels(services: Services, sandbox: Sandbox, count: int) -> list[str]:
    """Monitored channels, without asking Twitch for each."""
    users = [
        {"id": str(900_000 + number), "login": f"streamer_{number}", "display_name": f"S {number}"}
        for number in range(count)
    ]
    sandbox.add_streamers(users)
    with services.base.database.transaction() as transaction:
        for user in users:
            names = channels.ChannelNames(user["id"], user["login"], user["display_name"])
            channels.add(transaction, names)
    return [user["id"] for user in users]


@on_sqlite
def test_a_thousand_channels_of_five_types_over_all_pages(
    services: Services, sandbox: Sandbox
) -> None:
    types = ["channel.follow", "channel.subscribe", "channel.cheer", "channel.raid", "channel.ban"]
    services.subscriptions.channels.change(SYSTEM, STREAMER, {"is_active": False})
    ids = add_channels(services, sandbox, 1000)
    with services.base.database.transaction() as transaction:
        for channel_id in ids:
            channels.change(transaction, channel_id, {"event_types": types})
    orders = [
        {
            "client_id": "app-id",
            "type": wanted.type,
            "condition": dict(wanted.condition),
            "callback": CALLBACK,
        }
        for channel_id in ids
        for wanted in services.subscriptions.reconciler.wanted_for(channel_id)
    ]
    sandbox.control("subscriptions", {"subscriptions": orders})
    assert services.subscriptions.reconciler.compare_all(lambda _: True)
    pages = calls(sandbox, LIST)
    assert services.subscriptions.reconciler.compare_all(lambda _: True)

    assert (5000, 50) == (len(orders), pages)
    # One is the application's own; all the others were there.
    assert (1, 0) == (calls(sandbox, CREATE), calls(sandbox, DELETE))
    assert 5001 == len(services.subscriptions.by_hand.list()["subscriptions"])


def test_two_machines_that_compare_at_once_make_no_duplicate(make: Build, sandbox: Sandbox) -> None:
    machines = [make() for _ in range(2)]
    ids = add_channels(machines[0], sandbox, 20)
    with ThreadPoolExecutor(4) as pool:
        done = list(
            pool.map(
                lambda one: one.subscriptions.reconciler.compare_all(lambda _: True), machines * 2
            )
        )
    found = [(one["type"], str(one["condition"])) for one in at_twitch(sandbox)]

    assert [True] * 4 == done
    assert len(ids) * len(DEFAULT_TYPES) + 1 == len(found) == len(set(found))
    for machine in machines:
        assert all_are("kept") == outcomes(machine.subscriptions.reconciler.compare_channel(ids[0]))


class TestByHand:
    """What somebody has subscribed to by hand stays wanted until it is deleted by hand."""

    def test_it_is_kept_and_made_again(self, services: Services, sandbox: Sandbox) -> None:
        made, new = services.subscriptions.by_hand.create("stream.online", None, None, STREAMER)
        compare(services)
        sandbox.delete(f"/control/subscriptions?id={made['id']}").raise_for_status()
        again = one(compare(services), "stream.online")

        assert new
        assert "created" == again.outcome
        assert "kept" == one(compare(services), "stream.online").outcome
        assert not services.subscriptions.by_hand.delete(again.subscription_id)
        assert "stream.online" not in outcomes(compare(services))
        assert "stream.online" not in {found["type"] for found in at_twitch(sandbox)}

    def test_a_type_that_nobody_here_knows(self, services: Services, sandbox: Sandbox) -> None:
        sandbox.control("settings", {"further_types": ["channel.new"]})
        condition = {"broadcaster_user_id": STREAMER}
        made, _ = services.subscriptions.by_hand.create("channel.new", "1", condition, None)
        assert services.subscriptions.reconciler.compare_all(lambda _: True)

        assert (STREAMER, "1") == (made["channel_id"], made["version"])
        assert made["id"] in {found["id"] for found in at_twitch(sandbox)}

    def test_what_a_channel_wants_returns(self, services: Services) -> None:
        compare(services)
        raid = one(compare(services), "channel.raid")

        assert services.subscriptions.by_hand.delete(raid.subscription_id)
        assert "created" == one(compare(services), "channel.raid").outcome
