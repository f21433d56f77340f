"""Who may call what, on a running server: every route, every method, every kind of caller."""

import base64
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from apps.twitch_module.client import ClientError, NotAllowed, TwitchModuleClient
from apps.twitch_module.controllers.policy import POLICY, STATIC
from apps.twitch_module.domain.access.callers import SCOPES, Actor
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.access.admin_users import AdminUsers
from apps.twitch_module.services.access.passwords import Passwords
from tests.conftest import on_sqlite
from tests.e2e.conftest import Start
from tests.environment import ADMIN, PASSWORD, environment
from tests.messages import Message
from tests.processes import REPOSITORY, Module, clean_environment
from tests.unit.services.access.test_access_tokens import KEY, MISSING, YEAR_2100, encoded, token

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE")
CLI = Actor("cli", name="operator")

# Route: what a viewer may do, and which scope lets a service do it (both may be nobody).
# An admin may call all of them. Whoever stands in OPEN needs no token.
OPEN = {
    ("GET", "/twitch/health"),
    ("GET", "/twitch/health/ready"),
    ("GET", STATIC),
    ("GET", "/twitch/openapi.json"),
    ("GET", "/twitch/docs"),
    ("GET", "/twitch/metrics"),
    ("POST", "/twitch/webhook"),
    ("GET", "/twitch/auth/login"),
    ("GET", "/twitch/auth/callback"),
    ("GET", "/twitch/auth/connected"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/refresh"),
    ("POST", "/api/auth/logout"),
    ("POST", "/api/auth/service-token/refresh"),
    ("POST", "/api/auth/service-token/renew"),
}
CLOSED: dict[tuple[str, str], tuple[bool, str | None]] = {
    ("GET", "/api/auth/service-token"): (True, None),
    ("POST", "/api/auth/service-token"): (False, None),
    ("DELETE", "/api/auth/service-token/<token_id>"): (False, None),
    ("GET", "/twitch/api/audit"): (False, None),
    ("GET", "/twitch/auth/status"): (True, "users:read"),
    ("GET", "/twitch/auth/users"): (True, "users:read"),
    ("POST", "/twitch/auth/refresh/<user_id>"): (False, "tokens:read"),
    ("POST", "/twitch/auth/revoke/<user_id>"): (False, None),
    ("GET", "/twitch/auth/token/<user_id>"): (False, "tokens:read"),
    ("GET", "/twitch/events"): (True, "events:read"),
    ("GET", "/twitch/events/<event_id>"): (True, "events:read"),
    ("GET", "/twitch/activities"): (True, "activities:read"),
    ("GET", "/twitch/activities/<activity_id>"): (True, "activities:read"),
    ("POST", "/twitch/activities/redeliver"): (False, "activities:write"),
    ("POST", "/twitch/activities/<activity_id>/redeliver"): (False, "activities:write"),
    ("POST", "/twitch/activities/release"): (False, "activities:write"),
    ("POST", "/twitch/activities/<activity_id>/release"): (False, "activities:write"),
    ("POST", "/twitch/activities/drop"): (False, "activities:write"),
    ("POST", "/twitch/activities/<activity_id>/drop"): (False, "activities:write"),
    ("GET", "/twitch/api/leaderboard"): (True, "activities:read"),
    ("GET", "/twitch/api/users/<user_id>/points"): (True, "activities:read"),
    ("GET", "/twitch/api/users/<user_id>/export"): (False, None),
    ("POST", "/twitch/api/users/<user_id>/erase"): (False, None),
    ("GET", "/twitch/api/erasures/<erasure_id>"): (False, None),
    ("GET", "/twitch/api/policies"): (True, None),
    ("POST", "/twitch/api/policies/preview"): (False, None),
    ("GET", "/twitch/api/policies/runs"): (True, None),
    ("GET", "/twitch/api/policies/runs/<run_id>"): (True, None),
    ("GET", "/twitch/api/policies/runs/<run_id>/changes"): (True, None),
    ("POST", "/twitch/api/policies/runs/<run_id>/apply"): (False, None),
    ("POST", "/twitch/api/policies/runs/<run_id>/undo"): (False, None),
    ("GET", "/twitch/api/channels"): (True, "channels:read"),
    ("POST", "/twitch/api/channels"): (False, "channels:write"),
    ("GET", "/twitch/api/channels/<channel_id>"): (True, "channels:read"),
    ("PATCH", "/twitch/api/channels/<channel_id>"): (False, "channels:write"),
    ("DELETE", "/twitch/api/channels/<channel_id>"): (False, "channels:write"),
    ("GET", "/twitch/api/subscriptions"): (True, "subscriptions:read"),
    ("POST", "/twitch/api/subscriptions"): (False, "subscriptions:write"),
    ("DELETE", "/twitch/api/subscriptions"): (False, "subscriptions:write"),
    ("GET", "/twitch/api/user/<user_id>"): (True, "users:read"),
    ("POST", "/twitch/api/setup/<channel_id>"): (False, "subscriptions:write"),
}
SETTINGS = {"JWT_SECRET": KEY, "WORKER": "off", "LOG_LEVEL": "ERROR"}

# Reads the routes from the router of the application, and tries what must not work.
_ROUTER = """
import json, wsgiref.util
from ombott import default_app
from apps.twitch_module.wsgi import application
from apps.twitch_module.controllers.guard import Guard
from apps.twitch_module.controllers.http import endpoint

def ask(application, path):
    environ, seen = {"PATH_INFO": path}, []
    wsgiref.util.setup_testing_defaults(environ)
    body = b"".join(application(environ, lambda status, headers, *_: seen.append(status)))
    return [seen[0], body.decode()]

routes = [[route.rule, sorted(route.methods)] for route in default_app().routes.values()]
default_app().route("/twitch/rogue", callback=lambda: "reached")
def fail(environ, start):
    raise RuntimeError("the password is hunter2")
try:
    endpoint("/twitch/rogue", "GET")
    declared = True
except LookupError:
    declared = False
print(json.dumps({
    "routes": routes,
    "rogue": ask(application, "/twitch/rogue"),
    "failing": ask(Guard(fail), "/twitch/health"),
    "declared": declared,
}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Module]:
    """One server with two processes, for everything that leaves no trace."""
    module = Module(folder, DB_URI=f"sqlite://{folder}/storage.db", WORKERS="2", **SETTINGS)
    module.wait_until_ready()
    yield module
    module.stop()


@pytest.fixture(scope="module")
def inside(folder: Path, server: Module) -> Any:
    """What a process of the module says of itself: see _ROUTER."""
    done = subprocess.run(
        [sys.executable, "-c", _ROUTER],
        cwd=REPOSITORY,
        env=clean_environment(
            **environment(
                DATA_DIR=str(folder),
                DB_URI=server.setting("DB_URI"),
                PY4WEB_SERVICE=str(folder / "py4web"),
                PY4WEB_APP_NAMES="twitch_module",
                **SETTINGS,
            )
        ),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def users(server: Module, folder: Path) -> AdminUsers:
    users = AdminUsers(Database(server.setting("DB_URI"), folder), Passwords())
    users.create("viewer", PASSWORD, "viewer", CLI)
    return users


def log_in(server: Module, username: str = ADMIN) -> dict[str, Any]:
    answer = requests.post(
        server.url + "/api/auth/login",
        data={"username": username, "password": PASSWORD},
        timeout=10,
    )
    answer.raise_for_status()
    pair: dict[str, Any] = answer.json()
    return pair


def bearer(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}"}


def new_service_token(server: Module, *scopes: str, **more: Any) -> dict[str, Any]:
    answer = server.call(
        "POST",
        "/api/auth/service-token",
        json={"name": "bot", "scopes": list(scopes), "days": 30, **more},
    )
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def service_access(server: Module, *scopes: str) -> str:
    secret = new_service_token(server, *scopes)["service_token"]
    answer = requests.post(
        server.url + "/api/auth/service-token/refresh", headers=bearer(secret), timeout=10
    )
    access_token: str = answer.json()["access_token"]
    return access_token


def path_of(route: str) -> str:
    """An address on a route, of things that are not there."""
    if route == STATIC:
        return "/twitch_module/static/page.css"
    for name in (
        "token_id",
        "user_id",
        "event_id",
        "activity_id",
        "channel_id",
        "run_id",
        "erasure_id",
    ):
        route = route.replace(f"<{name}>", "999999")
    assert "<" not in route
    return route


def ask(server: Module, method: str, route: str, access_token: str | None) -> requests.Response:
    return requests.request(
        method,
        server.url + path_of(route),
        headers=bearer(access_token) if access_token else {},
        # So that nobody logs out here whose token is still needed.
        json={"refresh_token": "none"} if route == "/api/auth/logout" else None,
        allow_redirects=False,
        timeout=20,
    )


@pytest.fixture(scope="module")
def callers(server: Module, users: AdminUsers) -> dict[str, str | None]:
    """What each kind of caller shows."""
    now = int(time.time())
    by_scope = {f"service {scope}": service_access(server, scope) for scope in SCOPES}
    direct = {
        f"directly {scope}": new_service_token(server, scope)["service_token"] for scope in SCOPES
    }
    careful = new_service_token(server, *SCOPES, exchange_only=True)
    return {
        "anonymous": None,
        "expired": token({"iat": now - 1000, "exp": now - 100}),
        "viewer": log_in(server, "viewer")["access_token"],
        "admin": log_in(server)["access_token"],
        **by_scope,
        **direct,
        "exchange only": careful["service_token"],
    }


def expected(caller: str, cell: tuple[str, str]) -> int | None:
    """401, 403, or None for: may."""
    viewer, scope = CLOSED[cell]
    if caller in ("anonymous", "expired"):
        return 401
    services = (f"service {scope}", f"directly {scope}")
    may = {"viewer": viewer, "admin": True}.get(caller, caller in services)
    return None if may else 403


def test_the_policy_names_exactly_the_routes_of_the_router(inside: Any) -> None:
    routes = {(method, rule) for rule, methods in inside["routes"] for method in methods}

    assert routes == POLICY.keys()
    assert routes == OPEN | CLOSED.keys()


def test_every_route_answers_every_method_and_caller_as_the_policy_says(
    server: Module, inside: Any, callers: dict[str, str | None]
) -> None:
    def cell(method: str, rule: str, methods: list[str], caller: str) -> list[str]:
        answer = ask(server, method, rule, callers[caller])
        where = f"{method} {rule} by {caller}: {answer.status_code}"
        assert answer.headers["X-Content-Type-Options"] == "nosniff", where
        listed = "GET" if method == "HEAD" else method
        if listed not in methods:
            allowed = sorted({*methods, "HEAD"} if "GET" in methods else methods)
            right = answer.status_code == 405 and answer.headers["Allow"] == ", ".join(allowed)
        elif (listed, rule) in OPEN:
            refused = 403 if rule == "/twitch/webhook" else 0  # it is not signed
            right = answer.status_code == refused or answer.status_code not in (403, 405, 500)
        elif wanted := expected(caller, (listed, rule)):
            right = answer.status_code == wanted
            if method != "HEAD":
                code = {
                    "expired": "token_expired",
                    "anonymous": "unauthenticated",
                    "exchange only": "exchange_only",
                }
                assert answer.json()["code"] == code.get(caller, "forbidden"), where
        else:
            right = answer.status_code not in (401, 403, 405, 500)
        return [] if right else [where]

    with ThreadPoolExecutor(8) as pool:
        cells = [
            pool.submit(cell, method, rule, methods, caller)
            for rule, methods in inside["routes"]
            for method in METHODS
            for caller in callers
        ]
    faults = [fault for done in cells for fault in done.result()]

    assert faults == []
    assert len(cells) == len(inside["routes"]) * 9 * 23


def test_a_route_without_a_policy_cannot_be_declared_nor_called(inside: Any) -> None:
    status, body = inside["rogue"]

    assert inside["declared"] is False
    assert status == "403 Forbidden"
    assert json.loads(body)["code"] == "no_policy"


def test_an_error_that_nobody_foresaw_is_a_problem_without_its_message(inside: Any) -> None:
    status, body = inside["failing"]

    assert status == "500 Internal Server Error"
    assert json.loads(body)["code"] == "error"
    assert "hunter2" not in body


def forged_tokens(pair: dict[str, Any]) -> dict[str, str]:
    """Tokens that must not be taken, but for the first. All name a session that is alive."""
    now = int(time.time())
    good = pair["access_token"]
    header, claims, signature = good.split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    alive = {"sub": said["sub"], "sid": said["sid"]}
    algorithms = ["none", "None", "NONE", "RS256", "ES256", "HS384", "HS512", "hs256", ""]
    headers: list[dict[str, Any]] = [
        {"kid": "../../dev/null"},
        {"kid": "' UNION SELECT 'x' --"},
        {"jku": "https://evil.example/jwks.json"},
        {"jwk": {"kty": "oct", "k": "eA"}},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["eA"]},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"cty": "JWT"},
    ]
    changes: list[dict[str, Any]] = [
        {"iss": "somebody-else"},
        {"aud": "another-api"},
        {"typ": "refresh"},
        {"typ": "service_access"},
        {"sub": "999999"},
        {"sid": "not-a-session"},
        {"sid": "' OR 1=1 --"},
        {"exp": str(now + 900)},
        {"exp": now * 1000},
        {"exp": now + 10**6},
        {"exp": -1},
        {"exp": now - 60, "iat": now - 960},
        {"nbf": YEAR_2100},
        {"iat": YEAR_2100},
        {"role": "admin"},
        *({claim: MISSING} for claim in ("iss", "aud", "typ", "sub", "sid", "jti", "iat", "exp")),
    ]
    return {
        "control": token(alive),
        **{
            f"alg {alg!r}": f"{encoded({'alg': alg, 'typ': 'JWT'})}.{claims}." for alg in algorithms
        },
        **{f"header {more}": token(alive, header={"alg": "HS256", **more}) for more in headers},
        **{f"claims {change}": token({**alive, **change}) for change in changes},
        "another key": token(alive, key="x" * 64),
        "an empty key": token(alive, key=""),
        "no signature": f"{header}.{claims}.",
        "a cut signature": good[:-4],
        "the signature of another": f"{header}.{token(alive).split('.')[1]}.{signature}",
        "a refresh token": pair["refresh_token"],
        "a token in a token": token(payload=good.encode()),
        "a long one": "x" * 12_000,  # beyond 16 KB the guard refuses the header itself
        "no token": "x",
        "dots": "...",
        "two at once": f"{good},{good}",
    }


def forged_service_tokens(good: str, pair: dict[str, Any], revoked: str) -> dict[str, str]:
    """Service tokens that must not be taken, but for the first. All name one that is alive."""
    header, payload, signature = good.split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    kind = {"alg": "HS256", "typ": "waddlebot-service+jwt"}
    # The signing key is the database's own: neither of these is it.
    keys = {"JWT_SECRET": KEY, "an empty key": "", "another key": "x" * 64}
    changes: list[dict[str, Any]] = [
        {"sub": "1"},
        {"exp": said["exp"] + 365 * 86_400},
        {"scopes": list(SCOPES)},
        {"scope": "tokens:read"},
        {"role": "admin"},
        {"aud": "waddlebot-twitch-api"},
        {"typ": "access"},
    ]
    return {
        "control": good,
        "revoked": revoked,
        **{f"signed by {name}": token(header=kind, payload=said, key=keys[name]) for name in keys},
        **{f"claims {one}": f"{header}.{encoded({**said, **one})}.{signature}" for one in changes},
        **{
            f"alg {alg}": f"{encoded({**kind, 'alg': alg})}.{payload}."
            for alg in ("none", "None", "", "RS256")
        },
        "another type": f"{encoded({**kind, 'typ': 'JWT'})}.{payload}.{signature}",
        "without a type": f"{encoded({'alg': 'HS256'})}.{payload}.{signature}",
        "an access token's claims": f"{header}.{pair['access_token'].split('.')[1]}.{signature}",
        "an access token's signature": f"{header}.{payload}.{pair['access_token'].split('.')[2]}",
        "an access token's header": f"{pair['access_token'].split('.')[0]}.{payload}.{signature}",
        "its own claims under JWT_SECRET": token(payload=said),
        "its session in an access token": token({"typ": "service", "sub": said["sub"]}),
        "no signature": f"{header}.{payload}.",
        "a cut signature": good[:-4],
        "a bit that belongs to no byte": good[:-1] + chr(ord(good[-1]) ^ 1),
        "a space in it": f"{good[:40]} {good[40:]}",
        "upper case": good.upper(),
        "the older form": "wbs_" + "A" * 43,
        "a refresh token": pair["refresh_token"],
        "only its hash": hashlib.sha256(good.encode()).hexdigest(),
        "only its identifier": said["jti"],
        "12,000 characters": header + "." + "x" * 12_000,
        "two at once": f"{good},{good}",
    }


@pytest.mark.parametrize("kind", ["access", "service"])
def test_forged_tokens_are_refused_each_and_at_once(
    server: Module, callers: dict[str, str | None], kind: str
) -> None:
    pair = log_in(server)
    if kind == "access":
        forged = forged_tokens(pair)
    else:
        secret, gone = (new_service_token(server, "events:read") for _ in range(2))
        server.call("DELETE", f"/api/auth/service-token/{gone['id']}").raise_for_status()
        forged = forged_service_tokens(secret["service_token"], pair, gone["service_token"])
    slowest, faults = 0.0, []
    with requests.Session() as session:
        for name, text in forged.items():
            began = time.monotonic()
            answer = session.get(server.url + "/twitch/events", headers=bearer(text), timeout=10)
            slowest = max(slowest, time.monotonic() - began)
            if answer.status_code != (200 if name == "control" else 401):
                faults.append((name, answer.status_code))

    assert len(forged) > {"access": 50, "service": 30}[kind]
    assert faults == []
    assert slowest < 0.5  # 50 ms on a machine that does nothing else


@pytest.mark.parametrize(
    "path", ["/api/auth/refresh", "/api/auth/logout", "/api/auth/service-token/refresh"]
)
def test_one_kind_of_token_does_not_serve_as_another(server: Module, path: str) -> None:
    pair = log_in(server)
    created = new_service_token(server, "events:read")
    wrong = {
        "/api/auth/refresh": (pair["access_token"], created["service_token"]),
        "/api/auth/logout": (pair["access_token"], created["service_token"]),
        "/api/auth/service-token/refresh": (pair["access_token"], pair["refresh_token"]),
    }[path]
    for text in wrong:
        answer = requests.post(
            server.url + path,
            headers=bearer(text) if path.endswith("service-token/refresh") else {},
            json={} if path.endswith("service-token/refresh") else {"refresh_token": text[:200]},
            timeout=10,
        )
        assert answer.status_code in (401, 422)
    assert ask(server, "GET", "/twitch/events", pair["access_token"]).status_code == 200


@pytest.mark.parametrize("kind", ["access", "service"])
def test_a_token_anywhere_else_is_none(server: Module, kind: str) -> None:
    shown = log_in(server)["access_token"]
    if kind == "service":
        shown = new_service_token(server, *SCOPES)["service_token"]
    ways: list[dict[str, Any]] = [
        *({"params": {name: shown}} for name in ("access_token", "token", "Authorization")),
        {"headers": {"X-Authorization": f"Bearer {shown}"}},
        {"headers": {"Cookie": f"access_token={shown}"}},
        {"headers": {"Authorization": shown}},
        {"headers": {"Authorization": f"Basic {shown}"}},
        {"auth": ("", shown)},
    ]

    answers = [requests.get(server.url + "/twitch/events", timeout=10, **way) for way in ways]

    assert {answer.status_code for answer in answers} == {401}


@pytest.mark.parametrize("way", ["form", "json", "query"])
def test_a_refresh_token_is_taken_from_form_json_and_query(server: Module, way: str) -> None:
    sent = {"refresh_token": log_in(server)["refresh_token"]}
    how: dict[str, Any] = {{"form": "data", "query": "params"}.get(way, way): sent}

    answer = requests.post(server.url + "/api/auth/refresh", timeout=10, **how)

    pair = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert pair.keys() == log_in(server).keys()
    assert (pair["token_type"], pair["expires_in"]) == ("bearer", 900)
    assert ask(server, "GET", "/twitch/events", pair["access_token"]).status_code == 200


def refused_by_every_worker(server: Module, access_token: str) -> bool:
    """Each request on a connection of its own, so that both processes are asked."""
    answers = [ask(server, "GET", "/twitch/events", access_token) for _ in range(20)]
    return {answer.status_code for answer in answers} == {401}


def test_what_ends_a_session_holds_in_every_worker_at_once(
    server: Module, users: AdminUsers
) -> None:
    users.create("second", PASSWORD, "admin", CLI)
    by_token, by_bearer, others = (log_in(server, "second") for _ in range(3))
    out = server.url + "/api/auth/logout"
    first = requests.post(out, json={"refresh_token": by_token["refresh_token"]}, timeout=10)
    second = requests.post(out, headers=bearer(by_bearer["access_token"]), timeout=10)

    assert (204, 204) == (first.status_code, second.status_code)
    for pair in (by_token, by_bearer):
        assert refused_by_every_worker(server, pair["access_token"])
        sent = {"refresh_token": pair["refresh_token"]}
        answer = requests.post(server.url + "/api/auth/refresh", data=sent, timeout=10)
        assert answer.status_code == 401
    assert ask(server, "GET", "/twitch/events", others["access_token"]).status_code == 200
    users.set_active("second", False, CLI)
    assert refused_by_every_worker(server, others["access_token"])


class TestServiceTokens:
    def test_it_is_shown_once_and_listed_without_its_secret(self, server: Module) -> None:
        created = new_service_token(server, "events:read", "users:read")
        listed = server.call("GET", "/api/auth/service-token").json()
        (found,) = [one for one in listed["service_tokens"] if one["id"] == created["id"]]

        assert created.keys() == {
            *("id", "service_token", "name", "scopes", "expires_at", "exchange_only")
        }
        assert listed.keys() == {"service_tokens"}
        assert created["service_token"] not in json.dumps(listed)
        assert created["service_token"].endswith(found["prefix"].removeprefix("..."))
        assert (found["exchange_only"], found["successor_id"]) == (False, None)
        assert (found["status"], found["created_by"]) == ("active", ADMIN)

    @pytest.mark.parametrize(
        "change",
        [
            {"days": 29},
            {"days": 366},
            {"days": "30"},
            {"days": None},
            {"eternal": True},
            {"days": None, "eternal": False},
            {"scopes": []},
            {"scopes": ["everything"]},
            {"scopes": "events:read"},
            {"name": ""},
            {"name": "a\nb"},
            {"name": " bot"},
            {"name": "x" * 101},
            {"role": "admin"},
            {"id": 1},
            {"exchange_only": "yes"},
            {"exchange_only": None},
        ],
        ids=str,
    )
    def test_what_is_not_allowed_is_a_422(self, server: Module, change: dict[str, Any]) -> None:
        wanted = {"name": "bot", "scopes": ["events:read"], "days": 30, **change}

        answer = server.call("POST", "/api/auth/service-token", json=wanted)

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")

    def test_revoked_it_is_refused_by_every_worker_at_once(self, server: Module) -> None:
        created = new_service_token(server, "events:read")
        direct = created["service_token"]
        before = [ask(server, "GET", "/twitch/events", direct).status_code for _ in range(10)]
        server.call("DELETE", f"/api/auth/service-token/{created['id']}").raise_for_status()

        assert before == [200] * 10
        assert refused_by_every_worker(server, direct)

    def test_it_is_renewed_in_its_last_week_and_the_new_one_serves(
        self, server: Module, folder: Path
    ) -> None:
        created = new_service_token(server, "events:read", exchange_only=False)
        url = server.url + "/api/auth/service-token/renew"
        old = bearer(created["service_token"])
        early = requests.post(url, headers=old, timeout=10)
        week = 6 * 86_400_000
        with Database(server.setting("DB_URI"), folder).transaction() as transaction:
            transaction.execute(
                "UPDATE service_tokens SET expires_at_ms = %s, created_at_ms = %s WHERE id = %s",
                [
                    transaction.now_ms() + week,
                    transaction.now_ms() + week - 30 * 86_400_000,
                    created["id"],
                ],
            )
        renewed = requests.post(url, headers=old, timeout=10)
        anonymous = requests.post(url, timeout=10)
        new = renewed.json()
        used = ask(server, "GET", "/twitch/events", new["service_token"]).status_code
        again = requests.post(url, headers=old, timeout=10)
        (line, *_) = server.call("GET", "/twitch/api/audit").json()["audit"]

        assert (early.status_code, early.json()["code"]) == (409, "renewal_too_early")
        assert (renewed.status_code, new.keys()) == (201, created.keys())
        assert (new["name"], new["scopes"]) == (created["name"], created["scopes"])
        assert new["id"] > created["id"] and new["expires_at"] > created["expires_at"][:10]
        assert renewed.headers["Cache-Control"] == "no-store"
        assert (used, anonymous.status_code) == (200, 401)
        assert (again.status_code, again.json()["code"]) == (409, "already_renewed")
        assert ask(server, "GET", "/twitch/events", created["service_token"]).status_code == 200
        assert line["action"] == "service_token.renew"
        assert line["actor"] == {"kind": "service", "id": str(created["id"]), "name": "bot"}

    def test_a_service_cannot_log_out(self, server: Module) -> None:
        shown = bearer(new_service_token(server, "events:read")["service_token"])
        answer = requests.post(server.url + "/api/auth/logout", json={}, headers=shown, timeout=10)

        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_the_client_for_services_works_until_it_is_revoked(self, server: Module) -> None:
        created = new_service_token(server, "events:read")
        client = TwitchModuleClient(server.url, created["service_token"])
        page = client.get("/twitch/events", limit=1)
        with pytest.raises(NotAllowed) as missing_scope:
            client.twitch_token("1")
        gone = server.call("DELETE", f"/api/auth/service-token/{created['id']}")
        with pytest.raises(NotAllowed):
            client.get("/twitch/events")

        assert page["events"] == []
        assert missing_scope.value.code == "forbidden"
        assert gone.status_code == 204

    def test_the_client_is_told_of_a_user_who_is_not_there(self, server: Module) -> None:
        created = new_service_token(server, "tokens:read")
        with pytest.raises(ClientError) as caught:
            TwitchModuleClient(server.url, created["service_token"]).twitch_token("1")

        assert (caught.value.status, caught.value.code) == (404, "not_found")

    @pytest.mark.parametrize("token_id", ["999999", "x", "-1", "1e9", "9" * 30])
    def test_one_that_is_not_there_is_not_found(self, server: Module, token_id: str) -> None:
        answer = server.call("DELETE", f"/api/auth/service-token/{token_id}")

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


class TestAudit:
    def test_changes_are_there_with_who_and_what_newest_first(self, server: Module) -> None:
        created = new_service_token(server, "events:read")
        server.call("DELETE", f"/api/auth/service-token/{created['id']}")
        page = server.call("GET", "/twitch/api/audit", params={"actor": ADMIN, "limit": 2}).json()
        newest, before = page["audit"]

        assert [newest["action"], before["action"]] == [
            "service_token.revoke",
            "service_token.create",
        ]
        assert newest["object"] == f"service_token:{created['id']}"
        assert newest["actor"]["kind"] == "admin"
        assert newest["before"] == {"name": "bot", "scopes": ["events:read"]}
        assert newest["address"] == "127.0.0.1"
        assert page["next_cursor"] == str(before["id"])

    def test_filters_and_pages(self, server: Module) -> None:
        log_in(server)
        log_in(server)
        query: dict[str, Any] = {"action": "login", "limit": 1}
        first = server.call("GET", "/twitch/api/audit", params=query).json()
        query["cursor"] = first["next_cursor"]
        second = server.call("GET", "/twitch/api/audit", params=query).json()
        none = server.call("GET", "/twitch/api/audit?until=2020-01-01T00:00:00Z").json()

        assert first["audit"][0]["id"] > second["audit"][0]["id"]
        assert {one["audit"][0]["action"] for one in (first, second)} == {"login"}
        assert none == {"audit": [], "next_cursor": None}

    @pytest.mark.parametrize("query", ["limit=201", "limit=0", "cursor=x", "since=x", "colour=red"])
    def test_a_bad_query_is_a_422(self, server: Module, query: str) -> None:
        assert server.call("GET", f"/twitch/api/audit?{query}").status_code == 422

    def test_no_secret_is_in_it(self, server: Module) -> None:
        pair = log_in(server)
        created = new_service_token(server, "events:read")
        text = json.dumps(server.call("GET", "/twitch/api/audit?limit=200").json())

        for secret in (PASSWORD, pair["refresh_token"], created["service_token"]):
            assert secret not in text


@on_sqlite
def test_14_wrong_passwords_from_14_made_up_addresses(start: Start) -> None:
    module = start(WORKERS="2", WORKER="off")

    def log_in_from(address: str, password: str = "wrong") -> tuple[requests.Response, float]:
        began = time.monotonic()
        answer = requests.post(
            module.url + "/api/auth/login",
            data={"username": ADMIN, "password": password},
            headers={"X-Forwarded-For": address},
            timeout=10,
        )
        return answer, time.monotonic() - began

    answers = [log_in_from(f"198.51.100.{number}") for number in range(14)]
    right = log_in_from("198.51.100.99", PASSWORD)[0]
    seconds = sorted(taken for answer, taken in answers if answer.status_code == 429)
    module.stop()
    module.restart().wait_until_ready()

    assert [401] * 10 + [429] * 4 == [answer.status_code for answer, _ in answers]
    assert right.status_code == 429
    assert 0 < int(right.headers["Retry-After"]) <= 300
    assert right.json()["code"] == "too_many_requests"
    assert seconds[0] < 0.02
    assert log_in_from("198.51.100.98")[0].status_code == 429


@on_sqlite
def test_a_trusted_proxy_is_believed_from_the_right(start: Start) -> None:
    module = start(WORKER="off", TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8")
    requests.post(
        module.url + "/api/auth/login",
        data={"username": ADMIN, "password": "wrong"},
        headers={"X-Forwarded-For": "1.1.1.1, 198.51.100.7, 10.0.0.1"},
        timeout=10,
    )

    page = module.call("GET", "/twitch/api/audit?action=login.failed").json()
    assert page["audit"][0]["address"] == "198.51.100.7"
    assert page["audit"][0]["object"] == f"user:{ADMIN}"


@on_sqlite
def test_webhooks_are_quick_while_many_log_in(start: Start) -> None:
    module = start(WORKER="off")

    def wrong(number: int) -> int:
        data = {"username": f"user {number}", "password": "wrong"}
        return requests.post(module.url + "/api/auth/login", data=data, timeout=20).status_code

    with ThreadPoolExecutor(50) as pool:
        logins = [pool.submit(wrong, number) for number in range(50)]
        slowest = 0.0
        while not all(login.done() for login in logins):
            began = time.monotonic()
            assert module.post(Message()).status_code == 204
            slowest = max(slowest, time.monotonic() - began)

    assert {login.result() for login in logins} <= {401, 429, 503}
    assert slowest < 2  # half a second on a machine that does nothing else
