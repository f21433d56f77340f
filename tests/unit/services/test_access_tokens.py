"""services/admin_auth.py: who is an admin."""

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
from apps.twitch_module.services.admin_auth import ACCESS_SECONDS, AdminAuth
from tests.environment import ADMIN, PASSWORD

KEY = "a-key-of-the-tests-that-is-long-enough-for-every-hash-function-there-is"
AUTH = AdminAuth(ADMIN, PASSWORD, KEY)
YEAR_2100 = 4_102_444_800
MISSING = object()  # a value that takes the claim away


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
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
        "sub": ADMIN,
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
        AUTH.identify(forged)
    assert caught.value.status == 401
    return caught.value.code


class TestLogIn:
    def test_the_right_name_and_password_give_a_token_of_this_admin(self) -> None:
        assert AUTH.identify(AUTH.log_in(ADMIN, PASSWORD)) == ADMIN

    def test_the_token_holds_all_that_is_asked_for(self) -> None:
        claims = jwt.decode(AUTH.log_in(ADMIN, PASSWORD), options={"verify_signature": False})

        assert set(claims) == {"iss", "aud", "typ", "sub", "jti", "iat", "exp"}

    def test_the_token_holds_for_a_quarter_of_an_hour(self) -> None:
        claims = jwt.decode(AUTH.log_in(ADMIN, PASSWORD), options={"verify_signature": False})

        assert claims["exp"] - claims["iat"] == ACCESS_SECONDS == 900

    def test_no_two_tokens_are_the_same(self) -> None:
        assert AUTH.log_in(ADMIN, PASSWORD) != AUTH.log_in(ADMIN, PASSWORD)

    def test_the_password_is_not_in_the_token(self) -> None:
        payload = AUTH.log_in(ADMIN, PASSWORD).split(".")[1]

        assert PASSWORD.encode() not in base64.urlsafe_b64decode(payload + "==")

    @pytest.mark.parametrize(
        ("username", "password"),
        [
            ("somebody", PASSWORD),
            (ADMIN, "somebody's"),
            ("somebody", "somebody's"),
            ("", ""),
            (ADMIN, ""),
            ("", PASSWORD),
            (ADMIN.upper(), PASSWORD),
            (ADMIN, PASSWORD.upper()),
            (ADMIN, PASSWORD + " "),
            (ADMIN + " ", PASSWORD),
            (ADMIN, PASSWORD[:-1]),
            (PASSWORD, ADMIN),
            (ADMIN, "\ud800"),
            ("\ud800", PASSWORD),
            (ADMIN, "é" * 100_000),
            (ADMIN, PASSWORD + "\x00"),
        ],
    )
    def test_a_wrong_name_and_a_wrong_password_are_told_alike(
        self, username: str, password: str
    ) -> None:
        with pytest.raises(Unauthenticated) as caught:
            AUTH.log_in(username, password)

        assert caught.value.code == "wrong_credentials"
        assert str(caught.value) == "Wrong name or password"

    def test_a_name_and_password_beyond_ascii_work(self) -> None:
        auth = AdminAuth("größe", "pässwörter-日本", KEY)

        assert auth.identify(auth.log_in("größe", "pässwörter-日本")) == "größe"

    @pytest.mark.parametrize(
        ("username", "password"), [(None, None), (ADMIN, None), (None, PASSWORD)]
    )
    @pytest.mark.parametrize("given", [(ADMIN, PASSWORD), ("", ""), ("None", "None")])
    def test_without_a_configured_admin_nobody_gets_in(
        self, username: str | None, password: str | None, given: tuple[str, str]
    ) -> None:
        with pytest.raises(Unauthenticated) as caught:
            AdminAuth(username, password, KEY).log_in(*given)

        assert caught.value.code == "no_admin"


class TestIdentify:
    def test_a_token_that_is_made_the_same_way_is_taken(self) -> None:
        assert AUTH.identify(token()) == ADMIN

    def test_a_token_that_ended_this_moment_is_still_taken(self) -> None:
        assert AUTH.identify(token({"exp": int(time.time()) - 3})) == ADMIN

    @pytest.mark.parametrize("seconds", [30, 900, 10**9])
    def test_a_token_that_has_ended_is_told_to_be_expired(self, seconds: int) -> None:
        assert refusal(token({"exp": int(time.time()) - seconds})) == "token_expired"

    def test_a_forged_token_is_not_told_to_be_expired(self) -> None:
        assert refusal(token({"exp": 1}, key="x" * 64)) == "token_invalid"

    @pytest.mark.parametrize("claim", ["iss", "aud", "typ", "sub", "jti", "iat", "exp"])
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
            {"sub": [ADMIN]},
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
        other = AdminAuth(ADMIN, PASSWORD, KEY[::-1])

        assert refusal(other.log_in(ADMIN, PASSWORD)) == "token_invalid"

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
