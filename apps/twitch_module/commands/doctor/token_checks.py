"""The doctor's checks of the users' tokens: Twitch is asked about each."""

from collections.abc import Iterator

from ...clients.twitch_auth import AnotherApplication
from ...domain.tokens.oauth import Validation, missing_scopes
from ...errors import ModuleError
from ...models.tokens.tokens import NEEDS_LOGIN, TokenRow
from ..setup.bot import scopes_needed
from .check import OK, WARNING, WRONG, Examination, Finding, NotChecked

# The service renews a token before it has less than an hour left, and looks every half hour.
_NEAR_END_SECONDS = 25 * 60
_VALIDATED_SECONDS = 3600  # Twitch demands it hourly: "Validating Tokens"


def check_scopes(examination: Examination) -> Iterator[Finding]:
    """Whether every user has granted what the event types in use need."""
    examination.need("ACTIVITY_POINTS", "TWITCH_BOT_SCOPES")
    lacking = {
        user.login: missing
        for user in examination.users
        if (missing := missing_scopes(_needed(examination, user), _granted(examination, user)))
    }
    for login, missing in lacking.items():
        detail = f"{login} has not granted {', '.join(missing)}"
        yield Finding("scopes", WRONG, detail, _log_in(examination, login))
    if not lacking:
        count = len(examination.users)
        yield Finding("scopes", OK, f"{count} users have granted all that is needed")


def check_tokens(examination: Examination) -> Iterator[Finding]:
    """Whether Twitch takes the tokens, and they are looked after."""
    name, users = "tokens", examination.users
    with examination.database.transaction(write=False) as transaction:
        now_seconds = transaction.now_ms() // 1000
    found = [_death(examination, user) for user in users if user.status == NEEDS_LOGIN]
    alive = [user for user in users if user.status != NEEDS_LOGIN]
    try:
        faults = [_token_fault(examination, user, now_seconds) for user in alive]
        found += [fault for fault in faults if fault]
    except NotChecked as reason:
        found.append(Finding(name, WARNING, f"not checked: {reason}"))
    except ModuleError as error:
        found.append(Finding(name, WRONG, f"not all checked: {error}", "Try again in a moment"))
    yield from found or [Finding(name, OK, f"Twitch takes the tokens of {len(users)} users")]


def _death(examination: Examination, user: TokenRow) -> Finding:
    detail = f"{user.login} has to log in again: {user.reason}"
    return Finding("tokens", WRONG, detail, _log_in(examination, user.login))


def _token_fault(examination: Examination, user: TokenRow, now_seconds: int) -> Finding | None:
    name, login = "tokens", user.login
    again = _log_in(examination, login)
    said = examination.said_of(user)
    if said is None:
        detail = f"Twitch refuses {login}'s token"
        return Finding(name, WRONG, detail, f"cli token refresh {login}. Else: {again}")
    if isinstance(said, AnotherApplication):
        detail = f"{login}'s token is another application's than TWITCH_APP_ID"
        return Finding(name, WRONG, detail, f"Mend TWITCH_APP_ID. Else: {again}")
    if said.user_id != user.user_id:
        return Finding(name, WRONG, f"{login}'s token is {said.login}'s, Twitch says", again)
    return _neglect(user, said, now_seconds)


def _neglect(user: TokenRow, said: Validation, now_seconds: int) -> Finding | None:
    """What shows that nobody looks after a token which Twitch takes."""
    serve = "Is make serve, or make worker, running?"
    if said.expires_in < _NEAR_END_SECONDS:
        detail = f"{user.login}'s token has {said.expires_in // 60} minutes left, is not renewed"
        return Finding("tokens", WARNING, detail, f"{serve} Else: cli token refresh {user.login}")
    if now_seconds - (user.validated_at_ms or 0) // 1000 > _VALIDATED_SECONDS:
        detail = f"{user.login}'s token has not been validated for over an hour"
        return Finding("tokens", WARNING, detail, serve)
    return None


def _granted(examination: Examination, user: TokenRow) -> tuple[str, ...]:
    """What Twitch says, or what it said last."""
    try:
        said = None if user.status == NEEDS_LOGIN else examination.said_of(user)
    except (NotChecked, ModuleError):
        said = None
    return said.scopes if isinstance(said, Validation) else tuple(user.scopes.split())


def _needed(examination: Examination, user: TokenRow) -> list[tuple[str, ...]]:
    """Groups of scopes of which the user must have granted one each."""
    is_bot = user.login == examination.bot_name
    channel = next((one for one in examination.channels if one.channel_id == user.user_id), None)
    types = examination.types(channel) if channel else examination.event_types
    return scopes_needed(
        examination.settings, is_bot=is_bot, types=None if is_bot and channel is None else types
    )


def _log_in(examination: Examination, login: str) -> str:
    if login == examination.bot_name:
        return "Run cli setup again"
    return f"Have {login} log in at {examination.settings.login_url}"
