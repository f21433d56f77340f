"""Admins and service tokens, beside a running service; and completion."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.shell_completion import ShellComplete

from apps.twitch_module.cli import commands
from apps.twitch_module.commands.access.admin import whoever_types
from apps.twitch_module.commands.completion import PROGRAM
from apps.twitch_module.services.access.service_secrets import JWT_PREFIX
from tests.environment import ADMIN

from ..operator import Operator, Terminal
from ..runner import Commands

PASSWORDS = ("a-long-enough-password", "another-long-password")


@pytest.fixture
def cli(admin_cli: Commands) -> Iterator[Commands]:
    """The same, and nobody's password is shown either."""
    yield admin_cli
    assert not any(one in admin_cli.printed for one in PASSWORDS)


def log_in(cli: Commands, name: str, password: str) -> int:
    """The exit status of a command as somebody."""
    words = ("channels", "list", "--username", name, "--password-stdin")
    return cli.run(*words, typed=password).exit_code


class TestAdmin:
    def test_somebody_is_created_changed_disabled_and_enabled(self, cli: Commands) -> None:
        create = ("admin", "create", "Alice", "--role", "viewer", "--password-stdin", "--json")
        created = json.loads(cli.run(*create, typed=PASSWORDS[0]).stdout)["user"]
        let_in = log_in(cli, "alice", PASSWORDS[0])
        changed = cli.done("admin", "password", "alice", "--password-stdin", typed=PASSWORDS[1])
        old, new = log_in(cli, "alice", PASSWORDS[0]), log_in(cli, "alice", PASSWORDS[1])
        promoted = cli.json("admin", "role", "alice", "admin")["user"]
        disabled = cli.json("admin", "disable", "alice")["user"]
        shut_out = log_in(cli, "alice", PASSWORDS[1])
        table = cli.done("admin", "list")
        enabled = cli.done("admin", "enable", "alice")
        names = [one["username"] for one in cli.json("admin", "list")["users"]]
        cli.done("admin", "disable", "alice")

        assert (created["username"], created["role"]) == ("alice", "viewer")
        assert (let_in, old, new, shut_out) == (0, 1, 0, 1)
        assert "sessions are ended" in changed and "can log in" in enabled
        assert (promoted["role"], disabled["is_active"]) == ("admin", False)
        assert "disabled" in table
        assert names == [ADMIN, "alice"]

    def test_the_audit_log_says_who_typed(self, cli: Commands) -> None:
        cli.done("admin", "role", ADMIN, "admin")
        answer = cli.service.call("GET", "/twitch/api/audit", params={"action": "user.role"})

        actor = answer.json()["audit"][0]["actor"]
        assert (actor["kind"], actor["name"]) == ("cli", whoever_types().name)

    @pytest.mark.parametrize(
        ("words", "typed", "status", "told"),
        [
            (("create", ADMIN, "--password-stdin"), PASSWORDS[0], 1, "already"),
            (("create", "bob", "--password-stdin"), "short", 1, "12 characters"),
            (("create", "bob", "--password-stdin"), "", 2, "standard input"),
            (("create", "bob"), "", 2, "--password-stdin"),
            (("create", "bob", "--role", "king"), "", 2, "viewer"),
            (("password", "nobody", "--password-stdin"), PASSWORDS[0], 1, "nobody"),
            (("role", "nobody", "viewer"), "", 1, "nobody"),
            (("role", ADMIN, "viewer"), "", 1, "last admin"),
            (("disable", ADMIN), "", 1, "last admin"),
        ],
    )
    def test_what_cannot_be_is_told(
        self, cli: Commands, words: tuple[str, ...], typed: str, status: int, told: str
    ) -> None:
        code, text = cli.refused("admin", *words, typed=typed)

        assert code == status
        assert told in text

    def test_a_password_is_asked_for_twice_and_not_shown(
        self, cli: Commands, tmp_path: Path
    ) -> None:
        terminal = Terminal(Operator(tmp_path, cli.variables), "admin", "create", "carol")
        terminal.answer("Password of carol", PASSWORDS[0])
        terminal.answer("Repeat", PASSWORDS[0])
        status = terminal.end()
        cli.printed += terminal.shown
        let_in = log_in(cli, "carol", PASSWORDS[0])
        cli.done("admin", "disable", "carol")

        assert (status, let_in) == (0, 0)

    def test_a_configuration_that_cannot_be_used_ends_with_2(self, cli: Commands) -> None:
        status, told = cli.refused("admin", "list", DB_URI="nonsense")

        assert status == 2
        assert "DB_URI" in told


