"""services/access/access_tokens.py: what is taken for an access token, and what is not."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.twitch_module.errors import Unauthenticated
from apps.twitch_module.services.access.access_tokens import (
    ACCESS_SECONDS,
    MAX_CHARACTERS,
    AccessTokens,
    Claims,
)

KEY = "a-key-of-the-tests-that-is-long-enough-for-every-hash-function-there-is"
AUTH = AccessTokens(KEY)
CLAIMS = Claims("access", "1", "a-session")
YEAR_2100 = 4_102_444_800
MISSING = object()  # a value that takes the claim away


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(
    changes: Mapping[str, Any] | None = None,
    *,
    header: object = None,
    payload: object = None,
    key: str = KEY,
    digest: str = "sha256",
) -> str:
    """A token signed without the library; as the module makes them unless something is said."""
    now = int(time.time())
    claims = {
        "iss": "waddlebot-twitch",
        "aud": "waddlebot-twitch-api",
        "typ": "access",
        "sub": "1",
        "sid": "a-session",
        "jti": "00",
        "iat": now,
        "exp": now + 900,
        **(changes or {}),
    }
    claims = {name: value for name, value in claims.items() if value is not MISSING}
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    signed = f"{encoded(header)}.{encoded(claims if payload is None else payload)}"
    return f"{signed}.{encoded(hmac.digest(key.encode(), signed.encode(), digest))}"


def unsigned(header: object) -> str:
    """The good claims under this header, with nothing where the signature belongs."""
    return f"{encoded(header)}.{token().split('.')[1]}."


def refusal(forged: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        AUTH.read(forged)
    assert caught.value.status == 401
    return caught.value.code


class TestIssue:
    @pytest.mark.parametrize("kind", ["access", "service_access"])
    def test_a_token_says_what_it_was_made_of(self, kind: Any) -> None:
        claims = Claims(kind, "7", "a-session")

        assert AUTH.read(AUTH.issue(claims)) == claims

    def test_the_token_holds_all_that_is_asked_for(self) -> None:
        claims = jwt.decode(AUTH.issue(CLAIMS), options={"verify_signature": False})

        assert set(claims) == {"iss", "aud", "typ", "sub", "sid", "jti", "iat", "exp"}

    def test_the_token_holds_for_a_quarter_of_an_hour(self) -> None:
        claims = jwt.decode(AUTH.issue(CLAIMS), options={"verify_signature": False})

        assert claims["exp"] - claims["iat"] == ACCESS_SECONDS == 900

    def test_no_two_tokens_are_the_same(self) -> None:
        assert AUTH.issue(CLAIMS) != AUTH.issue(CLAIMS)


class TestRead:
    def test_a_token_that_is_made_the_same_way_is_taken(self) -> None:
        assert AUTH.read(token()) == CLAIMS

    def test_a_token_that_ended_this_moment_is_still_taken(self) -> None:
        assert (
            AUTH.read(token({"iat": int(time.time()) - 903, "exp": int(time.time()) - 3})) == CLAIMS
        )

    @pytest.mark.parametrize("seconds", [30, 900, 10**9])
    def test_a_token_that_has_ended_is_told_to_be_expired(self, seconds: int) -> None:
        assert refusal(token({"iat": 1, "exp": int(time.time()) - seconds})) == "token_expired"

    def test_a_forged_token_is_not_told_to_be_expired(self) -> None:
        assert refusal(token({"exp": 1}, key="x" * 64)) == "token_invalid"

    @pytest.mark.parametrize("claim", ["iss", "aud", "typ", "sub", "sid", "jti", "iat", "exp"])
    @pytest.mark.parametrize("value", [MISSING, None])
    def test_a_token_that_lacks_a_claim_is_refused(self, claim: str, value: object) -> None:
        assert refusal(token({claim: value})) == "token_invalid"

    @pytest.mark.parametrize(
        "changes",
        [
            {"iss": "somebody-else"},
            {"iss": ""},
            {"iss": ["waddlebot-twitch"]},
            {"aud": "somebody-else"},
            {"aud": []},
            {"aud": {}},
            {"aud": "waddlebot-twitch-api "},
            {"typ": "refresh"},
            {"typ": "service"},
            {"typ": ["access"]},
            {"typ": True},
            {"sub": 1},
            {"sub": ["1"]},
            {"sid": 1},
            {"role": "admin"},
            {"exp": "tomorrow"},
            {"exp": []},
            {"exp": {}},
            {"exp": float("nan")},
            {"exp": float("inf")},
            {"iat": "today"},
            {"iat": YEAR_2100},
            {"nbf": YEAR_2100},
        ],
        ids=str,
    )
    def test_a_claim_of_another_value_is_refused(self, changes: dict[str, Any]) -> None:
        assert refusal(token(changes)) == "token_invalid"

    @pytest.mark.parametrize("kind", [str, float])
    def test_an_end_that_is_no_whole_number_is_refused(self, kind: type) -> None:
        assert refusal(token({"exp": kind(int(time.time()) + 900)})) == "token_invalid"

    @pytest.mark.parametrize(("factor", "more"), [(1000, 0), (1, 86_400), (1, 960)])
    def test_an_end_beyond_a_quarter_of_an_hour_is_refused(self, factor: int, more: int) -> None:
        assert refusal(token({"exp": int(time.time()) * factor + more})) == "token_invalid"

    @pytest.mark.parametrize(
        "header",
        [
            {"alg": "none", "typ": "JWT"},
            {"alg": "None"},
            {"alg": "NONE"},
            {"alg": ""},
            {"alg": None},
            {},
        ],
        ids=str,
    )
    def test_a_token_without_a_signature_is_refused(self, header: dict[str, Any]) -> None:
        assert refusal(unsigned(header)) == "token_invalid"

    @pytest.mark.parametrize(
        "header",
        [
            {"alg": "none"},
            {"alg": "HS512"},
            {"alg": "HS384"},
            {"alg": "RS256"},
            {"alg": "ES256"},
            {"alg": "hs256"},
            {"alg": " HS256"},
            {"alg": ["HS256"]},
            {"alg": {"HS256": 1}},
            {"alg": 256},
            {"alg": None},
            {},
            [],
            None,
            "HS256",
            b"{",
            b"\xff",
            b"",
            b"[" * 50_000,
            b'{"alg":%b}' % (b"9" * 5000),
            {"alg": "HS256", "kid": 1},
            {"alg": "HS256", "kid": "../../dev/null"},
            {"alg": "HS256", "kid": "' OR 1=1 --"},
            {"alg": "HS256", "jku": "https://evil.example/keys"},
            {"alg": "HS256", "x5u": "https://evil.example/cert"},
            {"alg": "HS256", "jwk": {"kty": "oct", "k": "eA"}},
            {"alg": "HS256", "crit": ["unheard-of"]},
            {"alg": "HS256", "b64": False, "crit": ["b64"]},
        ],
        ids=lambda header: str(header)[:40],
    )
    def test_another_header_is_refused_under_the_right_signature(self, header: object) -> None:
        forged = token(header=b"null" if header is None else header)

        assert refusal(forged) == "token_invalid"

    @pytest.mark.parametrize(("name", "digest"), [("HS384", "sha384"), ("HS512", "sha512")])
    def test_another_hash_function_is_refused(self, name: str, digest: str) -> None:
        assert refusal(token(header={"alg": name}, digest=digest)) == "token_invalid"

    @pytest.mark.parametrize("payload", [[], "admin", 1, b"{", b"\xff", b"", b"[" * 50_000])
    def test_claims_that_are_no_object_are_refused(self, payload: object) -> None:
        assert refusal(token(payload=payload)) == "token_invalid"

    @pytest.mark.parametrize("key", ["x" * 64, KEY[:-1], KEY + " ", KEY.upper()])
    def test_another_key_is_refused(self, key: str) -> None:
        assert refusal(token(key=key)) == "token_invalid"

    @pytest.mark.parametrize(
        "forged",
        [
            "",
            " ",
            ".",
            "..",
            "...",
            "a.b.c",
            "null",
            "Bearer x",
            "\x00.\x00.\x00",
            "é.é.é",
            "x" * 1_000_000,
            "." * 100_000,
            "eyJhbGciOiJIUzI1NiJ9..",
        ],
        ids=lambda forged: repr(forged[:12]),
    )
    def test_what_is_no_token_is_refused(self, forged: str) -> None:
        assert refusal(forged) == "token_invalid"

    @pytest.mark.parametrize("part", [0, 1, 2])
    def test_a_token_that_lacks_a_part_is_refused(self, part: int) -> None:
        parts = token().split(".")
        del parts[part]

        assert refusal(".".join(parts)) == "token_invalid"

    def test_a_token_with_a_part_more_is_refused(self) -> None:
        assert refusal(token() + ".x") == "token_invalid"

    def test_the_claims_of_one_token_under_the_signature_of_another_are_refused(self) -> None:
        header, _, signature = token().split(".")
        claims = token({"sub": "somebody-else"}).split(".")[1]

        assert refusal(f"{header}.{claims}.{signature}") == "token_invalid"

    def test_the_token_of_another_installation_is_refused(self) -> None:
        assert refusal(AccessTokens(KEY[::-1]).issue(CLAIMS)) == "token_invalid"

    def test_a_claim_that_stands_twice_is_refused(self) -> None:
        claims = json.loads(base64.urlsafe_b64decode(token().split(".")[1] + "=="))
        twice = json.dumps(claims)[:-1] + ', "sub": "2"}'

        assert refusal(token(payload=twice.encode())) == "token_invalid"

    def test_a_token_in_a_token_is_refused(self) -> None:
        assert refusal(token(payload=token().encode())) == "token_invalid"

    def test_a_token_that_is_too_large_is_refused(self) -> None:
        assert refusal(token({"jti": "0" * MAX_CHARACTERS})) == "token_invalid"

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_a_changed_character_anywhere_is_refused(self, data: st.DataObject) -> None:
        good = token()
        # The last character of a part holds bits that belong to no byte.
        ends = {good.index(".") - 1, good.rindex(".") - 1, len(good) - 1}
        place = data.draw(st.sampled_from(sorted(set(range(len(good))) - ends)))
        other = data.draw(st.sampled_from("abcXYZ019-_.").filter(lambda it: it != good[place]))

        assert refusal(good[:place] + other + good[place + 1 :]) == "token_invalid"

    @settings(max_examples=300, deadline=None)
    @given(st.text(st.characters(max_codepoint=255), max_size=200))
    def test_no_header_text_breaks_it(self, forged: str) -> None:
        assert refusal(forged) == "token_invalid"
