"""vault.py: what is sealed for one place opens only there, and only untouched."""

import base64
import random

import pytest

from apps.twitch_module.domain.secret import Secret
from apps.twitch_module.errors import ConfigurationError
from apps.twitch_module.vault import CannotOpen, Vault, fernet_key

KEY, OTHER = (fernet_key(digits * 64) for digits in "ab")


def test_a_secret_comes_back_where_it_was_sealed_for() -> None:
    vault = Vault([KEY])

    assert Secret("tökén") == vault.open("here", vault.seal("here", Secret("tökén")))


def test_it_does_not_open_anywhere_else() -> None:
    vault = Vault([KEY])

    with pytest.raises(CannotOpen):
        vault.open("there", vault.seal("here", Secret("token")))


def test_no_flipped_bit_goes_unnoticed() -> None:
    vault, chance = Vault([KEY]), random.Random(1)
    sealed = base64.urlsafe_b64decode(vault.seal("here", Secret("token")))
    for _ in range(1000):
        changed = bytearray(sealed)
        changed[chance.randrange(len(sealed))] ^= 1 << chance.randrange(8)
        with pytest.raises(CannotOpen):
            vault.open("here", base64.urlsafe_b64encode(bytes(changed)).decode())


def test_the_first_key_seals_and_all_open() -> None:
    old = Vault([KEY]).seal("here", Secret("token"))
    both = Vault([OTHER, KEY])

    assert Secret("token") == both.open("here", old)
    assert not both.is_current("here", old)
    assert both.is_current("here", both.seal("here", Secret("token")))
    with pytest.raises(CannotOpen):
        Vault([KEY]).open("here", both.seal("here", Secret("token")))


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAA", "ö"])
def test_rubbish_cannot_be_opened(sealed: str) -> None:
    with pytest.raises(CannotOpen):
        Vault([KEY]).open("here", sealed)


@pytest.mark.parametrize("key", ["", "short", "ö" * 44, "A" * 44])
def test_a_bad_key_is_a_fault_of_the_configuration_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Vault([key])
    assert not key or key not in str(caught.value)


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("token")

    assert "token" not in f"{secret} {secret!r} {[secret]} { ({'a': secret}) }"
