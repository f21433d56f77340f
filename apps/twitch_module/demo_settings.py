"""The demo's settings: this module, pointed at the sandbox in the same process."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from .keys import generated_key
from .settings import DATA_FOLDER


def data_folder(environ: Mapping[str, str]) -> Path:
    """Where the demo keeps its data, apart from those of a real installation."""
    return Path(environ.get("DATA_DIR") or DATA_FOLDER) / "demo"


def environment(port: str, data: Path, log_level: str = "INFO") -> dict[str, str]:
    """Settings that point this module at the sandbox in the same process."""
    here = f"http://127.0.0.1:{port}"
    return {
        "SANDBOX": "1",
        "SANDBOX_MODULE_URL": here,
        "PY4WEB_APP_NAMES": "twitch_module,sandbox",
        "HOST": "127.0.0.1",  # the sandbox acts as the admin for whoever opens its page
        "PORT": port,
        "WORKERS": "1",  # the sandbox keeps its state in memory
        "PUBLIC_URL": here,
        "DATA_DIR": str(data),
        "DB_URI": "sqlite://storage.db",
        "TWITCH_APP_ID": "sandbox-client",
        "TWITCH_APP_SECRET": "sandbox-client-secret",
        "TWITCH_WEBHOOK_SECRET": generated_key(data, "webhook.key"),
        "TWITCH_API_URL": f"{here}/sandbox/helix",
        "TWITCH_AUTH_URL": f"{here}/sandbox/oauth2",
        "CONTEXT_API_URL": f"{here}/sandbox/waddlebot/context",
        "REPUTATION_API_URL": f"{here}/sandbox/waddlebot/reputation",
        "GATEWAY_ACTIVATE_URL": f"{here}/sandbox/waddlebot/gateway",
        "ADMIN_USERNAME": "admin",
        "ADMIN_PASSWORD": secrets.token_urlsafe(12),
        "LOG_LEVEL": log_level,
    }
