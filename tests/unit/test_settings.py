"""settings.py: the configuration is complete and sound, or every problem is named."""

import json
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from apps.twitch_module.configuration import load_settings
from apps.twitch_module.domain.points.policy import Rule, default_policy
from apps.twitch_module.errors import ConfigurationError
from apps.twitch_module.settings import Settings
from tests.environment import environment

REQUIRED = [
    "TWITCH_APP_ID",
    "TWITCH_APP_SECRET",
    "TWITCH_WEBHOOK_SECRET",
    "TWITCH_WEBHOOK_CALLBACK_URL",
    "TWITCH_REDIRECT_URI",
    "CONTEXT_API_URL",
    "REPUTATION_API_URL",
]
SECRETS = {
    "TWITCH_APP_SECRET": "hush-app-secret",
    "TWITCH_WEBHOOK_SECRET": "hush-webhook-secret",
    "TWITCH_WEBHOOK_SECRET_PREVIOUS": "hush-previous-secret",
    "WADDLEBOT_API_KEY": "hush-api-key",
    "WADDLEBOT_BASIC_AUTH": "user:hush-basic-auth",
    "ADMIN_PASSWORD": "hush-admin-password",
    "JWT_SECRET": "hush-jwt-secret-of-more-than-32-bytes",
    "DB_URI": "postgres://user:hush-database@127.0.0.1/db",
}


def load(dotenv: Path | None = None, /, **changes: str) -> Settings:
    return load_settings(environment(**changes), dotenv)


def problems(dotenv: Path | None = None, /, **changes: str) -> list[str]:
    """What is wrong with the good environment after these changes."""
    with pytest.raises(ConfigurationError) as caught:
        load(dotenv, **changes)
    return caught.value.problems


def names(found: list[str]) -> list[str]:
    """The variables that the problems name, each once."""
    return sorted({problem.split(" ")[0].rstrip(":") for problem in found})


def secret(settings: Settings, name: str) -> str:
    return str(getattr(settings, name.lower()).get_secret_value())


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    """A .env file, to be written by the test."""
    return tmp_path / ".env"


class TestDefaults:
    def test_the_least_that_is_needed_is_enough(self) -> None:
        settings = load(ADMIN_USERNAME="", ADMIN_PASSWORD="")

        assert settings.twitch_app_id == "app-id"
        assert settings.admin_username is None
        assert settings.admin_password is None

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("twitch_api_url", "https://api.twitch.tv/helix"),
            ("twitch_auth_url", "https://id.twitch.tv/oauth2"),
            (
                "twitch_bot_scopes",
                "chat:read chat:edit channel:moderate moderator:manage:chat_messages"
                " moderator:manage:banned_users moderator:read:followers whispers:edit"
                " whispers:read user:manage:whispers user:bot user:read:chat user:write:chat",
            ),
            ("identity_name_field", "user_name"),
            ("log_level", "INFO"),
            ("host", "127.0.0.1"),
            ("port", 8000),
            ("workers", 1),
            ("worker", "on"),
            ("delivery_concurrency", 32),
            ("points", default_policy()),
        ],
    )
    def test_what_is_not_set_has_its_default(self, name: str, expected: object) -> None:
        assert expected == getattr(load(), name)

    def test_the_database_is_a_sqlite_file_unless_set(self) -> None:
        assert secret(load(), "DB_URI") == "sqlite://storage.db"

    def test_settings_cannot_be_changed(self) -> None:
        with pytest.raises(ValueError, match="frozen"):
            load().port = 9000

    def test_other_variables_of_the_environment_are_none_of_ours(self) -> None:
        assert load(TWITCH_SOMETHING_ELSE="x", PATH="/bin") == load()


