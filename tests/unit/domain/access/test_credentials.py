"""domain/access/credentials.py: names, passwords and the form of our secrets."""

import hashlib
import secrets
import unicodedata

import pytest

from apps.twitch_module.domain.access.credentials import (
    REFRESH_PREFIX,
    SERVICE_PREFIX,
    fingerprint,
    is_secret_of_ours,
    normal_username,
    password_bytes,
    password_fault,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("admin", "admin"),
        (" Admin ", "admin"),
        ("ADMIN", "admin"),
        ("Größe", "größe"),
        (unicodedata.normalize("NFD", "größe"), "größe"),
        ("two words", "two words"),
        ("x" * 100, "x" * 100),
        ("", None),
        ("   ", None),
        ("x" * 101, None),
        ("a\0b", None),
        ("a\nb", None),
        ("\ud800", None),
        ("a\u202eb", None),  # turns the direction of writing
    ],
)
def test_a_name_is_kept_in_lower_case_and_printable(text: str, name: str | None) -> None:
    assert normal_username(text) == name


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("eleven char", "must be at least 12 characters"),
        ("twelve chars", None),
        ("x" * 11 + "abcde", None),
        ("abcd" * 5, "must have at least 5 different characters"),
        ("verylongname", "must be more than the name"),
        ("VeryLongName123", "must be more than the name"),
        ("verylongname and more", None),
        ("é" * 3 + "abcdefghij", None),
        ("abcdef" * 200, "must be at most 1000 characters"),
    ],
)
def test_a_password_must_be_hard_to_guess(password: str, fault: str | None) -> None:
    assert password_fault(password, "verylongname") == fault


def test_a_password_is_the_same_from_every_keyboard() -> None:
    composed = "pässwörter"

    assert password_bytes(unicodedata.normalize("NFD", composed)) == composed.encode()


@pytest.mark.parametrize("password", ["\ud800", "\0", ""])
def test_no_password_breaks_it(password: str) -> None:
    assert isinstance(password_bytes(password), bytes)


def test_a_secret_of_ours_is_known_by_its_prefix_and_length() -> None:
    good = SERVICE_PREFIX + secrets.token_urlsafe(32)

    assert is_secret_of_ours(good, SERVICE_PREFIX)
    assert not is_secret_of_ours(good, REFRESH_PREFIX)
    assert not is_secret_of_ours(good + "x", SERVICE_PREFIX)
    assert not is_secret_of_ours(good[:-1], SERVICE_PREFIX)
    assert not is_secret_of_ours(good[:-1] + "\n", SERVICE_PREFIX)
    assert not is_secret_of_ours(good[:-1] + "é", SERVICE_PREFIX)


def test_a_fingerprint_is_sha256_and_takes_any_text() -> None:
    assert fingerprint("abc") == hashlib.sha256(b"abc").hexdigest()
    assert len(fingerprint("\ud800")) == 64
