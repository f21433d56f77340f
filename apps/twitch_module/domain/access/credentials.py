"""What admins' names and passwords may be, and what this module's secrets look like."""

import hashlib
import re
import unicodedata

MIN_PASSWORD_CHARACTERS = 12
MAX_PASSWORD_CHARACTERS = 1000
MAX_USERNAME_CHARACTERS = 100

# So that a secret that has leaked into a file or a log can be found, and told what it is.
REFRESH_PREFIX = "wbr_"
SERVICE_PREFIX = "wbs_"
_SECRET = re.compile(r"(wbr|wbs)_[A-Za-z0-9_-]{43}")  # 256 bits behind the prefix


def normal_username(text: str) -> str | None:
    """The name as it is kept, or None when nobody can have it."""
    name = unicodedata.normalize("NFC", text.strip()).lower()
    possible = 0 < len(name) <= MAX_USERNAME_CHARACTERS and name.isprintable()
    return name if possible else None


def password_bytes(password: str) -> bytes:
    """The password as it is hashed: the same however a keyboard composes its letters."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def password_fault(password: str, username: str) -> str | None:
    """Why a password is not good enough, or None."""
    if len(password) < MIN_PASSWORD_CHARACTERS:
        return f"must be at least {MIN_PASSWORD_CHARACTERS} characters"
    if len(password) > MAX_PASSWORD_CHARACTERS:
        return f"must be at most {MAX_PASSWORD_CHARACTERS} characters"
    if len(set(password)) < 5:
        return "must have at least 5 different characters"
    if username.lower() in password.lower() and len(password) - len(username) < 8:
        return "must be more than the name"
    return None


def is_secret_of_ours(text: str, prefix: str) -> bool:
    """Whether a text has the form of our secrets with this prefix."""
    return text.startswith(prefix) and _SECRET.fullmatch(text) is not None


def fingerprint(secret: str) -> str:
    """What is stored in place of a secret of 256 bits: nothing slower is needed for those."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
