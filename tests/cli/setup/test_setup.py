"""The wizard: from nothing to a bot that is connected, or to one line that says why not."""

import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from apps.twitch_module.commands.setup.failure import SetupFailed
from apps.twitch_module.commands.setup.redirect_listener import RedirectListener
from apps.twitch_module.configuration import load_settings
from apps.twitch_module.keys import generated_key
from apps.twitch_module.services.tokens.key_rotation import KeyRotation
from apps.twitch_module.settings import BOT_SCOPES
from apps.twitch_module.vault import Vault, fernet_key
from tests.environment import SECRET
from tests.processes import Module, Sandbox, free_port

from ..operator import (
    APP_ID,
    APP_SECRET,
    BOT,
    BOT_ID,
    KEY,
    STREAMER,
    STREAMER_ID,
    Operator,
    Terminal,
    browse,
    issued_by,
)

BEFORE = (
    "# My bot\nUNKNOWN=kept # for me\nPORT=8123\nJWT_SECRET='a jwt secret # of 32 bytes or so'\n"
)
PUBLIC_URL = "https://bot.example"
CONTEXT, REPUTATION = "https://waddle.example/context", "https://waddle.example/reputation"
GENERATED = ("TWITCH_WEBHOOK_SECRET", "ADMIN_PASSWORD", "TOKEN_ENCRYPTION_KEYS")


@pytest.fixture
def newcomer(sandbox: Sandbox, tmp_path: Path) -> Iterator[Operator]:
    """An operator with nothing but a `.env` that holds other things; he sees no secret."""
    variables = {
        "TWITCH_API_URL": f"{sandbox.url}/helix",
        "TWITCH_AUTH_URL": f"{sandbox.url}/oauth2",
        "DATA_DIR": str(tmp_path),
        "DB_URI": "sqlite://storage.db",
    }
    operator = Operator(tmp_path, variables)
    operator.env_file.write_text(BEFORE)
    yield operator
    written = operator.in_env_file()
    secrets = {*issued_by(sandbox), *(written[name] for name in GENERATED if name in written)}
    secrets -= {written.get("ADMIN_PASSWORD")}  # which is shown once
    assert [] == [one for one in secrets if one in operator.printed]
    assert operator.printed.count(written.get("ADMIN_PASSWORD", "none was made")) <= 1
    assert not re.search("[?&]code=", operator.printed)


@pytest.fixture
def redirect_uri() -> str:
    return f"http://localhost:{free_port()}/twitch/auth/callback"


def answers(secret: str = APP_SECRET, bot: str = BOT, channel: str = STREAMER) -> str:
    lines = [PUBLIC_URL, APP_ID, secret, bot, channel, CONTEXT, REPUTATION]
    return "".join(f"{line}\n" for line in lines)


