"""WaddleBot's Twitch module: a py4web app. Loads the controllers; nothing else."""

import importlib
import sys

_CONTROLLERS = ("webhooks", "auth", "admin", "api", "events", "health", "metrics")


def _loaded_by_py4web() -> bool:
    """Whether py4web's loader imports us now, and not a command of ours or another program."""
    core = sys.modules.get("py4web.core")
    return core is not None and core.action.app_name == __name__.rpartition(".")[2]


if _loaded_by_py4web():
    from .common import start

    start()
    for _name in _CONTROLLERS:
        importlib.import_module(f".controllers.{_name}", __name__)


def __getattr__(name: str) -> object:
    """`from twitch_module import webhooks, api, auth` gives the controllers."""
    if name in _CONTROLLERS:
        return importlib.import_module(f".controllers.{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
