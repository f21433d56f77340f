"""services/access/admin_auth.py: sessions and service tokens, and what ends them."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import argon2
import pytest

from apps.twitch_module.domain.access.callers import Actor, Origin
from apps.twitch_module.domain.secret import Secret
from apps.twitch_module.errors import Conflict, Invalid, ModuleError, NotFound, Unauthenticated
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.access.admin_auth import AdminAuth, TokenPair
from apps.twitch_module.services.access.admin_users import AdminUsers
from apps.twitch_module.services.access.passwords import Passwords
from apps.twitch_module.services.access.service_secrets import JWT_PREFIX
from apps.twitch_module.services.access.service_tokens import ServiceTokens
from tests.environment import ADMIN, PASSWORD
from tests.integration.access.services import HERE, auth_on, tokens_on
from tests.integration.rows import columns
from tests.processes import REPOSITORY, clean_environment

CLI = Actor("cli", name="operator")
OTHER_PASSWORD = "another-password-of-the-tests"


@pytest.fixture
def users(database: Database) -> AdminUsers:
    users = AdminUsers(database, Passwords())
    users.create(ADMIN, PASSWORD, "admin", CLI)
    return users


@pytest.fixture
def auth(database: Database, users: AdminUsers) -> AdminAuth:
    return auth_on(database)


@pytest.fixture
def elsewhere(database: Database, db_uri: str, tmp_path: Path) -> AdminAuth:
    """Another worker, with connections of its own."""
    return auth_on(Database(db_uri, tmp_path))


def code(error: pytest.ExceptionInfo[ModuleError]) -> str:
    return error.value.code


def use(auth: AdminAuth, pair: TokenPair) -> str | None:
    """The role of who calls with this pair, or the code of the refusal."""
    try:
        return auth.identify(pair.access_token.reveal(), HERE).role
    except Unauthenticated as error:
        return error.code


def log_in(auth: AdminAuth, password: str = PASSWORD, origin: Origin = HERE) -> TokenPair:
    return auth.log_in(ADMIN, password, origin)


def audited(database: Database) -> list[str]:
    """The actions in the audit log, oldest first."""
    return [row[0] for row in columns(database, "SELECT action FROM audit_log ORDER BY id")]


class TestLogIn:
    def test_the_caller_is_known_everywhere_by_his_token(
        self, auth: AdminAuth, elsewhere: AdminAuth
    ) -> None:
        caller = elsewhere.identify(log_in(auth).access_token.reveal(), HERE)

        assert (caller.actor.kind, caller.actor.name, caller.role) == ("admin", ADMIN, "admin")

    @pytest.mark.parametrize("name", [ADMIN.upper(), f" {ADMIN} "])
    def test_a_name_is_the_same_in_capitals(self, auth: AdminAuth, name: str) -> None:
        assert use(auth, auth.log_in(name, PASSWORD, HERE)) == "admin"

    @pytest.mark.parametrize(
        ("name", "password"),
        [
            (ADMIN, "wrong"),
            (ADMIN, PASSWORD + " "),
            (ADMIN, PASSWORD.upper()),
            (ADMIN, ""),
            (ADMIN, PASSWORD + "\0"),
            (ADMIN, "\ud800"),
            ("nobody", PASSWORD),
            ("", ""),
            ("\0", PASSWORD),
            ("\ud800", PASSWORD),
            ("' OR 1=1 --", PASSWORD),
        ],
    )
    def test_a_wrong_name_and_a_wrong_password_are_told_alike(
        self, auth: AdminAuth, name: str, password: str
    ) -> None:
        with pytest.raises(Unauthenticated) as caught:
            auth.log_in(name, password, HERE)

        assert (code(caught), str(caught.value)) == ("wrong_credentials", "Wrong name or password")

    def test_a_disabled_user_is_told_the_same(self, auth: AdminAuth, users: AdminUsers) -> None:
        users.create("second", PASSWORD, "admin", CLI)
        users.set_active(ADMIN, False, CLI)

        with pytest.raises(Unauthenticated) as caught:
            log_in(auth)

        assert code(caught) == "wrong_credentials"

    def test_without_any_user_it_is_said_what_to_do(self, database: Database) -> None:
        with pytest.raises(Unauthenticated) as caught:
            log_in(auth_on(database))

        assert code(caught) == "no_admin"

    def test_a_hash_of_older_parameters_is_made_anew(
        self, auth: AdminAuth, database: Database
    ) -> None:
        weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        with database.transaction() as transaction:
            transaction.execute("UPDATE admin_users SET password_hash = %s", [weak])

        pair = log_in(auth)

        ((stored,),) = columns(database, "SELECT password_hash FROM admin_users")
        assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert use(auth, pair) == "admin"
        assert use(auth, log_in(auth)) == "admin"

    def test_no_secret_is_in_the_database(self, auth: AdminAuth, database: Database) -> None:
        pair = auth.refresh(log_in(auth).refresh_token.reveal(), HERE)
        actor = auth.identify(pair.access_token.reveal(), HERE).actor
        _, secret = tokens_on(database).create("bot", ["events:read"], 30, actor)

        tables = ["admin_users", "admin_sessions", "admin_refresh_tokens", "service_tokens"]
        stored = "".join(
            str(columns(database, f"SELECT * FROM {table}")) for table in [*tables, "audit_log"]
        )
        for text in (PASSWORD, *(one.reveal() for one in (pair.refresh_token, secret))):
            assert text not in stored
            assert hashlib.md5(text.encode()).hexdigest() not in stored  # noqa: S324


_SHORTEN = "UPDATE admin_sessions SET expires_at_ms = expires_at_ms - %s"


class TestRefresh:
    def test_each_token_brings_the_next(self, auth: AdminAuth, elsewhere: AdminAuth) -> None:
        first = log_in(auth)
        second = elsewhere.refresh(first.refresh_token.reveal(), HERE)
        third = auth.refresh(second.refresh_token.reveal(), HERE)

        assert [use(auth, pair) for pair in (first, second, third)] == ["admin"] * 3
        assert first.refresh_expires_in == 7 * 24 * 3600
        assert first.refresh_expires_in - third.refresh_expires_in in range(60)

    def test_the_second_use_of_a_token_ends_the_whole_family(
        self, auth: AdminAuth, elsewhere: AdminAuth, database: Database
    ) -> None:
        bystander = log_in(auth)
        first = log_in(auth)
        second = auth.refresh(first.refresh_token.reveal(), HERE)

        with pytest.raises(Unauthenticated):
            elsewhere.refresh(first.refresh_token.reveal(), HERE)

        assert [use(auth, pair) for pair in (first, second)] == ["session_ended"] * 2
        with pytest.raises(Unauthenticated):
            auth.refresh(second.refresh_token.reveal(), HERE)
        assert use(elsewhere, bystander) == "admin"
        assert audited(database)[-1] == "refresh.reuse"

    def test_a_session_ends_after_seven_days_however_often_it_is_refreshed(
        self, auth: AdminAuth, database: Database
    ) -> None:
        pair = auth.refresh(log_in(auth).refresh_token.reveal(), HERE)
        with database.transaction() as transaction:
            transaction.execute(
                "UPDATE admin_sessions SET expires_at_ms = expires_at_ms - 604800000"
            )

        with pytest.raises(Unauthenticated):
            auth.refresh(pair.refresh_token.reveal(), HERE)

    def test_an_access_token_does_not_outlive_its_session(
        self, auth: AdminAuth, database: Database
    ) -> None:
        pair = log_in(auth)
        with database.transaction() as transaction:
            transaction.execute(
                "UPDATE admin_sessions SET expires_at_ms = expires_at_ms - 604740000"
            )

        assert auth.refresh(pair.refresh_token.reveal(), HERE).expires_in <= 60

    @pytest.mark.parametrize(
        "forged", ["", "x", "wbr_", "wbr_" + "A" * 43, "wbs_" + "A" * 43, "\0"]
    )
    def test_what_is_no_refresh_token_changes_nothing(self, auth: AdminAuth, forged: str) -> None:
        pair = log_in(auth)

        with pytest.raises(Unauthenticated) as caught:
            auth.refresh(forged, HERE)

        assert code(caught) == "refresh_token_invalid"
        assert use(auth, pair) == "admin"

    def test_old_sessions_are_forgotten_at_the_next_login(
        self, auth: AdminAuth, database: Database
    ) -> None:
        log_in(auth)
        with database.transaction() as transaction:
            transaction.execute("UPDATE admin_sessions SET expires_at_ms = 0")
        log_in(auth)

        assert [(1,)] == columns(database, "SELECT count(*) FROM admin_sessions")
        assert [(1,)] == columns(database, "SELECT count(*) FROM admin_refresh_tokens")


class TestWhatEndsASession:
    def test_logging_out(self, auth: AdminAuth, elsewhere: AdminAuth, database: Database) -> None:
        by_refresh, by_access, other = log_in(auth), log_in(auth), log_in(auth)
        auth.log_out(by_refresh.refresh_token.reveal(), HERE)
        auth.log_out_caller(auth.identify(by_access.access_token.reveal(), HERE))

        seen = [use(elsewhere, pair) for pair in (by_refresh, by_access, other)]

        assert seen == ["session_ended", "session_ended", "admin"]
        assert audited(database)[-2:] == ["logout", "logout"]

    def test_another_password(
        self, auth: AdminAuth, elsewhere: AdminAuth, users: AdminUsers
    ) -> None:
        pair = log_in(auth)
        users.set_password(ADMIN, OTHER_PASSWORD, CLI)

        assert use(elsewhere, pair) == "session_ended"
        with pytest.raises(Unauthenticated):
            elsewhere.refresh(pair.refresh_token.reveal(), HERE)
        with pytest.raises(Unauthenticated):
            log_in(elsewhere)
        assert use(auth, log_in(elsewhere, OTHER_PASSWORD)) == "admin"

    def test_being_disabled_also_after_being_enabled_again(
        self, auth: AdminAuth, elsewhere: AdminAuth, users: AdminUsers
    ) -> None:
        users.create("second", PASSWORD, "admin", CLI)
        pair = log_in(auth)
        users.set_active(ADMIN, False, CLI)
        disabled = use(elsewhere, pair)
        users.set_active(ADMIN, True, CLI)

        assert [disabled, use(elsewhere, pair)] == ["session_ended"] * 2
        assert use(auth, log_in(elsewhere)) == "admin"

    def test_another_role_holds_from_the_next_request(
        self, auth: AdminAuth, elsewhere: AdminAuth, users: AdminUsers
    ) -> None:
        users.create("second", PASSWORD, "admin", CLI)
        pair = log_in(auth)
        users.set_role(ADMIN, "viewer", CLI)

        assert use(elsewhere, pair) == "viewer"


class TestUsers:
    def test_a_name_is_given_once(self, users: AdminUsers) -> None:
        with pytest.raises(Conflict):
            users.create(ADMIN.upper(), PASSWORD, "viewer", CLI)

    @pytest.mark.parametrize(
        ("name", "password"), [("", PASSWORD), ("a\0", PASSWORD), ("new", "short"), ("x", "a" * 20)]
    )
    def test_impossible_names_and_passwords_are_refused(
        self, users: AdminUsers, name: str, password: str
    ) -> None:
        with pytest.raises(Invalid):
            users.create(name, password, "viewer", CLI)

    def test_nobody_is_not_found(self, users: AdminUsers) -> None:
        with pytest.raises(NotFound):
            users.set_password("nobody", PASSWORD, CLI)

    def test_the_last_admin_stays(self, users: AdminUsers) -> None:
        users.create("looks-on", PASSWORD, "viewer", CLI)
        for change in (
            lambda: users.set_active(ADMIN, False, CLI),
            lambda: users.set_role(ADMIN, "viewer", CLI),
        ):
            with pytest.raises(Conflict) as caught:
                change()
            assert code(caught) == "last_admin"

    def test_every_change_is_audited(self, users: AdminUsers, database: Database) -> None:
        users.create("second", PASSWORD, "viewer", CLI)
        users.set_password("second", OTHER_PASSWORD, CLI)
        users.set_role("second", "admin", CLI)
        users.set_active("second", False, CLI)
        users.set_active("second", True, CLI)

        changes = ["create", "create", "password", "role", "disable", "enable"]
        assert audited(database) == [f"user.{change}" for change in changes]
        assert [("operator",)] * 6 == columns(database, "SELECT actor_name FROM audit_log")


class TestConfiguredAdmin:
    @pytest.fixture
    def users(self, database: Database) -> AdminUsers:
        users = AdminUsers(database, Passwords())
        users.provide(ADMIN, PASSWORD)
        return users

    def test_he_is_made_once_and_can_log_in(
        self, users: AdminUsers, auth: AdminAuth, database: Database
    ) -> None:
        pair = log_in(auth)
        users.provide(ADMIN, PASSWORD)

        assert use(auth, pair) == "admin"
        assert audited(database) == ["user.create", "login"]

    def test_another_configured_password_is_applied_and_ends_the_sessions(
        self, users: AdminUsers, auth: AdminAuth
    ) -> None:
        pair = log_in(auth)
        users.provide(ADMIN, OTHER_PASSWORD)

        assert use(auth, pair) == "session_ended"
        assert use(auth, log_in(auth, OTHER_PASSWORD)) == "admin"

    def test_a_password_that_was_set_since_stays(self, users: AdminUsers, auth: AdminAuth) -> None:
        users.set_password(ADMIN, OTHER_PASSWORD, CLI)
        pair = log_in(auth, OTHER_PASSWORD)
        users.provide(ADMIN, PASSWORD)

        assert use(auth, pair) == "admin"
        with pytest.raises(Unauthenticated):
            log_in(auth)

    def test_a_user_made_by_hand_gets_the_configured_password(
        self, users: AdminUsers, auth: AdminAuth
    ) -> None:
        users.create("second", PASSWORD, "admin", CLI)
        users.provide("second", PASSWORD)
        kept = auth.log_in("second", PASSWORD, HERE)
        users.provide("second", OTHER_PASSWORD)

        assert use(auth, kept) == "session_ended"
        assert use(auth, auth.log_in("second", OTHER_PASSWORD, HERE)) == "admin"

    def test_many_that_start_at_once_make_one(self, database: Database) -> None:
        users = [AdminUsers(database, Passwords()) for _ in range(8)]
        for password, most in ((PASSWORD, 1), (OTHER_PASSWORD, 2)):
            threads = [
                threading.Thread(target=one.provide, args=(ADMIN, password)) for one in users
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(audited(database)) == most


class TestServiceTokens:
    @pytest.fixture
    def tokens(self, database: Database) -> ServiceTokens:
        return tokens_on(database)

    @pytest.fixture
    def secret(self, tokens: ServiceTokens) -> Iterator[Secret]:
        yield tokens.create("bot", ["events:read", "tokens:read"], 30, CLI)[1]

    def test_it_is_exchanged_for_what_its_scopes_allow(
        self, database: Database, secret: Secret
    ) -> None:
        auth = auth_on(database)
        access_token, seconds, _ = auth.exchange(secret.reveal())
        caller = auth.identify(access_token.reveal(), HERE)

        assert seconds == 900
        assert secret.reveal().startswith(JWT_PREFIX)
        assert (caller.actor.kind, caller.actor.name, caller.role) == ("service", "bot", None)
        assert caller.scopes == {"events:read", "tokens:read"}

    def test_its_last_use_is_kept(
        self, database: Database, tokens: ServiceTokens, secret: Secret
    ) -> None:
        before = tokens.list()[0][0].last_used_at_ms
        auth_on(database).exchange(secret.reveal())

        assert before is None
        assert tokens.list()[0][0].last_used_at_ms

    def test_revoking_it_ends_its_access_tokens_everywhere(
        self, database: Database, elsewhere: AdminAuth, tokens: ServiceTokens, secret: Secret
    ) -> None:
        access_token, *_ = auth_on(database).exchange(secret.reveal())
        token_id = tokens.list()[0][0].id
        tokens.revoke(token_id, CLI)
        tokens.revoke(token_id, CLI)

        with pytest.raises(Unauthenticated):
            elsewhere.identify(access_token.reveal(), HERE)
        with pytest.raises(Unauthenticated) as caught:
            elsewhere.exchange(secret.reveal())
        assert code(caught) == "service_token_invalid"
        assert audited(database) == ["service_token.create", "service_token.revoke"]

    def test_it_ends_by_itself(self, database: Database, secret: Secret) -> None:
        auth = auth_on(database)
        access_token, *_ = auth.exchange(secret.reveal())
        with database.transaction() as transaction:
            transaction.execute("UPDATE service_tokens SET expires_at_ms = 1")

        with pytest.raises(Unauthenticated):
            auth.exchange(secret.reveal())
        with pytest.raises(Unauthenticated):
            auth.identify(access_token.reveal(), HERE)

    def test_an_access_token_does_not_outlive_it(self, database: Database, secret: Secret) -> None:
        with database.transaction() as transaction:
            near = transaction.now_ms() + 60_000
            transaction.execute("UPDATE service_tokens SET expires_at_ms = %s", [near])

        exchange = auth_on(database).exchange(secret.reveal())

        assert exchange.expires_in <= 60
        assert exchange.service_token_expires_at_ms == near

    def test_an_eternal_one_has_no_end_and_an_audit_line_of_its_own(
        self, database: Database, tokens: ServiceTokens
    ) -> None:
        token, _ = tokens.create("for ever", ["events:read"], None, CLI)

        assert token.expires_at_ms is None
        assert audited(database) == ["service_token.create_eternal"]

    @pytest.mark.parametrize("days", [0, 29, 366])
    def test_29_and_366_days_are_refused(self, tokens: ServiceTokens, days: int) -> None:
        with pytest.raises(Invalid):
            tokens.create("bot", ["events:read"], days, CLI)

    def test_a_token_without_a_scope_that_exists_is_refused(self, tokens: ServiceTokens) -> None:
        with pytest.raises(Invalid):
            tokens.create("bot", ["everything"], 30, CLI)

    def test_an_unknown_one_is_not_found(self, tokens: ServiceTokens) -> None:
        with pytest.raises(NotFound):
            tokens.revoke(1, CLI)

    @pytest.mark.parametrize("forged", ["", "wbs_", "wbs_" + "A" * 43, "wbr_" + "A" * 43, "\0"])
    def test_what_is_no_service_token_is_refused(self, database: Database, forged: str) -> None:
        with pytest.raises(Unauthenticated):
            auth_on(database).exchange(forged)


_RACER = """
import sys, threading
from pathlib import Path
from apps.twitch_module.errors import ModuleError
from apps.twitch_module.logs import configure_logs
from apps.twitch_module.models.database import Database
from tests.environment import ADMIN
from tests.integration.access.services import HERE, auth_on

