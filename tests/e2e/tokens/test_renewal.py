"""A token is renewed by one caller at a time, whoever asks, and never lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from apps.twitch_module.models.database import Database
from tests.conftest import on_sqlite
from tests.e2e.conftest import Start, shared_server
from tests.e2e.tokens.test_logins import STREAMER, log_in
from tests.processes import Module, Sandbox, wait_until

TOKEN = f"/twitch/auth/token/{STREAMER}"
REFRESH = f"/twitch/auth/refresh/{STREAMER}"
ENDPOINT = "/sandbox/oauth2/token"


def renewals(sandbox: Sandbox) -> int:
    """How many refresh tokens Twitch has exchanged; none twice."""
    issued = [one for one in sandbox.control("tokens")["tokens"] if one["user_id"] == STREAMER]
    assert sum(one["refresh_reuse"] for one in issued) == 0
    return sum(one["used"] for one in issued)


def change(module: Module, sql: str) -> None:
    with Database(module.setting("DB_URI"), module.output.parent).transaction() as transaction:
        transaction.execute(sql)


def status(module: Module) -> dict[str, Any]:
    found: dict[str, Any] = module.call("GET", f"/twitch/auth/status?user_id={STREAMER}").json()
    return found


def test_24_refreshes_at_once_over_two_servers_are_few_and_all_succeed(
    start: Start, sandbox: Sandbox
) -> None:
    servers = [start(WORKER="off"), start(WORKER="off")]
    log_in(servers[0])
    for server in servers:
        server.call("GET", "/twitch/auth/users")
    sandbox.control("faults", {"path": ENDPOINT, "times": 1, "delay": 0.5})
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda n: servers[n % 2].call("POST", REFRESH), range(24)))

    assert {200} == {answer.status_code for answer in answers}
    assert renewals(sandbox) == 1


def a_second_later(module: Module) -> None:
    """As if the last renewal had failed a second before it did."""
    change(module, "UPDATE twitch_tokens SET failed_at_ms = failed_at_ms - 1000")


def requests_to_twitch(sandbox: Sandbox) -> int:
    calls: int = sandbox.control("calls")["calls"][f"POST {ENDPOINT}"]
    return calls


@pytest.mark.parametrize("healed", [True, False])
def test_20_refreshes_at_once_after_a_failure_are_one_request_to_twitch(
    start: Start, sandbox: Sandbox, healed: bool
) -> None:
    servers = [start(WORKER="off"), start(WORKER="off")]
    log_in(servers[0])
    sandbox.control("faults", {"path": ENDPOINT, "times": 1, "status": 503})
    assert 502 == servers[0].call("POST", REFRESH).status_code
    servers[1].call("GET", TOKEN)
    a_second_later(servers[0])
    before = requests_to_twitch(sandbox)
    # So slow that all have come by the time it ends.
    fault = {"delay": 0.7} if healed else {"delay": 0.7, "status": 503}
    sandbox.control("faults", {"path": ENDPOINT, "times": 1, **fault})
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: servers[n % 2].call("POST", REFRESH), range(20)))

    assert before + 1 == requests_to_twitch(sandbox)
    assert {200 if healed else 502} == {answer.status_code for answer in answers}
    codes = [answer.json().get("code") for answer in answers if not healed]
    assert healed or 19 == codes.count("renewal_paused")
    assert all(int(answer.headers["Retry-After"]) <= 2 for answer in answers if not healed)


def test_a_60_second_token_borrowed_by_16_at_once_is_renewed_once(
    start: Start, sandbox: Sandbox
) -> None:
    servers = [start(WORKER="off"), start(WORKER="off")]
    sandbox.control("settings", {"user_token_seconds": 60})
    log_in(servers[0])
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: servers[n % 2].call("GET", TOKEN), range(16)))

    assert {200} == {answer.status_code for answer in answers}
    assert len({answer.json()["access_token"] for answer in answers}) == 1
    assert renewals(sandbox) == 1


@on_sqlite
@shared_server
def test_a_token_with_time_left_is_lent_as_it_is(module: Module, sandbox: Sandbox) -> None:
    log_in(module)
    first, second = (module.call("GET", TOKEN).json() for _ in range(2))

    assert first["access_token"] == second["access_token"]
    assert renewals(sandbox) == 0


@on_sqlite
@shared_server
class TestTwitchSaysNo:
    @pytest.mark.parametrize("code", [400, 401])
    def test_a_dead_grant_needs_a_login_and_is_not_tried_again(
        self, module: Module, sandbox: Sandbox, code: int
    ) -> None:
        log_in(module)
        body = json.dumps({"status": code, "message": "Invalid refresh token"})
        sandbox.control("faults", {"path": ENDPOINT, "times": 1, "status": code, "body": body})
        first = module.call("POST", REFRESH)
        calls = sandbox.control("calls")["calls"][f"POST {ENDPOINT}"]
        later = [module.call("POST", REFRESH), module.call("GET", TOKEN)]

        for answer in (first, *later):
            assert (409, "needs_login") == (answer.status_code, answer.json()["code"])
            assert answer.json()["login_url"] == f"{module.url}/twitch/auth/login"
        assert calls == sandbox.control("calls")["calls"][f"POST {ENDPOINT}"]
        assert ("needs_login", False) == (
            status(module)["status"],
            status(module)["authenticated"],
        )

    def test_a_new_login_mends_it(self, module: Module, sandbox: Sandbox) -> None:
        log_in(module)
        sandbox.control("faults", {"path": ENDPOINT, "times": 1, "status": 400})
        module.call("POST", REFRESH)
        log_in(module)

        assert "ok" == status(module)["status"]
        assert 200 == module.call("POST", REFRESH).status_code

    @pytest.mark.parametrize(
        "fault",
        [
            {"status": 403, "body": '{"status":403,"message":"invalid client secret"}'},
            {"status": 429},
            {"status": 500},
            {"status": 503},
            {"garbage": True},
            {"hang_up": True},
            {"status": 200, "body": "{}"},
            {"status": 200, "body": '{"access_token": 5}'},
        ],
    )
    def test_anything_else_keeps_the_tokens_and_pauses(
        self, module: Module, sandbox: Sandbox, fault: dict[str, Any]
    ) -> None:
        log_in(module)
        sandbox.control("faults", {"path": ENDPOINT, "times": 1, **fault})
        failed = module.call("POST", REFRESH)
        lent = module.call("GET", TOKEN)
        a_second_later(module)
        healed = module.call("POST", REFRESH)

        assert 502 == failed.status_code
        assert 200 == lent.status_code
        assert "ok" == status(module)["status"]
        assert 200 == healed.status_code
        assert renewals(sandbox) == 1

    def test_an_old_token_serves_while_a_renewal_fails(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        sandbox.control("settings", {"user_token_seconds": 600})
        log_in(module)
        sandbox.control("faults", {"path": ENDPOINT, "times": -1, "status": 500})

        lent = module.call("GET", TOKEN)

        assert 200 == lent.status_code
        assert 0 < lent.json()["expires_in"] <= 600


class TestDeath:
    """kill -9 of the process that renews."""

    def test_before_twitch_was_asked(self, start: Start, sandbox: Sandbox) -> None:
        one, two = start(WORKER="off"), start(WORKER="off")
        log_in(one)
        sandbox.control("faults", {"path": ENDPOINT, "times": 1, "delay": 20, "status": 500})
        self.kill_while_renewing(one, sandbox)

        waiting = two.call("POST", REFRESH)
        change(two, "UPDATE twitch_tokens SET lease_until_ms = lease_until_ms - 30000")
        after = two.call("POST", REFRESH)

        assert "renewal_in_progress" == waiting.json()["code"]
        assert 200 == after.status_code
        assert renewals(sandbox) == 1

    def test_after_twitch_has_answered(self, start: Start, sandbox: Sandbox) -> None:
        """The refresh token is used up and its successor lost: the streamer is told so, once."""
        one, two = start(WORKER="off"), start(WORKER="off")
        log_in(one)
        sandbox.control("faults", {"path": ENDPOINT, "times": 1, "delay": 20, "after": True})
        self.kill_while_renewing(one, sandbox)

        change(two, "UPDATE twitch_tokens SET lease_until_ms = lease_until_ms - 30000")
        after = two.call("POST", REFRESH)
        again = two.call("POST", REFRESH)

        assert (409, 409) == (after.status_code, again.status_code)
        assert "needs_login" == status(two)["status"]

    def kill_while_renewing(self, module: Module, sandbox: Sandbox) -> None:
        before = sandbox.control("calls")["calls"][f"POST {ENDPOINT}"]
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(module.call, "POST", REFRESH)
            wait_until(lambda: sandbox.control("calls")["calls"][f"POST {ENDPOINT}"] > before)
            module.kill()
            assert isinstance(call.exception(timeout=20), requests.ConnectionError)


class TestUpkeep:
    def checks(self, sandbox: Sandbox) -> int:
        calls: dict[str, int] = sandbox.control("calls")["calls"]
        return calls.get("GET /sandbox/oauth2/validate", 0)

    def test_tokens_are_validated_at_the_start(self, module: Module, sandbox: Sandbox) -> None:
        log_in(module)
        change(module, "UPDATE twitch_tokens SET validated_at_ms = 0, login = 'an_old_name'")
        before = self.checks(sandbox)
        module.stop()
        module.restart().wait_until_ready()

        wait_until(lambda: self.checks(sandbox) > before, seconds=15)
        wait_until(lambda: status(module)["login"] == "sandbox_streamer")

    def test_a_token_that_twitch_refuses_is_renewed(self, module: Module, sandbox: Sandbox) -> None:
        log_in(module)
        sandbox.control("tokens/expire", {"user_id": STREAMER})
        change(module, "UPDATE twitch_tokens SET check_at_ms = 0")

        wait_until(lambda: renewals(sandbox) == 1, seconds=15)
        assert "ok" == status(module)["status"]

    def test_a_failed_check_comes_again_after_five_minutes(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        log_in(module)
        before = self.checks(sandbox)
        sandbox.control("faults", {"path": "/sandbox/oauth2/validate", "times": 1, "status": 500})
        change(module, "UPDATE twitch_tokens SET check_at_ms = 0")
        wait_until(lambda: self.checks(sandbox) == before + 1, seconds=15)

        with Database(module.setting("DB_URI"), module.output.parent).transaction(
            write=False
        ) as transaction:
            rows = transaction.execute("SELECT check_at_ms FROM twitch_tokens")
            left_ms = rows[0][0] - transaction.now_ms()
        assert 280_000 < left_ms <= 300_000
        assert "ok" == status(module)["status"]

    @on_sqlite
    def test_it_is_told_when_users_disconnect_the_application(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        def subscribed() -> list[str]:
            found = sandbox.control("subscriptions")["subscriptions"]
            return [one["status"] for one in found if one["type"] == "user.authorization.revoke"]

        wait_until(lambda: subscribed() == ["enabled"], seconds=25)


def test_a_wrong_key_stops_the_start(start: Start, sandbox: Sandbox) -> None:
    module = start()
    log_in(module)
    module.stop()
    other = Module(
        module.output.parent,
        DB_URI=module.setting("DB_URI"),
        TOKEN_ENCRYPTION_KEYS="A" * 43 + "=",
    )

    wait_until(lambda: "TOKEN_ENCRYPTION_KEYS" in other.output.read_text(), seconds=20)
    assert other.process.wait(timeout=20) != 0
