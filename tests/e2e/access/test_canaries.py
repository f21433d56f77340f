"""No secret of any kind stands in a log, a file, a database, a command line or an answer.

Every server of the suite is looked at for the secrets that all are started with (see conftest);
here one with secrets of all kinds is led through everything, errors included.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from cryptography.fernet import Fernet

from apps.twitch_module.models.database import Database
from tests.canaries import found, found_below, spellings
from tests.e2e.conftest import Start
from tests.e2e.tokens.test_logins import STREAMER, Browser
from tests.environment import ADMIN
from tests.messages import Message
from tests.processes import Module, Sandbox, wait_until

CONFIGURED = {
    "client secret": "canary-client-secret-Zx81",
    "hmac secret": "canary-hmac-secret-Qw92",
    "jwt key": "canary-jwt-key-of-more-than-32-bytes-Er73",
    "admin password": "canary-admin-password-Ty64!/",
    "master key": Fernet.generate_key().decode(),
    "waddlebot key": "canary-waddlebot-key-Ui55",
    "activation key": "demo-canary-activation-Op46",
}


@pytest.fixture
def secrets() -> dict[str, str]:
    """All secrets of the run by kind: the configured ones, and later what is issued."""
    return dict(CONFIGURED)


@pytest.fixture
def module(start: Start, db_uri: str, secrets: dict[str, str]) -> Module:
    if db_uri.startswith("postgres"):
        secrets["database password"] = "canary-database-password-As37"
        db_uri = re.sub(r"//([^:@/]+)(:[^@]*)?@", r"//\1:canary-database-password-As37@", db_uri)
    return start(
        DB_URI=db_uri,
        LOG_LEVEL="DEBUG",
        TWITCH_APP_SECRET=secrets["client secret"],
        TWITCH_WEBHOOK_SECRET=secrets["hmac secret"],
        JWT_SECRET=secrets["jwt key"],
        ADMIN_PASSWORD=secrets["admin password"],
        TOKEN_ENCRYPTION_KEYS=secrets["master key"],
        WADDLEBOT_API_KEY=secrets["waddlebot key"],
    )


class Tour:
    """Leads a server through what it does; keeps every answer that should hold no secret."""

    def __init__(self, module: Module, sandbox: Sandbox, secrets: dict[str, str]) -> None:
        self.module, self.sandbox, self.secrets = module, sandbox, secrets
        self.answers: list[bytes] = []
        self.token = ""

    def call(self, method: str, path: str, *, lends: bool = False, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = requests.request(
            method,
            self.module.url + path,
            headers={**headers, **options.pop("headers", {})},
            timeout=20,
            allow_redirects=False,
            **options,
        )
        if not lends:
            self.answers.append(str(answer.headers).encode() + answer.content)
        return answer

    def admins(self) -> None:
        """A login, a wrong one with the password for a name, a renewal, a service token."""
        password = self.secrets["admin password"]
        form = {"username": ADMIN, "password": password}
        for wrong in ({"username": password, "password": "x"}, {"username": 1}, {**form, "x": 1}):
            self.call("POST", "/api/auth/login", json=wrong)
        first = self.call("POST", "/api/auth/login", lends=True, json=form).json()
        old = {"refresh_token": first["refresh_token"]}
        pair = self.call("POST", "/api/auth/refresh", lends=True, json=old).json()
        self.token = pair["access_token"]
        order = {"name": "canary", "scopes": ["events:read"], "days": 30}
        made = self.call("POST", "/api/auth/service-token", lends=True, json=order).json()
        bearer = {"Authorization": f"Bearer {made['service_token']}"}
        lent = self.call("POST", "/api/auth/service-token/refresh", lends=True, headers=bearer)
        self.secrets |= {
            "admin access token": self.token,
            "admin refresh token": pair["refresh_token"],
            "used refresh token": first["refresh_token"],
            "service token": made["service_token"],
            "service access token": lent.json()["access_token"],
        }
        careful = {**order, "exchange_only": True}
        only = self.call("POST", "/api/auth/service-token", lends=True, json=careful).json()
        self.secrets["service token for exchange"] = only["service_token"]
        renew = "/api/auth/service-token/renew"
        self.call("POST", renew, headers={"Authorization": f"Bearer {only['service_token']}"})
        shown = (made["service_token"], only["service_token"], made["service_token"][:-1] + "x")
        for token in (*shown, pair["refresh_token"], self.token + "x"):
            self.call("GET", "/twitch/events", headers={"Authorization": f"Bearer {token}"})
            self.call("GET", f"/twitch/events?access_token={token}", headers={"Authorization": ""})

    def streamers(self) -> None:
        """A login, one that fails on the way, a renewal, one that fails, a loan."""
        browser = Browser(self.module)
        result = browser.agree(browser.begin(activation_key=self.secrets["activation key"]))
        self.secrets |= {"code": result["code"], "state": result["state"]}
        self.secrets |= {"cookie": next(iter(browser.session.cookies.get_dict().values()))}
        self.answers.append(browser.come_back(result).content)
        self.answers.append(browser.come_back(result, page=True).content)
        for fault in ({"status": 500}, {"garbage": True}, {"hang_up": True}):
            path = "/sandbox/oauth2/token"
            self.sandbox.control("faults", {"path": path, "times": 1, **fault})
            again = browser.agree(browser.begin())
            self.answers.append(browser.come_back(again, page=True).content)
            self.call("POST", f"/twitch/auth/refresh/{STREAMER}")
        self.call("GET", f"/twitch/auth/token/{STREAMER}", lends=True)

    def twitch(self) -> None:
        """Webhooks of every quality."""
        good = Message("channel.follow", secret=self.secrets["hmac secret"])
        for message in (good, Message("channel.follow", secret="forged-forged")):
            self.answers.append(self.module.post(message).content)
        odd = Message(body=b'{"subscription":[', secret=self.secrets["hmac secret"])
        self.answers.append(self.module.post(odd).content)

    def everything(self) -> None:
        """Every list and page, and what is not there."""
        self.call("POST", "/twitch/api/channels", json={"channel_id": STREAMER})
        self.call("POST", f"/twitch/api/setup/{STREAMER}")
        path = "/sandbox/helix/eventsub/subscriptions"
        self.sandbox.control("faults", {"path": path, "times": 2, "status": 500})
        for path in (
            "/twitch/api/subscriptions",
            "/twitch/api/channels",
            "/twitch/api/audit",
            "/api/auth/service-token",
            "/twitch/auth/users",
            f"/twitch/auth/status?user_id={STREAMER}",
            "/twitch/events",
            "/twitch/activities",
            "/twitch/metrics",
            "/twitch/health/ready",
            "/twitch/nothing",
            "/twitch/events/%00",
        ):
            self.call("GET", path)
            self.call("GET", path, headers={"Accept": "text/html"})
        self.call("POST", "/twitch/api/channels", data=b"[" * 1000)
        self.call("POST", "/twitch/auth/revoke/nobody")

    def issued(self) -> None:
        """What the sandbox's Twitch has issued."""
        for number, one in enumerate(self.sandbox.control("tokens")["tokens"]):
            for kind in ("access_token", "refresh_token"):
                if one[kind]:
                    self.secrets[f"twitch {kind} {number}"] = one[kind]


