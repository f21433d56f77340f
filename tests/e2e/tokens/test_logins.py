"""A streamer logs in once; the state of a login is good for one browser, once, ten minutes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from apps.twitch_module.domain.events.catalogue import DEFAULT_TYPES
from apps.twitch_module.models.database import Database
from tests.conftest import on_sqlite
from tests.e2e.conftest import Start, shared_server
from tests.messages import Message
from tests.processes import Module, Sandbox, wait_until

STREAMER = "100200300"
CONNECTED = "/twitch/auth/connected"
ANOTHER = "300400500"  # who has nothing to do with the streamer
NEEDED = {
    "bits:read",
    "channel:moderate",
    "channel:read:subscriptions",
    "moderator:read:followers",
}


class Browser:
    """A browser that keeps its cookies and follows redirects only when told."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.session = requests.Session()

    def begin(self, **query: str) -> dict[str, str]:
        """Follow the login link; what Twitch is asked for."""
        answer = self.get("/twitch/auth/login", query)
        assert answer.status_code == 303
        return {
            name: values[0]
            for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()
        }

    def agree(self, asked: dict[str, str], user_id: str | None = STREAMER) -> dict[str, str]:
        """Agree at Twitch (or decline, without a user); what comes back in the address."""
        url = self.module.setting("TWITCH_AUTH_URL") + "/authorize"
        form = {**asked, "user_id": user_id} if user_id else {**asked, "decision": "decline"}
        answer = requests.post(url, data=form, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        location = answer.headers["Location"]
        assert location.startswith(self.module.url + "/twitch/auth/callback?")
        return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    def come_back(self, result: dict[str, str], page: bool = False) -> requests.Response:
        """The callback's answer; of a page that it leads to, that page."""
        accept = "text/html" if page else "application/json"
        answer = self.get("/twitch/auth/callback", result, Accept=accept)
        if answer.status_code != 303:
            return answer
        assert page
        assert answer.headers["Location"] == f"{self.module.url}{CONNECTED}"
        return self.connected()

    def connected(self, accept: str = "text/html") -> requests.Response:
        """What is shown of the last login."""
        return self.get(CONNECTED, {}, Accept=accept)

    def get(self, path: str, query: dict[str, str], **headers: str) -> requests.Response:
        return self.session.get(
            self.module.url + path,
            params=query,
            headers=headers,
            allow_redirects=False,
            timeout=20,
        )


def log_in(module: Module, user_id: str = STREAMER, **query: str) -> dict[str, Any]:
    """A whole login; what the callback answers."""
    browser = Browser(module)
    answer = browser.come_back(browser.agree(browser.begin(**query), user_id))
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def token_requests(sandbox: Sandbox) -> int:
    calls: dict[str, int] = sandbox.control("calls")["calls"]
    return calls.get("POST /sandbox/oauth2/token", 0)


@shared_server
def test_a_login_stores_the_tokens_and_says_who_is_connected(
    module: Module, sandbox: Sandbox
) -> None:
    browser = Browser(module)
    asked = browser.begin()
    answer = browser.come_back(browser.agree(asked), page=True)
    status = module.call("GET", f"/twitch/auth/status?user_id={STREAMER}").json()

    assert set(asked["scope"].split()) == NEEDED
    assert len(asked["state"]) >= 43
    assert "Connected as Sandbox Streamer" in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert (True, "ok", []) == (
        status["authenticated"],
        status["status"],
        status["missing_scopes"],
    )
    assert set(status["scopes"]) == NEEDED
    assert 14_000 < status["expires_in"] <= 14_400


@on_sqlite
def test_further_scopes_are_asked_for_when_they_are_configured(start: Start) -> None:
    asked = Browser(start(TWITCH_SCOPES="chat:read user:bot")).begin()

    assert set(asked["scope"].split()) == NEEDED | {"chat:read", "user:bot"}


@on_sqlite
@shared_server
def test_twitch_asks_again_where_the_link_says_so(module: Module) -> None:
    browser = Browser(module)
    refused = browser.get("/twitch/auth/login", {"force": "perhaps"})

    assert "force_verify" not in browser.begin()
    assert "force_verify" not in browser.begin(force="0")
    assert "true" == browser.begin(force="1")["force_verify"]
    assert 422 == refused.status_code


@on_sqlite
@shared_server
def test_a_browser_that_is_logged_in_as_somebody_else_can_change_by_the_forced_link(
    module: Module, sandbox: Sandbox
) -> None:
    log_in(module, ANOTHER)
    sandbox.control("settings", {"logged_in_user_id": ANOTHER})
    plain = Browser(module).get("/twitch/auth/login", {}).headers["Location"]
    forced = Browser(module).get("/twitch/auth/login", {"force": "1"}).headers["Location"]

    assert 302 == requests.get(plain, allow_redirects=False, timeout=10).status_code
    assert 200 == requests.get(forced, allow_redirects=False, timeout=10).status_code


@on_sqlite
def test_the_cookie_binds_the_login_to_the_browser(start: Start) -> None:
    plain = Browser(start()).get("/twitch/auth/login", {}).headers["Set-Cookie"]
    secure = (
        Browser(start(PUBLIC_URL="https://bot.example"))
        .get("/twitch/auth/login", {})
        .headers["Set-Cookie"]
    )

    assert plain.startswith("twitch_login=")
    assert secure.startswith("__Host-twitch_login=")
    assert secure.endswith("; Secure")
    for cookie in (plain, secure):
        assert "; HttpOnly" in cookie and "; SameSite=Lax" in cookie and "; Path=/" in cookie


@shared_server
class TestStateMisuse:
    """Each is 400, and Twitch gets no request for it."""

    def refused(self, answer: requests.Response, sandbox: Sandbox) -> bool:
        return (answer.status_code, answer.json()["code"], token_requests(sandbox)) == (
            400,
            "login_expired",
            0,
        )

    def test_without_the_cookie(self, module: Module, sandbox: Sandbox) -> None:
        result = Browser(module).agree(Browser(module).begin())

        assert self.refused(Browser(module).come_back(result), sandbox)

    def test_in_another_browser(self, module: Module, sandbox: Sandbox) -> None:
        attacker, victim = Browser(module), Browser(module)
        result = attacker.agree(attacker.begin())
        victim.begin()

        assert self.refused(victim.come_back(result), sandbox)

    @pytest.mark.parametrize("state", ["", "x", "x" * 43, "<script>"])
    def test_with_a_state_that_is_not_ours(
        self, module: Module, sandbox: Sandbox, state: str
    ) -> None:
        browser = Browser(module)
        result = browser.agree(browser.begin())

        assert self.refused(browser.come_back({**result, "state": state}), sandbox)

    def test_when_it_is_missing(self, module: Module, sandbox: Sandbox) -> None:
        browser = Browser(module)
        result = browser.agree(browser.begin())
        del result["state"]

        assert self.refused(browser.come_back(result), sandbox)

    def test_after_ten_minutes(self, module: Module, sandbox: Sandbox) -> None:
        browser = Browser(module)
        result = browser.agree(browser.begin())
        with Database(module.setting("DB_URI"), module.output.parent).transaction() as transaction:
            transaction.execute("UPDATE oauth_states SET expires_at_ms = expires_at_ms - 600001")

        assert self.refused(browser.come_back(result), sandbox)

    def test_a_second_time(self, module: Module, sandbox: Sandbox) -> None:
        browser = Browser(module)
        result = browser.agree(browser.begin())

        assert browser.come_back(result).status_code == 200
        before = token_requests(sandbox)
        assert browser.come_back(result).json()["code"] == "login_expired"
        assert before == token_requests(sandbox)

    def test_a_hundred_times_at_once(self, start: Start, sandbox: Sandbox) -> None:
        one = start(WORKER="off")
        servers = [one, start(WORKER="off", PUBLIC_URL=one.url)]
        browser = Browser(one)
        result = browser.agree(browser.begin())
        cookies = browser.session.cookies.get_dict()

        def come_back(number: int) -> int:
            return requests.get(
                servers[number % 2].url + "/twitch/auth/callback",
                params=result,
                cookies=cookies,
                timeout=20,
            ).status_code

        before = token_requests(sandbox)
        with ThreadPoolExecutor(20) as pool:
            statuses = sorted(pool.map(come_back, range(100)))

        assert [200] + [400] * 99 == statuses
        assert token_requests(sandbox) == before + 1


def test_a_login_survives_a_restart_and_ends_at_another_server(start: Start) -> None:
    one = start()
    two = start(PUBLIC_URL=one.url)
    browser = Browser(one)
    result = browser.agree(browser.begin())
    one.stop()
    cookies = browser.session.cookies.get_dict()

    answer = requests.get(
        two.url + "/twitch/auth/callback", params=result, cookies=cookies, timeout=20
    )

    assert answer.status_code == 200


@on_sqlite
@shared_server
def test_two_logins_in_two_tabs_both_end(module: Module) -> None:
    browser = Browser(module)
    first, second = browser.begin(), browser.begin()

    assert browser.come_back(browser.agree(first)).status_code == 200
    assert browser.come_back(browser.agree(second, "300400500")).status_code == 200


@on_sqlite
@shared_server
def test_who_declines_gets_a_friendly_page_and_a_way_to_try_again(module: Module) -> None:
    browser = Browser(module)
    result = browser.agree(browser.begin(), user_id=None)
    result["error_description"] = "<script>alert(1)</script>"
    answer = browser.come_back(result, page=True)

    assert answer.status_code == 403
    assert "declined" in answer.text
    assert 'href="/twitch/auth/login"' in answer.text
    assert "<script" not in answer.text


@on_sqlite
@shared_server
class TestGateway:
    def test_a_known_key_activates_the_gateway(self, module: Module, sandbox: Sandbox) -> None:
        result = log_in(module, activation_key="demo-key")
        (call,) = sandbox.control("received?api=gateway")["received"]

        assert {"activated": True, "detail": "activated"} == result["gateway"]
        assert {"activation_key": "demo-key"} == call["json"]

    def test_a_refusal_is_shown_although_it_comes_with_http_200(self, module: Module) -> None:
        browser = Browser(module)
        answer = browser.come_back(
            browser.agree(browser.begin(activation_key="unknown-key")), page=True
        )

        assert answer.status_code == 200
        assert "Connected as Sandbox Streamer" in answer.text
        assert "The gateway was not activated" in answer.text

    def test_a_gateway_that_is_away_does_not_undo_the_login(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        sandbox.control("faults", {"path": "/sandbox/waddlebot/gateway", "times": 1, "status": 500})
        result = log_in(module, activation_key="demo-key")

        assert result["authenticated"]
        assert not result["gateway"]["activated"]

    def test_a_key_is_not_sent_before_twitch_says_who_it_is(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        browser = Browser(module)
        result = browser.agree(browser.begin(activation_key="demo-key"), user_id=None)
        browser.come_back(result)

        assert [] == sandbox.control("received?api=gateway")["received"]


@shared_server
class TestThePageAfterwards:
    """What a login came to stands at an address that says nothing of it."""

    def test_it_can_be_reloaded(self, module: Module, sandbox: Sandbox) -> None:
        browser = Browser(module)
        first = browser.come_back(browser.agree(browser.begin()), page=True)
        before = token_requests(sandbox)
        again = [browser.connected() for _ in range(3)]

        assert "Connected as Sandbox Streamer" in first.text
        assert [(200, first.text)] * 3 == [(one.status_code, one.text) for one in again]
        assert before == token_requests(sandbox)
        assert "no-store" == first.headers["Cache-Control"]

    def test_the_callback_itself_says_nothing_and_sets_the_cookie_anew(
        self, module: Module
    ) -> None:
        browser = Browser(module)
        result = browser.agree(browser.begin())
        cookie = browser.session.cookies["twitch_login"]
        answer = browser.get("/twitch/auth/callback", result, Accept="text/html")

        assert (303, "") == (answer.status_code, answer.text)
        assert answer.headers["Location"].endswith(CONNECTED)
        assert answer.headers["Set-Cookie"].startswith(
            f"twitch_login={cookie}; Path=/; Max-Age=600"
        )

    def test_another_browser_sees_nothing_of_it(self, module: Module) -> None:
        log_in(module)
        browser, other = Browser(module), Browser(module)
        browser.come_back(browser.agree(browser.begin()), page=True)
        other.begin()

        for stranger in (other, Browser(module)):
            page = stranger.connected()
            assert 404 == page.status_code
            assert "There is no login to show" in page.text
            assert "Sandbox Streamer" not in page.text
            document = stranger.connected("application/json")
            assert (404, "not_found") == (document.status_code, document.json()["code"])

    def test_it_is_gone_after_ten_minutes(self, module: Module) -> None:
        browser = Browser(module)
        browser.come_back(browser.agree(browser.begin()), page=True)
        left = "UPDATE oauth_results SET expires_at_ms = expires_at_ms - {}"
        self.execute(module, left.format(590_000))
        assert 200 == browser.connected().status_code
        self.execute(module, left.format(10_001))

        assert 404 == browser.connected().status_code

    def test_nothing_that_is_secret_is_kept_for_it(self, module: Module, sandbox: Sandbox) -> None:
        browser = Browser(module)
        result = browser.agree(browser.begin(activation_key="demo-key"))
        browser.come_back(result, page=True)
        kept = str(self.execute(module, "SELECT browser_hash, result FROM oauth_results"))
        issued = sandbox.control("tokens")["tokens"]
        secrets = {one[kind] for one in issued for kind in ("access_token", "refresh_token")}
        secrets |= {result["code"], result["state"], "demo-key", *browser.session.cookies.values()}

        assert "sandbox_streamer" in kept
        assert [] == [one for one in secrets - {None} if one in kept]

    def test_programs_get_the_document_there_too(self, module: Module) -> None:
        browser = Browser(module)
        browser.come_back(browser.agree(browser.begin()), page=True)
        document = browser.connected("application/json").json()

        assert (STREAMER, False, None) == (
            document["user_id"],
            document["monitored"],
            document["gateway"],
        )

    def test_it_says_whether_the_channel_is_monitored_now(self, module: Module) -> None:
        browser = Browser(module)
        before = browser.come_back(browser.agree(browser.begin()), page=True).text
        added = module.call("POST", "/twitch/api/channels", json={"channel_id": STREAMER})
        during = browser.connected().text
        told = log_in(module)
        paused = module.call("PATCH", f"/twitch/api/channels/{STREAMER}", json={"is_active": False})
        after = browser.connected().text

        assert (201, 200) == (added.status_code, paused.status_code)
        assert ["is not monitored" in page for page in (before, during, after)] == [
            True,
            False,
            True,
        ]
        assert "is monitored" in during
        assert told["monitored"] is True

    def execute(self, module: Module, sql: str) -> Any:
        database = Database(module.setting("DB_URI"), module.output.parent)
        with database.transaction() as transaction:
            return transaction.execute(sql)


@shared_server
class TestALinkForOneChannel:
    def add(self, module: Module, channel_id: str) -> None:
        answer = module.call("POST", "/twitch/api/channels", json={"channel_id": channel_id})
        assert answer.status_code == 201

    def users(self, module: Module) -> list[str]:
        found = module.call("GET", "/twitch/auth/users").json()["users"]
        return [user["user_id"] for user in found]

    def valid(self, sandbox: Sandbox, user_id: str) -> int:
        """How many access tokens of a user Twitch takes."""
        issued = sandbox.control("tokens")["tokens"]
        return sum(one["valid"] for one in issued if one["user_id"] == user_id)

    def test_it_takes_its_own_streamers_login(self, module: Module) -> None:
        self.add(module, STREAMER)
        browser = Browser(module)
        page = browser.come_back(browser.agree(browser.begin(channel_id=STREAMER)), page=True)

        assert "Connected as Sandbox Streamer" in page.text
        assert [STREAMER] == self.users(module)

    def test_somebody_elses_login_is_named_and_nothing_of_it_is_kept(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        self.add(module, STREAMER)
        browser = Browser(module)
        asked = browser.begin(channel_id=STREAMER)
        page = browser.come_back(browser.agree(asked, ANOTHER), page=True)
        again = browser.connected()

        for shown in (page, again):
            assert 409 == shown.status_code
            assert "This link is for Sandbox Streamer" in shown.text
            assert f"/twitch/auth/login?channel_id={STREAMER}&amp;force=1" in shown.text
            assert "Connected" not in shown.text
        assert [] == self.users(module)
        assert 0 == self.valid(sandbox, ANOTHER)

    def test_the_gateway_stays_as_it_was_and_the_link_is_to_be_used_again(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        browser = Browser(module)
        asked = browser.begin(channel_id=STREAMER, activation_key="demo-key")
        page = browser.come_back(browser.agree(asked, ANOTHER), page=True).text

        assert [] == sandbox.control("received?api=gateway")["received"]
        assert "open the link that you were given" in page
        assert "force=1" not in page

    def test_programs_get_a_problem(self, module: Module) -> None:
        self.add(module, STREAMER)
        browser = Browser(module)
        answer = browser.come_back(browser.agree(browser.begin(channel_id=STREAMER), ANOTHER))

        assert (409, "wrong_channel") == (answer.status_code, answer.json()["code"])
        assert answer.json()["detail"].startswith(
            "This link is for Sandbox Streamer; you logged in"
        )

    def test_what_somebody_else_had_here_before_stays(
        self, module: Module, sandbox: Sandbox
    ) -> None:
        log_in(module, ANOTHER)
        lent = module.call("GET", f"/twitch/auth/token/{ANOTHER}").json()["access_token"]
        browser = Browser(module)
        browser.come_back(browser.agree(browser.begin(channel_id=STREAMER), ANOTHER))

        assert [ANOTHER] == self.users(module)
        assert lent == module.call("GET", f"/twitch/auth/token/{ANOTHER}").json()["access_token"]
        assert 2 == self.valid(sandbox, ANOTHER)

    def test_a_channel_that_is_not_here_is_named_by_twitch_or_else_by_its_id(
        self, module: Module
    ) -> None:
        details = []
        for channel_id in (STREAMER, "999"):
            browser = Browser(module)
            asked = browser.begin(channel_id=channel_id)
            details.append(browser.come_back(browser.agree(asked, ANOTHER)).json()["detail"])

        assert "This link is for Sandbox Streamer" in details[0]
        assert "This link is for the channel 999" in details[1]

    def test_a_second_tab_with_the_right_account_shows_its_own_end(self, module: Module) -> None:
        browser = Browser(module)
        wrong, right = browser.begin(channel_id=STREAMER), browser.begin(channel_id=STREAMER)
        browser.come_back(browser.agree(wrong, ANOTHER), page=True)
        page = browser.come_back(browser.agree(right), page=True)

        assert 200 == page.status_code
        assert "Connected as Sandbox Streamer" in page.text


@on_sqlite
@shared_server
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"status": 500}, 502),
        ({"status": 403, "body": '{"status":403,"message":"invalid client secret"}'}, 502),
        ({"status": 400, "body": '{"status":400,"message":"Invalid authorization code"}'}, 400),
        ({"garbage": True}, 502),
        ({"hang_up": True}, 502),
    ],
)
def test_a_twitch_that_fails_during_the_exchange_is_named_on_a_page(
    module: Module, sandbox: Sandbox, fault: dict[str, Any], status: int
) -> None:
    browser = Browser(module)
    result = browser.agree(browser.begin())
    sandbox.control("faults", {"path": "/sandbox/oauth2/token", "times": 1, **fault})
    answer = browser.come_back(result, page=True)

    assert status == answer.status_code
    assert "Log in with Twitch" in answer.text
    assert [] == module.call("GET", "/twitch/auth/users").json()["users"]


@on_sqlite
def test_the_subscriptions_of_a_monitored_channel_are_set_up_after_its_login(
    start: Start, sandbox: Sandbox
) -> None:
    module = start()
    sandbox.control("grants/revoke", {"user_id": STREAMER})
    module.call("POST", "/twitch/api/channels", json={"channel_name": "sandbox_streamer"})
    log_in(module)

    def enabled() -> set[str]:
        found = sandbox.control("subscriptions")["subscriptions"]
        return {one["type"] for one in found if one["status"] == "enabled"}

    wait_until(lambda: len(enabled() - {"user.authorization.revoke"}) == len(DEFAULT_TYPES))


@shared_server
def test_users_status_token_and_revoke(module: Module, sandbox: Sandbox) -> None:
    log_in(module)
    users = module.call("GET", "/twitch/auth/users").json()["users"]
    lent = module.call("GET", f"/twitch/auth/token/{STREAMER}").json()
    issued = {one["access_token"] for one in sandbox.control("tokens")["tokens"] if one["valid"]}
    gone = module.call("POST", f"/twitch/auth/revoke/{STREAMER}")
    unknown = [
        module.call("GET", f"/twitch/auth/status?user_id={STREAMER}"),
        module.call("GET", f"/twitch/auth/token/{STREAMER}"),
        module.call("POST", f"/twitch/auth/refresh/{STREAMER}"),
        module.call("POST", f"/twitch/auth/revoke/{STREAMER}"),
    ]

    assert [STREAMER] == [user["user_id"] for user in users]
    assert lent["access_token"] in issued
    assert "refresh_token" not in lent
    assert {
        "access_token",
        "token_type",
        "expires_at",
        "expires_in",
        "scopes",
        "user_id",
        "login",
    } == set(lent)
    assert {"user_id": STREAMER, "deleted": True, "revoked_at_twitch": True} == gone.json()
    assert [200, 404, 404, 404] == [answer.status_code for answer in unknown]
    assert unknown[0].json() == {"authenticated": False, "user_id": STREAMER}
    still = {one["access_token"] for one in sandbox.control("tokens")["tokens"] if one["valid"]}
    assert lent["access_token"] not in still


@shared_server
def test_a_user_who_disconnects_the_application_leaves_nothing_behind(module: Module) -> None:
    module.call("POST", "/twitch/api/channels", json={"channel_name": "sandbox_streamer"})
    log_in(module)
    event = {"client_id": "app-id", "user_id": STREAMER, "user_login": None, "user_name": None}
    assert 204 == module.post(Message("user.authorization.revoke", event)).status_code

    status = module.call("GET", f"/twitch/auth/status?user_id={STREAMER}").json()
    channel = module.call("GET", f"/twitch/api/channels/{STREAMER}").json()["channel"]
    assert not status["authenticated"]
    assert "disconnected" in channel["warning"]


def test_no_token_code_or_secret_is_in_the_database_or_the_log(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    module = Module(
        tmp_path,
        DB_URI="sqlite://storage.db",
        LOG_LEVEL="DEBUG",
        TWITCH_API_URL=f"{sandbox.url}/helix",
        TWITCH_AUTH_URL=f"{sandbox.url}/oauth2",
        GATEWAY_ACTIVATE_URL=f"{sandbox.url}/waddlebot/gateway",
    ).wait_until_ready()
    browser = Browser(module)
    result = browser.agree(browser.begin(activation_key="demo-canary-key"))
    browser.come_back(result)
    begun = browser.begin(activation_key="demo-canary-key-two")
    module.call("POST", f"/twitch/auth/refresh/{STREAMER}")
    issued = sandbox.control("tokens")["tokens"]
    secrets = {one[kind] for one in issued for kind in ("access_token", "refresh_token")} - {None}
    secrets |= {result["code"], result["state"], begun["state"], "demo-canary-key"}
    secrets |= {"app-secret-of-the-tests", *browser.session.cookies.get_dict().values()}
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    module.stop()
    kept += b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    assert len(secrets) >= 8
    assert b"sandbox_streamer" in kept
    assert [] == [secret for secret in secrets if secret.encode() in kept]
