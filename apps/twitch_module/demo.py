"""The demo: this module and the sandbox in one process: `python -m apps.twitch_module.demo`.

Needs no configuration and no Twitch account; the sandbox plays Twitch and WaddleBot's core.
"""

import os
import secrets
from pathlib import Path

from .keys import generated_key
from .serve import main as serve
from .settings import APP_FOLDER


def environment(port: str, data: Path) -> dict[str, str]:
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
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "INFO"),
    }


def main() -> None:
    """Serve the demo, and say where it is and how to log in."""
    os.umask(0o077)
    port = os.environ.get("PORT", "8000")
    # Apart from the data of a real installation.
    data = Path(os.environ.get("DATA_DIR") or APP_FOLDER / "data") / "demo"
    settings = environment(port, data)
    os.environ.update(settings)
    print(f"\n  Open            http://127.0.0.1:{port}/sandbox")
    print(f"  Admin's name    {settings['ADMIN_USERNAME']}")
    print(f"  Password        {settings['ADMIN_PASSWORD']}\n", flush=True)
    serve()


if __name__ == "__main__":
    main()
