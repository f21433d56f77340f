"""The doctor names what is wrong, and finds nothing where nothing is."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet

from apps.twitch_module.commands.doctor.work_checks import KINDS
from apps.twitch_module.domain.events.catalogue import DEFAULT_TYPES
from apps.twitch_module.settings import BOT_SCOPES
from tests.environment import SECRET
from tests.integration.rows import fill
from tests.processes import REPOSITORY, Module, Sandbox, clean_environment, free_port, wait_until

from ..operator import (
    APP_ID,
    APP_SECRET,
    BOT,
    BOT_ID,
    STREAMER,
    STREAMER_ID,
    Operator,
    issued_by,
    log_in,
)

SAID = {"client_id": APP_ID, "login": "nobody_else", "scopes": [], "user_id": "1"}
NOBODYS = json.dumps({**SAID, "expires_in": 9000})
SOMEBODY_ELSES = json.dumps({**SAID, "client_id": "another", "expires_in": 9000})
NEEDED = "bits:read channel:moderate channel:read:subscriptions moderator:read:followers"


class Ward:
    """What a fault is planted in: a healthy installation."""

    def __init__(self, operator: Operator, sandbox: Sandbox, module: Module) -> None:
        self.operator = operator
        self.sandbox = sandbox
        self.module = module

    def set(self, **variables: str) -> None:
        self.operator.variables |= variables

    def fault(self, path: str, **fault: Any) -> None:
        self.sandbox.control("faults", {"path": f"/sandbox{path}", "times": -1, **fault})

    def execute(self, sql: str) -> None:
        with self.operator.database().transaction() as transaction:
            transaction.execute(sql)

    def short_lived_token(self, seconds: int) -> None:
        """The streamer logs in again, and gets a token that ends soon."""
        self.sandbox.control("settings", {"user_token_seconds": seconds})
        log_in(self.sandbox, self.operator, STREAMER_ID, NEEDED)

    def vanish(self, event_type: str) -> None:
        found = self.sandbox.control("subscriptions")["subscriptions"]
        (one,) = [one for one in found if one["type"] == event_type]
        self.sandbox.delete(f"/control/subscriptions?id={one['id']}").raise_for_status()

    def fail(self, event_type: str) -> None:
        order = {
            "type": event_type,
            "broadcaster_user_id": STREAMER_ID,
            "status": "notification_failures_exceeded",
        }
        self.sandbox.control("revoke", order)

    def findings(self) -> list[dict[str, str]]:
        """What the doctor finds; its exit status says whether something is wrong."""
        ended = self.operator.run("doctor", "--json")
        assert ended.stderr == ""
        document = json.loads(ended.stdout)
        checks: list[dict[str, str]] = document["checks"]
        wrong = any(one["result"] == "wrong" for one in checks)
        assert (document["ok"], ended.returncode) == (not wrong, int(wrong))
        return checks


@pytest.fixture
def ward(operator: Operator, sandbox: Sandbox, running_module: Module) -> Ward:
    """One channel with all its subscriptions, its streamer and the bot logged in, a server."""
    operator.variables |= {"PUBLIC_URL": running_module.url, "TWITCH_BOT_NAME": BOT}
    log_in(sandbox, operator, STREAMER_ID, NEEDED)
    log_in(sandbox, operator, BOT_ID, BOT_SCOPES)
    ward = Ward(operator, sandbox, running_module)
    ward.execute(
        "INSERT INTO twitch_channels (channel_id, channel_name, display_name, is_active,"
        f" created_at_ms) VALUES ('{STREAMER_ID}', '{STREAMER}', 'x', 1, 0)"
    )
    for kind in KINDS:  # as if a worker was heard of, now and for the time of a test
        ward.execute(
            "INSERT INTO twitch_heartbeats (kind, process, at_ms)"
            f" VALUES ('{kind}', 'a-worker', {int(time.time() * 1000) + 600_000})"
        )
    subscribe(sandbox, running_module)
    return ward


def subscribe(sandbox: Sandbox, module: Module) -> None:
    """Everything that the server subscribes to, with the application's own subscription."""
    added = module.call("POST", "/twitch/api/channels", json={"channel_id": STREAMER_ID})
    assert added.ok, added.text
    module.call("POST", f"/twitch/api/setup/{STREAMER_ID}").raise_for_status()
    form = {"client_id": APP_ID, "client_secret": APP_SECRET, "grant_type": "client_credentials"}
    token = sandbox.post("/oauth2/token", data=form).json()["access_token"]
    callback = f"{module.url}/twitch/webhook"
    order = {
        "type": "user.authorization.revoke",
        "version": "1",
        "condition": {"client_id": APP_ID},
        "transport": {"method": "webhook", "callback": callback, "secret": SECRET},
    }
    headers = {"Authorization": f"Bearer {token}", "Client-Id": APP_ID}
    url = f"{sandbox.url}/helix/eventsub/subscriptions"
    requests.post(url, json=order, headers=headers, timeout=10)

    def enabled() -> int:
        found = sandbox.control("subscriptions")["subscriptions"]
        return sum(one["status"] == "enabled" for one in found)

    wait_until(lambda: enabled() == len(DEFAULT_TYPES) + 1)


