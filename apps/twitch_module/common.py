"""The long-lived objects: the one place that builds them and decides which ones there are."""

import atexit
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Protocol
from urllib.parse import urlencode

import structlog

from .clients.http import HTTPClient
from .clients.port_probe import is_listening
from .clients.twitch import AppCredential, TwitchClient
from .clients.twitch_auth import TwitchAuth
from .clients.waddlebot import WaddleBotClient
from .domain.delivery.reputation_contract import CONTRACTS
from .domain.events.catalogue import scopes_for, types_in_use
from .domain.events.eventsub import secret_id
from .domain.subscriptions.subscription import Ours
from .errors import ConfigurationError, ModuleError
from .keys import generated_key
from .logs import configure_logs
from .models.database import Database
from .models.migrations import migrate
from .services.access.access_tokens import AccessTokens
from .services.access.admin_auth import AdminAuth
from .services.access.admin_users import AdminUsers
from .services.access.audit import Audit
from .services.access.login_throttle import LoginThrottle
from .services.access.passwords import Passwords
from .services.access.service_secrets import ServiceSecrets, signing_key
from .services.access.service_tokens import ServiceTokens
from .services.delivery.registration import Registration
from .services.delivery.worker import DeliveryWorker
from .services.events.monitored_channels import Roster
from .services.events.webhooks import WebhookReceiver
from .services.heartbeat import Heartbeat
from .services.retention import Retention
from .services.subscriptions.backfill import Backfill
from .services.subscriptions.channels import Channels
from .services.subscriptions.reconciler import Reconciler
from .services.subscriptions.subscriber import Subscriber
from .services.subscriptions.subscription_upkeep import SubscriptionUpkeep
from .services.subscriptions.subscriptions import Subscriptions
from .services.tokens.logins import Logins
from .services.tokens.token_upkeep import Upkeep
from .services.tokens.user_tokens import Tokens
from .settings import Settings, load_settings
from .vault import CannotOpen, Vault, fernet_key

# A process ends within ten seconds, whoever does not answer: first the calls out, then what waits
# for the database. Supervisors would kill it, and receipts would be lost.
CALL_SECONDS_AT_STOP = 3.0
STOP_SECONDS = 6.0


class Work(Protocol):
    """What goes on on threads of its own."""

    def start(self) -> None:
        """Begin. Does not block."""

    def begin_stop(self) -> None:
        """End soon. Does not block."""

    def wait(self, seconds: float) -> None:
        """Wait for the end, so long at most."""


log = structlog.get_logger("process")


@dataclass(frozen=True)
class Services:
    """What the controllers and the worker work with."""

    settings: Settings
    database: Database
    receiver: WebhookReceiver
    delivery: DeliveryWorker
    channels: Channels
    roster: Roster
    reconciler: Reconciler
    subscriptions: Subscriptions
    backfill: Backfill
    subscription_upkeep: SubscriptionUpkeep
    retention: Retention
    auth: TwitchAuth
    twitch: TwitchClient
    tokens: Tokens
    logins: Logins
    upkeep: Upkeep
    admin_auth: AdminAuth
    admin_users: AdminUsers
    service_tokens: ServiceTokens
    audit: Audit
    heartbeat: Heartbeat
    registration: Registration | None  # None without CORE_API_URL
    http_clients: tuple[HTTPClient, ...]

    def start_work(self) -> None:
        """Begin to deliver, and to look after tokens and subscriptions, on own threads."""
        for work in self._works():
            work.start()

    def begin_stop(self) -> None:
        """Take up no new work, and cut calls out that hang. Does not block."""
        for client in self.http_clients:
            client.wind_down(CALL_SECONDS_AT_STOP)
        for work in reversed(self._works()):
            work.begin_stop()

    def stop_work(self) -> None:
        """End the work; waits for what is on its way, for six seconds at most."""
        self.begin_stop()
        ends = time.monotonic() + STOP_SECONDS
        for work in reversed(self._works()):
            work.wait(max(0.0, ends - time.monotonic()))

    def stop(self) -> None:
        """End everything; the last line of the log says so."""
        self.stop_work()
        self.receiver.tell_refusals()
        log.info("stopped", process=os.getpid())

    def _works(self) -> "tuple[Work, ...]":
        works: tuple[Work, ...] = (
            self.delivery,
            self.upkeep,
            self.subscription_upkeep,
            self.retention,
            self.heartbeat,
        )
        return (*works, self.registration) if self.registration else works


@cache
def services() -> Services:
    """The services of this process, built at first use, on a database of this version.

    Raises ConfigurationError or DatabaseUnavailable.
    """
    return build(load_settings(os.environ))


