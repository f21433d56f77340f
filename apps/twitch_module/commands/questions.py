"""What the wizard asks, and what it makes up where nothing is set."""

import re
import secrets
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

import click
from pydantic import SecretStr

from ..errors import ConfigurationError
from ..settings import LOOPBACK, Settings, load_settings
from ..vault import fernet_key
from .bot import BOT_NAME, CHANNEL
from .installation import FOLLOWING_PUBLIC_URL, Installation, variables_of
from .terminal import say

_LOGIN = re.compile(r"[a-z0-9_]{1,25}")
_ADDRESSES = {
    "CONTEXT_API_URL": "Address of WaddleBot's context API",
    "REPUTATION_API_URL": "Address of WaddleBot's reputation API",
}
_ASKED = {"TWITCH_APP_ID", "TWITCH_APP_SECRET", "PUBLIC_URL", *_ADDRESSES, *FOLLOWING_PUBLIC_URL}


@dataclass(frozen=True)
class Answers:
    """The configuration that is wanted, and what of it has to be written."""

    settings: Settings
    bot: str
    channel: str
    new: dict[str, str]  # by variable: only what is not set to this already


class Interview:
    """Asks on the terminal, or on standard input where there is none."""

    def __init__(self, installation: Installation) -> None:
        """Raises ConfigurationError where something is wrong that is not asked for."""
        self._variables = installation.variables()
        self._settings, self._faulty = installation.usable_settings()
        self._generated = self._made_up()
        _refuse_others(installation, {*_ASKED, *self._generated})

    def answers(self) -> Answers:
        """Ask everything. Raises ConfigurationError when the answers do not fit together."""
        given = {
            "TWITCH_APP_ID": self._ask_client_id(),
            "TWITCH_APP_SECRET": self._ask_secret(),
            BOT_NAME: _ask_login("Login name of the bot", self._variables.get(BOT_NAME)),
            CHANNEL: _ask_login("Login name of the channel", self._variables.get(CHANNEL)),
            **self._ask_addresses(),
            **self._generated,
        }
        new = {name: value for name, value in given.items() if value != self._present(name)}
        settings = load_settings({**self._variables, **new}, None)
        return Answers(settings, given[BOT_NAME], given[CHANNEL], new)

    def _present(self, name: str) -> str | None:
        """What a variable is set to, also by a file; None when it is not, or wrongly."""
        if name.lower() not in Settings.model_fields:
            return self._variables.get(name)
        value = None if name in self._faulty else getattr(self._settings, name.lower())
        return value.get_secret_value() if isinstance(value, SecretStr) else value

    def _ask_client_id(self) -> str:
        entered: str = click.prompt("Client id", default=self._present("TWITCH_APP_ID"))
        return entered.strip()

    def _ask_secret(self) -> str:
        present = self._present("TWITCH_APP_SECRET")
        question = "Client secret (Enter keeps the present one)" if present else "Client secret"
        entered: str = click.prompt(
            question,
            default="" if present else None,
            show_default=False,
            hide_input=sys.stdin.isatty(),  # elsewhere there is no echo to hide
        )
        return entered.strip() or present or ""

    def _ask_addresses(self) -> dict[str, str]:
        """Where the module and WaddleBot are, as far as that is not known."""
        given = {}
        public = {"PUBLIC_URL", *FOLLOWING_PUBLIC_URL} & self._faulty
        if public:
            question = "Address at which Twitch reaches this module (https://...)"
            given["PUBLIC_URL"] = click.prompt(question, value_proc=_public_address)
        for name, question in _ADDRESSES.items():
            if name in self._faulty:
                given[name] = click.prompt(question, value_proc=_address)
        return given

    def _made_up(self) -> dict[str, str]:
        """Secrets for what is not set; not for what is set wrongly."""
        folder = self._settings.data_dir
        kept = folder / "token.key"  # what the service has generated, and encrypted with
        made = {
            "TWITCH_WEBHOOK_SECRET": secrets.token_hex(32),
            "ADMIN_USERNAME": "admin",
            "ADMIN_PASSWORD": secrets.token_urlsafe(18),
            "TOKEN_ENCRYPTION_KEYS": fernet_key(
                kept.read_text().strip() if kept.exists() else secrets.token_hex(32)
            ),
        }
        return {
            name: value
            for name, value in made.items()
            if not self._variables.get(name) and not self._variables.get(f"{name}_FILE")
        }


def _refuse_others(installation: Installation, mended_here: set[str]) -> None:
    try:
        installation.settings()
    except ConfigurationError as error:
        others = [text for text in error.problems if not mended_here & set(variables_of(text))]
        if others:
            raise ConfigurationError(others) from error


def tell_what_hides(installation: Installation, new: dict[str, str]) -> None:
    """Name what was written in vain: the environment wins over the file."""
    hidden = [name for name in new if installation.environ.get(name)]
    if hidden:
        say(f"Change {', '.join(hidden)} in the environment too: it wins over the file")


def _ask_login(question: str, default: str | None) -> str:
    name: str = click.prompt(question, default=default, value_proc=_login)
    return name


def _login(entered: str) -> str:
    login = entered.strip().removeprefix("@").lower()
    if not _LOGIN.fullmatch(login):
        raise click.UsageError("a login name has letters, digits and _, 25 at most")
    return login


def _address(entered: str) -> str:
    entered = entered.strip()
    if urlsplit(entered).scheme not in ("http", "https") or not urlsplit(entered).hostname:
        raise click.UsageError("an address begins with https:// or http://")
    return entered


def _public_address(entered: str) -> str:
    parts = urlsplit(_address(entered))
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise click.UsageError("Twitch calls https only")
    return entered.strip().rstrip("/")