def test_the_servers_of_the_contract_are_asked(ward: Ward) -> None:
    core = f"{ward.sandbox.url}/waddlebot"
    ward.set(REPUTATION_CONTRACT="router", REPUTATION_API_URL="", CORE_API_URL=core)
    reached = [(one["check"], one["result"], one["detail"]) for one in ward.findings()[-4:]]
    ward.set(CORE_API_URL="http://127.0.0.1:9")
    (away,) = [one for one in ward.findings() if one["check"] == "router"]

    assert ("context API", "ok", "REPUTATION_CONTRACT=router asks none") == reached[0]
    assert ("router", "ok", f"{core}/router/events answers HTTP 405") == reached[1]
    assert ("core API", "ok", f"{core}/api/modules/register answers HTTP 405") == reached[3]
    assert "wrong" == away["result"] and "CORE_API_URL" in away["advice"]
    assert [] == ward.sandbox.control("received")["received"]


def test_nothing_is_wrong_where_nothing_is(ward: Ward) -> None:
    findings = ward.findings()

    assert {"ok"} == {one["result"] for one in findings}, findings
    assert [
        "configuration",
        "database",
        "encryption keys",
        "clock",
        "client credentials",
        "redirect URL",
        "callback URL",
        "scopes",
        "tokens",
        "subscriptions",
        "work",
        "deliveries",
        "context API",
        "reputation API",
        "gateway API",
        "core API",
    ] == [one["check"] for one in findings]
    assert "8 enabled, 0 pending" in findings[9]["detail"]
    # Nobody gets points from an examination.
    assert [] == ward.sandbox.control("received")["received"]


def test_work_that_nobody_does_is_named(ward: Ward) -> None:
    ward.execute("DELETE FROM twitch_heartbeats WHERE kind IN ('delivery', 'retention')")
    (finding,) = [one for one in ward.findings() if one["check"] == "work"]

    assert ("wrong", "nobody does: delivery, retention") == (finding["result"], finding["detail"])


def test_activities_that_were_given_up_are_counted_and_old_ones_that_wait(ward: Ward) -> None:
    fill(ward.operator.database(), 3, status="dead")
    (dead,) = [one for one in ward.findings() if one["check"] == "deliveries"]
    ward.execute("UPDATE twitch_activities SET status = 'pending', due_at_ms = 1")
    (late,) = [one for one in ward.findings() if one["check"] == "deliveries"]

    assert ("wrong", "3 activities were given up") == (dead["result"], dead["detail"])
    assert "cli redeliver" in dead["advice"]
    assert "wrong" == late["result"]
    assert late["detail"].startswith("3 wait, the first for ")


def test_people_get_a_table(ward: Ward) -> None:
    ward.set(REPUTATION_API_URL="http://127.0.0.1:9/reputation")
    ended = ward.operator.run("doctor")

    assert (1, "") == (ended.returncode, ended.stderr)
    assert "1 checks found something wrong" in ended.stdout
    (line,) = [line for line in ended.stdout.splitlines() if "reputation API" in line]
    assert "wrong" in line and "REPUTATION_API_URL" in line


