"""controllers/guard.py: what is refused before py4web, and what every answer carries."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.processes import Module

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Module]:
    folder: Path = tmp_path_factory.mktemp("guard")
    module = Module(
        folder,
        DB_URI=f"sqlite://{folder}/storage.db",
        WORKER="off",
        PUBLIC_URL="https://bot.example",
    )
    module.wait_until_ready()
    yield module
    module.stop()


def raw(server: Module, request: bytes) -> bytes:
    """The answer to bytes that no client would send."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


LOGIN = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.parametrize("length", [b"abc", b"-5", b"+5", b"5, 5", b"0x5", b"5.0", b"\xb2"])
def test_a_length_that_is_no_number_is_a_400(server: Module, length: bytes) -> None:
    answer = raw(server, LOGIN + b"Content-Length: " + length + b"\r\n\r\n{}")

    assert answer.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b'{"username":"a","username":"b","password":"c"}',
        b'{"username":NaN}',
        b'{"username":1e999}',
        b'{"username":"\\u0000","password":"x"}',
        b'{"username":"\\ud800","password":"x"}',
        b"{",
        b"\xff",
    ],
    ids=lambda body: repr(body[:20]),
)
@pytest.mark.parametrize("kind", ["application/json", "text/plain", None])
def test_what_py4web_makes_a_500_of_is_a_400(server: Module, body: bytes, kind: str | None) -> None:
    answer = requests.post(
        server.url + "/api/auth/login",
        data=body,
        headers={"Content-Type": kind} if kind else {},
        timeout=10,
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "form", [b"username=%00&password=x", b"username=%ff&password=x", b"a&" * 99]
)
def test_a_form_that_cannot_be_read_is_refused(server: Module, form: bytes) -> None:
    answer = requests.post(
        server.url + "/api/auth/login",
        data=form,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=10,
    )

    assert answer.status_code in (400, 422)


def test_a_body_of_the_api_is_taken_up_to_64_kibibytes(server: Module) -> None:
    def size(length: int) -> int:
        body = b'{"username":"' + b"x" * (length - 15) + b'"}'
        answer = requests.post(server.url + "/api/auth/login", data=body, timeout=20)
        return answer.status_code

    assert size(2**16) == 422
    assert size(2**16 + 1) == 413


@pytest.mark.parametrize("path", ["/twitch/events/%00", "/twitch/events?user_id=%00", "/%ff"])
def test_an_address_that_cannot_be_looked_up_is_a_400(server: Module, path: str) -> None:
    answer = server.call("GET", path)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/_dashboard",
        "/_dashboard/version",
        "/_default",
        "/_documentation",
        "/_scaffold",
        "/_minimal",
        "/twitch_module",
        "/twitch_module/index",
        "/twitch/nothing",
        "/twitch_module/static/../settings.py",
        "/twitch_module/static/%2e%2e/settings.py",
        "/twitch_module/static/nothing.css",
    ],
)
def test_what_is_not_there_is_a_404_for_programs_and_for_browsers(
    server: Module, path: str
) -> None:
    answer = requests.get(server.url + path, timeout=10)
    page = requests.get(server.url + path, headers={"Accept": "text/html"}, timeout=10)

    assert (404, 404) == (answer.status_code, page.status_code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"
    assert page.headers["Content-Type"].startswith("text/html")
    assert "_dashboard" not in page.text


@pytest.mark.parametrize("path", ["/twitch/events/%0D", "/twitch/auth/token/1%0D", "/%0D"])
def test_a_carriage_return_in_the_path_leads_nowhere(server: Module, path: str) -> None:
    assert 404 == server.call("GET", path).status_code


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/twitch/health"),
        ("HEAD", "/twitch/health"),
        ("GET", "/twitch/auth/login"),
        ("GET", "/twitch/auth/callback"),
        ("GET", "/twitch/events"),
        ("GET", "/twitch/nothing"),
        ("PUT", "/twitch/events"),
        ("OPTIONS", "/twitch/events"),
        ("POST", "/twitch/webhook"),
        ("POST", "/api/auth/login"),
        ("GET", "/twitch_module/static/page.css"),
        ("GET", "/%ff"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("origin", ["null", "https://evil.example"])
def test_every_answer_carries_the_security_headers_and_none_for_other_origins(
    server: Module, method: str, path: str, accept: str, origin: str
) -> None:
    answer = requests.request(
        method,
        server.url + path,
        headers={"Accept": accept, "Origin": origin},
        allow_redirects=False,
        timeout=10,
    )

    assert SECURITY == {name: answer.headers.get(name) for name in SECURITY}
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.status_code < 500


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Script-Name",
        "X-PY4WEB-APPNAME",
        "X_Forwarded_For",
        "X_Script_Name",
        "X-HTTP-Method-Override",
    ],
)
def test_headers_of_proxies_mean_nothing_from_others(server: Module, name: str) -> None:
    plain = requests.get(server.url + "/twitch/auth/callback", timeout=10)
    told = requests.get(
        server.url + "/twitch/auth/callback", headers={name: "//evil.example"}, timeout=10
    )

    assert (told.status_code, told.text) == (plain.status_code, plain.text)
    assert "evil" not in json.dumps(dict(told.headers))


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("GET", "/twitch/events?limit=1&limit=2", None),
        ("POST", "/api/auth/logout", b"refresh_token=a&refresh_token=b"),
        ("POST", "/api/auth/logout?refresh_token=a", b"refresh_token=b"),
        ("DELETE", "/twitch/api/subscriptions?id=1&id=2", None),
    ],
)
def test_a_name_that_stands_twice_is_a_400(
    server: Module, method: str, path: str, form: bytes | None
) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    token = server.call("GET", "/twitch/health").request.headers["Authorization"]
    answer = requests.request(
        method, server.url + path, data=form, headers={**kind, "Authorization": token}, timeout=10
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
