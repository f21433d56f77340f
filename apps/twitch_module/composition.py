"""The composition root: which long-lived objects there are, and what each is made of.

`compose` is the table of contents. Below it, each capability builds its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .clients.http import HTTPClient
from .clients.port_probe import is_listening
from .clients.twitch import AppCredential, TwitchClient
from .clients.twitch_auth import TwitchAuth
from .clients.waddlebot import WaddleBotClient
from .domain.delivery.reputation_contract import CONTRACTS
from .domain.events.catalogue import types_in_use
from .domain.events.eventsub import secret_id
from .domain.subscriptions.subscription import Ours
from .errors import ConfigurationError
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
from .services.events.monitored_channels import MonitoredChannels
from .services.events.webhooks import WebhookReceiver
from .services.heartbeat import Heartbeat
from .services.points.policy_runs import PolicyRuns
from .services.privacy.privacy import Privacy
from .services.retention import Retention
from .services.subscriptions.backfill import Backfill
from .services.subscriptions.channels import Channels
from .services.subscriptions.reconciler import Reconciler
from .services.subscriptions.subscriber import Subscriber
from .services.subscriptions.subscription_upkeep import SubscriptionUpkeep
from .services.subscriptions.subscriptions import Subscriptions
from .services.tokens.key_rotation import KeyRotation
from .services.tokens.login_links import LoginLinks
from .services.tokens.logins import Logins
from .services.tokens.token_upkeep import TokenUpkeep
from .services.tokens.user_tokens import UserTokens
from .settings import Settings
from .vault import CannotOpen, Vault, fernet_key


@dataclass(frozen=True)
class Base:
    """What all capabilities are made of."""

    settings: Settings
    database: Database
    vault: Vault
    waddlebot: WaddleBotClient
    auth: TwitchAuth
    twitch: TwitchClient
    http_clients: tuple[HTTPClient, ...]
    receives: bool  # whether this process takes webhooks
    concurrency: int  # calls to WaddleBot at once


@dataclass(frozen=True)
class EventServices:
    """Receiving webhooks."""

    receiver: WebhookReceiver
    monitored_channels: MonitoredChannels


@dataclass(frozen=True)
class DeliveryServices:
    """Telling WaddleBot."""

    worker: DeliveryWorker
    registration: Registration | None  # None without CORE_API_URL
    wake: Callable[[], None]  # says that there is something to deliver


@dataclass(frozen=True)
class TokenServices:
    """Streamers' logins, and their tokens."""

    users: UserTokens
    logins: Logins
    links: LoginLinks
    upkeep: TokenUpkeep


@dataclass(frozen=True)
class SubscriptionServices:
    """Channels, and what is subscribed for them at Twitch."""

    channels: Channels
    reconciler: Reconciler
    by_hand: Subscriptions
    backfill: Backfill
    upkeep: SubscriptionUpkeep


@dataclass(frozen=True)
class PointServices:
    """Correcting points."""

    runs: PolicyRuns


@dataclass(frozen=True)
class AccessServices:
    """Who may call."""

    admin_auth: AdminAuth
    admin_users: AdminUsers
    service_tokens: ServiceTokens
    audit: Audit


@dataclass(frozen=True)
class Composition:
    """Every capability's services, and what looks after the whole."""

    base: Base
    events: EventServices
    delivery: DeliveryServices
    tokens: TokenServices
    subscriptions: SubscriptionServices
    points: PointServices
    access: AccessServices
    privacy: Privacy
    retention: Retention
    heartbeat: Heartbeat


def compose(settings: Settings, *, receives: bool = True) -> Composition:
    """Build everything. Brings the database's schema up to date; starts no thread.

    `receives`: whether this process takes webhooks, which deliveries are not to hold up. Raises
    ConfigurationError or DatabaseUnavailable.
    """
    configure_logs(settings.log_level, settings.log_format)
    base = _base(settings, receives)
    bot = settings.twitch_bot_name.strip().lower() or None
    monitored = MonitoredChannels(base.database, settings.points, bot)
    delivery = _delivery(base)
    events = _events(base, monitored, delivery)
    tokens = _tokens(base, monitored)
    subscriptions = _subscriptions(base, monitored, tokens, delivery)
    points = PointServices(PolicyRuns(base.database, settings.points, bot))
    retention = Retention(base.database, settings.retention_days)
    work = {
        "delivery": delivery.worker.is_alive,
        "tokens": tokens.upkeep.is_alive,
        "subscriptions": subscriptions.upkeep.is_alive,
        "retention": retention.is_alive,
    }
    return Composition(
        base,
        events,
        delivery,
        tokens,
        subscriptions,
        points,
        _access(base),
        Privacy(base.database),
        retention,
        Heartbeat(base.database, work),
    )