@pytest.mark.parametrize(
    ("plant", "check", "result", "says"),
    [
        pytest.param(
            lambda ward: ward.set(DELIVERY_CONCURRENCY="many"),
            "configuration",
            "wrong",
            "DELIVERY_CONCURRENCY",
            id="configuration",
        ),
        pytest.param(
            lambda ward: ward.set(DB_URI=f"postgres://user:canary@127.0.0.1:{free_port()}/none"),
            "database",
            "wrong",
            "does not accept a connection",
            id="database-away",
        ),
        pytest.param(
            lambda ward: ward.set(DB_URI="sqlite://other.db"),
            "database",
            "wrong",
            "no database yet",
            id="database-not-made",
        ),
        pytest.param(
            lambda ward: ward.execute("DELETE FROM twitch_schema"),
            "database",
            "wrong",
            "has schema 0",
            id="schema-old",
        ),
        pytest.param(
            lambda ward: ward.execute("INSERT INTO twitch_schema (version) VALUES (99)"),
            "database",
            "wrong",
            "newer",
            id="schema-new",
        ),
        pytest.param(
            lambda ward: ward.set(TOKEN_ENCRYPTION_KEYS=Fernet.generate_key().decode()),
            "encryption keys",
            "wrong",
            "do not open",
            id="key-wrong",
        ),
        pytest.param(
            lambda ward: ward.set(TOKEN_ENCRYPTION_KEYS="no key"),
            "configuration",
            "wrong",
            "must be Fernet keys",
            id="key-no-key",
        ),
        pytest.param(
            lambda ward: ward.set(TOKEN_ENCRYPTION_KEYS=""),
            "encryption keys",
            "wrong",
            "there is no key",
            id="key-lost",
        ),
        pytest.param(
            lambda ward: ward.fault("/oauth2/validate", headers={"Date": date(-900)}),
            "clock",
            "wrong",
            "s ahead of",
            id="clock-wrong",
        ),
        pytest.param(
            lambda ward: ward.fault("/oauth2/validate", headers={"Date": date(400)}),
            "clock",
            "warning",
            "s behind",
            id="clock-off",
        ),
        pytest.param(
            lambda ward: ward.set(TWITCH_AUTH_URL="http://127.0.0.1:9"),
            "clock",
            "wrong",
            "does not answer",
            id="twitch-away",
        ),
        pytest.param(
            lambda ward: ward.set(TWITCH_APP_SECRET="canary"),
            "client credentials",
            "wrong",
            "invalid client secret",
            id="secret-wrong",
        ),
        pytest.param(
            lambda ward: ward.set(TWITCH_APP_ID="nobody"),
            "client credentials",
            "wrong",
            "invalid client",
            id="client-unknown",
        ),
        pytest.param(
            lambda ward: ward.set(TWITCH_REDIRECT_URI="http://localhost/elsewhere"),
            "redirect URL",
            "wrong",
            "does not lead to this module",
            id="redirect-path",
        ),
        pytest.param(
            lambda ward: ward.set(TWITCH_REDIRECT_URI="http://bot.example/twitch/auth/callback"),
            "redirect URL",
            "wrong",
            "is not https",
            id="redirect-plain",
        ),
        pytest.param(
            lambda ward: ward.sandbox.control("settings", {"redirect_uris": ["https://else/"]}),
            "redirect URL",
            "wrong",
            "is not registered at Twitch",
            id="redirect-unregistered",
        ),
        pytest.param(
            lambda ward: ward.set(PUBLIC_URL="http://127.0.0.1:9"),
            "callback URL",
            "warning",
            "does not answer",
            id="callback-unreachable",
        ),
        pytest.param(
            lambda ward: ward.set(
                TWITCH_WEBHOOK_CALLBACK_URL=ward.sandbox.url.removesuffix("/sandbox")
                + "/twitch/webhook"
            ),
            "callback URL",
            "warning",
            "another program",
            id="callback-elsewhere",
        ),
        pytest.param(
            lambda ward: ward.set(TWITCH_WEBHOOK_CALLBACK_URL="http://bot.example/twitch/webhook"),
            "configuration",
            "wrong",
            "TWITCH_WEBHOOK_CALLBACK_URL must be https on port 443",
            id="callback-plain",
        ),
        pytest.param(
            lambda ward: ward.execute(
                "UPDATE twitch_tokens SET status = 'needs_login', reason = 'gone'"
                f" WHERE user_id = '{STREAMER_ID}'"
            ),
            "tokens",
            "wrong",
            f"{STREAMER} has to log in again: gone",
            id="token-dead",
        ),
        pytest.param(
            lambda ward: ward.short_lived_token(seconds=400),
            "tokens",
            "warning",
            f"{STREAMER}'s token has 6 minutes left",
            id="token-near-its-end",
        ),
        pytest.param(
            lambda ward: ward.sandbox.control("tokens/expire", {"user_id": STREAMER_ID}),
            "tokens",
            "wrong",
            f"Twitch refuses {STREAMER}'s token",
            id="token-refused",
        ),
        pytest.param(
            lambda ward: ward.fault("/oauth2/validate", body=SOMEBODY_ELSES),
            "tokens",
            "wrong",
            "token is another application's",
            id="token-of-another-application",
        ),
        pytest.param(
            lambda ward: ward.fault("/oauth2/validate", body=NOBODYS),
            "tokens",
            "wrong",
            f"{STREAMER}'s token is nobody_else's",
            id="token-of-another-user",
        ),
        pytest.param(
            lambda ward: ward.fault("/oauth2/validate", status=500),
            "tokens",
            "wrong",
            "HTTP 500",
            id="token-not-validated",
        ),
        pytest.param(
            lambda ward: ward.set(TWITCH_BOT_SCOPES="user:bot, user:read:chat"),
            "configuration",
            "wrong",
            "TWITCH_BOT_SCOPES must be scopes",
            id="bot-scopes",
        ),
        pytest.param(
            lambda ward: ward.execute(
                "UPDATE twitch_tokens SET validated_at_ms = validated_at_ms - 3700000"
            ),
            "tokens",
            "warning",
            "not been validated",
            id="token-unvalidated",
        ),
        pytest.param(
            lambda ward: ward.fault("/helix/eventsub/subscriptions", status=500),
            "subscriptions",
            "wrong",
            "HTTP 500",
            id="helix-away",
        ),
    ],
)
def test_a_planted_fault_is_named(
    ward: Ward, plant: Callable[[Ward], Any], check: str, result: str, says: str
) -> None:
    plant(ward)
    before = issued_by(ward.sandbox)
    found = [one for one in ward.findings() if (one["check"], one["result"]) == (check, result)]

    assert [one["advice"] for one in found if says in one["detail"]]
    assert all(one["advice"] for one in found)
    assert [] == [text for text in {"canary", *before} if text in ward.operator.printed]


