"""The installation that a command works on: its environment, and the `.env` below that."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..common import Services, build
from ..configuration import load_settings
from ..errors import ConfigurationError
from ..settings import Settings
from . import env_file

# In place of required values that are missing or wrong, so that the rest can be looked at.
_STAND_INS = {
    "TWITCH_APP_ID": "not-set",
    "TWITCH_APP_SECRET": "not-set",
    "TWITCH_WEBHOOK_SECRET": "not-set-at-all",
    "TWITCH_WEBHOOK_CALLBACK_URL": "https://not-set.invalid/twitch/webhook",
    "TWITCH_REDIRECT_URI": "https://not-set.invalid/twitch/auth/callback",
    "CONTEXT_API_URL": "https://not-set.invalid/context",
    "REPUTATION_API_URL": "https://not-set.invalid/reputation",
}
FOLLOWING_PUBLIC_URL = ("TWITCH_WEBHOOK_CALLBACK_URL", "TWITCH_REDIRECT_URI")
_POINTS = ("ACTIVITY_POINTS", "POINTS_FILE")


@dataclass(frozen=True)
class Installation:
    """Where the configuration comes from."""

    environ: Mapping[str, str]
    env_file: Path

    def settings(self) -> Settings:
        """The settings. Raises ConfigurationError."""
        return load_settings(self.environ, self.env_file)

    def services(self) -> Services:
        """The services on a database of this version. Raises ConfigurationError and others."""
        return services_on(self.settings())

    def variables(self) -> dict[str, str]:
        """Every variable of the environment, and those of `.env` that it does not hide."""
        below = {} if self.environ.get("SANDBOX") == "1" else env_file.read(self.env_file)
        variables = dict(self.environ)
        for name, value in below.items():
            plain = name.removesuffix("_FILE")
            if not self.environ.get(plain) and not self.environ.get(f"{plain}_FILE"):
                variables[name] = value
        return variables

    def usable_settings(self) -> tuple[Settings, frozenset[str]]:
        """Settings as far as they can be used, and the variables that cannot.

        Those have their default there, or a stand-in that leads nowhere.
        """
        variables, faulty = self.usable_variables()
        return load_settings(variables, None), faulty

    def usable_variables(self) -> tuple[dict[str, str], frozenset[str]]:
        """The variables that make those settings, and those that are not as they should be."""
        variables = self.variables()
        try:
            load_settings(variables, None)
            return variables, frozenset()
        except ConfigurationError as error:
            faulty = {name for text in error.problems for name in variables_of(text)}
        if "PUBLIC_URL" in faulty:  # without it these are missing, unless they are set
            faulty |= {name for name in FOLLOWING_PUBLIC_URL if not _is_set(variables, name)}
        for name in faulty:
            variables.pop(name, None)
            variables.pop(f"{name}_FILE", None)
            if name in _STAND_INS:
                variables[name] = _STAND_INS[name]
        return variables, frozenset(faulty)


def _is_set(variables: Mapping[str, str], name: str) -> bool:
    return bool(variables.get(name) or variables.get(f"{name}_FILE"))


def services_on(settings: Settings) -> Services:
    """Services whose log stays silent below an error: a command says itself what it does."""
    return build(settings.model_copy(update={"log_level": "ERROR"}))


def variables_of(problem: str) -> tuple[str, ...]:
    """Which variables a problem of ConfigurationError is about."""
    name = problem.split()[0].rstrip(":").removesuffix("_FILE")
    return (name,) if name.lower() in Settings.model_fields and name != "POINTS" else _POINTS
