import pytest

from tests.processes import Sandbox

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def test_page_is_served_with_a_strict_policy(sandbox: Sandbox) -> None:
    page = sandbox.get("")
    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"] == POLICY
    assert " style=" not in page.text
    assert "Add the sandbox's channel" in page.text


@pytest.mark.parametrize(("name", "kind"), [("css", "text/css"), ("js", "text/javascript")])
def test_assets_are_served_with_their_type(sandbox: Sandbox, name: str, kind: str) -> None:
    answer = sandbox.get(f"/static/sandbox.{name}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(kind)


def test_state_lists_what_the_page_shows(sandbox: Sandbox) -> None:
    state = sandbox.get("/api/state").json()
    assert state["received"] == []
    assert state["types"][0] == {
        "type": "channel.follow",
        "title": "Follow",
        "unit": "",
        "subscribed": False,
    }


def test_module_that_is_not_there_is_one_readable_line(sandbox: Sandbox) -> None:
    assert sandbox.get("/api/health").json()["state"] == "unreachable"
    answer = sandbox.post("/api/channel", json={})
    assert answer.status_code == 502
    assert answer.json()["error"] == "the module does not answer at http://127.0.0.1:1"


def test_page_of_another_site_cannot_post(sandbox: Sandbox) -> None:
    answer = sandbox.post(
        "/api/fire", data='{"how": "repeat"}', headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415