def date(seconds: int) -> str:
    """So many seconds from now, as a Date header says it."""
    return formatdate(time.time() + seconds, usegmt=True)


def test_each_user_who_has_not_granted_enough_is_named(ward: Ward) -> None:
    log_in(ward.sandbox, ward.operator, STREAMER_ID, "bits:read")
    log_in(ward.sandbox, ward.operator, BOT_ID, "user:bot")
    lacking = [scope for scope in BOT_SCOPES.split() if scope != "user:bot"]
    found = [one for one in ward.findings() if one["check"] == "scopes"]

    assert [
        ("wrong", f"{BOT} has not granted {', '.join(lacking)}"),
        (
            "wrong",
            f"{STREAMER} has not granted moderator:read:followers, channel:read:subscriptions,"
            " channel:moderate",
        ),
    ] == [(one["result"], one["detail"]) for one in found]
    assert "/twitch/auth/login" in found[1]["advice"]


def test_scopes_are_those_that_twitch_names_now(ward: Ward) -> None:
    ward.execute(f"UPDATE twitch_tokens SET scopes = '' WHERE user_id = '{STREAMER_ID}'")

    assert ["ok"] == [one["result"] for one in ward.findings() if one["check"] == "scopes"]


def test_keys_that_do_not_open_the_tokens_leave_nothing_to_ask_twitch(ward: Ward) -> None:
    ward.set(TOKEN_ENCRYPTION_KEYS=Fernet.generate_key().decode())
    (found,) = [one for one in ward.findings() if one["check"] == "tokens"]

    assert "warning" == found["result"]
    assert "the encryption keys have to open the tokens first" in found["detail"]


def test_who_has_to_log_in_again_is_named_also_when_twitch_is_away(ward: Ward) -> None:
    ward.execute(
        "UPDATE twitch_tokens SET status = 'needs_login', reason = 'gone'"
        f" WHERE user_id = '{STREAMER_ID}'"
    )
    ward.set(TWITCH_AUTH_URL="http://127.0.0.1:9")
    found = [one["detail"] for one in ward.findings() if one["check"] == "tokens"]

    assert f"{STREAMER} has to log in again: gone" == found[0]
    assert found[1].startswith("not all checked: Twitch")


def test_subscriptions_that_failed_or_are_missing_are_named(ward: Ward) -> None:
    ward.vanish("channel.raid")
    ward.vanish("user.authorization.revoke")
    ward.fail("channel.ban")
    found = [one for one in ward.findings() if one["check"] == "subscriptions"]

    assert [
        ("wrong", "1 failed at Twitch: notification_failures_exceeded"),
        ("wrong", f"{STREAMER} lacks channel.raid, channel.ban"),
        (
            "warning",
            "user.authorization.revoke is missing: nobody tells us who disconnects the application",
        ),
    ] == [(one["result"], one["detail"]) for one in found]


