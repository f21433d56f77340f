"""Encryption at rest: what is sealed for one place opens only there.

Fernet (AES-128-CBC with HMAC-SHA256) by the cryptography library. The place, such as a table's
row and column, is sealed in with the text, so that two rows' values cannot be swapped.
"""

import base64
import binascii
import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from .domain.secret import Secret
from .errors import ConfigurationError, ModuleError


class CannotOpen(ModuleError):
    """The value does not open here: a wrong key, or somebody has changed it."""

    code = "cannot_decrypt"
    title = "A stored secret cannot be decrypted"


class Vault:
    """Seals and opens secrets. The first key seals, all of them open."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys` are Fernet keys: 32 bytes in URL-safe base64. Raises ConfigurationError."""
        try:
            fernets = [Fernet(key) for key in keys]
        except (ValueError, binascii.Error) as error:
            raise ConfigurationError(
                ["TOKEN_ENCRYPTION_KEYS must be Fernet keys: 32 bytes in URL-safe base64"]
            ) from error
        self._all = MultiFernet(fernets)
        self._first = fernets[0]

    def seal(self, place: str, secret: Secret) -> str:
        """The secret as text that may be stored at this place."""
        return self._all.encrypt(json.dumps([place, secret.reveal()]).encode()).decode()

    def open(self, place: str, sealed: str) -> Secret:
        """The secret that was sealed for this place. Raises CannotOpen."""
        return self._opened(self._all, place, sealed)

    def is_current(self, place: str, sealed: str) -> bool:
        """Whether this was sealed with the first key."""
        try:
            self._opened(self._first, place, sealed)
        except CannotOpen:
            return False
        return True

    def _opened(self, fernet: Fernet | MultiFernet, place: str, sealed: str) -> Secret:
        try:
            sealed_for, text = json.loads(fernet.decrypt(sealed.encode()))
        except (InvalidToken, ValueError) as error:
            raise CannotOpen from error
        if sealed_for != place:
            raise CannotOpen
        return Secret(text)


def fernet_key(hex_digits: str) -> str:
    """A generated key (64 hex digits) in the form that Fernet takes."""
    return base64.urlsafe_b64encode(bytes.fromhex(hex_digits)).decode()
