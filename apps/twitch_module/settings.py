"""The configuration: the only reader of the environment.

Every value comes from an environment variable of the same name in capitals, or from the
file that `NAME_FILE` names, or from `.env` beside the Makefile; the environment wins.
"""

import base64
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from .domain.access.credentials import normal_username
from .domain.delivery.reputation_contract import ContractName
from .domain.events.points import BadPolicy, Policy, amended, default_policy
from .errors import ConfigurationError
from .wrong_values import in_plain_words

APP_FOLDER = Path(__file__).resolve().parent
# A checkout has its own `.env` and data; where the package is installed, the folder that it is
# called in has them.
_CHECKOUT = (APP_FOLDER.parent.parent / "pyproject.toml").is_file()
DOTENV = (APP_FOLDER.parent.parent if _CHECKOUT else Path.cwd()) / ".env"
DATA_FOLDER = (APP_FOLDER if _CHECKOUT else Path.cwd()) / "data"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

# To read and write chat and whispers as the bot, and to moderate: by IRC (chat:read, chat:edit,
# whispers:...) as well as by Twitch's API. Source: Twitch, "Scopes".
BOT_SCOPES = (
    "chat:read chat:edit channel:moderate moderator:manage:chat_messages"
    " moderator:manage:banned_users moderator:read:followers whispers:edit whispers:read"
    " user:manage:whispers user:bot user:read:chat user:write:chat"
)

Text = Annotated[str, Field(min_length=1, max_length=2000)]


def _absolute_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none, half an IPv6 address
        usable = False
    if not usable or not value.isprintable() or " " in value:
        raise ValueError("must be an address that begins with https:// or http://")
    return value


def _without_query(value: str) -> str:
    """The address as others are made of it: something is put behind it."""
    if "?" in value or "#" in value:
        raise ValueError("must be an address without ? and #")
    return _absolute_url(value).rstrip("/")


def _callable_for_twitch(value: str) -> str:
    url = urlsplit(_absolute_url(value))
    public = url.scheme == "https" and url.port in (None, 443)
    if not public and url.hostname not in LOOPBACK:
        raise ValueError("must be https on port 443: Twitch calls no other")
    return value


