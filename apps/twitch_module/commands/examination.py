"""What the doctor's checks have in common: what they work on, and what they find."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from ..clients.http import HTTPClient
from ..clients.twitch import AppCredential, TwitchClient
from ..clients.twitch_auth import TwitchAuth
from ..domain.catalogue import types_in_use
from ..domain.channel_rules import types_of, usable_policy
from ..errors import DatabaseUnavailable, ModuleError
from ..models import channels
from ..models.channels import Channel
from ..models.database import Database
from ..models.migrations import VERSION, schema_version
from ..models.tokens import TokenRow, list_all
from ..settings import Settings

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
        self.http = HTTPClient(4)
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
        self._need_tables()
        with self.database.transaction(write=False) as transaction:
            return list_all(transaction)

    @cached_property
    def channels(self) -> list[Channel]:
        """The channels that are monitored now. Raises NotChecked."""
        self._need_tables()
        with self.database.transaction(write=False) as transaction:
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