class TestProblems:
    def test_every_missing_variable_is_named_at_once(self) -> None:
        with pytest.raises(ConfigurationError) as caught:
            load_settings({}, None)

        assert names(caught.value.problems) == sorted(REQUIRED)
        assert all("is missing" in problem for problem in caught.value.problems)

    @pytest.mark.parametrize("name", ["TWITCH_APP_ID", "TWITCH_APP_SECRET", "CONTEXT_API_URL"])
    def test_an_empty_variable_is_a_missing_one(self, name: str) -> None:
        assert problems(**{name: ""}) == [f"{name} is missing"]

    def test_only_the_core_needs_the_context(self) -> None:
        settings = load(REPUTATION_CONTRACT="reputation_module", CONTEXT_API_URL="")

        assert settings.activity_url == settings.reputation_api_url

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            (
                {"REPUTATION_CONTRACT": "reputation_module", "REPUTATION_API_URL": ""},
                ["REPUTATION_API_URL is missing (REPUTATION_CONTRACT=reputation_module needs it)"],
            ),
            (
                {"REPUTATION_CONTRACT": "router", "REPUTATION_API_URL": ""},
                ["CORE_API_URL is missing (REPUTATION_CONTRACT=router needs it)"],
            ),
            (
                {"REPUTATION_CONTRACT": "router", "CORE_API_URL": "https://core.example"},
                [
                    "REPUTATION_API_URL must not be set with REPUTATION_CONTRACT=router:"
                    " the router calls that API itself, and all points would count twice"
                ],
            ),
            (
                {"REPUTATION_CONTRACT": "route"},
                ["REPUTATION_CONTRACT must be core, reputation_module or router, not 'route'"],
            ),
        ],
    )
    def test_each_contract_needs_its_addresses(
        self, changes: dict[str, str], expected: list[str]
    ) -> None:
        assert problems(**changes) == expected

    def test_a_missing_webhook_secret_stops_the_start(self) -> None:
        assert problems(TWITCH_WEBHOOK_SECRET="") == ["TWITCH_WEBHOOK_SECRET is missing"]

    def test_the_message_has_a_line_per_problem(self) -> None:
        with pytest.raises(ConfigurationError) as caught:
            load(PORT="x", WORKERS="0")

        assert str(caught.value).splitlines() == caught.value.problems
        assert len(caught.value.problems) == 2

    def test_problems_of_every_kind_are_named_at_once(self, tmp_path: Path) -> None:
        found = problems(
            TWITCH_APP_ID="",
            TWITCH_WEBHOOK_SECRET="short",
            JWT_SECRET_FILE=str(tmp_path / "nowhere"),
            DB_URI="mysql://db",
            PORT="0",
            LOG_LEVEL="LOUD",
            ACTIVITY_POINTS='{"folow": 1, "sub": "x"}',
        )

        assert names(found) == [
            "ACTIVITY_POINTS",
            "DB_URI",
            "JWT_SECRET_FILE",
            "LOG_LEVEL",
            "PORT",
            "TWITCH_APP_ID",
            "TWITCH_WEBHOOK_SECRET",
        ]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PORT", "0"),
            ("PORT", "65536"),
            ("PORT", "-1"),
            ("PORT", "http"),
            ("PORT", "80.5"),
            ("PORT", "9" * 100),
            ("PORT", "NaN"),
            ("WORKERS", "0"),
            ("WORKERS", "65"),
            ("WORKERS", "many"),
            ("WORKERS", "1.5"),
            ("DELIVERY_CONCURRENCY", "0"),
            ("DELIVERY_CONCURRENCY", "257"),
            ("DELIVERY_CONCURRENCY", "-16"),
            ("DELIVERY_CONCURRENCY", "true"),
            ("WORKER", "maybe"),
            ("WORKER", "OFF "),
            ("LOG_LEVEL", "LOUD"),
            ("IDENTITY_NAME_FIELD", "name"),
            ("CONTEXT_API_URL", "core.example/context"),
            ("CONTEXT_API_URL", "ftp://core.example"),
            ("CONTEXT_API_URL", "http://"),
            ("CONTEXT_API_URL", "http://[::1"),
            ("REPUTATION_API_URL", "//core.example"),
            ("REPUTATION_API_URL", "javascript:alert(1)"),
            ("TWITCH_API_URL", "api.twitch.tv"),
            ("TWITCH_AUTH_URL", "file:///etc/passwd"),
            ("TWITCH_REDIRECT_URI", "/twitch/auth/callback"),
            ("WADDLEBOT_BASIC_AUTH", "user-alone"),
            ("JWT_SECRET", "x" * 31),
            ("TOKEN_ENCRYPTION_KEYS", "x"),
            ("TOKEN_ENCRYPTION_KEYS", f"{'A' * 43}=,"),
            ("TOKEN_ENCRYPTION_KEYS", "A" * 40),
            ("ADMIN_PASSWORD", "x" * 11),
            ("ADMIN_PASSWORD", "x" * 1001),
            ("ADMIN_USERNAME", "x" * 101),
            ("ADMIN_USERNAME", "ad\nmin"),
            ("TRUSTED_PROXIES", "proxy.example"),
            ("TRUSTED_PROXIES", "10.0.0.1/8"),
            ("TRUSTED_PROXIES", "10.0.0.1,"),
            ("TRUSTED_PROXIES", "0.0.0.0/0"),
            ("TRUSTED_PROXIES", "::/0"),
            ("TWITCH_APP_ID", "x" * 2001),
            ("TWITCH_APP_ID", "  "),
            ("DB_URI", "mysql://user:password@host/db"),
            ("DB_URI", "storage.db"),
            ("DB_URI", "sqlite://"),
            ("DB_URI", "postgres://"),
            ("DB_URI", "postgresql://"),
            ("DB_URI", "sqlite:storage.db"),
        ],
    )
    def test_a_value_that_cannot_be_used_is_named(self, name: str, value: str) -> None:
        assert names(problems(**{name: value})) == [name]

    @pytest.mark.parametrize(
        ("name", "value", "told"),
        [
            ("PORT", "http", "a whole number from 1 to 65535, not 'http'"),
            ("PORT", "80.5", "a whole number from 1 to 65535, not '80.5'"),
            ("PORT", "0", "a whole number from 1 to 65535, not '0'"),
            ("PORT", "9" * 99, f"a whole number from 1 to 65535, not '{'9' * 39}..."),
            ("WORKERS", "1\x1b[31m", "a whole number from 1 to 64, not '1\\x1b[31m'"),
            ("RETENTION_DAYS", "6", "a whole number from 7 to 36500, not '6'"),
            ("WORKER", "maybe", "on or off, not 'maybe'"),
            ("LOG_LEVEL", "loud", "DEBUG, INFO, WARNING or ERROR, not 'loud'"),
            ("IDENTITY_NAME_FIELD", "id", "user_name, user_login or user_id, not 'id'"),
        ],
    )
    def test_it_is_said_what_a_value_must_be_and_what_it_is(
        self, name: str, value: str, told: str
    ) -> None:
        assert problems(**{name: value}) == [f"{name} must be {told}"]

    @pytest.mark.parametrize("value", ["x", "-1", "1.5", "9" * 40, "ö" * 3000, "\udcff", "a\x00b"])
    @pytest.mark.parametrize("name", [*Settings.model_fields])
    def test_no_value_of_any_variable_is_answered_in_a_programmers_words(
        self, name: str, value: str
    ) -> None:
        if name == "points":
            name = "ACTIVITY_POINTS"
        try:
            load(**{name.upper(): value})
        except ConfigurationError as error:
            told = error.problems
        else:
            told = []  # most texts will do for many variables

        foreign = ("Input", "String", "valid", "parse", "class", "Error", "Value")
        assert [] == [line for line in told for word in foreign if word in line]
        assert all(line.split()[0].rstrip(":") == name.upper() for line in told)

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("PORT", "1", 1),
            ("PORT", "65535", 65535),
            ("WORKERS", "64", 64),
            ("DELIVERY_CONCURRENCY", "256", 256),
            ("WORKER", "off", "off"),
            ("LOG_LEVEL", "debug", "DEBUG"),
            ("IDENTITY_NAME_FIELD", "user_id", "user_id"),
            ("HOST", "0.0.0.0", "0.0.0.0"),  # noqa: S104  # only read, never listened on
            ("TWITCH_API_URL", "http://127.0.0.1:8000/helix/", "http://127.0.0.1:8000/helix"),
            ("CONTEXT_API_URL", "http://core:8000/context/", "http://core:8000/context/"),
            ("CORE_API_URL", "http://core:8000/", "http://core:8000"),
            ("DATA_DIR", "/var/lib/waddlebot", Path("/var/lib/waddlebot")),
            ("TWITCH_APP_ID", " app-id ", "app-id"),
            ("TRUSTED_PROXIES", "127.0.0.1", (ip_network("127.0.0.1/32"),)),
            (
                "TRUSTED_PROXIES",
                "10.0.0.0/8, fd00::/8",
                (ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
            ),
        ],
    )
    def test_a_value_that_can_be_used_is_taken(
        self, name: str, value: str, expected: object
    ) -> None:
        assert expected == getattr(load(**{name: value}), name.lower())

    @pytest.mark.parametrize(
        "uri",
        [
            "postgres://user:password@host/db",
            "postgresql://user:password@host:5433/db?sslmode=require",
            "postgresql://user@/db?host=/run/postgresql",
            "sqlite://storage.db",
            "sqlite:///var/lib/storage.db",
        ],
    )
    def test_a_database_address_is_taken_as_it_is(self, uri: str) -> None:
        assert uri == secret(load(DB_URI=uri), "DB_URI")


