"""A caller whom Twitch has refused a borrowed token says so, and gets another: once for all."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from apps.twitch_module.client import TwitchModuleClient
from tests.conftest import on_sqlite
from tests.e2e.conftest import Start, shared_server
from tests.e2e.tokens.test_logins import STREAMER, log_in
from tests.e2e.tokens.test_renewal import ENDPOINT, TOKEN, renewals, requests_to_twitch
from tests.processes import Module, Sandbox

HEADER = "Twitch-Token-Refused"
VALIDATE = "/sandbox/oauth2/validate"


def digest(access_token: str) -> str:
    return f"sha256={hashlib.sha256(access_token.encode()).hexdigest()}"


def borrow(module: Module, refused: str | None = None) -> requests.Response:
    """Ask the broker as the admin; `refused` is the token that Twitch did not take."""
    access = module.access_token()
    headers = {"Authorization": f"Bearer {access}"}
    if refused is not None:
        headers[HEADER] = digest(refused)
    return requests.get(module.url + TOKEN, headers=headers, timeout=10)


def end(sandbox: Sandbox) -> None:
    """Twitch ends the streamer's access token early."""
    assert 1 == sandbox.control("tokens/expire", {"user_id": STREAMER})["expired"]


def checks(sandbox: Sandbox) -> int:
    calls: dict[str, int] = sandbox.control("calls")["calls"]
    return calls.get(f"GET {VALIDATE}", 0)


def test_16_who_say_at_once_that_it_is_dead_get_one_new_token_over_two_servers(
    start: Start, sandbox: Sandbox
) -> None:
    servers = [start(WORKER="off"), start(WORKER="off")]
    log_in(servers[0])
    old = borrow(servers[0]).json()["access_token"]
    for server in servers:
        assert old == borrow(server).json()["access_token"]
    end(sandbox)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: borrow(servers[n % 2], old), range(16)))

    assert {200} == {answer.status_code for answer in answers}
    (new,) = {answer.json()["access_token"] for answer in answers}
    assert new != old
    assert new in {
        one["access_token"] for one in sandbox.control("tokens")["tokens"] if one["valid"]
    }
    assert renewals(sandbox) == 1


@on_sqlite
@shared_server
class TestOneCaller:
    def test_a_token_that_has_been_replaced_is_not_renewed_again(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        log_in(module)
        old = borrow(module).json()["access_token"]
        end(sandbox)
        new = borrow(module, old).json()["access_token"]
        before = checks(sandbox)

        assert [new] * 3 == [borrow(module, old).json()["access_token"] for _ in range(3)]
        assert (1, before) == (renewals(sandbox), checks(sandbox))

    def test_a_token_that_twitch_takes_is_lent_again_however_often_somebody_says_it_is_dead(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        log_in(module)
        lives = borrow(module).json()["access_token"]
        before = checks(sandbox)
        with ThreadPoolExecutor(10) as pool:
            lent = [
                answer.json()["access_token"]
                for answer in pool.map(lambda _: borrow(module, lives), range(10))
            ]

        assert [lives] * 10 == lent
        assert renewals(sandbox) == 0
        # Each second once.
        assert before + 1 <= checks(sandbox) <= before + 3

    def test_a_renewal_that_fails_is_no_reason_to_lend_the_dead_token_to_others(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        log_in(module)
        old = borrow(module).json()["access_token"]
        end(sandbox)
        sandbox.control("faults", {"path": ENDPOINT, "times": 1, "status": 503})
        before = requests_to_twitch(sandbox)
        answers = [borrow(module, old), borrow(module, old), borrow(module)]

        assert [502] * 3 == [answer.status_code for answer in answers]
        assert ["renewal_paused"] * 2 == [answer.json()["code"] for answer in answers[1:]]
        assert before + 1 == requests_to_twitch(sandbox)

    def test_a_grant_that_is_dead_too_needs_a_login(self, module: Module, sandbox: Sandbox) -> None:
        log_in(module)
        old = borrow(module).json()["access_token"]
        sandbox.control("tokens/expire", {"user_id": STREAMER, "refresh_too": True})
        answer = borrow(module, old)

        assert (409, "needs_login") == (answer.status_code, answer.json()["code"])
        assert answer.json()["login_url"] == f"{module.url}/twitch/auth/login"

    def test_a_twitch_that_does_not_say_is_an_error(self, module: Module, sandbox: Sandbox) -> None:
        log_in(module)
        lives = borrow(module).json()["access_token"]
        sandbox.control("faults", {"path": VALIDATE, "times": 1, "status": 500})

        assert 502 == borrow(module, lives).status_code
        assert lives == borrow(module, lives).json()["access_token"]
        assert renewals(sandbox) == 0

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "sha256=",
            "a" * 64,
            f"sha256={'a' * 63}",
            f"sha256={'a' * 65}",
            f"sha256={'g' * 64}",
            f"sha1={'a' * 64}",
            f"sha256={'a' * 64}, sha256={'b' * 64}",
        ],
    )
    def test_a_malformed_header_is_a_400_that_names_it(self, module: Module, value: str) -> None:
        log_in(module)
        headers = {"Authorization": f"Bearer {module.access_token()}", HEADER: value}
        answer = requests.get(module.url + TOKEN, headers=headers, timeout=10)

        assert (400, "bad_request") == (answer.status_code, answer.json()["code"])
        assert HEADER in answer.json()["detail"]


@on_sqlite
@shared_server
def test_the_client_has_a_dead_token_replaced_by_itself(module: Module, sandbox: Sandbox) -> None:
    log_in(module)
    order = {"name": "bot", "scopes": ["tokens:read"], "days": 30}
    made = module.call("POST", "/api/auth/service-token", json=order).json()
    client = TwitchModuleClient(module.url, made["service_token"])

    def whose(token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", "Client-Id": "app-id"}
        return requests.get(f"{sandbox.url}/helix/users", headers=headers, timeout=10)

    old = client.twitch_token(STREAMER)
    end(sandbox)
    assert 401 == whose(old.access_token).status_code
    answer = client.call_twitch(STREAMER, lambda token: whose(token.access_token))
    end(sandbox)
    fresh = client.twitch_token(STREAMER, fresh=True)
    client.close()

    assert [STREAMER] == [user["id"] for user in answer.json()["data"]]
    assert 200 == whose(fresh.access_token).status_code
    assert renewals(sandbox) == 2