class TestServiceTokens:
    @pytest.fixture(params=["local", "remote"])
    def place(self, request: pytest.FixtureRequest, cli: Commands) -> tuple[str, ...]:
        """The options that say where the tokens are."""
        return () if request.param == "local" else ("--url", cli.service.url)

    def test_one_is_created_listed_used_and_revoked(
        self, cli: Commands, place: tuple[str, ...]
    ) -> None:
        scopes = ("--scope", "channels:read", "--scope", "events:read")
        create = ("service-token", "create", "chat bot", *scopes, *place)
        ended = cli.run(*create, "--days", "90")
        token = ended.stdout.strip()
        (listed, *_) = cli.json("service-token", "list", *place)["service_tokens"]
        used = cli.run("channels", "list", WADDLEBOT_TWITCH_TOKEN=token).exit_code
        table = cli.run("service-token", "list", *place).stdout
        revoked = cli.json("service-token", "revoke", str(listed["id"]), *place)
        refused = cli.run("channels", "list", WADDLEBOT_TWITCH_TOKEN=token)
        (after, *_) = cli.json("service-token", "list", *place)["service_tokens"]

        assert ended.exit_code == 0 and token.startswith(JWT_PREFIX)
        assert "not" in ended.stderr and token not in ended.stderr
        assert (listed["name"], listed["status"], listed["eternal"]) == (
            "chat bot",
            "active",
            False,
        )
        assert listed["scopes"] == ["events:read", "channels:read"]
        assert (used, refused.exit_code) == (0, 1)
        assert "service_token_invalid" in refused.stderr
        assert "chat bot" in table and token not in table
        assert revoked == {"id": listed["id"], "revoked": True}
        assert after["status"] == "revoked"

    def test_an_eternal_one_has_no_end(self, cli: Commands, place: tuple[str, ...]) -> None:
        words = ("service-token", "create", "ever", "--scope", "events:read", "--eternal", *place)

        assert cli.json(*words)["expires_at"] is None

    def test_one_for_exchange_only_is_marked_so_and_the_commands_can_use_it(
        self, cli: Commands, place: tuple[str, ...]
    ) -> None:
        words = ("service-token", "create", "careful", "--scope", "channels:read", "--days", "30")
        made = cli.json(*words, "--exchange-only", *place)
        (listed, *_) = cli.json("service-token", "list", *place)["service_tokens"]
        table = cli.run("service-token", "list", *place).stdout
        used = cli.run("channels", "list", WADDLEBOT_TWITCH_TOKEN=made["service_token"]).exit_code

        assert made["exchange_only"] is listed["exchange_only"] is True
        assert "active, exchange only" in table
        assert used == 0

    def test_one_that_was_renewed_is_not_warned_of(
        self, cli: Commands, place: tuple[str, ...]
    ) -> None:
        words = ("service-token", "create", "renewed", "--scope", "channels:read", "--days", "30")
        made = cli.json(*words)
        earlier = ", ".join(
            f"{name} = {name} - {25 * 86_400_000}" for name in ("created_at_ms", "expires_at_ms")
        )
        cli.execute(f"UPDATE service_tokens SET {earlier} WHERE id = {made['id']}")
        answer = requests.post(
            f"{cli.service.url}/api/auth/service-token/renew",
            headers={"Authorization": f"Bearer {made['service_token']}"},
            timeout=10,
        )
        ended = cli.run("service-token", "list", *place)

        assert answer.status_code == 201
        assert f"active, renewed as {answer.json()['id']}" in ended.stdout
        assert "(renewed)" not in ended.stderr

    def test_both_places_describe_a_token_in_the_same_words(self, cli: Commands) -> None:
        local = cli.json("service-token", "list")
        remote = cli.json("service-token", "list", "--url", cli.service.url)

        assert local == remote

    def test_those_that_end_within_a_week_are_marked_and_warned_of(
        self, cli: Commands, place: tuple[str, ...]
    ) -> None:
        words = ("service-token", "create", "near its end", "--scope", "events:read")
        number = cli.json(*words, "--days", "30")["id"]
        day = 86_400_000
        change = (
            f"UPDATE service_tokens SET expires_at_ms = expires_at_ms - {{}} WHERE id = {number}"
        )
        cli.execute(change.format(22 * day))
        before = cli.run("service-token", "list", *place)
        cli.execute(change.format(day + day // 2))
        ended = cli.run("service-token", "list", *place)
        cli.done("service-token", "revoke", str(number))
        after = cli.run("service-token", "list", *place)

        assert f"service token {number} " not in before.stderr
        assert f"service token {number} (near its end) ends in 6 days" in ended.stderr
        assert "ends soon" in ended.stdout
        assert f"service token {number} " not in after.stderr

    @pytest.mark.parametrize(
        ("words", "status", "told"),
        [
            (("create", "x", "--scope", "events:read"), 2, "--eternal"),
            (("create", "x", "--scope", "events:read", "--days", "9"), 2, "30<=x<=365"),
            (("create", "x", "--scope", "all", "--eternal"), 2, "events:read"),
            (("create", "x", "--eternal"), 2, "--scope"),
            (("create", " ", "--scope", "events:read", "--eternal"), 1, "name"),
            (("revoke", "x"), 2, "service-token list"),
            (("revoke", "999999"), 1, "999999"),
        ],
    )
    def test_what_cannot_be_is_told(
        self, cli: Commands, place: tuple[str, ...], words: tuple[str, ...], status: int, told: str
    ) -> None:
        code, text = cli.refused("service-token", *words, *place)

        assert code == status
        assert told in text

    def test_a_viewer_may_list_and_not_create(self, cli: Commands) -> None:
        name, who = "only-looking", ("--username", "only-looking", "--password-stdin")
        create = ("admin", "create", name, "--role", "viewer", "--password-stdin")
        cli.done(*create, typed=PASSWORDS[0])
        cli.run("service-token", "list", *who, typed=PASSWORDS[0])
        words = ("service-token", "create", "x", "--scope", "events:read", "--eternal", *who)
        status, told = cli.refused(*words, typed=PASSWORDS[0])
        cli.done("admin", "disable", name)

        assert status == 1
        assert "403 forbidden" in told


class TestCompletion:
    @pytest.mark.parametrize(
        ("words", "begun", "found"),
        [
            ([], "sim", "simulate"),
            (["service-token"], "cr", "create"),
            (["simulate"], "channel.ch", "channel.cheer"),
            (["events", "list", "--type"], "stream", "stream.online"),
            (["activities", "list", "--status"], "d", "dead"),
            (["activities", "list", "--type"], "sub", "subgift"),
            (["service-token", "create", "x", "--scope"], "tok", "tokens:read"),
            (["simulate", "channel.cheer"], "--b", "--bits"),
            (["admin", "role", "x"], "v", "viewer"),
        ],
    )
    def test_words_are_completed(self, words: list[str], begun: str, found: str) -> None:
        completion = ShellComplete(commands, {}, PROGRAM, "X")

        assert found in [one.value for one in completion.get_completions(words, begun)]

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_the_script_calls_this_program_and_no_other(self, cli: Commands, shell: str) -> None:
        script = cli.done("completion", shell)

        assert script.count(f"{sys.executable} -m apps.twitch_module.cli") == 2
        assert "$+commands" not in script and "$1)" not in script

    def test_bash_completes_and_runs_it_from_any_folder(
        self, cli: Commands, tmp_path: Path
    ) -> None:
        asked = "COMP_WORDS=(waddlebot-twitch simulate channel.su) COMP_CWORD=2"
        call = f"{asked}; _waddlebot_twitch_completion waddlebot-twitch; echo ${{COMPREPLY[@]}}"
        script = f"{cli.done('completion', 'bash')}\n{call}\nwaddlebot-twitch --version"
        ended = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=30
        )
        completed, version = ended.stdout.splitlines()

        assert completed.split()[0] == "channel.subscribe"
        assert version[0].isdigit() and ended.stderr == ""