class TestWebhookSecret:
    @pytest.mark.parametrize(
        "value", ["x" * 9, "x" * 101, "ein-geheimnis-mit-ö", "秘密秘密秘密秘密秘密", " " * 5]
    )
    @pytest.mark.parametrize("name", ["TWITCH_WEBHOOK_SECRET", "TWITCH_WEBHOOK_SECRET_PREVIOUS"])
    def test_what_twitch_does_not_take_is_named(self, name: str, value: str) -> None:
        assert problems(**{name: value}) == [f"{name} must be 10 to 100 ASCII characters"]

    @pytest.mark.parametrize("value", ["x" * 10, "x" * 100, "with spaces & signs"])
    def test_ten_to_a_hundred_ascii_characters_are_taken(self, value: str) -> None:
        assert load(TWITCH_WEBHOOK_SECRET=value).webhook_secrets == (value.encode(),)

    def test_the_current_secret_comes_before_the_previous(self) -> None:
        settings = load(
            TWITCH_WEBHOOK_SECRET="the-current-one", TWITCH_WEBHOOK_SECRET_PREVIOUS="the-old-one"
        )

        assert settings.webhook_secrets == (b"the-current-one", b"the-old-one")


class TestAddresses:
    @pytest.mark.parametrize(
        ("public_url", "prefix"),
        [
            ("https://bot.example", "https://bot.example"),
            ("https://bot.example/", "https://bot.example"),
            ("https://bot.example:443", "https://bot.example:443"),
            ("https://bot.example/bots/one/", "https://bot.example/bots/one"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ],
    )
    def test_callback_and_redirect_follow_from_the_public_url(
        self, public_url: str, prefix: str
    ) -> None:
        settings = load(PUBLIC_URL=public_url)

        assert settings.twitch_webhook_callback_url == f"{prefix}/twitch/webhook"
        assert settings.twitch_redirect_uri == f"{prefix}/twitch/auth/callback"

    def test_what_is_set_wins_over_the_public_url(self) -> None:
        settings = load(TWITCH_WEBHOOK_CALLBACK_URL="https://hooks.example/twitch/webhook")

        assert settings.twitch_webhook_callback_url == "https://hooks.example/twitch/webhook"
        assert settings.twitch_redirect_uri == "https://bot.example/twitch/auth/callback"

    def test_without_a_public_url_both_are_missed_and_it_is_offered(self) -> None:
        assert problems(PUBLIC_URL="") == [
            "TWITCH_WEBHOOK_CALLBACK_URL is missing (PUBLIC_URL would do as well)",
            "TWITCH_REDIRECT_URI is missing (PUBLIC_URL would do as well)",
        ]

    def test_the_two_addresses_will_do_without_a_public_url(self) -> None:
        settings = load(
            PUBLIC_URL="",
            TWITCH_WEBHOOK_CALLBACK_URL="https://bot.example/twitch/webhook",
            TWITCH_REDIRECT_URI="https://bot.example/twitch/auth/callback",
        )

        assert settings.public_url is None

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("bot.example", "must be an address that begins with https:// or http://"),
            (
                "https://bot.example:99999",
                "must be an address that begins with https:// or http://",
            ),
            ("https://bot example", "must be an address that begins with https:// or http://"),
            ("https://bot.example/?x=1", "must be an address without ? and #"),
            ("https://bot.example/#top", "must be an address without ? and #"),
            ("http://bot.example", "must be https on port 443: Twitch calls no other"),
            ("https://bot.example:8443", "must be https on port 443: Twitch calls no other"),
        ],
    )
    def test_a_public_url_that_is_none_is_named_once(self, url: str, told: str) -> None:
        assert problems(PUBLIC_URL=url) == [f"PUBLIC_URL {told}"]

    @pytest.mark.parametrize(
        "url",
        [
            "https://bot.example/twitch/webhook",
            "https://bot.example:443/twitch/webhook",
            "http://127.0.0.1:8000/twitch/webhook",
            "http://localhost/twitch/webhook",
            "http://[::1]:8000/twitch/webhook",
        ],
    )
    def test_a_callback_on_port_443_or_on_this_machine_is_taken(self, url: str) -> None:
        settings = load(TWITCH_WEBHOOK_CALLBACK_URL=url)

        assert settings.twitch_webhook_callback_url == url

    @pytest.mark.parametrize(
        "url",
        [
            "http://bot.example/twitch/webhook",
            "https://bot.example:8443/twitch/webhook",
            "http://bot.example:443/twitch/webhook",
            "http://localhost.example/twitch/webhook",
            "http://127.0.0.1.example/twitch/webhook",
            "http://localhost@bot.example/twitch/webhook",
        ],
    )
    def test_a_callback_that_twitch_cannot_call_is_named(self, url: str) -> None:
        assert problems(TWITCH_WEBHOOK_CALLBACK_URL=url) == [
            "TWITCH_WEBHOOK_CALLBACK_URL must be https on port 443: Twitch calls no other"
        ]

    @pytest.mark.parametrize(
        "url", ["bot.example", "https://", "https://bot.example:99999/", "https://b:0/"]
    )
    def test_a_callback_that_is_no_address_is_named(self, url: str) -> None:
        found = problems(TWITCH_WEBHOOK_CALLBACK_URL=url)

        assert names(found) == ["TWITCH_WEBHOOK_CALLBACK_URL"]