def _base(settings: Settings, receives: bool) -> Base:
    database = Database(settings.db_uri.get_secret_value(), settings.data_dir)
    migrate(database)
    generated = None if settings.encryption_keys else generated_key(settings.data_dir, "token.key")
    vault = Vault(settings.encryption_keys or [fernet_key(generated or "")])
    # Each call that is under way competes for Python's lock with the webhooks.
    concurrency = settings.delivery_concurrency
    if receives:
        concurrency = max(concurrency // 2, 1)
    waddlebot_http, twitch_http = HTTPClient(concurrency), HTTPClient(10)
    auth = TwitchAuth(twitch_http, settings)
    return Base(
        settings,
        database,
        vault,
        WaddleBotClient(waddlebot_http, settings),
        auth,
        TwitchClient(twitch_http, settings, AppCredential(auth)),
        (waddlebot_http, twitch_http),
        receives,
        concurrency,
    )


def _events(base: Base, monitored: MonitoredChannels, delivery: DeliveryServices) -> EventServices:
    delivers_here = base.settings.worker == "on"
    receiver = WebhookReceiver(
        base.database,
        base.settings.webhook_secrets,
        monitored,
        on_activities=delivery.wake if delivers_here else None,
    )
    return EventServices(receiver, monitored)


def _delivery(base: Base) -> DeliveryServices:
    settings = base.settings
    worker = DeliveryWorker(
        base.database,
        base.waddlebot,
        CONTRACTS[settings.reputation_contract],
        concurrency=base.concurrency,
        identity_name_field=settings.identity_name_field,
        yields=base.receives,
    )
    registration = None
    if settings.core_api_url is not None:
        registration = Registration(
            base.database,
            base.waddlebot,
            webhook_url=settings.twitch_webhook_callback_url,
            events=list(types_in_use(settings.points.rules)),
        )
    wake = worker.wake if settings.worker == "on" else lambda: None
    return DeliveryServices(worker, registration, wake)


def _tokens(base: Base, monitored: MonitoredChannels) -> TokenServices:
    settings = base.settings
    _check_keys(base)
    users = UserTokens(base.database, base.vault, base.auth)
    usual, further = types_in_use(settings.points.rules), settings.twitch_scopes.split()
    links = LoginLinks(settings.login_url, monitored.types, usual, further)
    logins = Logins(
        base.database,
        base.vault,
        base.auth,
        base.twitch,
        base.waddlebot,
        users,
        auth_url=settings.twitch_auth_url,
        client_id=settings.twitch_app_id,
        redirect_uri=settings.twitch_redirect_uri,
        scopes=links.scopes,
    )
    return TokenServices(users, logins, links, TokenUpkeep(base.database, users))


def _subscriptions(
    base: Base, monitored: MonitoredChannels, tokens: TokenServices, delivery: DeliveryServices
) -> SubscriptionServices:
    settings, database, twitch, url = base.settings, base.database, base.twitch, tokens.links.url
    ours = Ours(twitch.callback_url, secret_id(settings.webhook_secrets[0]))
    subscriber, points = Subscriber(database, twitch, ours), settings.points
    reconciler = Reconciler(
        database, subscriber, client_id=twitch.client_id, ours=ours, policy=points, login_url=url
    )
    channels = Channels(database, twitch, reconciler, monitored, points)
    backfill = Backfill(database, twitch, tokens.users, monitored, delivery.wake)
    upkeep = SubscriptionUpkeep(
        database,
        reconciler,
        channels,
        backfill,
        seconds=settings.reconcile_seconds,
        is_listening=lambda: is_listening(settings.host, settings.port),
    )
    by_hand = Subscriptions(database, twitch, subscriber, reconciler, url)
    return SubscriptionServices(channels, reconciler, by_hand, backfill, upkeep)


def _access(base: Base) -> AccessServices:
    settings, database = base.settings, base.database
    passwords, given = Passwords(), settings.jwt_secret
    key = given.get_secret_value() if given else generated_key(settings.data_dir, "jwt.key")
    secrets = ServiceSecrets(signing_key(database), key)
    throttle = LoginThrottle(database)
    return AccessServices(
        AdminAuth(database, passwords, AccessTokens(key), throttle, secrets),
        AdminUsers(database, passwords),
        ServiceTokens(database, secrets),
        Audit(database),
    )


def _check_keys(base: Base) -> None:
    try:
        KeyRotation(base.database, base.vault).check_keys()
    except CannotOpen:
        raise ConfigurationError(
            [
                "TOKEN_ENCRYPTION_KEYS does not open the stored tokens: add the key that they"
                " were encrypted with (generated ones lie in DATA_DIR/token.key)"
            ]
        ) from None
