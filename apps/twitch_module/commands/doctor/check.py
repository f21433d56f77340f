"""What the doctor's checks have in common: what they work on, and what they find."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from ...clients.http import HTTPClient
from ...clients.twitch import AppCredential, TwitchClient
from ...clients.twitch_auth import AnotherApplication, TwitchAuth
from ...domain.events.catalogue import types_in_use
from ...domain.subscriptions.channel_rules import types_of, usable_policy
from ...domain.tokens.oauth import Validation
from ...errors import ConfigurationError, DatabaseUnavailable, ModuleError
from ...keys import generated_key
from ...models.database import Database
from ...models.migrations import VERSION, schema_version
from ...models.subscriptions import channels
from ...models.subscriptions.channels import Channel
from ...models.tokens.tokens import NEEDS_LOGIN, TokenRow, list_all
from ...models.transaction import Transaction
from ...services.tokens.user_tokens import UserTokens
from ...settings import Settings
from ...vault import CannotOpen, Vault, fernet_key

# What Twitch says of a token: None when it refuses it.
Said = Validation | AnotherApplication | None

_CALLS_AT_ONCE = 4

OK, WARNING, WRONG = "ok", "warning", "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to, and what to do about it."""

    check: str
    result: str
    detail: str
    advice: str = ""


class NotChecked(Exception):
    """The check cannot be made before something else is mended."""


class Examination:
    """An installation under examination. The parts are made when a check asks for them."""

    def __init__(self, settings: Settings, faulty: Iterable[str], bot_name: str) -> None:
        """`faulty` are the variables whose value in `settings` is not the operator's."""
        self.settings = settings
        self.bot_name = bot_name.lower()
        self._faulty = frozenset(faulty)
        self.http = HTTPClient(_CALLS_AT_ONCE)
        self.auth = TwitchAuth(self.http, settings)
        self.twitch = TwitchClient(self.http, settings, AppCredential(self.auth))
        self.event_types = types_in_use(settings.points.rules)

    def need(self, *variables: str) -> None:
        """Raises NotChecked unless all of these can be used."""
        for name in variables:
            if name in self._faulty:
                raise NotChecked(f"{name} has to be set right first")

    @property
    def database(self) -> Database:
        """The database. Raises DatabaseUnavailable, ConfigurationError, NotChecked."""
        self.need("DB_URI", "DATA_DIR")
        if isinstance(self._opened, ModuleError):
            raise self._opened
        return self._opened

    @cached_property
    def _opened(self) -> Database | ModuleError:
        """Tried once: a database that is away takes its time to say so."""
        uri, folder = self.settings.db_uri.get_secret_value(), self.settings.data_dir
        if uri.startswith("sqlite://") and not (folder / uri.removeprefix("sqlite://")).exists():
            # Opening it would create it.
            return DatabaseUnavailable("there is no database yet: the first start makes it")
        try:
            return Database(uri, folder)
        except ModuleError as error:
            return error

    @cached_property
    def users(self) -> list[TokenRow]:
        """Everybody who has logged in. Raises NotChecked."""
        with self.tables() as transaction:
            return list_all(transaction)

    @cached_property
    def vault(self) -> Vault | None:
        """The keys of the stored tokens, None where there is none. Raises NotChecked,
        ConfigurationError."""
        self.need("TOKEN_ENCRYPTION_KEYS")
        folder, keys = self.settings.data_dir, self.settings.encryption_keys
        if not keys and not (folder / "token.key").exists():
            return None  # asking for it would make one
        return Vault(keys or [fernet_key(generated_key(folder, "token.key"))])

    @cached_property
    def tokens(self) -> UserTokens | None:
        """The tokens with the keys to open them, None where there is no key. Raises as `vault`."""
        vault = self.vault
        return None if vault is None else UserTokens(self.database, vault, self.auth)

    def said_of(self, user: TokenRow) -> Said:
        """What Twitch says now of a user's token. Raises NotChecked, TwitchUnavailable."""
        if isinstance(self._said, Exception):
            raise self._said
        return self._said[user.user_id]

    @cached_property
    def _said(self) -> dict[str, Said] | NotChecked | ModuleError:
        """By user id, for all whose tokens should live. Asked once, also where that fails."""
        alive = [user for user in self.users if user.status != NEEDS_LOGIN]
        said: dict[str, Said] = {}
        try:
            self.need("TWITCH_APP_ID", "TWITCH_AUTH_URL")
            with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
                # In groups: when Twitch does not answer, the rest is not asked about.
                for start in range(0, len(alive), _CALLS_AT_ONCE):
                    group = alive[start : start + _CALLS_AT_ONCE]
                    answers = pool.map(self._ask_twitch, group)
                    said |= {user.user_id: one for user, one in zip(group, answers, strict=True)}
        except (CannotOpen, ConfigurationError):
            return NotChecked("the encryption keys have to open the tokens first")
        except (NotChecked, ModuleError) as error:
            return error
        return said

    def _ask_twitch(self, user: TokenRow) -> Said:
        if self.tokens is None:
            raise CannotOpen
        try:
            return self.tokens.ask_twitch(user)
        except AnotherApplication as error:
            return error

    @cached_property
    def channels(self) -> list[Channel]:
        """The channels that are monitored now. Raises NotChecked."""
        with self.tables() as transaction:
            return [one for one in channels.list_all(transaction) if one.is_active]

    def types(self, channel: Channel) -> tuple[str, ...]:
        """The event types that a channel should have."""
        policy = usable_policy(self.settings.points, channel.points)
        return types_of(policy, channel.event_types)

    @cached_property
    def schema(self) -> int:
        """The schema's version; 0 when there is none. Raises DatabaseUnavailable."""
        try:
            return schema_version(self.database)
        except Exception as error:  # the drivers say it in their own ways, wrapped or not
            if "twitch_schema" in f"{error} {error.__cause__}":
                return 0
            if isinstance(error, DatabaseUnavailable):
                raise self.database.explained(error) from error
            raise

    @contextmanager
    def tables(self) -> Iterator[Transaction]:
        """A transaction that reads the tables. Raises NotChecked, DatabaseUnavailable."""
        self._need_tables()
        with self.database.transaction(write=False) as transaction:
            yield transaction

    def _need_tables(self) -> None:
        try:
            found = self.schema
        except ModuleError as error:
            raise NotChecked("the database has to answer first") from error
        if found != VERSION:
            raise NotChecked("the database has to be brought up to date first")


Check = Callable[[Examination], Iterable[Finding]]


def carry_out(name: str, check: Check, examination: Examination) -> list[Finding]:
    """What a check finds, under its name; a check that cannot be made says why."""
    try:
        return list(check(examination))
    except NotChecked as reason:
        return [Finding(name, WARNING, f"not checked: {reason}")]
    except ModuleError as error:
        advice = "Try again in a moment" if error.retryable else "Mend this first"
        return [Finding(name, WRONG, str(error), advice)]
