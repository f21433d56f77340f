"""The demo: this module and the sandbox in one process: `python -m apps.twitch_module.demo`.

Needs no configuration and no Twitch account; the sandbox plays Twitch and WaddleBot's core.
"""

import os

from .demo_settings import data_folder, environment
from .serve import main as serve


def main() -> None:
    """Serve the demo, and say where it is and how to log in."""
    os.umask(0o077)
    port = os.environ.get("PORT", "8000")
    settings = environment(port, data_folder(os.environ), os.environ.get("LOG_LEVEL", "INFO"))
    os.environ.update(settings)
    print(f"\n  Open            http://127.0.0.1:{port}/sandbox")
    print(f"  Admin's name    {settings['ADMIN_USERNAME']}")
    print(f"  Password        {settings['ADMIN_PASSWORD']}\n", flush=True)
    serve()


if __name__ == "__main__":
    main()