def build(settings: Settings, *, receives: bool = True) -> Services:
    """Services on these settings. Brings the database's schema up to date; starts no thread.

    `receives`: whether this process takes webhooks, which deliveries are not to hold up.
    """
    configure_logs(settings.log_level, settings.log_format)
    database = Database(settings.db_uri.get_secret_value(), settings.data_dir)
    migrate(database)
    vault = Vault(
        settings.encryption_keys or [fernet_key(generated_key(settings.data_dir, "token.key"))]
    )
    # Each call that is under way competes for Python's lock with the webhooks.
    concurrency = settings.delivery_concurrency
    if receives:
        concurrency = max(concurrency // 2, 1)
    waddlebot_http = HTTPClient(concurrency)
    waddlebot = WaddleBotClient(waddlebot_http, settings)
    delivers_here = settings.worker == "on"
    delivery = DeliveryWorker(
        database,
        waddlebot,
        CONTRACTS[settings.reputation_contract],
        concurrency=concurrency,
        identity_name_field=settings.identity_name_field,
        yields=receives,
    )
    twitch_http = HTTPClient(10)
    auth = TwitchAuth(twitch_http, settings)
    twitch = TwitchClient(twitch_http, settings, AppCredential(auth))
    tokens = Tokens(database, vault, auth)
    _check_keys(tokens)
    wake = delivery.wake if delivers_here else lambda: None
    roster = Roster(database, settings.points)
    ours = Ours(twitch.callback_url, secret_id(settings.webhook_secrets[0]))
    subscriber = Subscriber(database, twitch, ours)
    usual_scopes = set(scopes_to_ask_for(settings))

    def login_scopes(channel_id: str | None, event_type: str | None = None) -> list[str]:
        """What to ask a streamer for: what the channel's types need, and this one."""
        types = roster.types(channel_id or "")
        return scopes_to_ask_for(settings, [*types, event_type] if event_type else types)

    def login_url(channel_id: str, event_type: str) -> str:
        """The usual link, unless the channel's own types, or this one, need more."""
        needed = login_scopes(channel_id)
        query = {}
        if not usual_scopes.issuperset(needed):
            query["channel_id"] = channel_id
        if needed != login_scopes(channel_id, event_type):
            query["event_type"] = event_type
        return f"{settings.login_url}?{urlencode(query)}" if query else settings.login_url

    reconciler = Reconciler(
        database,
        subscriber,
        client_id=twitch.client_id,
        ours=ours,
        policy=settings.points,
        login_url=login_url,
    )
    channels = Channels(database, twitch, reconciler, roster, settings.points)
    backfill = Backfill(database, twitch, tokens, roster, wake)
    subscription_upkeep = SubscriptionUpkeep(
        database,
        reconciler,
        channels,
        backfill,
        seconds=settings.reconcile_seconds,
        is_listening=lambda: is_listening(settings.host, settings.port),
    )
    upkeep, retention = Upkeep(database, tokens), Retention(database, settings.retention_days)
    heartbeat = Heartbeat(
        database,
        {
            "delivery": delivery.is_alive,
            "tokens": upkeep.is_alive,
            "subscriptions": subscription_upkeep.is_alive,
            "retention": retention.is_alive,
        },
    )
    passwords, given = Passwords(), settings.jwt_secret
    key = given.get_secret_value() if given else generated_key(settings.data_dir, "jwt.key")
    service_secrets = ServiceSecrets(signing_key(database), key)
    return Services(
        settings,
        database,
        WebhookReceiver(
            database,
            settings.webhook_secrets,
            roster,
            on_activities=wake if delivers_here else None,
        ),
        delivery,
        channels,
        roster,
        reconciler,
        Subscriptions(database, twitch, subscriber, reconciler, login_url),
        backfill,
        subscription_upkeep,
        retention,
        auth,
        twitch,
        tokens,
        Logins(
            database,
            vault,
            auth,
            twitch,
            waddlebot,
            tokens,
            auth_url=settings.twitch_auth_url,
            client_id=settings.twitch_app_id,
            redirect_uri=settings.twitch_redirect_uri,
            scopes=login_scopes,
        ),
        upkeep,
        AdminAuth(
            database,
            passwords,
            AccessTokens(key),
            LoginThrottle(database),
            service_secrets,
        ),
        AdminUsers(database, passwords),
        ServiceTokens(database, service_secrets),
        Audit(database),
        heartbeat,
        _registration(database, waddlebot, settings),
        (waddlebot_http, twitch_http),
    )


def _registration(
    database: Database, client: WaddleBotClient, settings: Settings
) -> Registration | None:
    if settings.core_api_url is None:
        return None
    events = types_in_use(settings.points.rules)
    url = settings.twitch_webhook_callback_url
    return Registration(database, client, webhook_url=url, events=list(events))


def provide_admin(built: Services) -> None:
    """See to it that the admin whom the settings name, if any, can log in with the password."""
    username, password = built.settings.admin_username, built.settings.admin_password
    if username is not None and password is not None:
        built.admin_users.provide(username, password.get_secret_value())


def scopes_to_ask_for(settings: Settings, types: Iterable[str] | None = None) -> list[str]:
    """Exactly what these event types (or the usual ones) need, and what the operator adds."""
    types = types_in_use(settings.points.rules) if types is None else types
    needed = [group[0] for group in scopes_for(types)]
    return sorted({*needed, *settings.twitch_scopes.split()})


def _check_keys(tokens: Tokens) -> None:
    try:
        tokens.check_keys()
    except CannotOpen:
        raise ConfigurationError(
            [
                "TOKEN_ENCRYPTION_KEYS does not open the stored tokens: add the key that they"
                " were encrypted with (generated ones lie in DATA_DIR/token.key)"
            ]
        ) from None


def start() -> None:
    """Build the services for a web process, and work in it unless WORKER=off.

    Ends the process with a line per problem when it cannot: py4web would otherwise go on
    without this app and answer 404 to Twitch.
    """
    try:
        built = services()
        provide_admin(built)
    except ModuleError as error:
        print(f"{error.title}:\n{error}", file=sys.stderr)
        raise SystemExit(2) from None
    if built.settings.worker == "on":
        built.start_work()
    atexit.register(built.stop)