class Wizard:
    """The wizard on a pipe, up to where it waits for the browser."""

    def __init__(
        self, operator: Operator, redirect_uri: str, *words: str, typed: str = "", wait: str = "0.4"
    ) -> None:
        self.operator = operator
        options = ("--no-browser", "--redirect-uri", redirect_uri, "--wait", wait)
        self.process = operator.start("setup", *options, *words)
        self.type(typed or answers())
        printed = operator.read_until(self.process, "Waiting at")
        found = re.search(r"^  (http\S+)$", printed, re.MULTILINE)
        assert found
        self.url = found[1]

    def type(self, lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(lines)
        self.process.stdin.flush()

    def end(self, typed: str = "") -> subprocess.CompletedProcess[str]:
        return self.operator.end(self.process, typed)


def asked(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def agree(url: str, user_id: str = BOT_ID) -> str:
    """Where Twitch sends the browser of somebody who agrees; nobody goes there yet."""
    form = {**asked(url), "user_id": user_id}
    answer = requests.post(url.partition("?")[0], data=form, allow_redirects=False, timeout=10)
    location: str = answer.headers["Location"]
    return location


def assert_one_line(ended: subprocess.CompletedProcess[str], says: str, status: int = 1) -> None:
    assert status == ended.returncode, ended.stdout + ended.stderr
    assert 1 == len(ended.stderr.splitlines()), ended.stderr
    assert says in ended.stderr


def monitored(operator: Operator) -> list[tuple[str, ...]]:
    with operator.database().transaction() as transaction:
        return transaction.execute("SELECT channel_id FROM twitch_channels")


def assert_nothing_written(operator: Operator) -> None:
    assert BEFORE == operator.env_file.read_text()
    assert not [path for path in operator.folder.iterdir() if path.name.startswith(".env-")]


def test_the_wizard_ends_with_stored_tokens_and_a_complete_env_file(
    newcomer: Operator, sandbox: Sandbox, redirect_uri: str
) -> None:
    wizard = Wizard(newcomer, redirect_uri)
    page = browse(wizard.url, user_id=BOT_ID)
    ended = wizard.end()
    written = newcomer.in_env_file()
    (user,) = newcomer.json("token", "list")["users"]

    assert (0, "") == (ended.returncode, ended.stderr)
    assert "Back to the terminal" in page.text
    assert f"Connected as {BOT}" in ended.stdout
    assert (redirect_uri, set(BOT_SCOPES.split()), "true") == (
        asked(wizard.url)["redirect_uri"],
        set(asked(wizard.url)["scope"].split()),
        asked(wizard.url)["force_verify"],
    )
    assert (BOT, BOT_ID, "ok") == (user["login"], user["user_id"], user["status"])
    assert newcomer.env_file.read_text().startswith(BEFORE)
    assert 0o600 == newcomer.env_file.stat().st_mode & 0o777
    assert {
        "TWITCH_APP_ID": APP_ID,
        "TWITCH_APP_SECRET": APP_SECRET,
        "TWITCH_BOT_NAME": BOT,
        "TWITCH_CHANNEL": STREAMER,
        "PUBLIC_URL": PUBLIC_URL,
        "CONTEXT_API_URL": CONTEXT,
        "REPUTATION_API_URL": REPUTATION,
        "ADMIN_USERNAME": "admin",
    }.items() <= written.items()
    settings = load_settings(newcomer.variables, newcomer.env_file)
    KeyRotation(newcomer.database(), Vault(settings.encryption_keys)).check_keys()
    assert monitored(newcomer) == [(STREAMER_ID,)]
    assert written.keys() >= set(GENERATED)


def test_a_second_run_offers_what_is_there_and_changes_nothing(
    newcomer: Operator, redirect_uri: str
) -> None:
    first = Wizard(newcomer, redirect_uri)
    browse(first.url, user_id=BOT_ID)
    first.end()
    before = newcomer.env_file.read_bytes()

    second = Wizard(newcomer, redirect_uri, typed="\n\n\n\n")
    browse(second.url, user_id=BOT_ID)
    ended = second.end()

    assert 0 == ended.returncode, ended.stderr
    assert "nothing new" in ended.stdout
    assert before == newcomer.env_file.read_bytes()


def test_on_a_terminal_the_secret_is_not_shown(
    newcomer: Operator, sandbox: Sandbox, redirect_uri: str
) -> None:
    options = ("--no-browser", "--redirect-uri", redirect_uri)
    terminal = Terminal(newcomer, "setup", *options)
    terminal.answer("(https://...): ", "http://bot.example")
    terminal.answer("(https://...): ", f"{PUBLIC_URL}/?x=1")
    terminal.answer("(https://...): ", f"{PUBLIC_URL}/")
    terminal.answer("Client id: ", "nobody")
    terminal.answer("Client secret: ", "wrong")
    terminal.answer("Client id: ", APP_ID)
    terminal.answer("Client secret: ", APP_SECRET)
    terminal.answer("the bot: ", f"@{BOT.upper()}")
    terminal.answer("the channel: ", "not a login!")
    terminal.answer("the channel: ", "nobody_at_all")
    terminal.answer("the channel: ", STREAMER)
    terminal.answer("context API: ", "waddle.example")
    terminal.answer("context API: ", CONTEXT)
    terminal.answer("context API: ", CONTEXT)
    terminal.answer("reputation API: ", f"{sandbox.url}/waddlebot/reputation")
    terminal.answer("Password for admin (Enter makes one): ", "admin1234567")
    terminal.answer("Password for admin (Enter makes one): ", "")
    found = re.search(r"^  (http\S+)\r?$", terminal.wait_for("Waiting at"), re.MULTILINE)
    assert found
    browse(found[1], user_id=BOT_ID)

    terminal.answer(f"Monitor the channel {STREAMER} now? [Y/n]: ", "")

    assert 0 == terminal.end(), terminal.shown
    written = newcomer.in_env_file()
    told = newcomer.printed
    assert (BOT, PUBLIC_URL) == (written["TWITCH_BOT_NAME"], written["PUBLIC_URL"])
    assert 1 == told.count(written["ADMIN_PASSWORD"])
    assert told.index(redirect_uri) < told.index(f"{PUBLIC_URL}/twitch/auth/callback")
    assert told.index(f"{PUBLIC_URL}/twitch/auth/callback") < told.index("Client id: ")
    assert "knows no such client id" in told and "Twitch says: invalid client" in told
    assert "Its subscriptions are made when the service starts" in told
    assert monitored(newcomer) == [(STREAMER_ID,)]


class TestOnATerminal:
    """What is asked again, what is not asked, and what a stop leaves behind."""

    def begin(self, newcomer: Operator, redirect_uri: str) -> Terminal:
        terminal = Terminal(newcomer, "setup", "--no-browser", "--redirect-uri", redirect_uri)
        terminal.answer("(https://...): ", PUBLIC_URL)
        terminal.answer("Client id: ", APP_ID)
        return terminal

    def test_only_the_secret_is_asked_for_again_where_it_is_wrong(
        self, newcomer: Operator, redirect_uri: str
    ) -> None:
        terminal = self.begin(newcomer, redirect_uri)
        terminal.answer("Client secret: ", "wrong")
        terminal.answer("Client secret: ", APP_SECRET)
        terminal.wait_for("the bot: ")
        terminal.interrupt()

        assert 1 == terminal.end()
        assert "Twitch does not accept the client secret" in newcomer.printed
        assert "(Twitch says: invalid client secret)" in newcomer.printed
        assert 1 == newcomer.printed.count("Client id: ")

    @pytest.mark.parametrize(
        "stop",
        [Terminal.interrupt, lambda terminal: terminal.type("\x04")],
        ids=["ctrl-c", "ctrl-d"],
    )
    def test_a_stop_at_a_question_is_one_line_that_says_what_was_kept(
        self, newcomer: Operator, redirect_uri: str, stop: Callable[[Terminal], None]
    ) -> None:
        terminal = self.begin(newcomer, redirect_uri)
        terminal.wait_for("Client secret: ")
        stop(terminal)

        assert 1 == terminal.end()
        assert newcomer.printed.splitlines()[-1] == "Stopped: nothing was written"
        assert_nothing_written(newcomer)

    def test_a_stop_after_the_login_says_that_all_is_kept_but_the_channel(
        self, newcomer: Operator, redirect_uri: str
    ) -> None:
        terminal = self.begin(newcomer, redirect_uri)
        terminal.answer("Client secret: ", APP_SECRET)
        terminal.answer("the bot: ", BOT)
        terminal.answer("the channel: ", STREAMER)
        for question in ("context API: ", "reputation API: "):
            terminal.answer(question, CONTEXT)
            terminal.answer(question, CONTEXT)
        terminal.answer("Password for admin (Enter makes one): ", "chosen by the operator")
        found = re.search(r"^  (http\S+authorize\S+)\r?$", terminal.wait_for("Waiting at"), re.M)
        assert found
        browse(found[1], user_id=BOT_ID)
        terminal.wait_for("now? [Y/n]: ")
        terminal.interrupt()

        assert 1 == terminal.end()
        assert f"Stopped: the answers are in {newcomer.env_file}" in newcomer.printed
        assert f"cli channels add {STREAMER}" in newcomer.printed
        assert monitored(newcomer) == []
        written = newcomer.in_env_file()
        assert written["ADMIN_PASSWORD"] == "chosen by the operator"
        assert "chosen by the operator" not in newcomer.printed

    def test_a_redirect_url_that_twitch_does_not_know_is_waited_for(
        self, newcomer: Operator, sandbox: Sandbox, redirect_uri: str
    ) -> None:
        sandbox.control("settings", {"redirect_uris": ["https://elsewhere.example/"]})
        terminal = self.begin(newcomer, redirect_uri)
        terminal.answer("Client secret: ", APP_SECRET)
        terminal.wait_for(f"Add exactly {redirect_uri}")
        sandbox.control("settings", {"redirect_uris": [redirect_uri]})
        terminal.answer("Press Enter when it is there", "")
        terminal.wait_for(f"does not know {PUBLIC_URL}/twitch/auth/callback yet")
        terminal.wait_for("the bot: ")
        terminal.interrupt()

        assert 1 == terminal.end()


def test_a_running_service_makes_the_subscriptions_at_once(
    newcomer: Operator, sandbox: Sandbox, redirect_uri: str, tmp_path: Path
) -> None:
    password = "a-password-of-the-operator"
    keys = {"ADMIN_PASSWORD": password, "TWITCH_WEBHOOK_SECRET": SECRET}
    changes = {**newcomer.variables, **keys, "TOKEN_ENCRYPTION_KEYS": KEY}
    del changes["DATA_DIR"]
    module = Module(
        tmp_path, **changes, TWITCH_APP_ID=APP_ID, TWITCH_APP_SECRET=APP_SECRET, WORKER="off"
    ).wait_until_ready()
    try:
        newcomer.variables |= {"PORT": str(module.port), "PUBLIC_URL": module.url, **keys}
        newcomer.variables["TOKEN_ENCRYPTION_KEYS"] = KEY
        wizard = Wizard(newcomer, redirect_uri, typed=answers().partition("\n")[2])
        browse(wizard.url, user_id=BOT_ID)
        ended = wizard.end()
    finally:
        module.stop()

    assert (0, "") == (ended.returncode, ended.stderr)
    assert "Its subscriptions: 7 created" in ended.stdout


def test_an_address_can_be_pasted_while_the_wizard_listens(
    newcomer: Operator, redirect_uri: str
) -> None:
    wizard = Wizard(newcomer, redirect_uri)
    wizard.type("\nwhat now?\n" + agree(wizard.url) + "\n")

    assert 0 == wizard.end().returncode
    assert BOT == newcomer.in_env_file()["TWITCH_BOT_NAME"]


def test_the_key_that_the_service_had_generated_goes_into_the_file(
    newcomer: Operator, redirect_uri: str
) -> None:
    key = fernet_key(generated_key(newcomer.folder, "token.key"))
    wizard = Wizard(newcomer, redirect_uri)
    browse(wizard.url, user_id=BOT_ID)

    assert 0 == wizard.end().returncode
    assert key == newcomer.in_env_file()["TOKEN_ENCRYPTION_KEYS"]


def test_a_bot_that_is_the_streamer_is_asked_for_both_sets_of_scopes(
    newcomer: Operator, redirect_uri: str
) -> None:
    wizard = Wizard(newcomer, redirect_uri, typed=answers(bot=STREAMER))
    browse(wizard.url, user_id=STREAMER_ID)

    assert 0 == wizard.end().returncode
    asked_for = set(asked(wizard.url)["scope"].split())
    assert {*BOT_SCOPES.split(), "bits:read", "channel:read:subscriptions"} <= asked_for


def test_the_bots_scopes_can_be_chosen(newcomer: Operator, redirect_uri: str) -> None:
    newcomer.variables["TWITCH_BOT_SCOPES"] = "user:bot user:read:chat"
    wizard = Wizard(newcomer, redirect_uri)
    browse(wizard.url, user_id=BOT_ID)

    assert 0 == wizard.end().returncode
    assert "user:bot user:read:chat" == asked(wizard.url)["scope"]


@pytest.mark.parametrize(("typed", "status"), [("n\n", 1), ("y\n", 0)])
def test_another_account_than_the_named_one_is_asked_about(
    newcomer: Operator, redirect_uri: str, typed: str, status: int
) -> None:
    wizard = Wizard(newcomer, redirect_uri)
    browse(wizard.url, user_id="200300402")
    ended = wizard.end(typed)

    assert status == ended.returncode
    assert f"logged in as lumen42, not as {BOT}" in ended.stdout
    if status:
        assert_one_line(ended, f"log in as {BOT}")
        assert_nothing_written(newcomer)
    else:
        assert "lumen42" == newcomer.in_env_file()["TWITCH_BOT_NAME"]


class TestWhatGoesWrong:
    """Each is one line and exit status 1, and `.env` stays as it was."""

    @pytest.mark.parametrize(
        ("typed", "says"),
        [
            (answers(secret="wrong"), "does not accept the client secret"),
            (answers().replace(APP_ID, "nobody", 1), "no such client id"),
            (answers().replace("https://bot", "http://bot", 1), "PUBLIC_URL must be https"),
            (answers(bot="two words"), "letters, digits and _"),
            (answers(bot="nobody_at_all"), "nobody called nobody_at_all"),
            (answers(channel="nobody_at_all"), "nobody called nobody_at_all"),
        ],
        ids=["secret", "client id", "public url", "form", "bot", "channel"],
    )
    def test_a_wrong_answer(self, newcomer: Operator, typed: str, says: str) -> None:
        assert_one_line(newcomer.run("setup", "--no-browser", typed=typed), says)
        assert_nothing_written(newcomer)

    def test_twitch_is_away(self, newcomer: Operator) -> None:
        newcomer.variables["TWITCH_AUTH_URL"] = "http://127.0.0.1:9"
        ended = newcomer.run("setup", "--no-browser", typed=answers())

        assert_one_line(ended, "Is Twitch reachable from here?")
        assert_nothing_written(newcomer)

    def test_the_redirect_url_is_not_registered(
        self, newcomer: Operator, sandbox: Sandbox, redirect_uri: str
    ) -> None:
        sandbox.control("settings", {"redirect_uris": ["https://elsewhere.example/"]})
        words = ("setup", "--no-browser", "--redirect-uri", redirect_uri)

        assert_one_line(newcomer.run(*words, typed=answers()), f"Add exactly {redirect_uri}")
        assert_nothing_written(newcomer)

    @pytest.mark.parametrize(
        ("status", "message", "says"),
        [
            (400, "Parameter redirect_uri does not match registered URI", "Add exactly"),
            (403, "invalid client secret", "does not accept the client secret"),
            (500, "oops", "Is Twitch reachable"),
        ],
    )
    def test_the_exchange_fails(
        self,
        newcomer: Operator,
        sandbox: Sandbox,
        redirect_uri: str,
        status: int,
        message: str,
        says: str,
    ) -> None:
        wizard = Wizard(newcomer, redirect_uri)
        body = f'{{"status":{status},"message":"{message}"}}'
        order = {"path": "/sandbox/oauth2/token", "status": status, "body": body}
        sandbox.control("faults", order)
        browse(wizard.url, user_id=BOT_ID)

        assert_one_line(wizard.end(), says)
        assert_nothing_written(newcomer)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda query: re.sub("state=[^&]+", "", query), "state is not ours"),
            (lambda query: re.sub("state=[^&]+", "state=another", query), "state is not ours"),
            (lambda query: re.sub("code=[^&]+", "nothing=here", query), "holds no code"),
            (lambda query: query.replace("code=", "error=redirect_mismatch&x="), "redirect URL"),
            (lambda query: query.replace("code=", "error=%1b[31mserver&x="), "Twitch answers"),
        ],
    )
    def test_the_browser_brings_something_else(
        self, newcomer: Operator, redirect_uri: str, change: Callable[[str], str], says: str
    ) -> None:
        wizard = Wizard(newcomer, redirect_uri)
        elsewhere = redirect_uri.replace("callback", "favicon.ico")
        assert 404 == requests.get(elsewhere, timeout=10).status_code
        assert 404 == requests.get(redirect_uri, timeout=10).status_code
        requests.get(f"{redirect_uri}?{change(urlsplit(agree(wizard.url)).query)}", timeout=10)
        ended = wizard.end()

        assert_one_line(ended, says)
        assert "\x1b" not in ended.stderr
        assert_nothing_written(newcomer)

    def test_it_is_declined(self, newcomer: Operator, redirect_uri: str) -> None:
        wizard = Wizard(newcomer, redirect_uri)
        browse(wizard.url, decision="decline")

        assert_one_line(wizard.end(), "declined at Twitch")
        assert_nothing_written(newcomer)

    def test_a_pasted_code_has_been_used(
        self, newcomer: Operator, sandbox: Sandbox, redirect_uri: str
    ) -> None:
        process = newcomer.start("setup", "--no-browser", "--paste", "--redirect-uri", redirect_uri)
        assert process.stdin is not None
        process.stdin.write(answers())
        process.stdin.flush()
        found = re.search(r"^  (http\S+)$", newcomer.read_until(process, "Then paste"), re.M)
        assert found
        location = agree(found[1])
        form = {
            "client_id": APP_ID,
            "client_secret": APP_SECRET,
            "grant_type": "authorization_code",
            "code": asked(location)["code"],
            "redirect_uri": redirect_uri,
        }
        assert sandbox.post("/oauth2/token", data=form).ok
        ended = newcomer.end(process, location + "\n")

        assert_one_line(ended, "it was used already")
        assert_nothing_written(newcomer)

    def test_nobody_comes(self, newcomer: Operator, redirect_uri: str) -> None:
        wizard = Wizard(newcomer, redirect_uri, wait="0.002")

        assert_one_line(wizard.end(), "Nobody came back from Twitch within 0.002 minutes")
        assert_nothing_written(newcomer)

    def test_something_else_listens_there(self, newcomer: Operator) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            uri = f"http://localhost:{other.getsockname()[1]}/callback"
            words = ("setup", "--no-browser", "--redirect-uri", uri)
            ended = newcomer.run(*words, typed=answers())

        assert_one_line(ended, "cannot be listened on")
        assert_nothing_written(newcomer)

    @pytest.mark.parametrize(
        "uri", ["https://localhost/callback", "http://bot.example/callback", "http://[::1", "x"]
    )
    def test_the_redirect_url_is_not_on_this_machine(self, uri: str) -> None:
        with pytest.raises(SetupFailed, match="is not on this machine"):
            RedirectListener(uri)

    @pytest.mark.parametrize("address", ["what?", "http://[::1", "http://localhost/callback"])
    def test_no_address_is_pasted(
        self, newcomer: Operator, redirect_uri: str, address: str
    ) -> None:
        words = ("setup", "--no-browser", "--paste", "--redirect-uri", redirect_uri)
        ended = newcomer.run(*words, typed=f"{answers()}{address}\n")

        assert_one_line(ended, "no address with a code")
        assert_nothing_written(newcomer)

    def test_the_rest_of_the_configuration_is_wrong(self, newcomer: Operator) -> None:
        newcomer.variables["WORKERS"] = "many"
        ended = newcomer.run("setup", "--no-browser")

        assert_one_line(ended, "WORKERS", status=2)
        assert "TWITCH_APP_ID" not in ended.stderr
        assert_nothing_written(newcomer)

    def test_the_input_ends(self, newcomer: Operator) -> None:
        ended = newcomer.run("setup", "--no-browser", typed=f"{PUBLIC_URL}\n{APP_ID}\n")

        assert 1 == ended.returncode
        assert "Stopped: nothing was written" in ended.stderr
        assert_nothing_written(newcomer)


