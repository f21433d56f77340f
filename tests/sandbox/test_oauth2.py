import pytest

from tests.processes import Sandbox

from .client import REDIRECT_URI, STREAMER, Client


def test_consent_page_names_users_scopes_and_escapes_the_query(sandbox: Sandbox) -> None:
    query = {
        "client_id": "the-client",
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "bits:read",
        "state": "\"><script>alert('x')</script>",
    }
    page = sandbox.get("/oauth2/authorize", params=query)
    assert page.status_code == 200
    assert "Log in as Sandbox Streamer" in page.text
    assert "bits:read" in page.text
    assert "<script" not in page.text
    assert "form-action 'self' http://127.0.0.1:9;" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "somebody-else"},
        {"redirect_uri": "https://elsewhere.example.org/"},
        {"redirect_uri": "http://127.0.0.1@elsewhere.example.org/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://127.0.0.1:99999/"},
        {"force_verify": "1"},
    ],
)
def test_wrong_client_or_address_is_never_redirected(
    sandbox: Sandbox, change: dict[str, str]
) -> None:
    query = {
        "client_id": "the-client",
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "user_id": STREAMER,
        **change,
    }
    asked = sandbox.get("/oauth2/authorize", params=query, allow_redirects=False)
    decided = sandbox.post("/oauth2/authorize", data=query, allow_redirects=False)
    assert (asked.status_code, decided.status_code) == (400, 400)


def test_who_has_agreed_before_is_sent_straight_back_unless_verifying_is_forced(
    client: Client,
) -> None:
    asked = {
        "client_id": "the-client",
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "channel:read:goals",
        "state": "a-state",
    }

    def status(**change: str) -> int:
        query = {**asked, **change}
        answer = client.sandbox.get("/oauth2/authorize", params=query, allow_redirects=False)
        return answer.status_code

    client.sandbox.control("settings", {"logged_in_user_id": STREAMER})
    before = status()
    client.log_in(STREAMER, "channel:read:goals")

    assert (200, 302) == (before, status())
    assert (200, 302) == (status(force_verify="true"), status(force_verify="false"))
    assert 200 == status(scope="channel:read:goals channel:read:polls")


def test_registered_addresses_are_compared_exactly(client: Client) -> None:
    registered = "https://bot.example.org/back"
    client.sandbox.control("settings", {"redirect_uris": [registered]})
    assert client.decide(user_id=STREAMER, redirect_uri=registered)["code"]
    with pytest.raises(AssertionError):
        client.decide(user_id=STREAMER, redirect_uri=registered + "/")


def test_decline_comes_back_as_access_denied(client: Client) -> None:
    back = client.decide(decision="decline")
    assert back == {
        "error": "access_denied",
        "error_description": "The user denied you access",
        "state": "st&te",
    }


def test_code_buys_tokens_once(client: Client) -> None:
    back = client.decide(user_id=STREAMER)
    assert (back["scope"], back["state"]) == ("bits:read channel:moderate", "st&te")

    first, second = client.exchange(back["code"]), client.exchange(back["code"])

    tokens = first.json()
    assert tokens["scope"] == ["bits:read", "channel:moderate"]
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", pytest.approx(14_400, abs=2))
    assert second.status_code == 400
    assert second.json() == {"status": 400, "message": "Invalid authorization code"}


def test_scope_is_absent_when_none_was_asked(client: Client) -> None:
    tokens = client.log_in(scope="")
    assert "scope" not in tokens
    assert client.sandbox.get(
        "/oauth2/validate", headers={"Authorization": f"OAuth {tokens['access_token']}"}
    ).json() == {
        "client_id": "the-client",
        "login": "sandbox_streamer",
        "scopes": None,
        "user_id": STREAMER,
        "expires_in": pytest.approx(14_400, abs=2),
    }


def test_code_is_bound_to_its_redirect_address(client: Client) -> None:
    code = client.decide(user_id=STREAMER)["code"]
    answer = client.exchange(code, redirect_uri="http://127.0.0.1:9/other")
    assert (answer.status_code, answer.json()["status"]) == (400, 400)


def test_wrong_secret_is_403(client: Client) -> None:
    answer = client.token(grant_type="client_credentials", client_secret="wrong")
    assert answer.status_code == 403
    assert answer.json() == {"status": 403, "message": "invalid client secret"}


def test_app_token_has_no_refresh_token(client: Client) -> None:
    answer = client.token(grant_type="client_credentials").json()
    assert set(answer) == {"access_token", "expires_in", "token_type"}


def test_refresh_tokens_rotate_and_reuse_is_counted(client: Client) -> None:
    old = client.log_in()
    new = client.refresh(old["refresh_token"]).json()
    assert new["refresh_token"] != old["refresh_token"]

    again = client.refresh(old["refresh_token"])

    assert (again.status_code, again.json()["message"]) == (400, "Invalid refresh token")
    first, second = client.sandbox.control("tokens")["tokens"]
    assert (first["used"], first["refresh_reuse"]) == (True, 1)
    assert (second["used"], second["refresh_reuse"]) == (False, 0)
    assert client.refresh(new["refresh_token"]).status_code == 200


def test_lifetime_of_user_tokens_is_a_setting(client: Client) -> None:
    client.sandbox.control("settings", {"user_token_seconds": 0})
    token = client.log_in()["access_token"]
    assert client.helix("GET", "/users", token).status_code == 401


def test_expire_ends_access_and_on_demand_refresh(client: Client) -> None:
    tokens = client.log_in()
    assert client.sandbox.control("tokens/expire", {"user_id": STREAMER}) == {"expired": 1}
    assert client.helix("GET", "/users", tokens["access_token"]).status_code == 401
    newer = client.refresh(tokens["refresh_token"]).json()

    client.sandbox.control("tokens/expire", {"user_id": STREAMER, "refresh_too": True})

    assert client.refresh(newer["refresh_token"]).status_code == 400


def test_revoke_ends_a_token_once(client: Client) -> None:
    form = {"client_id": "the-client", "token": client.log_in()["access_token"]}
    answers = [client.sandbox.post("/oauth2/revoke", data=form) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 400]
    assert answers[0].content == b""
    unknown = client.sandbox.post("/oauth2/revoke", data={**form, "client_id": "nobody"})
    assert unknown.status_code == 404


def test_validate_refuses_unknown_tokens(sandbox: Sandbox) -> None:
    answer = sandbox.get("/oauth2/validate", headers={"Authorization": "Bearer nothing"})
    assert answer.status_code == 401
    assert answer.json() == {"status": 401, "message": "invalid access token"}
