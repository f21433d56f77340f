"""domain/tokens/oauth.py: what Twitch's answers mean, and when a token is renewed."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.twitch_module.domain.tokens.oauth import (
    NotAGrant,
    authorize_url,
    is_dead_grant,
    is_just_now,
    is_near_end,
    missing_scopes,
    read_grant,
    read_validation,
    renewal_delay_seconds,
)

MINUTE, HOUR = 60_000, 3_600_000
PAIR = {"access_token": "a", "refresh_token": "r", "expires_in": 100, "token_type": "bearer"}
VALID = {"client_id": "c", "user_id": "1", "login": "l", "scopes": ["x"], "expires_in": 100}


def test_the_authorize_url_holds_what_twitch_needs() -> None:
    url = authorize_url(
        "https://id/oauth2",
        client_id="id",
        redirect_uri="https://here/back?x=1",
        scopes=["a:b", "c"],
        state="s&t",
    )

    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith("https://id/oauth2/authorize?")
    assert query == {
        "client_id": "id",
        "redirect_uri": "https://here/back?x=1",
        "response_type": "code",
        "scope": "a:b c",
        "state": "s&t",
    }


def test_twitch_can_be_told_to_ask_again() -> None:
    def asked(**force: bool) -> dict[str, list[str]]:
        url = authorize_url(
            "https://id", client_id="i", redirect_uri="r", scopes=[], state="s", **force
        )
        return parse_qs(urlsplit(url).query)

    assert ["true"] == asked(force_verify=True)["force_verify"]
    assert "force_verify" not in asked() | asked(force_verify=False)


class TestReadGrant:
    @pytest.mark.parametrize(
        ("scope", "expected"),
        [
            (["a", "b"], ("a", "b")),
            ("a b", ("a", "b")),
            ([], ()),
            (None, ()),
            (5, ()),
            (["a", 5, None, ""], ("a", "5")),
        ],
    )
    def test_scopes_are_read_in_all_the_forms_that_were_seen(
        self, scope: object, expected: tuple[str, ...]
    ) -> None:
        assert expected == read_grant({**PAIR, "scope": scope}).scopes

    def test_a_missing_scope_is_none(self) -> None:
        assert () == read_grant(PAIR).scopes

    @pytest.mark.parametrize("lifetime", [None, "100", -1, 10**12, 1.5, True])
    def test_an_absurd_lifetime_is_taken_for_the_usual_one(self, lifetime: object) -> None:
        assert 14_400 == read_grant({**PAIR, "expires_in": lifetime}).expires_in

    @pytest.mark.parametrize("name", ["access_token", "refresh_token"])
    @pytest.mark.parametrize("value", [None, "", 5, ["x"]])
    def test_half_a_pair_is_no_grant(self, name: str, value: object) -> None:
        with pytest.raises(NotAGrant) as caught:
            read_grant({**PAIR, name: value})
        assert "'a'" not in str(caught.value) and "'r'" not in str(caught.value)


class TestReadValidation:
    def test_whose_it_is_and_what_it_may_do(self) -> None:
        validation = read_validation(VALID)

        assert ("1", "l", ("x",)) == (validation.user_id, validation.login, validation.scopes)

    def test_null_scopes_are_none(self) -> None:
        assert () == read_validation({**VALID, "scopes": None}).scopes

    @pytest.mark.parametrize("name", ["user_id", "login"])
    def test_the_applications_own_token_is_nobodys(self, name: str) -> None:
        with pytest.raises(NotAGrant):
            read_validation({**VALID, name: None})


class TestNearEnd:
    @pytest.mark.parametrize(
        ("left", "renewed_ago", "expected"),
        [
            (4 * HOUR, None, False),
            (HOUR, None, False),
            (HOUR - 1, None, True),
            (MINUTE, None, True),
            (-MINUTE, None, True),
            # From a renewal, with four hours to live: the same rule.
            (HOUR - 1, 3 * HOUR, True),
            # From a renewal, with one minute to live: not before half of it.
            (MINUTE, 0, False),
            (31_000, 29_000, False),
            (29_000, 31_000, True),
        ],
    )
    def test_by_what_is_left_and_how_long_it_lives(
        self, left: int, renewed_ago: int | None, expected: bool
    ) -> None:
        now = 1_790_000_000_000
        renewed_at = None if renewed_ago is None else now - renewed_ago

        assert expected == is_near_end(now + left, renewed_at, now)


@pytest.mark.parametrize(
    ("failures", "retry_after", "expected"),
    [
        (1, None, 20),
        (2, None, 60),
        (3, None, 180),
        (4, None, 600),
        (99, None, 600),
        (1, 45, 45),
        (1, 5, 20),
        (1, 99_999, 600),
    ],
)
def test_renewals_pause_longer_with_each_failure(
    failures: int, retry_after: float | None, expected: float
) -> None:
    assert expected == renewal_delay_seconds(failures, retry_after)


@pytest.mark.parametrize(
    ("status", "dead"),
    [(400, True), (401, True), (403, False), (404, False), (429, False), (500, False)],
)
def test_only_400_and_401_end_a_grant(status: int, dead: bool) -> None:
    assert dead == is_dead_grant(status)


def test_of_a_group_of_scopes_any_one_will_do() -> None:
    needed: list[tuple[str, ...]] = [("a",), ("b", "b2"), ("c",), ("a",)]

    assert ["a", "c"] == missing_scopes(needed, ["b2", "x"])
    assert [] == missing_scopes(needed, ["a", "b", "c"])


def test_nothing_that_is_read_shows_a_token() -> None:
    shown: Any = read_grant({**PAIR, "access_token": "canary", "refresh_token": "canary"})

    assert "canary" not in f"{shown}"


@pytest.mark.parametrize(
    ("at_ms", "now_ms", "expected"),
    [
        (5000, 5000, True),
        (5000, 5999, True),
        (5000, 6000, False),
        (5000, 4999, False),  # the clock was set back: nobody waits for it
        (None, 5000, False),
    ],
)
def test_just_now_is_less_than_a_second_ago(at_ms: int | None, now_ms: int, expected: bool) -> None:
    assert is_just_now(at_ms, now_ms) is expected
