"""The users' tokens in the operator's hands."""

import signal

import pytest
from cryptography.fernet import Fernet

from apps.twitch_module.domain.secret import Secret
from apps.twitch_module.domain.tokens.oauth import Grant, Validation
from apps.twitch_module.services.tokens.key_rotation import KeyRotation
from apps.twitch_module.vault import CannotOpen, Vault
from tests.processes import Sandbox, wait_until

from ..operator import KEY, STREAMER, STREAMER_ID, Operator, log_in


def test_the_list_is_empty_before_anybody_has_logged_in(operator: Operator) -> None:
    assert "Nobody" in operator.run("token", "list").stdout
    assert {"users": []} == operator.json("token", "list")


def test_the_list_shows_who_has_logged_in(operator: Operator, sandbox: Sandbox) -> None:
    log_in(sandbox, operator, scopes="bits:read channel:moderate")
    table = operator.run("token", "list").stdout
    (user,) = operator.json("token", "list")["users"]

    assert all(word in table for word in (STREAMER, STREAMER_ID, "ok", "3 h 59 min"))
    assert (STREAMER_ID, STREAMER, "ok") == (user["user_id"], user["login"], user["status"])
    assert ["bits:read", "channel:moderate"] == user["scopes"]
    assert 14_300 < user["expires_in"] <= 14_400
    assert user["last_validated_at"].endswith("+00:00")


@pytest.mark.parametrize("name", [STREAMER, STREAMER.upper(), STREAMER_ID])
def test_refresh_renews_the_tokens_of_a_user_by_login_or_id(
    operator: Operator, sandbox: Sandbox, name: str
) -> None:
    given = log_in(sandbox, operator)
    ended = operator.run("token", "refresh", name)

    assert (0, "") == (ended.returncode, ended.stderr)
    assert STREAMER in ended.stdout
    assert operator.tokens().valid(STREAMER_ID).access_token.reveal() != given["access_token"]


def test_a_refresh_that_twitch_refuses_is_one_line_and_the_user_needs_a_login(
    operator: Operator, sandbox: Sandbox
) -> None:
    log_in(sandbox, operator)
    sandbox.control("tokens/expire", {"user_id": STREAMER_ID, "refresh_too": True})
    ended = operator.run("token", "refresh", STREAMER)
    (user,) = operator.json("token", "list")["users"]

    assert (1, "", 1) == (ended.returncode, ended.stdout, len(ended.stderr.splitlines()))
    assert "log in again" in ended.stderr
    assert "needs_login" == user["status"]


def test_revoke_ends_the_tokens_at_twitch_and_deletes_them(
    operator: Operator, sandbox: Sandbox
) -> None:
    given = log_in(sandbox, operator)
    ended = operator.run("token", "revoke", STREAMER)
    valid = {one["access_token"] for one in sandbox.control("tokens")["tokens"] if one["valid"]}

    assert (0, "") == (ended.returncode, ended.stderr)
    assert given["access_token"] not in valid
    assert operator.tokens().find(STREAMER_ID) is None


def test_revoke_says_when_twitch_did_not_confirm_it(operator: Operator, sandbox: Sandbox) -> None:
    log_in(sandbox, operator)
    sandbox.control("faults", {"path": "/sandbox/oauth2/revoke", "status": 500})

    answer = operator.json("token", "revoke", STREAMER_ID)

    assert {"user_id": STREAMER_ID, "login": STREAMER, "revoked_at_twitch": False} == answer
    assert operator.tokens().find(STREAMER_ID) is None


@pytest.mark.parametrize("command", ["refresh", "revoke"])
def test_a_user_who_has_not_logged_in_is_named_in_one_line(
    operator: Operator, command: str
) -> None:
    ended = operator.run("token", command, "no\x1bbody")

    assert (1, 1) == (ended.returncode, len(ended.stderr.splitlines()))
    assert "nobody has logged in as" in ended.stderr
    assert "\x1b" not in ended.stderr


def test_a_configuration_that_cannot_be_used_is_one_line_and_status_2(operator: Operator) -> None:
    operator.variables |= {"PORT": "none", "CONTEXT_API_URL": ""}
    ended = operator.run("token", "list")

    assert (2, "", 1) == (ended.returncode, ended.stdout, len(ended.stderr.splitlines()))
    assert "PORT" in ended.stderr and "CONTEXT_API_URL" in ended.stderr


class TestRotateKeys:
    def test_an_interrupted_change_of_keys_is_finished_by_the_next(
        self, operator: Operator, postgres_uri: str
    ) -> None:
        """On PostgreSQL, where a lock on a row keeps the command between two users."""
        operator.variables["DB_URI"] = postgres_uri
        tokens = operator.tokens()
        users = ["1001", "1002", "1003"]
        for user in users:
            grant = Grant(Secret(f"access-{user}"), Secret(f"refresh-{user}"), (), 14_400)
            tokens.keep_login(Validation("app-id", user, f"user_{user}", (), 14_400), user, grant)
        new = Fernet.generate_key().decode()
        only_new = KeyRotation(operator.database(), Vault((new,)))
        operator.variables["TOKEN_ENCRYPTION_KEYS"] = f"{new},{KEY}"

        with operator.database().transaction(timeout_seconds=60) as transaction:
            locked = "SELECT 1 FROM twitch_tokens WHERE user_id = %s FOR UPDATE"
            transaction.execute(locked, [users[1]])
            running = operator.start("token", "rotate-keys")
            waits = "SELECT 1 FROM pg_locks WHERE NOT granted"
            wait_until(lambda: transaction.execute(waits), seconds=20)
            running.send_signal(signal.SIGINT)
            interrupted = operator.end(running)
        with pytest.raises(CannotOpen):
            only_new.check_keys()
        answer = operator.json("token", "rotate-keys")
        again = operator.json("token", "rotate-keys")

        assert interrupted.returncode == 1
        assert (3, 2) == (answer["users"], answer["changed"])
        assert 0 == again["changed"]
        only_new.check_keys()

    def test_the_command_says_how_many_changed(self, operator: Operator, sandbox: Sandbox) -> None:
        log_in(sandbox, operator)
        operator.variables["TOKEN_ENCRYPTION_KEYS"] = f"{Fernet.generate_key().decode()},{KEY}"

        assert "1 of 1" in operator.run("token", "rotate-keys").stdout

    def test_without_the_old_key_nothing_is_done(
        self, operator: Operator, sandbox: Sandbox
    ) -> None:
        log_in(sandbox, operator)
        operator.variables["TOKEN_ENCRYPTION_KEYS"] = Fernet.generate_key().decode()
        ended = operator.run("token", "rotate-keys")

        assert 2 == ended.returncode
        assert "TOKEN_ENCRYPTION_KEYS" in ended.stderr
