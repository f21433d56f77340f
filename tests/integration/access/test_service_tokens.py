"""Service tokens: used as they are, of the older form, for exchange only, renewed."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from apps.twitch_module.domain.access.callers import Actor
from apps.twitch_module.domain.access.credentials import fingerprint
from apps.twitch_module.errors import DatabaseUnavailable, ModuleError, Unauthenticated
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.access.admin_auth import AdminAuth
from apps.twitch_module.services.access.service_secrets import ServiceSecrets, signing_key
from apps.twitch_module.services.access.service_tokens import ServiceTokens
from tests.integration.access.services import HERE, KEY, auth_on, secrets_of, tokens_on
from tests.integration.rows import columns
from tests.processes import REPOSITORY, clean_environment

CLI = Actor("cli", name="operator")
DAY = 86_400_000
OLD_FORM = "wbs_" + "Aa0-" * 10 + "xyz"


@pytest.fixture
def auth(database: Database) -> AdminAuth:
    return auth_on(database)


@pytest.fixture
def tokens(database: Database) -> ServiceTokens:
    return tokens_on(database)


@pytest.fixture
def text(tokens: ServiceTokens) -> str:
    return tokens.create("bot", ["events:read", "users:read"], 90, CLI)[1].reveal()


def execute(database: Database, sql: str) -> None:
    with database.transaction() as transaction:
        transaction.execute(sql)


def age(database: Database, days: float) -> None:
    """Let the first token be so many days older."""
    ms = int(days * DAY)
    execute(
        database,
        f"UPDATE service_tokens SET created_at_ms = created_at_ms - {ms},"
        f" expires_at_ms = expires_at_ms - {ms} WHERE id = 1",
    )


def code(auth: AdminAuth, text: str) -> str:
    """What calling with this token comes to."""
    try:
        return auth.identify(text, HERE).actor.name
    except ModuleError as error:
        return error.code


def renewal(tokens: ServiceTokens, text: str) -> str:
    """The code with which it is refused."""
    with pytest.raises(ModuleError) as caught:
        tokens.renew(text, HERE)
    return caught.value.code


class TestDirectUse:
    def test_it_serves_as_it_is_with_its_scopes_in_every_process(
        self, database: Database, text: str, db_uri: str, tmp_path: Path
    ) -> None:
        caller = auth_on(Database(db_uri, tmp_path)).identify(text, HERE)

        assert caller.scopes == {"events:read", "users:read"}
        assert (caller.actor.kind, caller.actor.id, caller.role) == ("service", "1", None)

    def test_it_says_when_it_ends(self, tokens: ServiceTokens, text: str) -> None:
        (row,) = tokens.list()[0]
        claims = jwt.decode(text, options={"verify_signature": False})

        assert row.expires_at_ms is not None
        assert claims["exp"] == row.expires_at_ms // 1000
        assert claims["exp"] - claims["iat"] in (90 * 86_400, 90 * 86_400 + 1)
        assert (claims["sub"], row.prefix) == ("1", f"...{text[-6:]}")

    def test_one_of_the_older_form_serves_too(self, database: Database, auth: AdminAuth) -> None:
        execute(
            database,
            "INSERT INTO service_tokens (name, prefix, secret_hash, scopes, created_by,"
            f" created_at_ms) VALUES ('older', 'wbs_Aa0-Aa', '{fingerprint(OLD_FORM)}',"
            " 'events:read', 'admin', 1)",
        )
        access_token, *_ = auth.exchange(OLD_FORM)

        assert code(auth, OLD_FORM) == code(auth, access_token.reveal()) == "older"

    def test_what_it_may_is_looked_up_each_time(
        self, database: Database, auth: AdminAuth, text: str
    ) -> None:
        execute(database, "UPDATE service_tokens SET scopes = 'users:read'")

        assert auth.identify(text, HERE).scopes == {"users:read"}

    @pytest.mark.parametrize("change", ["revoked_at_ms = 1", "expires_at_ms = 1"])
    def test_its_end_holds_at_once(
        self, database: Database, auth: AdminAuth, text: str, change: str
    ) -> None:
        before = code(auth, text)
        execute(database, f"UPDATE service_tokens SET {change}")

        assert (before, code(auth, text)) == ("bot", "service_token_invalid")

    def test_one_that_is_signed_and_was_never_kept_is_refused(
        self, database: Database, auth: AdminAuth, tokens: ServiceTokens, text: str
    ) -> None:
        (row,) = tokens.list()[0]
        forged = secrets_of(database).issue(row, "guessed").reveal()

        assert code(auth, forged) == "service_token_invalid"

    def test_another_jwt_secret_ends_none(self, database: Database, text: str) -> None:
        rotated = ServiceSecrets(signing_key(database), "another-jwt-secret")

        assert rotated.hash_of(text)

    def test_garbage_costs_no_query(
        self, auth: AdminAuth, text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object, **__: object) -> None:
            raise DatabaseUnavailable

        monkeypatch.setattr(Database, "transaction", away)

        assert code(auth, text) == "database_unavailable"
        assert code(auth, text[:-3] + "abc") == "service_token_invalid"

    def test_processes_that_start_together_have_one_key(self, database: Database) -> None:
        found: list[str] = []
        execute(database, "DELETE FROM twitch_facts")
        threads = [
            threading.Thread(target=lambda: found.append(signing_key(database))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(found) == 8 and len(set(found)) == 1


class TestLastUse:
    def test_it_is_noted_at_most_once_a_minute(
        self, database: Database, auth: AdminAuth, text: str
    ) -> None:
        def noted() -> int:
            ((value,),) = columns(database, "SELECT last_used_at_ms FROM service_tokens")
            return int(value)

        auth.identify(text, HERE)
        first = noted()
        auth.identify(text, HERE)
        again = noted()
        execute(database, "UPDATE service_tokens SET last_used_at_ms = last_used_at_ms - 60000")
        auth.identify(text, HERE)

        assert first == again
        assert noted() >= first

    def test_a_request_with_an_access_token_counts_as_use(
        self, database: Database, auth: AdminAuth, text: str
    ) -> None:
        access_token, *_ = auth.exchange(text)
        execute(database, "UPDATE service_tokens SET last_used_at_ms = NULL")
        auth.identify(access_token.reveal(), HERE)

        ((noted,),) = columns(database, "SELECT last_used_at_ms FROM service_tokens")
        assert noted

    def test_a_database_that_takes_no_writes_turns_nobody_away(
        self, database: Database, auth: AdminAuth, text: str
    ) -> None:
        if database.sqlite:
            with database._writer:
                assert code(auth, text) == "bot"
        else:
            with database.transaction() as transaction:
                transaction.execute("UPDATE service_tokens SET name = name")
                found: list[str] = []
                other = threading.Thread(target=lambda: found.append(code(auth, text)))
                other.start()
                other.join()
            assert found == ["bot"]


class TestExchangeOnly:
    @pytest.fixture
    def text(self, tokens: ServiceTokens) -> str:
        made = tokens.create("careful", ["events:read"], 30, CLI, exchange_only=True)
        return made[1].reveal()

    def test_it_brings_access_tokens_and_does_not_serve_as_one(
        self, auth: AdminAuth, text: str
    ) -> None:
        access_token, *_ = auth.exchange(text)

        assert code(auth, text) == "exchange_only"
        assert code(auth, access_token.reveal()) == "careful"

    def test_its_end_is_told_before_that(
        self, database: Database, auth: AdminAuth, text: str
    ) -> None:
        execute(database, "UPDATE service_tokens SET revoked_at_ms = 1")

        assert code(auth, text) == "service_token_invalid"

    def test_it_stays_that_when_it_is_renewed(
        self, database: Database, auth: AdminAuth, tokens: ServiceTokens, text: str
    ) -> None:
        age(database, 24)
        _, new = tokens.renew(text, HERE)

        assert code(auth, new.reveal()) == "exchange_only"


class TestRenewal:
    def test_in_the_last_week_it_brings_one_like_it_and_lives_on(
        self, database: Database, auth: AdminAuth, tokens: ServiceTokens, text: str
    ) -> None:
        age(database, 83.01)
        made, new = tokens.renew(text, HERE)
        (successor, old), now_ms = tokens.list()

        assert (made.name, made.scopes, made.days) == ("bot", "events:read users:read", 90)
        assert (successor.id, old.successor_id) == (made.id, made.id)
        assert successor.created_by == "operator"
        assert abs((successor.expires_at_ms or 0) - now_ms - 90 * DAY) < 10_000
        assert code(auth, text) == code(auth, new.reveal()) == "bot"
        lines = columns(
            database,
            "SELECT actor_kind, actor_id, object, address FROM audit_log"
            " WHERE action = 'service_token.renew'",
        )
        assert lines == [("service", "1", "service_token:1", HERE.address)]

    def test_a_lost_answer_is_given_again_until_the_new_one_is_used(
        self, database: Database, auth: AdminAuth, tokens: ServiceTokens, text: str
    ) -> None:
        age(database, 84)
        first, second = (tokens.renew(text, HERE)[1].reveal() for _ in range(2))
        auth.identify(second, HERE)

        assert first == second
        assert renewal(tokens, text) == "already_renewed"
        assert code(auth, text) == "bot"
        assert [(2,)] == columns(database, "SELECT count(*) FROM service_tokens")

    def test_with_another_jwt_secret_meanwhile_it_is_given_anew(
        self, database: Database, auth: AdminAuth, tokens: ServiceTokens, text: str
    ) -> None:
        age(database, 84)
        lost = tokens.renew(text, HERE)[1].reveal()
        rotated = ServiceSecrets(signing_key(database), "another-jwt-secret")
        got = ServiceTokens(database, rotated).renew(text, HERE)[1].reveal()

        assert (code(auth, got), code(auth, lost)) == ("bot", "service_token_invalid")
        assert [(2,)] == columns(database, "SELECT count(*) FROM service_tokens")

    def test_a_copy_of_the_database_and_an_old_token_do_not_make_the_next(
        self, database: Database, tokens: ServiceTokens, text: str
    ) -> None:
        age(database, 84)
        made, new = tokens.renew(text, HERE)
        thief = ServiceSecrets(signing_key(database), "not-" + KEY)

        assert thief.issue(made, thief.successor_identifier(text)).reveal() != new.reveal()

    def test_a_revoked_successor_is_not_given_again(
        self, database: Database, tokens: ServiceTokens, text: str
    ) -> None:
        age(database, 84)
        tokens.revoke(tokens.renew(text, HERE)[0].id, CLI)

        assert renewal(tokens, text) == "already_renewed"

    def test_the_next_one_can_be_renewed_in_its_turn(
        self, database: Database, auth: AdminAuth, tokens: ServiceTokens, text: str
    ) -> None:
        age(database, 84)
        second = tokens.renew(text, HERE)[1].reveal()
        early = renewal(tokens, second)
        execute(
            database,
            f"UPDATE service_tokens SET created_at_ms = created_at_ms - {84 * DAY},"
            f" expires_at_ms = expires_at_ms - {84 * DAY} WHERE id = 2",
        )
        third, _ = tokens.renew(second, HERE)

        assert (early, third.id, third.days) == ("renewal_too_early", 3, 90)

    @pytest.mark.parametrize(
        ("days", "refusal"), [(0, "renewal_too_early"), (82.99, "renewal_too_early")]
    )
    def test_earlier_it_is_refused(
        self, database: Database, tokens: ServiceTokens, text: str, days: float, refusal: str
    ) -> None:
        age(database, days)

        assert renewal(tokens, text) == refusal
        assert [(1,)] == columns(database, "SELECT count(*) FROM service_tokens")

    def test_one_that_has_ended_is_refused(
        self, database: Database, tokens: ServiceTokens, text: str
    ) -> None:
        age(database, 90)

        assert renewal(tokens, text) == "service_token_invalid"

    def test_one_that_is_revoked_is_refused(
        self, database: Database, tokens: ServiceTokens, text: str
    ) -> None:
        age(database, 84)
        tokens.revoke(1, CLI)

        assert renewal(tokens, text) == "service_token_invalid"

    def test_an_eternal_one_is_refused(self, tokens: ServiceTokens) -> None:
        eternal = tokens.create("ever", ["events:read"], None, CLI)[1].reveal()

        assert renewal(tokens, eternal) == "never_ends"

    def test_an_access_token_cannot_be_renewed(
        self, database: Database, auth: AdminAuth, tokens: ServiceTokens, text: str
    ) -> None:
        age(database, 84)

        assert renewal(tokens, auth.exchange(text)[0].reveal()) == "service_token_invalid"

    def test_one_of_the_older_form_becomes_a_jwt(
        self, database: Database, auth: AdminAuth, tokens: ServiceTokens, text: str
    ) -> None:
        hashed = fingerprint(OLD_FORM)
        execute(database, f"UPDATE service_tokens SET secret_hash = '{hashed}'")
        age(database, 84)
        new = tokens.renew(OLD_FORM, HERE)[1].reveal()

        assert jwt.decode(new, options={"verify_signature": False})["sub"] == "2"
        assert code(auth, new) == "bot"


_RACER = """
import sys, threading
from pathlib import Path
from apps.twitch_module.errors import ModuleError
from apps.twitch_module.models.database import Database
from tests.integration.access.services import HERE, tokens_on

