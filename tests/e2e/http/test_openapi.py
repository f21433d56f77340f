"""The API's own description: complete, true, and examined by schemathesis on a running server."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from apps.twitch_module.controllers.policy import POLICY, STATIC
from apps.twitch_module.models.database import Database
from apps.twitch_module.version import VERSION
from tests.e2e.tokens.test_logins import log_in
from tests.environment import ADMIN, PASSWORD, SECRET
from tests.messages import EVENTS, Message
from tests.processes import REPOSITORY, Module, Sandbox, clean_environment

HERE = Path(__file__).parent
EXAMPLES = 100
# The streamer of the description's examples, whose channel is added by one of them, and others.
A_STREAMER = {"id": "141981764", "login": "a_streamer", "display_name": "A_Streamer"}
PEOPLE = {f"{n}": f"streamer_{n}" for n in (*range(900000, 900010), *range(900100, 900110))}
# Nobody comes in with an invented password, refresh token or login at Twitch; and ids of
# subscriptions, which Twitch invents, are only sometimes found. Tokens may have been revoked, by
# another example, before they are asked for. Nothing is held that could be released, and no
# preview has been read.
NOT_COUNTED_ON = {
    "POST /api/auth/login",
    "POST /api/auth/refresh",
    "GET /twitch/auth/callback",
    "GET /twitch/auth/connected",
    "DELETE /twitch/api/subscriptions",
    "GET /twitch/auth/token/{user_id}",
    "POST /twitch/auth/refresh/{user_id}",
    "POST /twitch/activities/{activity_id}/release",
    "POST /twitch/activities/{activity_id}/drop",
    "POST /twitch/api/policies/runs/{run_id}/apply",
    "POST /twitch/api/policies/runs/{run_id}/undo",
}
PEOPLE_ONLY: list[dict[str, list[str]]] = [{"access_token": []}]
AND_SERVICES = [*PEOPLE_ONLY, {"service_token": []}]
WITH_TOKEN = (PEOPLE_ONLY, AND_SERVICES, [{"service_token": []}])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("openapi")


@pytest.fixture(scope="module")
def server(folder: Path, running_sandbox: Sandbox) -> Iterator[Module]:
    """A server with a bit of everything in it."""
    running_sandbox.post("/control/reset").raise_for_status()
    people = [{"id": i, "login": name, "display_name": name} for i, name in PEOPLE.items()]
    running_sandbox.control("users", {"users": [A_STREAMER, *people]})
    module = Module(
        folder,
        WORKER="off",
        DB_URI=f"sqlite://{folder}/storage.db",
        TWITCH_API_URL=f"{running_sandbox.url}/helix",
        TWITCH_AUTH_URL=f"{running_sandbox.url}/oauth2",
    ).wait_until_ready()
    for event_type in EVENTS:
        assert module.post(Message(event_type)).status_code == 204
    for user_id in PEOPLE:
        answer = module.call("POST", "/twitch/api/channels", json={"channel_id": user_id})
        assert answer.status_code == 201
        log_in(module, user_id)
    yield module
    module.stop()


@pytest.fixture(scope="module")
def document(server: Module) -> Any:
    answer = requests.get(server.url + "/twitch/openapi.json", timeout=10)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    return answer.json()


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_every_route_of_the_policy_stands_in_it_and_no_other(document: Any) -> None:
    described = {
        (method, path.replace("{", "<").replace("}", ">"))
        for method, path, _ in operations(document)
    }

    assert described == POLICY.keys() - {("GET", STATIC)}  # files: py4web's own
    assert (document["openapi"], document["info"]["version"]) == ("3.1.0", VERSION)


def test_every_operation_says_what_it_is_and_who_may_call_it(document: Any) -> None:
    names = Counter(operation["operationId"] for _, _, operation in operations(document))
    tags = {tag["name"] for tag in document["tags"]}
    for method, path, operation in operations(document):
        rule = POLICY[method, path.replace("{", "<").replace("}", ">")]
        assert operation["summary"]
        assert set(operation["tags"]) < tags
        assert operation["x-who"] in operation["description"]
        if not rule.anyone:
            assert operation["security"] == (AND_SERVICES if rule.scope else PEOPLE_ONLY)
        else:
            assert operation["security"] not in (PEOPLE_ONLY, AND_SERVICES)
        if rule.scope:
            assert f"`{rule.scope}`" in operation["description"]

    assert set(names.values()) == {1}


def test_every_operation_says_how_it_fails(document: Any) -> None:
    for method, path, operation in operations(document):
        rule = POLICY[method, path.replace("{", "<").replace("}", ">")]
        expected = {"400", "500"} | (set() if rule.anyone else {"401", "403", "503"})
        expected |= {"404"} if "{" in path else set()
        expected |= {"408", "413"} if "requestBody" in operation else set()
        assert expected <= operation["responses"].keys(), path
        for status in expected:
            name = operation["responses"][status]["$ref"].rpartition("/")[2]
            content = document["components"]["responses"][name]["content"]
            assert content.keys() == {"application/problem+json"}


def test_what_may_stand_in_the_query_need_not_stand_in_the_body(
    server: Module, document: Any
) -> None:
    made = server.call(
        "POST",
        "/twitch/api/subscriptions",
        json={"type": "stream.offline", "channel_id": A_STREAMER["id"]},
    ).json()["subscription"]
    path = f"/twitch/api/subscriptions?id={made['id']}"

    assert server.call("DELETE", "/twitch/api/subscriptions", json={}).status_code == 422
    assert server.call("DELETE", path, json={"id": made["id"]}).status_code == 400
    assert server.call("DELETE", path, json={}).status_code == 200
    assert "required" not in document["components"]["schemas"]["SubscriptionId"]


def test_head_is_answered_without_a_body(server: Module) -> None:
    for path in ("/twitch/openapi.json", "/twitch/docs"):
        answer = requests.head(server.url + path, timeout=10)
        assert (answer.status_code, answer.content) == (200, b"")


class Report:
    """What schemathesis has done, by its own report."""

    def __init__(self, path: Path) -> None:
        self.cases: Counter[str] = Counter()  # of generated input, by operation
        self.statuses: dict[str, set[int]] = {}
        self.phases: set[str] = set()
        for line in path.read_text().splitlines():
            ((event, content),) = json.loads(line).items()
            if event == "ScenarioFinished":
                self._add(content["phase"], content["recorder"])

    def _add(self, phase: str, recorder: Any) -> None:
        for case_id, interaction in recorder.get("interactions", {}).items():
            case = recorder["cases"][case_id]
            if case.get("parent_id") is not None:
                continue  # the same again, without the token
            label = f"{case['value']['method']} {case['value']['path']}"
            if phase == "fuzzing":
                self.cases[label] += 1
            self.phases.add(phase)
            self.statuses.setdefault(label, set()).add(interaction["response"]["status_code"])


def session_token(server: Module) -> str:
    credentials = {"username": ADMIN, "password": PASSWORD}
    answer = requests.post(server.url + "/api/auth/login", json=credentials, timeout=10)
    token: str = answer.json()["access_token"]
    return token


def service_token(server: Module) -> str:
    """One that is not the first: that is the one whom the examples end."""
    wanted = {"name": "bot", "scopes": ["events:read"], "eternal": True}
    made = [server.call("POST", "/api/auth/service-token", json=wanted).json() for _ in range(2)]
    token: str = made[-1]["service_token"]
    return token


def ending_service_token(server: Module, folder: Path) -> str:
    """One in its last week, which can be renewed."""
    wanted = {"name": "bot", "scopes": ["events:read"], "days": 30}
    made = server.call("POST", "/api/auth/service-token", json=wanted).json()
    with Database(server.setting("DB_URI"), folder).transaction() as transaction:
        transaction.execute(
            "UPDATE service_tokens SET expires_at_ms = %s WHERE id = %s",
            [transaction.now_ms() + 86_400_000, made["id"]],
        )
    token: str = made["service_token"]
    return token


class Examination:
    """A run of schemathesis over a server; `tokens` by path, and "" for everywhere else."""

    def __init__(self, server: Module, folder: Path, tokens: dict[str, str]) -> None:
        folder.mkdir()
        self._report = folder / "report.ndjson"
        self._output = folder / "output"
        configuration = [(HERE / "schemathesis.toml").read_text()]
        for path, token in tokens.items():
            if path:
                headers = f'headers = {{ Authorization = "Bearer {token}" }}'
                configuration.append(f'[[operations]]\ninclude-path = "{path}"\n{headers}')
        configuration.append(f"[dictionaries]\nids = {{ values = {json.dumps([*PEOPLE])} }}\n")
        (folder / "schemathesis.toml").write_text("\n".join(configuration))
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "schemathesis.cli"),
                    *("--config-file", str(folder / "schemathesis.toml")),
                    *("run", server.url + "/twitch/openapi.json", "--no-color"),
                    *(["-H", f"Authorization: Bearer {tokens['']}"] if "" in tokens else []),
                    *("--report", "ndjson", "--report-ndjson-path", str(self._report)),
                ],
                cwd=folder,
                env=clean_environment(
                    SCHEMATHESIS_HOOKS="tests.e2e.http.schemathesis_hooks",
                    PYTHONPATH=str(REPOSITORY),
                    WEBHOOK_SECRET=SECRET,
                ),
                stdout=output,
                stderr=output,
            )

    def report(self) -> Report:
        """What it did, once it has ended; fails with all that it found."""
        assert self.process.wait(timeout=280) == 0, self._output.read_text()
        return Report(self._report)


@pytest.fixture(scope="module")
def examinations(server: Module, folder: Path) -> Iterator[dict[str, Examination]]:
    """With an admin's token and without any; both at once, since each keeps one core busy."""
    tokens = {
        "": session_token(server),
        # Those are ended by what they are for.
        "/api/auth/logout": session_token(server),
        "/api/auth/service-token/refresh": service_token(server),
        "/api/auth/service-token/renew": ending_service_token(server, folder),
    }
    running = {
        "admin": Examination(server, folder / "admin", tokens),
        "nobody": Examination(server, folder / "nobody", {}),
    }
    yield running
    for one in running.values():
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


# Both together need a minute and a half of one core.
@pytest.mark.timeout(300)
@pytest.mark.parametrize("caller", ["admin", "nobody"])
def test_schemathesis_finds_no_difference_between_description_and_server(
    examinations: dict[str, Examination], document: Any, caller: str
) -> None:
    report = examinations[caller].report()
    takes = {
        f"{method} {path}": bool(operation["parameters"] or "requestBody" in operation)
        for method, path, operation in operations(document)
    }
    closed = {
        f"{method} {path}"
        for method, path, operation in operations(document)
        if operation["security"] in WITH_TOKEN or operation["operationId"] == "log_out"
    }
    succeeded = {label for label in takes if min(report.statuses[label]) < 400}

    assert report.phases == {"examples", "coverage", "fuzzing", "stateful"}
    # What takes nothing can be called in one way only.
    assert {
        label for label in takes if report.cases[label] < (EXAMPLES if takes[label] else 1)
    } == set()
    # Not only refusals were compared.
    assert succeeded >= takes.keys() - NOT_COUNTED_ON - (closed if caller == "nobody" else set())
    assert caller == "admin" or not succeeded & closed
