"""The tokens of another bot's `.env`: kept when Twitch knows them, and they are ours to keep."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.twitch_module.settings import BOT_SCOPES
from tests.integration.rows import columns
from tests.processes import Sandbox, start_sandbox
from tests.sandbox.client import Client

from ..operator import APP_ID, BOT, BOT_ID, STREAMER, STREAMER_ID, Operator, log_in

Pair = dict[str, Any]


class OldBot:
    """Another installation's `.env`, with the tokens that it holds."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        folder.mkdir()
        self.sandbox = sandbox
        self.env_file = folder / ".env"

    def write(self, mode: int = 0o600, **values: str) -> Path:
        lines = [f'{name}="{value}"\n' for name, value in values.items()]
        self.env_file.write_text("# the old bot\nexport OTHER=kept\n" + "".join(lines))
        self.env_file.chmod(mode)
        return self.env_file

    def holds(self, pair: Pair, **changes: str) -> Path:
        values = {
            "CLIENT_ID": APP_ID,
            "ACCESS_TOKEN": pair["access_token"],
            "REFRESH_TOKEN": pair["refresh_token"],
            **changes,
        }
        return self.write(**{name: value for name, value in values.items() if value})


@pytest.fixture
def old_bot(sandbox: Sandbox, tmp_path: Path) -> OldBot:
    return OldBot(sandbox, tmp_path / "old bot")


@pytest.fixture
def pair(sandbox: Sandbox, operator: Operator) -> Pair:
    """What the bot was given elsewhere: nothing of it is stored here."""
    given = log_in(sandbox, operator, BOT_ID, BOT_SCOPES)
    with operator.database().transaction() as transaction:
        transaction.execute("DELETE FROM twitch_tokens")
    return given


def kept(operator: Operator) -> str:
    return operator.tokens().valid(BOT_ID).access_token.reveal()


def test_living_tokens_are_kept_as_they_are(
    operator: Operator, old_bot: OldBot, pair: Pair, sandbox: Sandbox
) -> None:
    ended = operator.run("token", "import", str(old_bot.holds(pair)))

    assert (0, "") == (ended.returncode, ended.stderr)
    assert f"The tokens of {BOT} are kept, for 3 h 59 min" in ended.stdout
    assert f"TWITCH_BOT_NAME={BOT}" in ended.stdout
    assert "lack" not in ended.stdout
    assert pair["access_token"] == kept(operator)
    assert not any(one["used"] for one in sandbox.control("tokens")["tokens"])
    assert 0 == operator.run("token", "refresh", BOT).returncode
    ((display_name,),) = columns(operator.database(), "SELECT display_name FROM twitch_tokens")
    assert "QuietHeron" == display_name.replace("_", "")


def test_it_is_noted_who_did_it_and_no_token_is(
    operator: Operator, old_bot: OldBot, pair: Pair
) -> None:
    operator.run("token", "import", str(old_bot.holds(pair)))
    (row,) = columns(
        operator.database(),
        "SELECT actor_kind, action, object, after_change FROM audit_log",
    )

    assert ("cli", "token.import", f"user:{BOT_ID}") == tuple(row[:3])
    assert "user:write:chat" in row[3]
    assert not [one for one in (pair["access_token"], pair["refresh_token"]) if one in row[3]]


@pytest.mark.parametrize("access", ["ended", "", "unknown"])
def test_a_dead_or_missing_access_token_is_renewed_first(
    operator: Operator, old_bot: OldBot, pair: Pair, sandbox: Sandbox, access: str
) -> None:
    sandbox.control("tokens/expire", {"user_id": BOT_ID})
    text = {"ended": pair["access_token"]}.get(access, access)
    answer = operator.json("token", "import", str(old_bot.holds(pair, ACCESS_TOKEN=text)))
    valid = {one["access_token"] for one in sandbox.control("tokens")["tokens"] if one["valid"]}

    assert (BOT_ID, BOT, True) == (answer["user_id"], answer["login"], answer["renewed"])
    assert [] == answer["missing_scopes"]
    assert kept(operator) in valid


def test_a_renewed_pair_is_not_lost_when_twitch_stumbles_afterwards(
    operator: Operator, old_bot: OldBot, pair: Pair, sandbox: Sandbox
) -> None:
    path = old_bot.holds(pair, ACCESS_TOKEN="")
    sandbox.control("faults", {"path": "/sandbox/oauth2/validate", "times": 2, "status": 503})

    assert operator.json("token", "import", str(path))["renewed"]
    assert 0 == operator.run("token", "refresh", BOT).returncode


@pytest.mark.parametrize(
    "names",
    [
        ("TWITCH_CLIENT_ID", "TWITCH_ACCESS_TOKEN", "TWITCH_REFRESH_TOKEN"),
        ("TWITCH_APP_ID", "TWITCH_TOKEN", "REFRESH_TOKEN"),
        ("", "ACCESS_TOKEN", "REFRESH_TOKEN"),
    ],
)
def test_other_names_and_a_chat_librarys_prefix_are_understood(
    operator: Operator, old_bot: OldBot, pair: Pair, names: tuple[str, str, str]
) -> None:
    values = (APP_ID, f"oauth:{pair['access_token']}", pair["refresh_token"])
    given = {name: value for name, value in zip(names, values, strict=True) if name}
    operator.json("token", "import", str(old_bot.write(**given)))

    assert pair["access_token"] == kept(operator)