class TestDevice:
    def begin(
        self, newcomer: Operator, sandbox: Sandbox, **settings: int
    ) -> tuple[subprocess.Popen[str], str]:
        """The wizard that waits, and the code that it shows."""
        sandbox.control("settings", {"device_interval_seconds": 1, **settings})
        process = newcomer.start("setup", "--device", "--no-browser")
        assert process.stdin is not None
        process.stdin.write(answers())
        process.stdin.flush()
        found = re.search(r"enter (\w+)", newcomer.read_until(process, "and enter"))
        assert found
        return process, found[1]

    def test_a_code_entered_elsewhere_connects_the_bot_also_when_twitch_stumbles(
        self, newcomer: Operator, sandbox: Sandbox
    ) -> None:
        process, code = self.begin(newcomer, sandbox)
        sandbox.control("faults", {"path": "/sandbox/oauth2/token", "status": 503})
        sandbox.post("/oauth2/activate", data={"user_code": code, "user_id": BOT_ID})
        ended = newcomer.end(process)
        (user,) = newcomer.json("token", "list")["users"]

        assert (0, "") == (ended.returncode, ended.stderr)
        assert (BOT, sorted(BOT_SCOPES.split())) == (user["login"], sorted(user["scopes"]))
        assert 0 == newcomer.run("token", "refresh", BOT).returncode

    def test_a_declined_code_is_one_line(self, newcomer: Operator, sandbox: Sandbox) -> None:
        process, code = self.begin(newcomer, sandbox)
        sandbox.post("/oauth2/activate", data={"user_code": code})

        assert_one_line(newcomer.end(process), "declined at Twitch, or the code has ended")
        assert_nothing_written(newcomer)

    def test_a_code_that_nobody_enters_is_one_line(
        self, newcomer: Operator, sandbox: Sandbox
    ) -> None:
        process, _ = self.begin(newcomer, sandbox, device_code_seconds=1)
        ended = newcomer.end(process)

        assert 1 == ended.returncode
        assert "the code has ended" in ended.stderr or "in time" in ended.stderr
        assert_nothing_written(newcomer)
