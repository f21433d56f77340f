"""The demo: this module and the sandbox in one process: `python -m apps.twitch_module.demo`.

Needs no configuration and no Twitch account; the sandbox plays Twitch and WaddleBot's core.
"""

import os
import sys

from .claims import Taken, claim_folder
from .demo_settings import data_folder, environment
from .serve import main as serve


def main() -> None:
    """Serve the demo, and say where it is and how to log in."""
    os.umask(0o077)
    port = os.environ.get("PORT") or "8000"
    data = data_folder(os.environ)
    who = f"process {os.getpid()}, http://127.0.0.1:{port}/sandbox"
    # A second demo would give the admin in the database of the first another password.
    try:
        lock = claim_folder(data, "demo.lock", who)
    except Taken as taken:
        way_out = "stop it, or start another one with PORT=... and DATA_DIR=..."
        print(f"A demo is running with this data ({taken}); {way_out}", file=sys.stderr)
        raise SystemExit(2) from None
    settings = environment(port, data, os.environ.get("LOG_LEVEL", "INFO"))
    os.environ.update(settings)

    def greet() -> None:
        print(f"\n  Open            http://127.0.0.1:{port}/sandbox")
        print(f"  Admin's name    {settings['ADMIN_USERNAME']}")
        print(f"  Password        {settings['ADMIN_PASSWORD']}\n", flush=True)

    with lock:
        serve(greet)


if __name__ == "__main__":
    main()
