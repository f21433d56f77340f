"""The long-lived objects: the one place that builds them and decides which ones there are."""

import atexit
import os
import sys
from dataclasses import dataclass
from functools import cache

from .clients.http import HTTPClient
from .clients.twitch import TwitchClient
from .clients.waddlebot import WaddleBotClient
from .domain.catalogue import types_in_use
from .errors import ModuleError
from .keys import generated_key
from .logs import configure_logs
from .models.database import Database
from .models.migrations import migrate
from .services.admin_auth import AdminAuth
from .services.channels import Channels
from .services.delivery import DeliveryWorker
from .services.subscriptions import Subscriptions
from .services.webhooks import WebhookReceiver
from .settings import Settings, load_settings


@dataclass(frozen=True)
class Services:
    """What the controllers and the worker work with."""

    settings: Settings
    database: Database
    receiver: WebhookReceiver
    delivery: DeliveryWorker
    channels: Channels
    subscriptions: Subscriptions
    admin_auth: AdminAuth


@cache
def services() -> Services:
    """The services of this process, built at first use, on a database of this version.

    Raises ConfigurationError or DatabaseUnavailable.
    """
    return build(load_settings(os.environ))


def build(settings: Settings) -> Services:
    """Services on these settings. Brings the database's schema up to date; starts no thread."""
    configure_logs(settings.log_level)
    database = Database(settings.db_uri.get_secret_value(), settings.data_dir)
    migrate(database)
    delivery = DeliveryWorker(
        database,
        WaddleBotClient(HTTPClient(settings.delivery_concurrency), settings),
        concurrency=settings.delivery_concurrency,
        identity_name_field=settings.identity_name_field,
    )
    delivers_here = settings.worker == "on"
    twitch = TwitchClient(HTTPClient(4), settings)
    password, key = settings.admin_password, settings.jwt_secret
    return Services(
        settings,
        database,
        WebhookReceiver(
            database,
            settings.webhook_secrets,
            settings.points,
            on_activities=delivery.wake if delivers_here else lambda: None,
        ),
        delivery,
        Channels(database, twitch),
        Subscriptions(database, twitch, types_in_use(settings.points.rules)),
        AdminAuth(
            settings.admin_username,
            password.get_secret_value() if password else None,
            key.get_secret_value() if key else generated_key(settings.data_dir, "jwt.key"),
        ),
    )


def start() -> None:
    """Build the services for a web process, and deliver in it unless WORKER=off.

    Ends the process with a line per problem when it cannot: py4web would otherwise go on
    without this app and answer 404 to Twitch.
    """
    try:
        built = services()
    except ModuleError as error:
        print(f"{error.title}:\n{error}", file=sys.stderr)
        raise SystemExit(2) from None
    if built.settings.worker == "on":
        built.delivery.start()
        atexit.register(built.delivery.stop)
