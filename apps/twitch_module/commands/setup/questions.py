"""What the wizard asks, and what it makes up where nothing is set."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from ...configuration import load_settings
from ...domain.access.credentials import password_fault
from ...errors import ConfigurationError
from ...settings import Settings
from ...vault import fernet_key
from ..installation import FOLLOWING_PUBLIC_URL, Installation, variables_of
from ..terminal import say
from .answer_checks import Outside
from .asking import WrongAnswer, ask, is_somebody_there, tell_wrong
from .bot import BOT_NAME, CHANNEL

_LOGIN = re.compile(r"[a-z0-9_]{1,25}")
_ADDRESSES = {
    "CONTEXT_API_URL": "Address of WaddleBot's context API",
    "REPUTATION_API_URL": "Address of WaddleBot's reputation API",
}
_ASKED = {"TWITCH_APP_ID", "TWITCH_APP_SECRET", "PUBLIC_URL", *_ADDRESSES, *FOLLOWING_PUBLIC_URL}
_ADMIN = "admin"


@dataclass(frozen=True)
class Answers:
    """The configuration that is wanted, and what of it has to be written."""

    settings: Settings
    bot: str
    channel: str
    new: dict[str, str]  # by variable: only what is not set to this already
    made_password: str | None  # the admin's, which has to be shown


class Interview:
    """Asks on the terminal, or on standard input where there is none."""

    def __init__(self, installation: Installation) -> None:
        """Raises ConfigurationError where something is wrong that is not asked for."""
        self._variables = installation.variables()
        self._usable, self._faulty = installation.usable_variables()
        self._before = load_settings(self._usable, None)
        self._given: dict[str, str] = {}
        self._generated = self._made_up()
        _refuse_others(installation, {*_ASKED, *self._generated})

    @property
    def settings(self) -> Settings:
        """The settings as far as they are known; the rest leads nowhere."""
        return load_settings({**self._usable, **self._given}, None)

    def ask_public_url(self) -> None:
        """Where the module is reached from outside, unless that is known."""
        if not {"PUBLIC_URL", *FOLLOWING_PUBLIC_URL} & self._faulty:
            return
        for name in FOLLOWING_PUBLIC_URL:  # they follow from the answer, unless they are set
            if name in self._faulty:
                self._usable.pop(name, None)
        question = "Address at which Twitch reaches this module (https://...)"
        url = ask(question, lambda text: self._checked("PUBLIC_URL", text.rstrip("/")))
        self._given["PUBLIC_URL"] = url
        if url.startswith("https://") and (fault := Outside(self.settings).why_not_reached(url)):
            say(f"  Nobody answers there yet: {fault}. A proxy with TLS has to: deploy/Caddyfile")

    def ask_application(self) -> None:
        """The client id and the secret that Twitch accepts. Raises SetupFailed."""
        client_id = self._ask_client_id(self._present("TWITCH_APP_ID"))
        secret = self._ask_secret(self._present("TWITCH_APP_SECRET"))
        while True:
            self._given |= {"TWITCH_APP_ID": client_id, "TWITCH_APP_SECRET": secret}
            refusal = Outside(self.settings).refusal()
            if refusal is None:
                return
            tell_wrong(refusal.told)
            if refusal.is_of_secret:
                secret = self._ask_secret(None)
            else:
                client_id = self._ask_client_id(None)

    def answers(self) -> Answers:
        """Ask the rest. Raises SetupFailed, and ConfigurationError when they do not fit."""
        outside = Outside(self.settings)
        for name, question in ((BOT_NAME, "bot"), (CHANNEL, "channel")):
            self._given[name] = ask(
                f"Login name of the {question}",
                lambda text: outside.known_login(_login(text)),
                default=self._variables.get(name),
            )
        for name, question in _ADDRESSES.items():
            if name in self._faulty:
                self._given[name] = ask(question, self._address(name, outside))
        made_password = self._ask_password()
        given = {**self._generated, **self._given}
        new = {name: value for name, value in given.items() if value != self._present(name)}
        settings = load_settings({**self._variables, **new}, None)
        return Answers(settings, given[BOT_NAME], given[CHANNEL], new, made_password)

    def _present(self, name: str) -> str | None:
        """What a variable is set to, also by a file; None when it is not, or wrongly."""
        if name.lower() not in Settings.model_fields:
            return self._variables.get(name)
        value = None if name in self._faulty else getattr(self._before, name.lower())
        return value.get_secret_value() if isinstance(value, SecretStr) else value

    def _checked(self, name: str, value: str) -> str:
        """The value, when the settings take it for this variable. Raises WrongAnswer."""
        try:
            load_settings({**self._usable, **self._given, name: value}, None)
        except ConfigurationError as error:
            for problem in error.problems:
                if name in variables_of(problem):
                    raise WrongAnswer(problem) from error
        return value

    def _ask_client_id(self, default: str | None) -> str:
        return ask("Client id", lambda text: self._checked("TWITCH_APP_ID", text), default=default)

    def _ask_secret(self, present: str | None) -> str:
        question = "Client secret (Enter keeps the present one)" if present else "Client secret"
        return ask(
            question,
            lambda text: self._checked("TWITCH_APP_SECRET", text or present or ""),
            default="" if present else None,
            show_default=False,
            is_secret=True,
        )

    def _address(self, name: str, outside: Outside) -> Callable[[str], str]:
        """A check of WaddleBot's address: its form, and whether anybody answers there."""
        refused_once: set[str] = set()

        def check(text: str) -> str:
            url = self._checked(name, text)
            fault = outside.why_not_reached(url)
            if fault is None or url in refused_once:
                return url
            if not is_somebody_there():
                say(f"  Nobody answers at {url} yet: {fault}")
                return url
            refused_once.add(url)
            raise WrongAnswer(f"{fault}. Enter it again to keep it, or another one")

        return check

    def _ask_password(self) -> str | None:
        """Have the admin's password chosen where none is set; the one that was made, if one was."""
        made = self._generated.get("ADMIN_PASSWORD")
        if made is None or not is_somebody_there():
            return made
        name = self._generated.get("ADMIN_USERNAME") or self._present("ADMIN_USERNAME") or _ADMIN
        chosen = ask(
            f"Password for {name} (Enter makes one)",
            lambda text: _good_password(text, name),
            default="",
            show_default=False,
            is_secret=True,
        )
        if chosen:
            self._generated["ADMIN_PASSWORD"] = chosen
        return None if chosen else made

    def _made_up(self) -> dict[str, str]:
        """Secrets for what is not set; not for what is set wrongly."""
        kept = self._before.data_dir / "token.key"  # what the service has encrypted with
        made = {
            "TWITCH_WEBHOOK_SECRET": secrets.token_hex(32),
            "ADMIN_USERNAME": _ADMIN,
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


def _login(entered: str) -> str:
    login = entered.removeprefix("@").lower()
    if not _LOGIN.fullmatch(login):
        raise WrongAnswer("A login name has letters, digits and _, 25 at most")
    return login


def _good_password(entered: str, name: str) -> str:
    if entered and (fault := password_fault(entered, name)):
        raise WrongAnswer(f"It {fault}")
    return entered