class TestSecrets:
    def test_no_secret_shows_when_the_settings_are_printed(self) -> None:
        settings = load(**SECRETS)

        assert "hush" not in repr(settings) + str(settings)

    @pytest.mark.parametrize("name", SECRETS)
    def test_each_secret_is_there_for_who_asks_for_it(self, name: str) -> None:
        assert SECRETS[name] == secret(load(**SECRETS), name)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("TWITCH_WEBHOOK_SECRET", "hush"),
            ("TWITCH_WEBHOOK_SECRET_PREVIOUS", "hush-ö-hush"),
            ("WADDLEBOT_BASIC_AUTH", "hush"),
            ("ADMIN_PASSWORD", "hush"),
            ("JWT_SECRET", "hush"),
            ("DB_URI", "mysql://user:hush@host/db"),
        ],
    )
    def test_no_secret_shows_in_what_is_wrong_with_it(self, name: str, value: str) -> None:
        found = problems(**{name: value})

        assert names(found) == [name]
        assert "hush" not in "".join(found)

    def test_no_secret_shows_in_what_is_wrong_with_others(self) -> None:
        found = problems(**SECRETS, PORT="x", TWITCH_APP_ID="", PUBLIC_URL="")

        assert "hush" not in "".join(found)


class TestFiles:
    @pytest.mark.parametrize("name", SECRETS)
    def test_every_secret_can_come_from_a_file(self, tmp_path: Path, name: str) -> None:
        file = tmp_path / "secret"
        file.write_text(f"  {SECRETS[name]}\n")

        settings = load(**{name: "", f"{name}_FILE": str(file)})

        assert SECRETS[name] == secret(settings, name)

    def test_the_variable_wins_over_the_file(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_text("from-the-file")

        settings = load(TWITCH_APP_SECRET="from-the-variable", TWITCH_APP_SECRET_FILE=str(file))

        assert secret(settings, "TWITCH_APP_SECRET") == "from-the-variable"

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        found = problems(JWT_SECRET_FILE=str(tmp_path / "nowhere"))

        assert found == [
            f"JWT_SECRET_FILE: {tmp_path}/nowhere cannot be read: No such file or directory"
        ]

    def test_a_folder_in_place_of_a_file_is_named(self, tmp_path: Path) -> None:
        assert names(problems(JWT_SECRET_FILE=str(tmp_path))) == ["JWT_SECRET_FILE"]

    def test_a_file_that_is_no_text_is_named(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_bytes(b"hush\xff\xfe")

        found = problems(JWT_SECRET_FILE=str(file))

        assert found == [f"JWT_SECRET_FILE: {file} cannot be read: it is not text in UTF-8"]

    @pytest.mark.parametrize("name", ["TWITCH_WEBHOOK_SECRET", "TWITCH_APP_SECRET"])
    def test_an_empty_file_is_no_secret(self, tmp_path: Path, name: str) -> None:
        file = tmp_path / "secret"
        file.write_text("\n")

        assert names(problems(**{name: "", f"{name}_FILE": str(file)})) == [name]


class TestDotenv:
    def test_what_the_environment_lacks_comes_from_the_file(self, dotenv: Path) -> None:
        dotenv.write_text("PORT=9000\nTWITCH_APP_ID='from the file'\n# PORT=1\n")

        settings = load(dotenv, SANDBOX="", TWITCH_APP_ID="")

        assert settings.port == 9000
        assert settings.twitch_app_id == "from the file"

    def test_the_environment_wins(self, dotenv: Path) -> None:
        dotenv.write_text("TWITCH_APP_ID=from-the-file\n")

        assert load(dotenv, SANDBOX="").twitch_app_id == "app-id"

    def test_the_whole_configuration_can_come_from_the_file(self, dotenv: Path) -> None:
        values = environment(SANDBOX="")
        dotenv.write_text("".join(f"{name}={value}\n" for name, value in values.items()))

        assert load_settings({}, dotenv) == load()

    def test_the_file_can_name_files(self, dotenv: Path, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("from-a-file-of-its-own")
        dotenv.write_text(f"TWITCH_APP_SECRET_FILE={tmp_path}/secret\n")

        settings = load(dotenv, SANDBOX="", TWITCH_APP_SECRET="")

        assert secret(settings, "TWITCH_APP_SECRET") == "from-a-file-of-its-own"

    def test_points_in_the_file_count(self, dotenv: Path) -> None:
        dotenv.write_text("ACTIVITY_POINTS='{\"follow\": 99}'\n")

        assert load(dotenv, SANDBOX="").points.rules["follow"].base == 99

    def test_a_problem_in_the_file_is_named(self, dotenv: Path) -> None:
        dotenv.write_text("PORT=none\nWORKERS=none\n")

        assert names(problems(dotenv, SANDBOX="")) == ["PORT", "WORKERS"]

    def test_the_demo_does_not_read_it(self, dotenv: Path) -> None:
        dotenv.write_text("PORT=9000\nADMIN_PASSWORD=short\n")

        assert load(dotenv, SANDBOX="1").port == 8000

    def test_the_file_cannot_say_that_this_is_the_demo(self, dotenv: Path) -> None:
        dotenv.write_text("SANDBOX=1\nPORT=9000\n")

        assert load(dotenv, SANDBOX="").port == 9000

    def test_a_file_that_is_not_there_is_no_problem(self, dotenv: Path) -> None:
        assert load(dotenv, SANDBOX="") == load()

    def test_a_folder_of_that_name_is_no_problem(self, tmp_path: Path) -> None:
        assert load(tmp_path, SANDBOX="") == load()

    def test_reading_leaves_the_environment_alone(self, dotenv: Path) -> None:
        dotenv.write_text("PORT=9000\n")
        given = environment(SANDBOX="")
        before = dict(given)

        load_settings(given, dotenv)

        assert given == before


class TestPoints:
    def test_activity_points_amend_the_defaults(self) -> None:
        policy = load(ACTIVITY_POINTS='{"follow": 99, "ban": false}').points

        assert policy.rules["follow"] == Rule("follow", "ACTIVITY_POINTS", base=99)
        assert "ban" not in policy.rules
        assert policy.rules["raid"] == default_policy().rules["raid"]

    def test_a_points_file_amends_the_defaults(self, tmp_path: Path) -> None:
        file = tmp_path / "points.toml"
        file.write_text(
            "follow = 99\nban = false\n\n[sub]\nbase = 50\nmax = 200\ntiers = { 2000 = 1.5 }\n"
        )

        policy = load(POINTS_FILE=str(file)).points

        assert policy.rules["follow"] == Rule("follow", "points.toml", base=99)
        assert policy.rules["sub"] == Rule("sub", "points.toml", 50, 0, (("2000", 1.5),), 200)
        assert "ban" not in policy.rules

    def test_an_empty_points_file_changes_nothing(self, tmp_path: Path) -> None:
        file = tmp_path / "points.toml"
        file.write_text("# nothing yet\n")

        policy = load(POINTS_FILE=str(file)).points
        assert policy == replace(default_policy(), source="points.toml")

    def test_both_at_once_are_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "points.toml"
        file.write_text("follow = 99\n")

        assert problems(ACTIVITY_POINTS="{}", POINTS_FILE=str(file)) == [
            "ACTIVITY_POINTS and POINTS_FILE are both set; use one"
        ]

    @pytest.mark.parametrize("value", ["follow=10", "{", "{'follow': 10}", "9" * 5000])
    def test_points_that_are_not_json_are_named(self, value: str) -> None:
        (problem,) = problems(ACTIVITY_POINTS=value)

        assert problem.startswith("ACTIVITY_POINTS is not JSON: ")

    @pytest.mark.parametrize("value", ["[]", "10", '"follow"', "null", "true", "NaN"])
    def test_points_that_are_no_object_are_named(self, value: str) -> None:
        assert problems(ACTIVITY_POINTS=value) == ["ACTIVITY_POINTS must be a JSON object"]

    @pytest.mark.parametrize("figure", ["NaN", "Infinity", "-Infinity", "1e400", "1e10"])
    def test_a_figure_beyond_all_bounds_is_named_with_its_place(self, figure: str) -> None:
        (problem,) = problems(ACTIVITY_POINTS=f'{{"sub": {{"per_unit": {figure}}}}}')

        assert problem.startswith("ACTIVITY_POINTS: sub.per_unit must be between")

    def test_every_fault_of_a_policy_is_a_problem_of_its_own(self) -> None:
        value = json.dumps({"folow": 1, "sub": {"bonus": 1, "base": None}})

        found = problems(ACTIVITY_POINTS=value)

        assert [problem.split(" ")[1] for problem in found] == ["folow", "sub.bonus", "sub.base"]

    def test_a_fault_in_a_points_file_is_named_with_file_and_place(self, tmp_path: Path) -> None:
        file = tmp_path / "points.toml"
        file.write_text('[sub]\ntiers = { 2000 = "double" }\n')

        assert problems(POINTS_FILE=str(file)) == [
            "points.toml: sub.tiers.2000 must be a number, not 'double'"
        ]

    @pytest.mark.parametrize(
        "content", [b"follow: 10", b"follow = 10\nfollow = 11", b"follow = \xff", b"{}", b"\x00"]
    )
    def test_a_points_file_that_is_not_toml_is_named(self, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / "points.toml"
        file.write_bytes(content)

        (problem,) = problems(POINTS_FILE=str(file))

        assert problem.startswith(f"POINTS_FILE {file} is not TOML: ")

    def test_a_points_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        assert problems(POINTS_FILE=str(tmp_path / "nowhere.toml")) == [
            f"POINTS_FILE {tmp_path}/nowhere.toml cannot be read: No such file or directory"
        ]

    def test_a_folder_in_place_of_a_points_file_is_named(self, tmp_path: Path) -> None:
        assert problems(POINTS_FILE=str(tmp_path)) == [
            f"POINTS_FILE {tmp_path} cannot be read: Is a directory"
        ]


class TestLayers:
    def test_a_file_named_in_the_environment_wins_over_an_old_value_in_dotenv(
        self, tmp_path: Path
    ) -> None:
        dotenv, secret = tmp_path / ".env", tmp_path / "secret"
        dotenv.write_text("TWITCH_APP_SECRET=old\n")
        secret.write_text("new\n")
        values = environment(SANDBOX="", TWITCH_APP_SECRET="", TWITCH_APP_SECRET_FILE=str(secret))

        loaded = load_settings(values, dotenv)

        assert loaded.twitch_app_secret.get_secret_value() == "new"

    def test_a_dollar_in_dotenv_is_a_dollar(self, tmp_path: Path) -> None:
        dotenv = tmp_path / ".env"
        dotenv.write_text("ADMIN_PASSWORD=abc${HOME}defghijk\n")
        values = environment(SANDBOX="", ADMIN_PASSWORD="")

        password = load_settings(values, dotenv).admin_password

        assert password is not None
        assert password.get_secret_value() == "abc${HOME}defghijk"

    def test_a_dotenv_that_is_not_text_is_a_problem(self, tmp_path: Path) -> None:
        dotenv = tmp_path / ".env"
        dotenv.write_bytes(b"A=\xff\xfe")

        with pytest.raises(ConfigurationError, match=r"\.env cannot be read"):
            load_settings(environment(SANDBOX=""), dotenv)

    @pytest.mark.parametrize("points", ["[" * 100_000, '{"follow": 1' + "0" * 400 + "}"])
    def test_monstrous_points_are_a_problem_and_no_crash(self, points: str) -> None:
        with pytest.raises(ConfigurationError, match="ACTIVITY_POINTS"):
            load_settings(environment(ACTIVITY_POINTS=points))

    def test_an_empty_name_for_the_admin_is_a_problem(self) -> None:
        with pytest.raises(ConfigurationError, match="ADMIN_USERNAME"):
            load_settings(environment(ADMIN_USERNAME="  "))
