"""services/access/service_secrets.py: what a service can read in its token."""

import hashlib
import time
from dataclasses import replace

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.twitch_module.errors import Unauthenticated
from apps.twitch_module.models.access.service_tokens import ServiceToken
from apps.twitch_module.services.access.access_tokens import AccessTokens, Claims
from apps.twitch_module.services.access.service_secrets import (
    JWT_PREFIX,
    MAX_CHARACTERS,
    ServiceSecrets,
    is_one,
    new_identifier,
)
from tests.unit.services.access.test_access_tokens import encoded, token

KEY = "5a" * 32
OURS = ServiceSecrets(KEY, "a-renewal-key-of-the-tests")
NOW = int(time.time())
DAY = 86_400
TOKEN = ServiceToken(
    7, "bot", "", "events:read", (NOW + 30 * DAY) * 1000, "admin", NOW * 1000, None, None, 0, None
)
HEADER = {"alg": "HS256", "typ": "waddlebot-service+jwt"}
CLAIMS = {
    "iss": "waddlebot-twitch",
    "aud": "waddlebot-twitch-service",
    "typ": "service",
    "sub": "7",
    "jti": "0" * 43,
    "iat": NOW,
    "exp": NOW + 30 * DAY,
}


def text(identifier: str = "0" * 43) -> str:
    return OURS.issue(TOKEN, identifier).reveal()


def made(header: object = HEADER, key: str = KEY, **changes: object) -> str:
    """A token made without the library, of these parts."""
    return token(header=header, payload={**CLAIMS, **changes}, key=key)


def refused(forged: str) -> bool:
    with pytest.raises(Unauthenticated) as caught:
        OURS.hash_of(forged)
    return caught.value.code == "service_token_invalid"


class TestWhatAServiceReads:
    def test_a_library_that_checks_nothing_reads_when_it_ends(self) -> None:
        claims = jwt.decode(text(), options={"verify_signature": False})

        assert claims == CLAIMS

    def test_one_that_never_ends_says_no_end(self) -> None:
        eternal = OURS.issue(replace(TOKEN, expires_at_ms=None), new_identifier()).reveal()

        claims = jwt.decode(eternal, options={"verify_signature": False})
        assert claims.keys() == CLAIMS.keys() - {"exp"}

    def test_no_scope_and_no_name_stands_in_it(self) -> None:
        assert "scope" not in CLAIMS and "bot" not in CLAIMS.values()

    def test_it_begins_with_what_leaks_are_searched_for(self) -> None:
        assert text().startswith(JWT_PREFIX)
        assert JWT_PREFIX == f"{encoded(HEADER)}."

    def test_the_longest_is_short_enough(self) -> None:
        longest = replace(TOKEN, id=2**63 - 1, expires_at_ms=10**15, created_at_ms=10**15)

        assert len(OURS.issue(longest, new_identifier()).reveal()) < MAX_CHARACTERS / 2


class TestHashOf:
    def test_it_is_that_of_the_whole_text(self) -> None:
        assert OURS.hash_of(text()) == hashlib.sha256(text().encode()).hexdigest()

    def test_one_made_by_hand_like_ours_is_the_control(self) -> None:
        assert OURS.hash_of(made())

    def test_one_of_the_older_form_is_looked_up_too(self) -> None:
        assert OURS.hash_of("wbs_" + "A" * 43)

    def test_whether_it_has_ended_is_for_the_database_to_say(self) -> None:
        assert OURS.hash_of(made(iat=1, exp=2))

    @pytest.mark.parametrize(
        "forged",
        [
            made(key="b" * 64),
            made(key=""),
            made({"alg": "none", "typ": HEADER["typ"]}),
            f"{encoded({'alg': 'none', 'typ': HEADER['typ']})}.{encoded(CLAIMS)}.",
            made({"alg": "HS256", "typ": "JWT"}),
            made({"alg": "HS256"}),
            made({"typ": HEADER["typ"], "alg": "HS256"}),
            made({**HEADER, "kid": "1"}),
            made({**HEADER, "jku": "https://evil.example/keys"}),
            made({**HEADER, "alg": "HS512"}),
            made(aud="waddlebot-twitch-api"),
            made(aud=["another", "api"]),
            made(iss="somebody-else"),
            token(header=HEADER, payload=[], key=KEY),
            token(header=HEADER, payload=b"{", key=KEY),
            text().rpartition(".")[0] + ".",
            text().rpartition(".")[0],
            text()[:-6],
            text() + ".x",
            text() + " ",
            "Bearer " + text(),
            text().replace(".", "..", 1),
            JWT_PREFIX,
            JWT_PREFIX + "..",
            JWT_PREFIX + "x" * 10_000,
            JWT_PREFIX + "é.é",
            JWT_PREFIX + "\ud800",
            AccessTokens(KEY).issue(Claims("service_access", "7", "7")),
            "wbs_",
            "wbs_" + "A" * 42,
            "wbs_" + "A" * 44,
            "wbr_" + "A" * 43,
            "",
            "\0",
        ],
        ids=lambda _: "forged",  # they hold what is new in each process
    )
    def test_what_was_never_issued_is_not_even_looked_up(self, forged: str) -> None:
        assert refused(forged)

    def test_other_claims_under_the_signature_are_refused(self) -> None:
        header, _, signature = text().split(".")

        assert refused(f"{header}.{encoded({**CLAIMS, 'sub': '8'})}.{signature}")
        assert refused(f"{header}.{encoded({**CLAIMS, 'exp': NOW + 365 * DAY})}.{signature}")

    @settings(max_examples=200, deadline=None)
    @given(st.text(st.characters(max_codepoint=255), max_size=200))
    def test_no_text_breaks_it(self, more: str) -> None:
        assert refused(JWT_PREFIX + more)


def test_an_access_token_and_a_service_token_are_told_apart_before_either_is_read() -> None:
    access = AccessTokens(KEY)

    assert is_one(text()) and is_one("wbs_x")
    assert not is_one(access.issue(Claims("access", "1", "x")))
    with pytest.raises(Unauthenticated) as caught:
        access.read(text())  # the same key on purpose
    assert caught.value.code == "token_invalid"


def test_a_renewal_has_the_same_identifier_each_time_and_another_with_another_key() -> None:
    first = OURS.successor_identifier(text())
    other_key = ServiceSecrets(KEY, "another-renewal-key")

    assert first == OURS.successor_identifier(text()) and len(first) == 43
    assert first != OURS.successor_identifier(text("1" * 43))
    assert first != other_key.successor_identifier(text())