tokens = tokens_on(Database(sys.argv[1], Path(sys.argv[2])))
start, outcomes = threading.Barrier(9), []

def run(text):
    start.wait()
    try:
        made, secret = tokens.renew(text, HERE)
        outcomes.append(f"{made.id} {secret.reveal()}")
    except ModuleError as error:
        outcomes.append(error.code)

print("ready", flush=True)
text = sys.stdin.readline().strip()
threads = [threading.Thread(target=run, args=(text,)) for _ in range(8)]
for thread in threads:
    thread.start()
start.wait()
for thread in threads:
    thread.join()
print(",".join(outcomes), flush=True)
"""


@pytest.fixture
def racers(
    database: Database, db_uri: str, tmp_path: Path
) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes with eight threads each, that renew the same token at once."""
    signing_key(database)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, db_uri, str(tmp_path)],
            cwd=REPOSITORY,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert ["ready\n"] * 2 == [one.stdout.readline() for one in processes if one.stdout]
    yield processes
    for process in processes:
        process.communicate(timeout=20)


def test_of_16_renewals_in_two_processes_all_get_the_same_successor(
    database: Database, racers: list[subprocess.Popen[str]], text: str, auth: AdminAuth
) -> None:
    age(database, 84)
    for process in racers:
        assert process.stdin is not None
        process.stdin.write(f"{text}\n")
        process.stdin.flush()
    lines = [process.stdout.readline().strip() for process in racers if process.stdout]
    outcomes = [outcome for line in lines for outcome in line.split(",")]

    assert len(outcomes) == 16 and len(set(outcomes)) == 1
    assert code(auth, outcomes[0].removeprefix("2 ")) == "bot"
    assert [(2,)] == columns(database, "SELECT count(*) FROM service_tokens")
    renewals = "SELECT count(*) FROM audit_log WHERE action = 'service_token.renew'"
    assert [(1,)] == columns(database, renewals)


def test_the_older_form_is_refused_when_it_is_not_known(auth: AdminAuth) -> None:
    with pytest.raises(Unauthenticated):
        auth.identify(OLD_FORM, HERE)