def test_each_of_waddlebots_apis_that_is_away_is_named(ward: Ward) -> None:
    ward.set(
        CONTEXT_API_URL="http://user:canary@127.0.0.1:9/context?key=canary",
        REPUTATION_API_URL="http://nowhere.invalid/reputation",
        GATEWAY_ACTIVATE_URL=ward.module.url.replace("http:", "https:"),
    )
    found = {one["check"]: one for one in ward.findings()}

    for name, variable in (
        ("context API", "CONTEXT_API_URL"),
        ("reputation API", "REPUTATION_API_URL"),
        ("gateway API", "GATEWAY_ACTIVATE_URL"),
    ):
        assert "wrong" == found[name]["result"]
        assert variable in found[name]["advice"]
    assert "canary" not in ward.operator.printed


def test_with_a_broken_configuration_the_other_checks_are_made(ward: Ward) -> None:
    ward.set(TWITCH_APP_ID="", PORT="none", ACTIVITY_POINTS="{", CONTEXT_API_URL="nowhere")
    findings = {}
    for one in ward.findings():
        findings.setdefault(one["check"], []).append((one["result"], one["detail"]))

    assert 4 == len(findings["configuration"])
    assert {"ok"} == {
        findings[check][0][0]
        for check in ("database", "encryption keys", "clock", "reputation API")
    }
    assert {"warning"} == {
        findings[check][0][0]
        for check in ("client credentials", "subscriptions", "scopes", "tokens", "context API")
    }
    assert "TWITCH_APP_ID has to be set right first" in findings["client credentials"][0][1]


def test_an_env_file_that_others_may_read_is_named(ward: Ward) -> None:
    ward.operator.env_file.write_text("TWITCH_CHANNEL=x\n")
    ward.operator.env_file.chmod(0o644)
    findings = ward.findings()

    assert ("configuration", "warning") in [(one["check"], one["result"]) for one in findings]


def test_an_empty_postgresql_has_to_be_brought_up_to_date(ward: Ward, postgres_uri: str) -> None:
    ward.set(DB_URI=postgres_uri)
    found = {one["check"]: one for one in ward.findings()}

    assert ("wrong", "has schema 0") == (
        found["database"]["result"],
        found["database"]["detail"].partition(",")[0],
    )
    assert "brought up to date first" in found["tokens"]["detail"]


def test_on_an_empty_machine_nothing_is_made(operator: Operator) -> None:
    operator.variables = {"DATA_DIR": str(operator.folder / "data")}
    ended = operator.run("doctor")

    assert (1, "") == (ended.returncode, ended.stderr)
    assert not (operator.folder / "data").exists()


class TestDemo:
    """One command examines the demo, in an environment that says nothing of it."""

    def run(self, folder: Path, port: int, *words: str) -> subprocess.CompletedProcess[str]:
        operator = Operator(folder, {"PORT": str(port), "DATA_DIR": str(folder)})
        return operator.run("doctor", "--demo", *words)

    def test_the_running_demo_is_well(self, tmp_path: Path) -> None:
        port = free_port()
        with (tmp_path / "output").open("w") as output:
            demo = subprocess.Popen(
                [sys.executable, "-m", "apps.twitch_module.demo"],
                cwd=REPOSITORY,
                env=clean_environment(PORT=str(port), DATA_DIR=str(tmp_path)),
                stdout=output,
                stderr=output,
            )
        try:
            url = f"http://127.0.0.1:{port}/twitch/health/ready"
            wait_until(lambda: answers(url), seconds=30)
            # Its first comparison makes a subscription of the application's own.
            ended = wait_until(lambda: well(self.run(tmp_path, port, "--json")), seconds=20)
            elsewhere = self.run(tmp_path / "other", port)
        finally:
            demo.terminate()
            demo.wait(timeout=30)
        stopped = self.run(tmp_path, port)

        checks = {one["check"]: one["result"] for one in json.loads(ended.stdout)["checks"]}
        assert set(checks.values()) == {"ok"}
        assert {"database", "callback URL", "subscriptions", "reputation API"} < checks.keys()
        assert elsewhere.returncode == 1
        assert f"does not keep its data in {tmp_path}/other/demo" in elsewhere.stderr
        assert not (tmp_path / "other").exists()
        assert (stopped.returncode, stopped.stderr.splitlines()[0]) == (
            1,
            f"Error: No demo runs at http://127.0.0.1:{port}",
        )


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def well(
    ended: subprocess.CompletedProcess[str],
) -> subprocess.CompletedProcess[str] | None:
    """What has ended with nothing to remark, or None."""
    checks = json.loads(ended.stdout)["checks"]
    return ended if {one["result"] for one in checks} == {"ok"} else None
