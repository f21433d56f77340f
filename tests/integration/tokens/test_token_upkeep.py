"""services/tokens/token_upkeep.py: every token is checked, a few at a time."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.twitch_module.clients.http import HTTPClient
from apps.twitch_module.clients.twitch_auth import TwitchAuth
from apps.twitch_module.configuration import load_settings
from apps.twitch_module.domain.secret import Secret
from apps.twitch_module.domain.tokens.oauth import Grant, Validation
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.tokens.token_upkeep import (
    CALLS_AT_ONCE,
    PAUSE_SECONDS,
    TokenUpkeep,
)
from apps.twitch_module.services.tokens.user_tokens import UserTokens
from apps.twitch_module.vault import Vault, fernet_key
from tests.environment import environment
from tests.integration.rows import columns
from tests.processes import wait_until


class Twitch(ThreadingHTTPServer):
    """Validates any token of the form `token-<user id>`, and counts how many at once."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.in_flight = self.most_in_flight = 0


class Handler(BaseHTTPRequestHandler):
    server: Twitch

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.in_flight += 1
            self.server.most_in_flight = max(self.server.most_in_flight, self.server.in_flight)
        # Long enough for others to come, if they are let.
        threading.Event().wait(0.05)
        user_id = self.headers["Authorization"].rpartition("-")[2]
        validation = {"client_id": "app-id", "user_id": user_id, "login": f"new_{user_id}"}
        body = json.dumps({**validation, "scopes": [], "expires_in": 10_000}).encode()
        with self.server.lock:
            self.server.in_flight -= 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def twitch() -> Iterator[Twitch]:
    server = Twitch()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_token_is_checked_and_never_more_than_five_at_once(
    database: Database, twitch: Twitch
) -> None:
    settings = load_settings(environment(TWITCH_AUTH_URL=f"http://127.0.0.1:{twitch.server_port}"))
    http = HTTPClient(10)
    auth = TwitchAuth(http, settings)
    tokens = UserTokens(database, Vault([fernet_key("a" * 64)]), auth)
    for number in range(12):
        grant = Grant(Secret(f"token-{number}"), Secret("refresh"), (), 10_000)
        tokens.keep_login(Validation("app-id", str(number), "old", (), 10_000), "Old", grant)
    with database.transaction() as transaction:
        transaction.execute("UPDATE twitch_tokens SET validated_at_ms = 0")
    upkeep = TokenUpkeep(database, tokens)
    other = TokenUpkeep(database, tokens)
    upkeep.start()
    other.start()
    wait_until(lambda: all(row.login == f"new_{row.user_id}" for row in tokens.list()), seconds=20)
    upkeep.begin_stop()
    upkeep.wait(10)
    other.begin_stop()
    other.wait(10)

    assert 2 <= twitch.most_in_flight <= CALLS_AT_ONCE == 5
    assert [(0,)] == columns(database, "SELECT count(*) FROM twitch_leases")


def test_a_thousand_tokens_that_end_together_stay_below_twitchs_limit() -> None:
    # Each may need two calls: it is validated, and then renewed.
    assert 2 * CALLS_AT_ONCE * 60 / PAUSE_SECONDS <= 800
