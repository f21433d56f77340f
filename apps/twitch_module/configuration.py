"""Reading the configuration: from the environment, from files that it names, from `.env`.

Every value comes from an environment variable of the same name in capitals, or from the
file that `NAME_FILE` names, or from `.env` beside the Makefile; the environment wins.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError

from .domain.points.policy import Policy, default_policy
from .domain.points.policy_reading import BadPolicy, amended
from .errors import ConfigurationError
from .settings import DOTENV, Settings
from .wrong_values import in_plain_words

# Where a streamer's browser and Twitch find us below PUBLIC_URL.
_PATHS = {
    "twitch_webhook_callback_url": "/twitch/webhook",
    "twitch_redirect_uri": "/twitch/auth/callback",
}
# Which addresses each contract needs.
_ADDRESSES = {
    "core": ("context_api_url", "reputation_api_url"),
    "reputation_module": ("reputation_api_url",),
    "router": ("core_api_url",),
}


def load_settings(environ: Mapping[str, str], dotenv: Path | None = DOTENV) -> Settings:
    """The settings in this environment. Raises ConfigurationError that names every problem."""
    problems: list[str] = []
    layers = [environ]
    if environ.get("SANDBOX") != "1":  # the demo has all it needs, and must not meet real secrets
        layers.append(read_dotenv(dotenv, problems))
    given: dict[str, Any] = {}
    for field in Settings.model_fields:
        if field != "points":
            value = _value(field.upper(), layers, problems)
            if value is not None:
                given[field] = value
    following = [field for field in _PATHS if "public_url" in given and field not in given]
    for field in following:
        given[field] = given["public_url"].strip().rstrip("/") + _PATHS[field]
    given["points"] = _read_points(layers, problems)
    problems += _contract_problems(given)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems += _problems(error, given, following)
    if problems:
        raise ConfigurationError(problems)
    return settings


def _contract_problems(given: Mapping[str, Any]) -> list[str]:
    """What of WaddleBot's addresses is missing, or one too many."""
    contract = given.get("reputation_contract", "core")
    why = "" if contract == "core" else f" (REPUTATION_CONTRACT={contract} needs it)"
    problems = [
        f"{field.upper()} is missing{why}"
        for field in _ADDRESSES.get(contract, ())
        if field not in given
    ]
    if contract == "router" and "reputation_api_url" in given:
        problems.append(
            "REPUTATION_API_URL must not be set with REPUTATION_CONTRACT=router:"
            " the router calls that API itself, and all points would count twice"
        )
    return problems


def read_dotenv(path: Path | None, problems: list[str]) -> dict[str, str]:
    """What a `.env` sets; when it cannot be read, that becomes one of the problems."""
    if path is None or not path.is_file():
        return {}
    try:
        found = dotenv_values(path, interpolate=False)  # a $ in a password is a $
    except (OSError, ValueError) as error:
        problems.append(f"{path.name} cannot be read: {_reason(error)}")
        return {}
    return {name: value for name, value in found.items() if value}


def _reason(error: OSError | ValueError) -> str:
    said = error.strerror if isinstance(error, OSError) else None
    return said or "it is not text in UTF-8"


def _value(name: str, layers: list[Mapping[str, str]], problems: list[str]) -> str | None:
    """The variable, or what stands in the file that NAME_FILE names; the first layer wins."""
    for layer in layers:
        if layer.get(name):
            return layer[name]
        if path := layer.get(f"{name}_FILE"):
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as error:
                problems.append(f"{name}_FILE: {path} cannot be read: {_reason(error)}")
                return None
    return None


def _read_points(layers: list[Mapping[str, str]], problems: list[str]) -> Policy:
    text = _value("ACTIVITY_POINTS", layers, problems)
    file = next((layer["POINTS_FILE"] for layer in layers if layer.get("POINTS_FILE")), None)
    policy = default_policy()
    try:
        if text and file:
            raise BadPolicy(["ACTIVITY_POINTS and POINTS_FILE are both set; use one"])
        if text:
            policy = amended(policy, _json_object(text), "ACTIVITY_POINTS")
        if file:
            policy = amended(policy, _toml(Path(file)), Path(file).name)
    except BadPolicy as error:
        problems += error.problems
    return policy


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadPolicy([f"ACTIVITY_POINTS is not JSON: {error}"]) from error
    if not isinstance(value, dict):
        raise BadPolicy(["ACTIVITY_POINTS must be a JSON object"])
    return value


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadPolicy([f"POINTS_FILE {path} cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        raise BadPolicy([f"POINTS_FILE {path} is not TOML: {error}"]) from error


def _problems(
    error: ValidationError, given: Mapping[str, Any], following: Sequence[str]
) -> list[str]:
    """One line for a fault, without the value where it may be a secret.

    What is wrong with an address of those `following` from PUBLIC_URL is PUBLIC_URL's fault.
    """
    found: dict[str, str] = {}
    for fault in error.errors(include_input=False):
        field = str(fault["loc"][0])
        if fault["type"] == "missing":
            words = "is missing"
            words += " (PUBLIC_URL would do as well)" if field in _PATHS else ""
        else:
            words = in_plain_words(fault, Settings.model_fields[field], given.get(field))
        found.setdefault("public_url" if field in following else field, words)
    return [f"{field.upper()} {words}" for field, words in found.items()]
