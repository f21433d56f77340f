"""`token import`: the tokens of another bot's `.env` become this installation's. Shows none."""

import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path

import click
from dotenv import dotenv_values

from ...clients.twitch_auth import AnotherApplication, DeadGrant
from ...common import Services
from ...domain.secret import Secret
from ...domain.tokens.oauth import Grant, Validation, missing_scopes
from ...errors import ModuleError, NotFound
from ..access.admin import whoever_types
from ..group import Refused
from ..installation import Installation
from ..setup.bot import BOT_NAME, scopes_needed
from ..terminal import note, say, show_json
from ..times import duration

# Of each, the names that are in use; the first one that is set counts.
_CLIENT_ID = ("CLIENT_ID", "TWITCH_CLIENT_ID", "TWITCH_APP_ID")
_ACCESS_TOKEN = ("ACCESS_TOKEN", "TWITCH_ACCESS_TOKEN", "TWITCH_TOKEN")
_REFRESH_TOKEN = ("REFRESH_TOKEN", "TWITCH_REFRESH_TOKEN")
_TOKEN = re.compile(r"[!-~]{1,500}")  # what a header can carry

_TRIES = 3  # to find out whose a renewed token is


@dataclass(frozen=True, slots=True)
class _Found:
    """What the file holds."""

    client_id: str
    access_token: Secret | None
    refresh_token: Secret


@click.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.pass_obj
def import_(installation: Installation, path: Path, as_json: bool) -> None:
    """Keep the tokens of an existing .env: CLIENT_ID, ACCESS_TOKEN and REFRESH_TOKEN.

    The names may begin with TWITCH_, too. Twitch says whose the tokens are; when the access
    token is dead, it is renewed first. They must be of this installation's application. From
    then on this module renews them, and nobody else may.

    Example: cli token import ../old-bot/.env
    """
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        note(f"Others may read {path}: chmod 600 {path}")
    found = _read(path)
    services = installation.services()
    ours = services.base.settings.twitch_app_id
    if found.client_id not in ("", ours):
        raise _of_another_application(f"The client id in {path} is not this installation's")
    grant, validation, renewed = _living(services, found)
    services.tokens.users.keep_login(
        validation,
        _display_name(services, validation),
        replace(grant, scopes=validation.scopes),
        imported_by=whoever_types(),
    )
    _tell(installation, services, path, validation, as_json=as_json, renewed=renewed)


def _read(path: Path) -> _Found:
    """What the file holds. Raises Refused, which quotes nothing of it."""
    try:
        given = dotenv_values(path, interpolate=False)
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read ({type(error).__name__})") from None

    def value(names: tuple[str, ...]) -> str:
        return next((text for name in names if (text := (given.get(name) or "").strip())), "")

    access = value(_ACCESS_TOKEN).removeprefix("oauth:")  # as chat libraries want it
    refresh = value(_REFRESH_TOKEN)
    if not refresh:
        raise Refused(
            f"{path} holds no REFRESH_TOKEN, without which nothing can be renewed",
            "Have the account log in: cli setup, or the login link",
        )
    for name, token in (("ACCESS_TOKEN", access), ("REFRESH_TOKEN", refresh)):
        if token and not _TOKEN.fullmatch(token):
            raise Refused(f"{name} in {path} cannot be a token")
    return _Found(value(_CLIENT_ID), Secret(access) if access else None, Secret(refresh))


def _living(services: Services, found: _Found) -> tuple[Grant, Validation, bool]:
    """A pair that Twitch takes, whose it is, and whether it had to be renewed for that."""
    try:
        if found.access_token is not None:
            validation = services.base.auth.validate(found.access_token)
            if validation is not None:
                pair = (found.access_token, found.refresh_token)
                return Grant(*pair, validation.scopes, validation.expires_in), validation, False
        grant = services.base.auth.renew(found.refresh_token)
        return grant, _whose(services, grant), True
    except AnotherApplication as error:
        raise _of_another_application(str(error)) from error
    except DeadGrant as error:
        raise Refused(
            f"Neither token lives any more, or they are another application's ({error})",
            "Have the account log in: cli setup, or the login link",
        ) from error


def _whose(services: Services, grant: Grant) -> Validation:
    """Whose a renewed pair is. It is nowhere else any more, so that one failure is not the end."""
    for left in reversed(range(_TRIES)):
        try:
            validation = services.base.auth.validate(grant.access_token)
        except AnotherApplication:
            raise
        except ModuleError:
            if not left:
                raise
        else:
            if validation is not None:
                return validation
    raise Refused("Twitch does not know the token that it has just given. Try again")


def _of_another_application(why: str) -> Refused:
    return Refused(
        f"{why}; tokens serve only the application that they were made for",
        "Set TWITCH_APP_ID and TWITCH_APP_SECRET to that application's, or log in anew",
    )


def _tell(
    installation: Installation,
    services: Services,
    path: Path,
    validation: Validation,
    *,
    as_json: bool,
    renewed: bool,
) -> None:
    login = validation.login
    bot = installation.variables().get(BOT_NAME, "").lower()
    missing = _missing(services, validation, is_bot=bot in ("", login))
    if as_json:
        show_json(
            {
                "user_id": validation.user_id,
                "login": login,
                "scopes": list(validation.scopes),
                "missing_scopes": missing,
                "expires_in": validation.expires_in,
                "renewed": renewed,
            }
        )
        return
    how = "renewed and kept" if renewed else "kept"
    say(f"The tokens of {login} are {how}, for {duration(validation.expires_in)}")
    if missing:
        say(f"They lack the scopes {' '.join(missing)}: for these a new login is needed")
    if not bot:
        say(f"If this is the bot, put {BOT_NAME}={login} into {installation.env_file}")
    say(f"Now take them out of {path}: whoever renews them elsewhere may end them here")


def _display_name(services: Services, validation: Validation) -> str:
    try:
        user = services.base.twitch.find_user(user_id=validation.user_id) or {}
    except ModuleError:
        user = {}  # how the name is written is nothing that this should fail for
    return str(user.get("display_name") or validation.login)


def _missing(services: Services, validation: Validation, *, is_bot: bool) -> list[str]:
    """What the account has not granted that the bot, or its channel's events, need."""
    try:
        is_channel = services.subscriptions.channels.get(validation.user_id).is_active
    except NotFound:
        is_channel = False
    types = (
        services.events.monitored_channels.types(validation.user_id)
        if is_channel or not is_bot
        else None
    )
    needed = scopes_needed(services.base.settings, is_bot=is_bot, types=types)
    return missing_scopes(needed, validation.scopes)
