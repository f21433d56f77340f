"""The doctor's checks of what is here: the database, and the keys."""

from collections.abc import Iterator

from ...errors import ConfigurationError, DatabaseUnavailable
from ...models.migrations import VERSION
from ...services.tokens.key_rotation import KeyRotation
from ...vault import CannotOpen
from .check import OK, WARNING, WRONG, Examination, Finding


def check_database(examination: Examination) -> Iterator[Finding]:
    """Whether it answers, and has the schema of this version."""
    name = "database"
    try:
        found = examination.schema
    except DatabaseUnavailable as error:
        yield Finding(name, WRONG, str(error), "Start it, mend DB_URI, or run make migrate")
        return
    if found == VERSION:
        yield Finding(name, OK, f"answers; its schema is {found}")
    elif found < VERSION:
        detail = f"has schema {found}, this program needs {VERSION}"
        yield Finding(name, WRONG, detail, "Run make migrate (make serve does it as well)")
    else:
        detail = f"has schema {found}, newer than this program's {VERSION}"
        yield Finding(name, WRONG, detail, "Run the newer version of this program")


def check_keys(examination: Examination) -> Iterator[Finding]:
    """Whether the stored tokens can be decrypted."""
    name, users = "encryption keys", len(examination.users)
    try:
        if examination.vault is None:
            lost = "Restore TOKEN_ENCRYPTION_KEYS, or have everybody log in again"
            yield (
                Finding(name, WRONG, f"there is no key, but {users} users' tokens", lost)
                if users
                else Finding(name, OK, "the first start generates one in DATA_DIR")
            )
            return
        KeyRotation(examination.database, examination.vault).check_keys()
    except ConfigurationError as error:
        yield Finding(name, WRONG, str(error), "Generate one with: cli setup")
    except CannotOpen:
        advice = "Add the key that they were encrypted with to TOKEN_ENCRYPTION_KEYS"
        yield Finding(name, WRONG, "do not open the stored tokens", advice)
    else:
        detail = f"open the tokens of {users} users"
        move = "Move it to TOKEN_ENCRYPTION_KEYS: cli setup does it"
        yield (
            Finding(name, OK, detail)
            if examination.settings.encryption_keys
            else Finding(name, WARNING, f"{detail}; the key lies beside the database", move)
        )