configure_logs("ERROR")
auth = auth_on(Database(sys.argv[1], Path(sys.argv[2])))
threads, start = [], threading.Barrier(17)
outcomes = []

def run(line):
    start.wait()
    try:
        if line == "log in":
            auth.log_in(ADMIN, "a wrong password", HERE)
        else:
            outcomes.append(auth.refresh(line, HERE) and "refreshed")
    except ModuleError as error:
        outcomes.append(error.code)

print("ready", flush=True)
for line in sys.stdin:
    outcomes.clear()
    threads = [threading.Thread(target=run, args=(line.strip(),)) for _ in range(16)]
    for thread in threads:
        thread.start()
    start.wait()
    for thread in threads:
        thread.join()
    print(",".join(outcomes), flush=True)
"""


class Racers:
    """Two processes with 16 threads each, that do the same at once."""

    def __init__(self, db_uri: str, folder: Path) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-c", _RACER, db_uri, str(folder)],
                cwd=REPOSITORY,
                env=clean_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        assert ["ready"] * 2 == self._lines()

    def _lines(self) -> list[str]:
        return [one.stdout.readline().strip() for one in self._processes if one.stdout]

    def run(self, order: str) -> list[str]:
        """What became of each of the 32."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(f"{order}\n")
            process.stdin.flush()
        return [outcome for line in self._lines() for outcome in line.split(",")]

    def stop(self) -> None:
        for process in self._processes:
            process.communicate(timeout=20)


@pytest.fixture
def racers(users: AdminUsers, db_uri: str, tmp_path: Path) -> Iterator[Racers]:
    racers = Racers(db_uri, tmp_path)
    yield racers
    racers.stop()


def test_of_32_uses_of_one_refresh_token_in_two_processes_one_succeeds(
    auth: AdminAuth, racers: Racers
) -> None:
    for _ in range(5):
        pair = log_in(auth)
        outcomes = racers.run(pair.refresh_token.reveal())

        assert sorted(outcomes) == ["refreshed"] + ["session_ended"] * 31
        assert use(auth, pair) == "session_ended"


def test_of_32_wrong_passwords_in_two_processes_ten_are_looked_at(
    racers: Racers, database: Database
) -> None:
    outcomes = racers.run("log in")

    # Two hashes at once and eight that wait, per process: the rest of the ten may be told so.
    looked_at = [one for one in outcomes if one in ("wrong_credentials", "too_busy")]
    assert len(looked_at) == 10
    assert outcomes.count("too_many_requests") == 22
    assert [(10,)] == columns(database, "SELECT count(*) FROM login_attempts")
