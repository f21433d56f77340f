"""Commands that speak to a running service: where it is, and who we are there."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from ..domain.secret import Secret
from ..settings import LOOPBACK, Settings
from .api_client import VISIBLE, Api, Identity
from .installation import Installation

TOKEN_VARIABLE = "WADDLEBOT_TWITCH_TOKEN"  # noqa: S105  # its name
_ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  # where a server may listen


@dataclass(frozen=True)
class Typed:
    """What was typed of where the service is, and of who we are."""

    url: str | None
    username: str | None
    password: str | None = field(repr=False)
    password_stdin: bool
    token: str | None = field(repr=False)
    insecure: bool


def remote(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where and who, and the Api as its first argument."""
    return _with_options(command, always=True)


def local_or_remote(command: Callable[..., None]) -> Callable[..., None]:
    """As `remote`, but with None in place of the Api where none of the options is given."""
    return _with_options(command, always=False)


def _with_options(command: Callable[..., None], *, always: bool) -> Callable[..., None]:
    place = "the one on this machine" if always else "this installation's database"

    @_option("--url", metavar="URL", help=f"The service.  [default: {place}]")
    @_option("--username", metavar="NAME", help="Log in as this admin. Asks for the password.")
    @_option("--password", help="Others on this machine can see it: rather be asked for it.")
    @_option("--password-stdin", is_flag=True, help="Read the password from standard input.")
    @_option("--token", help=f"A service token. Better put it into {TOKEN_VARIABLE}.")
    @_option("--insecure", is_flag=True, help="Send credentials unencrypted to another machine.")
    @wraps(command)
    def run(**given: Any) -> None:
        typed = Typed(**{one.name: given.pop(one.name) for one in fields(Typed)})
        if not always and typed == Typed(None, None, None, False, None, False):
            command(None, **given)
            return
        with connected(click.get_current_context().obj, typed) as api:
            command(api, **given)

    wrapped: Callable[..., None] = run
    return wrapped


def connected(installation: Installation, typed: Typed) -> Api:
    """The service that was named, with whom we are there. Nothing is sent yet."""
    settings, _ = installation.usable_settings()
    place = _place(settings, typed.url)
    password = password_from_stdin() if typed.password_stdin else typed.password
    username = typed.username or (settings.admin_username if password is not None else None)
    if password is not None and not username:
        raise click.UsageError("a password needs --username")
    identity = _identity(installation, settings, place, username, password, typed.token)
    if typed.url is not None and not typed.insecure:
        _refuse_plain_http(place)
    return Api(place, identity, _ask)


as_json = click.option("--json", "as_json", is_flag=True, help="Print the API's JSON.")


def password_from_stdin() -> str:
    """The first line of standard input."""
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.UsageError("there is no password on standard input")
    return line


def ask_password(question: str, *, twice: bool = False) -> str:
    """Have a password typed, hidden. Where there is no terminal, say how else to give it."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question}: no terminal to ask on; give it by --password-stdin")
    entered: str = click.prompt(question, hide_input=True, confirmation_prompt=twice, err=True)
    return entered


def local_url(settings: Settings) -> str:
    """Where this installation's own server listens, seen from this machine."""
    host = "127.0.0.1" if settings.host in _ANYWHERE else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _option(*names: str, **attributes: Any) -> Callable[..., Any]:
    return click.option(*names, **attributes)


def _place(settings: Settings, url: str | None) -> str:
    if url is None:
        return local_url(settings)
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        usable = usable and not ("@" in parts.netloc or parts.query or parts.fragment)
    except ValueError:
        usable = False
    if not usable:
        raise click.UsageError("--url must be like https://your.host, without name and password")
    return url.strip().rstrip("/")


def _identity(
    installation: Installation,
    settings: Settings,
    place: str,
    username: str | None,
    password: str | None,
    token: str | None,
) -> Identity:
    """What was typed; else the token of the environment; else this installation's admin.

    The admin's password goes to no other machine than this one and PUBLIC_URL.
    """
    if token is not None and (username or password):
        raise click.UsageError("give either --token or --username")
    if token is None and not username:
        token = _token_variable(installation)
    if token is not None:
        if not VISIBLE.fullmatch(token.strip()):
            raise click.UsageError("the service token is not one: it has no spaces, only ASCII")
        return Identity(token=Secret(token.strip()))
    if username is not None:
        kept = _kept_password(settings, place) if username == settings.admin_username else None
        given = Secret(password) if password is not None else kept
        return Identity(None, username, given, password is None and kept is not None)
    kept = _kept_password(settings, place)
    return Identity(None, settings.admin_username if kept else None, kept, kept is not None)


def _token_variable(installation: Installation) -> str | None:
    variables = installation.variables()
    if variables.get(TOKEN_VARIABLE):
        return variables[TOKEN_VARIABLE]
    file = variables.get(f"{TOKEN_VARIABLE}_FILE")
    if not file:
        return None
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{TOKEN_VARIABLE}_FILE: {file} cannot be read") from error


def _kept_password(settings: Settings, place: str) -> Secret | None:
    here = urlsplit(place)
    ours = [local_url(settings), settings.public_url or "", settings.twitch_webhook_callback_url]
    own = any((urlsplit(one).scheme, urlsplit(one).netloc) == here[:2] for one in ours)
    if settings.admin_password is None or not (own or here.hostname in LOOPBACK):
        return None
    return Secret(settings.admin_password.get_secret_value())


def _ask(url: str, identity: Identity) -> tuple[str, Secret]:
    """Name and password; what was not given is asked for."""
    if (identity.username is None or identity.password is None) and not sys.stdin.isatty():
        raise click.UsageError(
            f"who are you at {url}? Give --username and --password-stdin,"
            f" or a service token in {TOKEN_VARIABLE}"
        )
    username = identity.username or click.prompt(f"Admin's name at {url}", err=True)
    password = identity.password or Secret(ask_password(f"Password of {username}"))
    return username, password


def _refuse_plain_http(place: str) -> None:
    parts = urlsplit(place)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise click.UsageError(
            f"{place} would carry what you log in with unencrypted: use https, or --insecure"
            " where nobody can listen"
        )