class Settings(BaseModel):
    """What the operator has set. Frozen; secrets do not show in its repr."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, arbitrary_types_allowed=True
    )

    # The Twitch application (dev.twitch.tv/console/apps).
    twitch_app_id: Text
    twitch_app_secret: SecretStr
    # Signs and checks EventSub messages: 10 to 100 ASCII characters. The previous one stays
    # valid for messages of subscriptions that were made with it.
    twitch_webhook_secret: SecretStr
    twitch_webhook_secret_previous: SecretStr | None = None
    # Where this module is reached from outside; the two addresses below follow from it.
    public_url: str | None = None
    twitch_webhook_callback_url: str
    twitch_redirect_uri: str
    # Scopes to ask streamers for beyond those that the event types need, with spaces between.
    twitch_scopes: str = ""
    # What the bot's own account is asked for by `cli setup`, with spaces between.
    twitch_bot_scopes: str = BOT_SCOPES
    twitch_api_url: str = "https://api.twitch.tv/helix"
    twitch_auth_url: str = "https://id.twitch.tv/oauth2"

    # WaddleBot's own APIs, and how we show who we are there.
    reputation_contract: ContractName = "core"
    context_api_url: str | None = None
    reputation_api_url: str | None = None
    # WaddleBot's core: this module registers there; the router is there.
    core_api_url: str | None = None
    # Where an activation key goes that came with a streamer's login.
    gateway_activate_url: str | None = None
    waddlebot_api_key: SecretStr | None = None
    waddlebot_basic_auth: SecretStr | None = None
    # Which field of an event is the user's name at WaddleBot.
    identity_name_field: Literal["user_name", "user_login", "user_id"] = "user_name"

    # Where data is kept: a relative SQLite file lies in data_dir, as do generated keys.
    db_uri: SecretStr = SecretStr("sqlite://storage.db")
    data_dir: Path = DATA_FOLDER
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["logfmt", "json"] = "logfmt"

    # The first admin, whose password follows this one.
    admin_username: str | None = None
    admin_password: SecretStr | None = None
    jwt_secret: SecretStr | None = None
    # Fernet keys, with commas between: the first encrypts tokens, all decrypt.
    token_encryption_keys: SecretStr | None = None

    # Proxies before us, whose X-Forwarded-For is believed: addresses and networks.
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()

    # Connections that one address (a /64 of IPv6) may have to a web process; but for proxies.
    connections_per_address: int = Field(256, ge=1, le=65536)

    # What ACTIVITY_POINTS (JSON) or POINTS_FILE (TOML) make of the default policy.
    points: Policy

    # The server, and the delivery that runs inside it unless worker is "off".
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    workers: int = Field(1, ge=1, le=64)
    worker: Literal["on", "off"] = "on"
    delivery_concurrency: int = Field(32, ge=1, le=256)
    # Days after which events, with their activities, are forgotten.
    retention_days: int = Field(90, ge=7, le=36500)
    # Seconds between comparisons of all subscriptions with Twitch's list.
    reconcile_seconds: int = Field(600, ge=1, le=86400)

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("twitch_webhook_secret", "twitch_webhook_secret_previous")
    @classmethod
    def _secret_twitch_accepts(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            text = value.get_secret_value()
            if not (10 <= len(text) <= 100 and text.isascii()):
                raise ValueError("must be 10 to 100 ASCII characters")
        return value

    @field_validator("twitch_bot_scopes")
    @classmethod
    def _scopes(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z_:]+( +[a-z_:]+)*", value):
            raise ValueError("must be scopes as Twitch spells them, with spaces between")
        return value

    @field_validator("twitch_app_secret")
    @classmethod
    def _not_empty(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value():
            raise ValueError("must not be empty")
        return value

    @field_validator("jwt_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < 32:
            raise ValueError("must be at least 32 bytes (RFC 7518, 3.2)")
        return value

    @field_validator("token_encryption_keys")
    @classmethod
    def _fernet_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                keys = [
                    base64.urlsafe_b64decode(key) for key in value.get_secret_value().split(",")
                ]
            except ValueError:
                keys = []
            if not keys or {len(key) for key in keys} != {32}:
                raise ValueError(
                    "must be Fernet keys with commas between: each 32 bytes in URL-safe base64"
                )
        return value

    @field_validator("admin_username")
    @classmethod
    def _possible_name(cls, value: str | None) -> str | None:
        if value is not None and normal_username(value) is None:
            raise ValueError("must be 1 to 100 printable characters")
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            networks = tuple(ip_network(part.strip()) for part in value.split(","))
        except ValueError:
            raise ValueError("must be addresses or networks, with commas between") from None
        if any(network.prefixlen == 0 for network in networks):
            raise ValueError("must not be everybody: then anyone could write any address")
        return networks

    @field_validator("admin_password")
    @classmethod
    def _not_guessable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not 12 <= len(value.get_secret_value()) <= 1000:
            raise ValueError("must be 12 to 1000 characters")
        return value

    @field_validator(
        "twitch_redirect_uri", "context_api_url", "reputation_api_url", "gateway_activate_url"
    )
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        return value if value is None else _absolute_url(value)

    @field_validator("public_url", "twitch_api_url", "twitch_auth_url", "core_api_url")
    @classmethod
    def _base_url(cls, value: str | None) -> str | None:
        return value if value is None else _without_query(value)

    @field_validator("waddlebot_basic_auth")
    @classmethod
    def _user_and_password(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and ":" not in value.get_secret_value():
            raise ValueError("must be user:password")
        return value

    @field_validator("db_uri")
    @classmethod
    def _database(cls, value: SecretStr) -> SecretStr:
        uri = value.get_secret_value()
        known = ("sqlite://", "postgres://", "postgresql://")
        if not uri.startswith(known) or uri.endswith("://"):
            raise ValueError("must be sqlite://file or postgres://user:password@host/database")
        return value

    @field_validator("twitch_webhook_callback_url")
    @classmethod
    def _reachable_for_twitch(cls, value: str) -> str:
        return _callable_for_twitch(value)

    @property
    def activity_url(self) -> str:
        """Where activities go, by the contract; load_settings has seen to it that it is set."""
        if self.reputation_contract == "router":
            return f"{self.core_api_url}/router/events"
        return self.reputation_api_url or ""

    @property
    def login_url(self) -> str:
        """The link by which a streamer logs in, on the host that Twitch knows us by."""
        return self.twitch_redirect_uri.partition("/twitch/auth/")[0] + "/twitch/auth/login"

    @property
    def connected_url(self) -> str:
        """Where a streamer's browser ends after its login, with nothing of it in the address."""
        return self.login_url.removesuffix("login") + "connected"

    @property
    def encryption_keys(self) -> tuple[str, ...]:
        """The keys for the vault; the first encrypts. Empty when one is to be generated."""
        keys = self.token_encryption_keys
        return tuple(key.strip() for key in keys.get_secret_value().split(",")) if keys else ()

    @property
    def webhook_secrets(self) -> tuple[bytes, ...]:
        """The secrets that a message may be signed with; the current one first."""
        secrets = (self.twitch_webhook_secret, self.twitch_webhook_secret_previous)
        return tuple(secret.get_secret_value().encode() for secret in secrets if secret)


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
