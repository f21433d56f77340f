"""An operator who types commands, and the browser that he logs in with."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import requests
from cryptography.fernet import Fernet
from dotenv import dotenv_values

from apps.twitch_module.clients.http import HTTPClient
from apps.twitch_module.clients.twitch_auth import TwitchAuth
from apps.twitch_module.configuration import load_settings
from apps.twitch_module.domain.secret import Secret
from apps.twitch_module.domain.tokens.oauth import Grant, Validation
from apps.twitch_module.models.database import Database
from apps.twitch_module.models.migrations import migrate
from apps.twitch_module.services.tokens.user_tokens import UserTokens
from apps.twitch_module.vault import Vault
from tests.environment import SECRET, environment
from tests.processes import REPOSITORY, Sandbox, clean_environment, wait_until

APP_ID, APP_SECRET = "app-id", "app-secret-of-the-tests"
STREAMER, STREAMER_ID = "sandbox_streamer", "100200300"
MONITORED = "harbour_radio"  # by the service that all commands share
BOT, BOT_ID = "quiet_heron", "200300401"
KEY = Fernet.generate_key().decode()


def settings_for(sandbox: Sandbox, folder: Path, **changes: str) -> dict[str, str]:
    """An environment of the module on this sandbox, with its data in this folder."""
    given = environment(
        DATA_DIR=str(folder),
        TWITCH_API_URL=f"{sandbox.url}/helix",
        TWITCH_AUTH_URL=f"{sandbox.url}/oauth2",
        PUBLIC_URL="http://127.0.0.1:9",
        CONTEXT_API_URL=f"{sandbox.url}/waddlebot/context",
        REPUTATION_API_URL=f"{sandbox.url}/waddlebot/reputation",
        GATEWAY_ACTIVATE_URL=f"{sandbox.url}/waddlebot/gateway",
        TOKEN_ENCRYPTION_KEYS=KEY,
        JWT_SECRET="a-jwt-secret-of-the-tests-32-bytes",
        **{"DB_URI": "sqlite://storage.db", **changes},
    )
    return {name: value for name, value in given.items() if value and name != "SANDBOX"}


class Operator:
    """Runs commands on one installation; remembers everything that they printed."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        """`variables` are the environment; `.env` lies in the folder."""
        self.folder = folder
        self.env_file = folder / ".env"
        self.variables = dict(variables)
        self.printed = ""

    def environment(self) -> dict[str, str]:
        return clean_environment(**self.variables)

    def start(self, *words: str, **pipes: Any) -> subprocess.Popen[str]:
        """A command that runs on, without a terminal."""
        module = [sys.executable, "-m", "apps.twitch_module.cli", "--env-file", str(self.env_file)]
        options: dict[str, Any] = {
            "stdin": subprocess.PIPE,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **pipes,
        }
        return subprocess.Popen(
            [*module, *words],
            cwd=REPOSITORY,
            env=self.environment(),
            text=True,
            start_new_session=True,
            **options,
        )

    def run(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """A command that has ended."""
        return self.end(self.start(*words), typed)

    def end(
        self, process: subprocess.Popen[str], typed: str = ""
    ) -> subprocess.CompletedProcess[str]:
        out, error = process.communicate(typed, timeout=30)
        self.printed += out + error
        return subprocess.CompletedProcess(process.args, process.returncode, out, error)

    def json(self, *words: str, status: int = 0) -> Any:
        """What a command answers to --json."""
        ended = self.run(*words, "--json")
        assert ended.returncode == status, ended.stdout + ended.stderr
        return json.loads(ended.stdout)

    def read_until(self, process: subprocess.Popen[str], text: str) -> str:
        """What a running command has printed, up to the line with this text."""
        assert process.stdout is not None
        printed = ""
        while text not in printed:
            line = process.stdout.readline()
            assert line, f"{text!r} never came: {printed} {self.end(process).stderr}"
            printed += line
            self.printed += line
        return printed

    def in_env_file(self) -> dict[str, str]:
        """What stands in `.env`."""
        found = dotenv_values(self.env_file, interpolate=False)
        return {name: value for name, value in found.items() if value}

    def tokens(self, *keys: str) -> UserTokens:
        """The tokens of this installation, as the module keeps them."""
        database = Database(self.variables["DB_URI"], self.folder)
        migrate(database)
        settings = load_settings({**environment(), **self.variables, "SANDBOX": "1"})
        return UserTokens(database, Vault(keys or (KEY,)), TwitchAuth(HTTPClient(2), settings))

    def database(self) -> Database:
        return Database(self.variables["DB_URI"], self.folder)


class Terminal:
    """A command on a terminal of its own: what is typed hidden has no other way in."""

    def __init__(self, operator: Operator, *words: str) -> None:
        self._operator = operator
        self._ours, theirs = pty.openpty()
        self.shown = ""
        self.process = operator.start(*words, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)

    def wait_for(self, text: str, seconds: float = 10) -> str:
        """Everything shown, once this text is among it."""
        ends = time.monotonic() + seconds
        while text not in self.shown:
            assert self._read(ends - time.monotonic()), f"{text!r} never came: {self.shown}"
        return self.shown

    def answer(self, question: str, line: str) -> None:
        """Type a line after the question that has not been answered before."""
        self.wait_for(question)
        self.shown = self.shown.partition(question)[2]
        self.type(f"{line}\n")

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def interrupt(self) -> None:
        """What Ctrl-C does; this terminal controls no process, and so sends no signal itself.

        Pressed again, as anybody would, when nothing happens: readline notices one that comes just
        before it waits for a key with the next key only.
        """
        process = psutil.Process(self.process.pid)
        for _ in range(5):
            wait_until(lambda: process.status() == psutil.STATUS_SLEEPING)
            self.process.send_signal(signal.SIGINT)
            if self._read(2):
                return
        raise AssertionError(f"Ctrl-C was not noticed: {self.shown}")

    def end(self) -> int:
        """Its exit status."""
        while self._read(10):
            pass
        os.close(self._ours)
        return self.process.wait(10)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], max(seconds, 0))[0]:
            return False
        try:
            part = os.read(self._ours, 65536).decode()
        except OSError:  # how Linux says that nobody is at the other side any more
            return False
        self.shown += part
        self._operator.printed += part
        return bool(part)


def log_in(
    sandbox: Sandbox, operator: Operator, user_id: str = STREAMER_ID, scopes: str = ""
) -> dict[str, Any]:
    """A user's login that ends in the installation's database; what Twitch gave."""
    redirect_uri = "http://127.0.0.1:9/twitch/auth/callback"
    asked = {
        "client_id": APP_ID,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": scopes,
        "state": "a-state",
    }
    back = sandbox.post(
        "/oauth2/authorize", data={**asked, "user_id": user_id}, allow_redirects=False
    )
    code = parse_qs(urlsplit(back.headers["Location"]).query)["code"][0]
    form = {"code": code, "grant_type": "authorization_code", "redirect_uri": redirect_uri}
    credentials = {"client_id": APP_ID, "client_secret": APP_SECRET}
    given: dict[str, Any] = sandbox.post("/oauth2/token", data={**form, **credentials}).json()
    people = {one["id"]: one for one in sandbox.control("users")["users"]}
    names = people[user_id]
    grant = Grant(
        Secret(given["access_token"]),
        Secret(given["refresh_token"]),
        tuple(scopes.split()),
        given["expires_in"],
    )
    whose = Validation(APP_ID, user_id, names["login"], grant.scopes, grant.expires_in)
    operator.tokens().keep_login(whose, names["display_name"], grant)
    return given


def browse(url: str, **decision: str) -> requests.Response:
    """Open Twitch's page, decide there, and go where that leads."""
    page = requests.get(url, timeout=10)
    assert page.status_code == 200, page.text
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    answer = requests.post(
        url.partition("?")[0], data={**asked, **decision}, allow_redirects=False, timeout=10
    )
    assert answer.status_code == 302, answer.text
    return requests.get(answer.headers["Location"], timeout=10)


def issued_by(sandbox: Sandbox) -> set[str]:
    """Every secret that must not be shown: what the sandbox gave out, and what we hold."""
    given = sandbox.control("tokens")["tokens"]
    tokens = {one[kind] for one in given for kind in ("access_token", "refresh_token")}
    return {*tokens, APP_SECRET, SECRET, KEY} - {None}
