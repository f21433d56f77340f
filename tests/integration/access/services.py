"""The services that know callers, on a test's database."""

from apps.twitch_module.domain.access.callers import Origin
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.access.access_tokens import AccessTokens
from apps.twitch_module.services.access.admin_auth import AdminAuth
from apps.twitch_module.services.access.login_throttle import LoginThrottle
from apps.twitch_module.services.access.passwords import Passwords
from apps.twitch_module.services.access.service_secrets import ServiceSecrets, signing_key
from apps.twitch_module.services.access.service_tokens import ServiceTokens

KEY = "a-key-of-the-tests-that-is-long-enough-for-every-hash-function-there-is"
HERE = Origin("192.0.2.1", "a-request")


def auth_on(database: Database) -> AdminAuth:
    """A worker's own: it shares the database with others, and nothing else."""
    throttle = LoginThrottle(database)
    return AdminAuth(database, Passwords(), AccessTokens(KEY), throttle, secrets_of(database))


def tokens_on(database: Database) -> ServiceTokens:
    """A worker's own service tokens."""
    return ServiceTokens(database, secrets_of(database))


def secrets_of(database: Database) -> ServiceSecrets:
    """What makes the texts of this database's service tokens."""
    return ServiceSecrets(signing_key(database), KEY)
