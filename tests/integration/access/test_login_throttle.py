"""services/access/login_throttle.py: ten tries in five minutes, per user and per address."""

import pytest

from apps.twitch_module.domain.access.callers import Actor
from apps.twitch_module.errors import TooManyRequests, Unauthenticated
from apps.twitch_module.models.access.login_attempts import MOST_TOGETHER, WINDOW_MS
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.access.admin_users import AdminUsers
from apps.twitch_module.services.access.login_throttle import LoginThrottle
from apps.twitch_module.services.access.passwords import Passwords
from tests.environment import ADMIN, PASSWORD
from tests.integration.access.services import HERE, auth_on
from tests.integration.rows import columns


@pytest.fixture
def throttle(database: Database) -> LoginThrottle:
    return LoginThrottle(database)


def later(database: Database, milliseconds: int) -> None:
    """Let that much time pass for what is in the database."""
    with database.transaction() as transaction:
        transaction.execute("UPDATE login_attempts SET at_ms = at_ms - %s", [milliseconds])


def test_the_11th_try_of_a_user_is_refused_from_anywhere(throttle: LoginThrottle) -> None:
    for number in range(10):
        throttle.admit(ADMIN, f"198.51.100.{number}")

    with pytest.raises(TooManyRequests) as caught:
        throttle.admit(ADMIN, "203.0.113.1")

    assert caught.value.status == 429
    assert 0 < (caught.value.retry_after_seconds or 0) <= 300
    throttle.admit("somebody-else", "203.0.113.1")


def test_the_11th_try_from_an_address_is_refused_for_anybody(throttle: LoginThrottle) -> None:
    for number in range(10):
        throttle.admit(f"user-{number}", "198.51.100.1")

    with pytest.raises(TooManyRequests):
        throttle.admit("another", "198.51.100.1")


def test_a_whole_64_of_ipv6_is_one_address(throttle: LoginThrottle) -> None:
    for number in range(10):
        throttle.admit(f"user-{number}", f"2001:db8::{number:x}")

    with pytest.raises(TooManyRequests):
        throttle.admit("another", "2001:db8::ffff")
    throttle.admit("another", "2001:db8:0:1::1")


def test_there_is_room_again_when_the_first_of_the_ten_is_five_minutes_old(
    throttle: LoginThrottle, database: Database
) -> None:
    throttle.admit(ADMIN, "198.51.100.1")
    later(database, WINDOW_MS - 10_000)
    for _ in range(9):
        throttle.admit(ADMIN, "198.51.100.1")
    with pytest.raises(TooManyRequests) as caught:
        throttle.admit(ADMIN, "198.51.100.1")
    later(database, 10_000)

    throttle.admit(ADMIN, "198.51.100.1")
    assert (caught.value.retry_after_seconds or 0) <= 10


def test_all_together_have_a_limit_and_the_rows_are_bounded(
    throttle: LoginThrottle, database: Database
) -> None:
    with database.transaction() as transaction:
        now = transaction.now_ms()
        for number in range(MOST_TOGETHER):
            transaction.execute(
                "INSERT INTO login_attempts (username_hash, customer, at_ms) VALUES (%s, %s, %s)",
                [f"user {number}", f"address {number}", now],
            )
    with pytest.raises(TooManyRequests):
        throttle.admit("another", "198.51.100.1")
    later(database, WINDOW_MS)

    throttle.admit("another", "198.51.100.1")
    assert [(1,)] == columns(database, "SELECT count(*) FROM login_attempts")


def test_what_was_typed_as_a_name_is_not_kept(throttle: LoginThrottle, database: Database) -> None:
    throttle.admit(PASSWORD, "198.51.100.1")

    assert PASSWORD not in str(columns(database, "SELECT * FROM login_attempts"))


class TestWithAUser:
    @pytest.fixture(autouse=True)
    def user(self, database: Database) -> None:
        AdminUsers(database, Passwords()).create(ADMIN, PASSWORD, "admin", Actor("cli"))

    def test_logins_that_succeed_do_not_count(self, database: Database) -> None:
        auth = auth_on(database)
        for _ in range(11):
            auth.log_in(ADMIN, PASSWORD, HERE)

        assert [(0,)] == columns(database, "SELECT count(*) FROM login_attempts")

    def test_strangers_cannot_lock_an_admin_out_where_he_has_logged_in_before(
        self, database: Database, throttle: LoginThrottle
    ) -> None:
        auth = auth_on(database)
        auth.log_in(ADMIN, PASSWORD, HERE)
        for number in range(10):
            throttle.admit(ADMIN, f"198.51.100.{number}")

        assert auth.log_in(ADMIN, PASSWORD, HERE)
        with pytest.raises(TooManyRequests):
            throttle.admit(ADMIN, "203.0.113.1")

    def test_a_login_of_more_than_seven_days_ago_counts_for_nothing(
        self, database: Database, throttle: LoginThrottle
    ) -> None:
        auth_on(database).log_in(ADMIN, PASSWORD, HERE)
        with database.transaction() as transaction:
            transaction.execute(
                "UPDATE admin_sessions SET created_at_ms = created_at_ms - 604800000"
            )
        for number in range(10):
            throttle.admit(ADMIN, f"198.51.100.{number}")

        with pytest.raises(TooManyRequests):
            throttle.admit(ADMIN, HERE.address)

    def test_there_ten_wrong_passwords_are_the_limit_all_the_same(self, database: Database) -> None:
        auth = auth_on(database)
        auth.log_in(ADMIN, PASSWORD, HERE)
        for _ in range(10):
            with pytest.raises(Unauthenticated):
                auth.log_in(ADMIN, "wrong", HERE)

        with pytest.raises(TooManyRequests):
            auth.log_in(ADMIN, PASSWORD, HERE)