def command_lines(module: Module) -> bytes:
    main = psutil.Process(module.process.pid)
    family = [main, *main.children(recursive=True)]
    return b"\n".join(Path(f"/proc/{one.pid}/cmdline").read_bytes() for one in family)


def rows(uri: str, folder: Path) -> Iterator[bytes]:
    """Every row of every table, as text."""
    database = Database(uri, folder)
    with database.transaction(write=False) as transaction:
        sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        if transaction.sqlite:
            sql = "SELECT name FROM sqlite_master WHERE type = 'table'"
        for (table,) in transaction.execute(sql):
            for row in transaction.execute(f"SELECT * FROM {table}"):
                yield str(
                    [bytes(one) if isinstance(one, memoryview) else one for one in row]
                ).encode()


def test_no_secret_is_found_anywhere(
    module: Module, sandbox: Sandbox, secrets: dict[str, str], tmp_path: Path, db_uri: str
) -> None:
    tour = Tour(module, sandbox, secrets)
    tour.admins()
    tour.streamers()
    tour.twitch()
    tour.everything()
    wait_until(lambda: module.output.read_text().count("stored") >= 2)
    tour.issued()
    lines = command_lines(module)
    leaks = found_below(tmp_path, secrets)
    assert 0 == module.stop()
    kept = b"\n".join(rows(db_uri, tmp_path))
    answers = b"\n".join(tour.answers)

    assert len(secrets) >= 15
    assert len(tour.answers) > 40
    assert b"sandbox_streamer" in kept and b"canary" in kept  # the service token's name
    assert [] == leaks == found_below(tmp_path, secrets)
    assert [] == found(lines, secrets) == found(kept, secrets)
    # The login page leads to Twitch with the state: that is what it is for.
    assert {"state"} >= set(found(answers, secrets))


def test_a_planted_leak_is_found(tmp_path: Path) -> None:
    for name, secret in CONFIGURED.items():
        for spelling in spellings(secret):
            (tmp_path / "log").write_bytes(b"before " + spelling + b" after")

            assert [f"log: {name}"] == found_below(tmp_path, CONFIGURED)
