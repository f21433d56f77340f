"""The settings: what each may be, and what follows from them.

configuration.py reads them.
"""

import base64
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
)

from .domain.access.credentials import normal_username
from .domain.delivery.reputation_contract import ContractName
from .domain.points.policy import Policy

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
    except ValueError:  # not a port number, or half an IPv6 address
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
    # The bot's own account, by its login: `cli setup` writes it, and it gets no points.
    twitch_bot_name: str = ""
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
