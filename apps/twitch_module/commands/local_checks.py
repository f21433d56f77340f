"""The doctor's checks of what is here: database, keys, and what is stored of the users."""

from collections.abc import Iterator

from ..domain.catalogue import scopes_for
from ..domain.oauth import missing_scopes
from ..errors import ConfigurationError, DatabaseUnavailable
from ..keys import generated_key
from ..models.migrations import VERSION
from ..models.tokens import NEEDS_LOGIN, TokenRow
from ..services.tokens import Tokens
from ..vault import CannotOpen, Vault, fernet_key
from .bot import BOT_SCOPES
from .examination import OK, WARNING, WRONG, Examination, Finding

# The service renews a token before it has less than an hour left, and looks every half hour.
_NEAR_END_SECONDS = 25 * 60
_VALIDATED_SECONDS = 3600  # Twitch demands it hourly: "Validating Tokens"


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
    name, settings = "encryption keys", examination.settings
    examination.need("TOKEN_ENCRYPTION_KEYS")
    keys, users = settings.encryption_keys, len(examination.users)
    generated = settings.data_dir / "token.key"
    if not keys and not generated.exists():
        lost = "Restore TOKEN_ENCRYPTION_KEYS, or have everybody log in again"
        yield (
            Finding(name, WRONG, f"there is no key, but {users} users' tokens", lost)
            if users
            else Finding(name, OK, "the first start generates one in DATA_DIR")
        )
        return
    try:
        vault = Vault(keys or [fernet_key(generated_key(settings.data_dir, "token.key"))])
        Tokens(examination.database, vault, examination.auth).check_keys()
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
            if keys
            else Finding(name, WARNING, f"{detail}; the key lies beside the database", move)
        )


def check_scopes(examination: Examination) -> Iterator[Finding]:
    """Whether every user has granted what the event types in use need."""
    examination.need("ACTIVITY_POINTS")
    lacking = {
        user.login: missing
        for user in examination.users
        if (missing := missing_scopes(_needed(examination, user), user.scopes.split()))
    }
    for login, missing in lacking.items():
        detail = f"{login} has not granted {', '.join(missing)}"
        yield Finding("scopes", WRONG, detail, _log_in(examination, login))
    if not lacking:
        count = len(examination.users)
        yield Finding("scopes", OK, f"{count} users have granted all that is needed")


def check_tokens(examination: Examination) -> Iterator[Finding]:
    """Whether the tokens are alive, and looked after."""
    users = examination.users
    with examination.database.transaction(write=False) as transaction:
        now_seconds = transaction.now_ms() // 1000
    found = [fault for user in users if (fault := _token_fault(examination, user, now_seconds))]
    yield from found or [Finding("tokens", OK, f"{len(users)} users' tokens are alive")]


def _token_fault(examination: Examination, user: TokenRow, now_seconds: int) -> Finding | None:
    left = user.expires_at_ms // 1000 - now_seconds
    validated = (user.validated_at_ms or 0) // 1000
    serve = "Is make serve, or make worker, running?"
    if user.status == NEEDS_LOGIN:
        detail = f"{user.login} has to log in again: {user.reason}"
        return Finding("tokens", WRONG, detail, _log_in(examination, user.login))
    if left < _NEAR_END_SECONDS:
        detail = f"{user.login}'s token has {max(0, left // 60)} minutes left, and is not renewed"
        return Finding("tokens", WARNING, detail, f"{serve} Else: cli token refresh {user.login}")
    if now_seconds - validated > _VALIDATED_SECONDS:
        detail = f"{user.login}'s token has not been validated for over an hour"
        return Finding("tokens", WARNING, detail, serve)
    return None


def _needed(examination: Examination, user: TokenRow) -> list[tuple[str, ...]]:
    """Groups of scopes of which the user must have granted one each."""
    needed: list[tuple[str, ...]] = []
    is_bot = user.login == examination.bot_name
    monitored = {channel.channel_id: channel for channel in examination.channels}
    if is_bot:
        needed += [(scope,) for scope in BOT_SCOPES]
    if not is_bot or user.user_id in monitored:
        channel = monitored.get(user.user_id)
        needed += scopes_for(examination.types(channel) if channel else examination.event_types)
        needed += [(scope,) for scope in examination.settings.twitch_scopes.split()]
    return needed


def _log_in(examination: Examination, login: str) -> str:
    if login == examination.bot_name:
        return "Run cli setup again"
    return f"Have {login} log in at {examination.settings.login_url}"
