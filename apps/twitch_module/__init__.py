"""WaddleBot's Twitch module: a py4web app. Loads the controllers; nothing else."""

import importlib
import sys

_CONTROLLERS = (
    "events.webhooks",
    "events.events",
    "tokens.logins",
    "tokens.tokens",
    "subscriptions.channels",
    "subscriptions.subscriptions",
    "subscriptions.twitch_users",
    "points.held",
    "points.leaderboard",
    "points.policies",
    "privacy.privacy",
    "access.sessions",
    "access.service_tokens",
    "access.audit",
    "health",
    "metrics",
    "docs",
)
# The names by which the first programs import them.
_PUBLIC = {
    "webhooks": "events.webhooks",
    "auth": "tokens.logins",
    "api": "subscriptions.channels",
}

_core = sys.modules.get("py4web.core")
_app = __name__.rpartition(".")[2]

# Whether py4web's loader imports this now, and not a command or another program.
if _core is not None and _core.action.app_name == _app:
    from .common import start
    from .logs import ErrorTickets

    _core.error_logger.plugins[_app] = ErrorTickets()
    start()
    for _name in _CONTROLLERS:
        importlib.import_module(f".controllers.{_name}", __name__)
    importlib.import_module(".controllers.guard", __name__).install()


def __getattr__(name: str) -> object:
    """`from twitch_module import webhooks, api, auth` gives the controllers."""
    if name in _PUBLIC:
        return importlib.import_module(f".controllers.{_PUBLIC[name]}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