def test_scopes_that_are_missing_are_named(
    operator: Operator, old_bot: OldBot, sandbox: Sandbox
) -> None:
    given = log_in(sandbox, operator, BOT_ID, "chat:read chat:edit")
    ended = operator.run("token", "import", str(old_bot.holds(given)))

    assert 0 == ended.returncode
    assert "They lack the scopes channel:moderate" in ended.stdout


def test_a_streamers_tokens_are_measured_by_the_channels_events(
    operator: Operator, old_bot: OldBot, sandbox: Sandbox
) -> None:
    operator.variables["TWITCH_BOT_NAME"] = BOT
    given = log_in(sandbox, operator, STREAMER_ID, "bits:read")
    answer = operator.json("token", "import", str(old_bot.holds(given)))

    assert STREAMER == answer["login"]
    assert {
        "channel:moderate",
        "channel:read:subscriptions",
        "moderator:read:followers",
    } == set(answer["missing_scopes"])


def test_a_file_that_others_may_read_is_warned_about_and_taken(
    operator: Operator, old_bot: OldBot, pair: Pair
) -> None:
    old_bot.holds(pair).chmod(0o644)
    ended = operator.run("token", "import", str(old_bot.env_file))

    assert 0 == ended.returncode
    assert f"chmod 600 {old_bot.env_file}" in ended.stderr


def test_tokens_of_another_application_are_refused(
    operator: Operator, old_bot: OldBot, pair: Pair
) -> None:
    """By the file's client id, by what Twitch says of the access token, or of the other."""
    other = start_sandbox()  # where any application has its tokens
    theirs = Client(other).log_in(BOT_ID)
    operator.variables |= {"TWITCH_AUTH_URL": f"{other.url}/oauth2"}
    told = operator.run("token", "import", str(old_bot.holds(theirs, CLIENT_ID="the-client")))
    found_out = operator.run("token", "import", str(old_bot.holds(theirs, CLIENT_ID="")))
    dead = operator.run("token", "import", str(old_bot.holds(theirs, ACCESS_TOKEN="")))
    other.stop()

    for ended in (told, found_out, dead):
        assert (1, "") == (ended.returncode, ended.stdout)
        assert "application" in ended.stderr
        assert theirs["access_token"] not in ended.stderr
        assert theirs["refresh_token"] not in ended.stderr
    assert "TWITCH_APP_ID" in told.stderr and "TWITCH_APP_ID" in found_out.stderr
    assert operator.tokens().find(BOT_ID) is None


def dead(old_bot: OldBot, pair: Pair) -> None:
    old_bot.sandbox.control("tokens/expire", {"user_id": BOT_ID, "refresh_too": True})
    old_bot.holds(pair)


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (dead, "Neither token lives any more"),
        (lambda bot, pair: bot.holds(pair, REFRESH_TOKEN=""), "holds no REFRESH_TOKEN"),
        (lambda bot, pair: bot.write(), "holds no REFRESH_TOKEN"),
        (lambda bot, pair: bot.holds(pair, ACCESS_TOKEN="a b"), "ACCESS_TOKEN in"),
        (lambda bot, pair: bot.holds(pair, REFRESH_TOKEN="\u00fc"), "REFRESH_TOKEN in"),
        (lambda bot, pair: bot.env_file.write_bytes(b"REFRESH_TOKEN=\xff\xfe"), "cannot be read"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_a_line_or_two(
    operator: Operator,
    old_bot: OldBot,
    pair: Pair,
    write: Callable[[OldBot, Pair], Any],
    says: str,
) -> None:
    write(old_bot, pair)
    ended = operator.run("token", "import", str(old_bot.env_file))
    lines = [line for line in ended.stderr.splitlines() if "chmod" not in line]

    assert (1, "") == (ended.returncode, ended.stdout)
    assert 1 <= len(lines) <= 2
    assert says in lines[0]
    assert operator.tokens().find(BOT_ID) is None


def test_a_file_that_is_not_there_is_wrong_use(operator: Operator) -> None:
    ended = operator.run("token", "import", "/nowhere/.env")

    assert 2 == ended.returncode
    assert "does not exist" in ended.stderr


def test_twitch_that_is_away_keeps_everything_as_it_was(
    operator: Operator, old_bot: OldBot, pair: Pair
) -> None:
    operator.variables["TWITCH_AUTH_URL"] = "http://127.0.0.1:9"
    before = old_bot.holds(pair).read_bytes()
    ended = operator.run("token", "import", str(old_bot.env_file))

    assert 1 == ended.returncode
    assert operator.tokens().find(BOT_ID) is None
    assert before == old_bot.env_file.read_bytes()
