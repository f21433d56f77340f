"""services/tokens/user_tokens.py: whoever sees a 401 at once, one request goes to Twitch."""

import subprocess
import sys
from pathlib import Path

import pytest

from apps.twitch_module.clients.http import HTTPClient
from apps.twitch_module.clients.twitch_auth import TwitchAuth
from apps.twitch_module.configuration import load_settings
from apps.twitch_module.domain.secret import Secret
from apps.twitch_module.domain.tokens.oauth import Grant, Validation
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.tokens.key_rotation import KeyRotation
from apps.twitch_module.services.tokens.user_tokens import UserTokens
from apps.twitch_module.vault import CannotOpen, Vault
from tests.environment import environment
from tests.integration.rows import columns
from tests.processes import REPOSITORY, Sandbox, clean_environment
from tests.sandbox.client import Client

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OTHER_KEY = "YWJjZGVmZ2hpamFiY2RlZmdoaWphYmNkZWZnaGlqYWI="
USER = "100200300"


def settings(sandbox: Sandbox) -> dict[str, str]:
    return environment(
        TWITCH_APP_ID="the-client",
        TWITCH_APP_SECRET="the-client-secret",
        TWITCH_AUTH_URL=f"{sandbox.url}/oauth2",
    )


def tokens_on(database: Database, sandbox: Sandbox, *keys: str) -> UserTokens:
    auth = TwitchAuth(HTTPClient(8), load_settings(settings(sandbox)))
    return UserTokens(database, Vault(keys or (KEY,)), auth)


def log_in(database: Database, sandbox: Sandbox) -> UserTokens:
    """The service, with a user's tokens that Twitch knows."""
    sandbox.post("/control/reset").raise_for_status()
    pair = Client(sandbox).log_in(USER)
    grant = Grant(
        Secret(pair["access_token"]), Secret(pair["refresh_token"]), ("bits:read",), 14_400
    )
    tokens = tokens_on(database, sandbox)
    tokens.keep_login(
        Validation("the-client", USER, "sandbox_streamer", ("bits:read",), 14_400), "S", grant
    )
    return tokens


_RACER = """
import os, sys, threading
from pathlib import Path
from tests.integration.tokens.test_token_race import KEY, USER, tokens_on
from apps.twitch_module.logs import configure_logs
from apps.twitch_module.models.database import Database

class Url:
    url = sys.argv[3]

configure_logs("ERROR")
tokens = tokens_on(Database(sys.argv[1], Path(sys.argv[2])), Url(), KEY)
print("ready", flush=True)
for line in sys.stdin:
    version, seen = int(line), []
    def renew():
        seen.append(tokens.renewed(USER, version).access_token.reveal())
    threads = [threading.Thread(target=renew) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(len(seen), len(set(seen)), seen[0] if seen else "", flush=True)
"""


def test_8_threads_in_4_processes_see_a_401_at_once_50_times(
    database: Database, db_uri: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    tokens = log_in(database, sandbox)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, db_uri, str(tmp_path), sandbox.url],
            cwd=REPOSITORY,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for _ in range(50):
            row = tokens.find(USER)
            assert row is not None
            for racer in racers:
                assert racer.stdin is not None
                racer.stdin.write(f"{row.version}\n")
                racer.stdin.flush()
            lines = [racer.stdout.readline().split() for racer in racers if racer.stdout]
            assert [["8", "1"]] * 4 == [line[:2] for line in lines]
            assert len({line[2] for line in lines}) == 1
    finally:
        for racer in racers:
            racer.communicate(timeout=20)

    issued = [one for one in sandbox.control("tokens")["tokens"] if one["user_id"] == USER]
    assert 50 == sum(one["used"] for one in issued)
    assert 0 == sum(one["refresh_reuse"] for one in issued)


def test_a_renewal_by_hand_within_a_second_of_another_brings_the_same_token(
    database: Database, sandbox: Sandbox
) -> None:
    tokens = log_in(database, sandbox)
    first = tokens.renewed_now(USER)
    assert first == tokens.renewed_now(USER)
    with database.transaction() as transaction:
        transaction.execute("UPDATE twitch_tokens SET renewed_at_ms = renewed_at_ms - 1000")

    assert tokens.renewed_now(USER).version == first.version + 1


class TestAtRest:
    def test_the_columns_never_hold_the_tokens(self, database: Database, sandbox: Sandbox) -> None:
        log_in(database, sandbox)
        issued = sandbox.control("tokens")["tokens"]
        ((access, refresh),) = columns(
            database, "SELECT access_token, refresh_token FROM twitch_tokens"
        )

        for one in issued:
            for secret in (one["access_token"], one["refresh_token"]):
                assert secret is None or secret not in access + refresh

    def test_swapped_values_do_not_open(self, database: Database, sandbox: Sandbox) -> None:
        tokens = log_in(database, sandbox)
        with database.transaction() as transaction:
            transaction.execute(
                "UPDATE twitch_tokens"
                " SET access_token = refresh_token, refresh_token = access_token"
            )

        with pytest.raises(CannotOpen):
            tokens.valid(USER)

    def test_another_users_values_do_not_open(self, database: Database, sandbox: Sandbox) -> None:
        tokens = log_in(database, sandbox)
        with database.transaction() as transaction:
            transaction.execute("UPDATE twitch_tokens SET user_id = '999'")

        with pytest.raises(CannotOpen):
            tokens.valid("999")


class TestChangeOfKeys:
    def test_every_row_is_put_under_the_first_key_and_only_once(
        self, database: Database, sandbox: Sandbox
    ) -> None:
        log_in(database, sandbox)
        both = KeyRotation(database, Vault((OTHER_KEY, KEY)))

        assert 1 == both.seal_anew()
        assert 0 == both.seal_anew()
        assert tokens_on(database, sandbox, OTHER_KEY).valid(USER)
        with pytest.raises(CannotOpen):
            KeyRotation(database, Vault((KEY,))).check_keys()

    def test_a_renewal_on_its_way_is_not_disturbed(
        self, database: Database, sandbox: Sandbox
    ) -> None:
        old = log_in(database, sandbox)
        before = old.find(USER)
        assert before is not None
        both = tokens_on(database, sandbox, OTHER_KEY, KEY)
        KeyRotation(database, Vault((OTHER_KEY, KEY))).seal_anew()

        assert both.renewed(USER, before.version).version == before.version + 1
