"""Commands that speak to a running service: lists, changes, who may, and what goes wrong."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import click
import pytest

from apps.twitch_module.cli import commands
from apps.twitch_module.commands import api_client, pages
from apps.twitch_module.domain.events.catalogue import CATALOGUE
from tests.environment import ADMIN, PASSWORD
from tests.messages import EVENTS, Message, person
from tests.processes import Sandbox, free_port, wait_until

from .operator import MONITORED, STREAMER, STREAMER_ID, Operator, Terminal
from .runner import Commands

OTHER, OTHER_ID = "harbour_radio", "300400500"
NOBODY = {"ADMIN_USERNAME": "", "ADMIN_PASSWORD": ""}


@pytest.fixture
def monitored(cli: Commands) -> Iterator[None]:
    """The sandbox's streamer is monitored, with all subscriptions."""
    cli.done("channels", "add", STREAMER)
    cli.done("channels", "setup", STREAMER)
    yield
    cli.done("channels", "remove", STREAMER, "--yes")


@pytest.fixture(scope="module")
def sent(service: object) -> list[str]:
    """The ids of messages that the service has got, oldest first."""
    messages = [
        Message("channel.cheer", {**EVENTS["channel.cheer"], "bits": bits})
        for bits in range(250, 257)
    ]
    assert {service.post(one).status_code for one in messages} == {204}  # type: ignore[attr-defined]
    return [one.message_id for one in messages]


@pytest.fixture
def another() -> Iterator[str]:
    """The address of a server that is not the module."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            elsewhere = self.path.startswith("/moved")
            self.send_response(301 if elsewhere else 200)
            if elsewhere:
                self.send_header("Location", "https://elsewhere.example/")
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"Hello")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def on_a_terminal(cli: Commands, folder: Path, columns: int, *words: str) -> list[str]:
    """The lines that a command shows on a terminal of this width."""
    variables = {**cli.variables, "TERM": "xterm", "COLUMNS": str(columns)}
    terminal = Terminal(Operator(folder, variables), *words)
    assert terminal.end() == 0, terminal.shown
    return terminal.shown.splitlines()


class TestChannels:
    def test_the_empty_list_says_how_to_add_one(self, cli: Commands) -> None:
        cli.done("channels", "remove", MONITORED, "--yes")
        try:
            nothing, told = cli.json("channels", "list"), cli.done("channels", "list")
        finally:
            cli.done("channels", "add", MONITORED)

        assert nothing == {"channels": []}
        assert "cli channels add" in told

    def test_a_channel_is_added_shown_changed_set_up_and_removed(self, cli: Commands) -> None:
        added = cli.json("channels", "add", f"@{STREAMER}")["channel"]
        assert "was monitored already" in cli.done("channels", "add", "--id", STREAMER_ID)
        plan = cli.json("channels", "setup", STREAMER, "--dry-run")
        done = cli.json("channels", "setup", STREAMER)
        points = '{"follow": 15, "bits": false}'
        changed = cli.json(
            "channels", "change", STREAMER, "--points", points, "--gateway", "g-1", "--backfill"
        )["channel"]
        shown = cli.done("channels", "show", STREAMER_ID)
        back = cli.json(
            "channels", "change", STREAMER, "--points", "null", "--gateway", "", "--no-backfill"
        )["channel"]
        listed = cli.done("channels", "list")
        removed = cli.json("channels", "remove", STREAMER, "--yes")

        assert (added["channel_id"], added["channel_name"]) == (STREAMER_ID, STREAMER)
        assert (plan["dry_run"], done["dry_run"]) == (True, False)
        assert {one["outcome"] for one in done["results"]} <= {"created", "kept", "adopted"}
        assert (changed["points"], changed["gateway_id"], changed["backfill"]) == (
            {"follow": 15, "bits": False},
            "g-1",
            True,
        )
        assert all(text in shown for text in (STREAMER_ID, "g-1", '"follow": 15', "channel.raid"))
        assert (back["points"], back["gateway_id"], back["backfill"]) == (None, None, False)
        assert STREAMER in listed and STREAMER_ID in listed
        assert removed["deleted"] and len(removed["removed_subscriptions"]) >= 6

    def test_event_types_of_its_own_and_the_usual_ones_again(
        self, cli: Commands, monitored: None
    ) -> None:
        change = ("channels", "change", STREAMER)
        own = cli.json(*change, "--event-type", "stream.online", "--inactive")["channel"]
        usual = cli.json(*change, "--usual-event-types", "--active")["channel"]

        assert (own["event_types"], own["is_active"]) == (["stream.online"], False)
        assert not usual["own_event_types"] and usual["is_active"]

    def test_a_setup_that_is_not_well_ends_with_1_and_names_the_reason(
        self, cli: Commands, running_sandbox: Sandbox, monitored: None
    ) -> None:
        cli.done("channels", "change", STREAMER, "--event-type", "channel.poll.end")
        fault = {"path": "/sandbox/helix/eventsub/subscriptions", "method": "POST"}
        running_sandbox.control("faults", {**fault, "status": 403, "times": -1})
        try:
            ended = cli.run("channels", "setup", STREAMER)
            document = cli.json("channels", "setup", STREAMER, status=1)
        finally:
            running_sandbox.post("/control/reset").raise_for_status()

        assert (ended.exit_code, ended.stderr) == (1, "")
        assert "channel.poll.end" in ended.stdout
        assert document["results"][0]["outcome"] in ("refused", "waiting")

    @pytest.mark.parametrize(
        ("words", "status", "told"),
        [
            (("show", "nobody"), 1, "cli channels list"),
            (("show", "4711"), 1, "404 not_found"),
            (("add", "nobody_knows"), 1, "404 not_found"),
            (("change", STREAMER_ID), 2, "nothing to change"),
            (("change", STREAMER_ID, "--points", "{"), 2, "not JSON"),
            (("change", STREAMER_ID, "--points", "3"), 2, "JSON object"),
            (("change", STREAMER_ID, "--event-type", "channel.chear"), 2, "channel.cheer"),
            (("change", "4711", "--active"), 1, "404"),
            (("add", ".."), 1, "422 invalid"),
            (("setup", ".."), 1, "No channel"),
            (("remove", "4711", "--yes"), 1, "404"),
            (("remove", "4711"), 1, "Aborted"),
        ],
    )
    def test_what_cannot_be_is_told_in_a_line_or_two(
        self, cli: Commands, words: tuple[str, ...], status: int, told: str
    ) -> None:
        code, text = cli.refused("channels", *words)

        assert code == status
        assert told in text


class TestSubscriptions:
    def test_one_is_created_listed_and_deleted(self, cli: Commands, monitored: None) -> None:
        create = ("subscriptions", "create", "stream.online")
        made = cli.json(*create, "--channel", STREAMER)["subscription"]
        again = cli.done(*create, "--condition", f"broadcaster_user_id={STREAMER_ID}")
        listed = cli.run("subscriptions", "list")
        document = cli.json("subscriptions", "list")
        deleted = cli.json("subscriptions", "delete", made["id"])

        assert "there already" in again
        assert made["id"] in listed.stdout and "stream.online" in listed.stdout
        assert "they cost" in listed.stderr
        assert made["id"] in [one["id"] for one in document["subscriptions"]]
        assert deleted["deleted"]

    def test_the_catalogue_shows_every_type_and_what_it_needs(self, cli: Commands) -> None:
        types = cli.json("catalogue")["types"]
        chat = cli.done("catalogue", "chat", "message")
        (follow,) = cli.json("catalogue", "channel.follow")["types"]

        assert list(CATALOGUE) == [one["type"] for one in types]
        assert "channel.follow" not in chat
        assert "user: user:read:chat user:bot; broadcaster: channel:bot" in chat
        assert ("2", "follow", True) == (
            follow["version"],
            follow["activity"],
            follow["is_of_channel"],
        )
        assert [{"by": "moderator_user_id", "any_of": ["moderator:read:followers"]}] == follow[
            "grants"
        ]

    def test_the_advice_about_an_unknown_type_leads_to_success(
        self, cli: Commands, running_sandbox: Sandbox
    ) -> None:
        running_sandbox.control("settings", {"further_types": ["channel.newest"]})
        create = ("subscriptions", "create", "channel.newest")
        code, advice = cli.refused(*create, "--channel", STREAMER_ID)
        condition = f"broadcaster_user_id={STREAMER_ID}"
        made = cli.json(*create, "--version", "1", "--condition", condition)["subscription"]
        cli.done("subscriptions", "delete", made["id"])

        assert 1 == code
        assert "with its version and its condition, and without a channel" in " ".join(
            advice.split()
        )

    @pytest.mark.parametrize(
        ("words", "status", "told"),
        [
            (("create", "stream.online"), 2, "--channel or --condition"),
            (("create", "stream.online", "--condition", "x"), 2, "KEY=VALUE"),
            (("create", "nothing.like.it", "--channel", STREAMER_ID), 1, "422"),
            (("delete", "none"), 1, "404"),
        ],
    )
    def test_what_cannot_be_is_told(
        self, cli: Commands, words: tuple[str, ...], status: int, told: str
    ) -> None:
        code, text = cli.refused("subscriptions", *words)

        assert code == status
        assert told in text


class TestLists:
    def test_events_come_newest_first_in_as_many_pages_as_it_takes(
        self, cli: Commands, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, "_PAGE_ROWS", 3)
        everything = cli.json("events", "list", "--all")
        some = cli.json("events", "list", "--limit", "5")
        rest = cli.json("events", "list", "--all", "--cursor", some["next_cursor"])
        ids = [one["event_id"] for one in everything["events"]]

        assert [one for one in ids if one in sent] == sent[::-1]
        assert everything["next_cursor"] is None
        assert [one["event_id"] for one in some["events"] + rest["events"]] == ids

    def test_a_table_in_a_pipe_has_a_line_per_row_with_whole_ids_and_no_colours(
        self, cli: Commands, sent: list[str]
    ) -> None:
        ended = cli.run("events", "list", "--limit", "3")
        head, *rows = ended.stdout.splitlines()

        assert head.split() == ("day time type id user user_id channel channel_id outcome".split())
        assert [row.split()[3] for row in rows] == sent[:-4:-1]
        assert "\x1b" not in ended.stdout
        assert "there are more" in ended.stderr

    def test_filters_are_those_of_the_api(self, cli: Commands, sent: list[str]) -> None:
        fitting = ("--type", "channel.cheer", "--channel", "7001", "--user", "8001")
        listed = cli.json("events", "list", *fitting, "--since", "1h")["events"]
        before = ("events", "list", "--until", "2026-01-01")

        assert {one["event_id"] for one in listed} >= set(sent)
        assert cli.json(*before) == {"events": [], "next_cursor": None}
        assert "cli simulate" in cli.done(*before)
        assert cli.json("activities", "list", "--since", "2100-01-01T00:00:00Z")["activities"] == []
        assert "cli simulate" in cli.done("activities", "list", "--until", "520w")

    def test_an_event_is_shown_with_its_body(self, cli: Commands, sent: list[str]) -> None:
        shown = cli.done("events", "show", sent[0])

        assert cli.json("events", "show", sent[0])["event"]["event_id"] == sent[0]
        assert json.loads(shown.partition("body\n")[2])["event"]["bits"] == 250
        assert "A_Viewer (8001)" in shown

    def test_an_activity_tells_its_sum_and_its_delivery_and_is_delivered_again(
        self, cli: Commands, sent: list[str]
    ) -> None:
        def delivered() -> list[int]:
            found = cli.json("activities", "list", "--status", "delivered", "--type", "bits")
            return [one["id"] for one in found["activities"] if one["event_id"] == sent[0]]

        number = str(wait_until(delivered)[0])
        shown = cli.done("activities", "show", number)
        again = cli.json("redeliver", number)["activity"]
        wait_until(delivered)
        many = cli.json(
            *("redeliver", "--status", "delivered", "--user", "8001", "--since", "1h", "--yes")
        )

        assert "250 = (0 + 1 * 250) * 1" in shown and "Reputation" in shown
        assert again["id"] == int(number)
        assert many["redelivered"] == many["matching"] >= 1
        none = ("redeliver", "--type", "raid", "--until", "1w")
        assert "0 activities are delivered again" in cli.done(*none)
        assert "0 activities are delivered again" in cli.done(*none, "--yes")

    def test_how_many_fit_is_told_before_anything_is_delivered_again(
        self, cli: Commands, sent: list[str], tmp_path: Path
    ) -> None:
        def ended() -> int:
            on_their_way = any(
                cli.json("activities", "list", "--status", status)["activities"]
                for status in ("pending", "leased")
            )
            page = cli.json("activities", "list", "--status", "delivered", "--user", "8001")
            return 0 if on_their_way else len(page["activities"])

        count = wait_until(ended)
        words = ("redeliver", "--status", "delivered", "--user", "8001", "--since", "1h")
        nobody = cli.refused(*words)
        no, yes = (Terminal(Operator(tmp_path, cli.variables), *words) for _ in range(2))
        no.answer("Go on? [y/N]: ", "n")
        declined = no.end()
        still_there = ended()
        yes.answer(f"{count} activities are to be delivered again. Go on? [y/N]: ", "y")
        agreed = yes.end()

        assert nobody[0] == 2 and f"{count} activities are" in nobody[1] and "--yes" in nobody[1]
        assert (declined, still_there) == (1, count)
        assert (agreed, f"{count} activities are delivered again" in yes.shown) == (0, True)

    @pytest.mark.parametrize(
        ("words", "status", "told"),
        [
            (("events", "show", "a/../b"), 1, "404"),
            (("events", "show", ".."), 2, "is no id"),
            (("activities", "show", "0"), 1, "404"),
            (("events", "list", "--since", "yesterday"), 2, "30m, 2h, 7d"),
            (("events", "list", "--limit", "0"), 2, "--limit"),
            (("events", "list", "--limit", "2", "--all"), 2, "--limit or --all"),
            (("events", "list", "--cursor", "x"), 1, "422"),
            (("events", "list", "--user", "nobody_knows"), 1, "404"),
            (("activities", "list", "--status", "gone"), 2, "delivered"),
            (("redeliver",), 2, "--status dead"),
            (("redeliver", "1", "--type", "raid"), 2, "an ID or a filter"),
            (("redeliver", "0"), 1, "404"),
        ],
    )
    def test_what_cannot_be_is_told(
        self, cli: Commands, words: tuple[str, ...], status: int, told: str
    ) -> None:
        code, text = cli.refused(*words)

        assert code == status
        assert told in text

    @pytest.mark.parametrize("columns", [40, 80, 200])
    def test_in_a_narrow_terminal_the_fields_of_a_row_stand_below_each_other(
        self, cli: Commands, sent: list[str], tmp_path: Path, columns: int
    ) -> None:
        shown = on_a_terminal(cli, tmp_path, columns, "events", "list", "--limit", "2")
        lines = [click.unstyle(line) for line in shown]
        text = "".join(lines).replace(" ", "")
        heads = [line for line in lines if line.startswith("time")]

        assert all(one in text for one in sent[-2:])
        assert max(len(line) for line in lines if "there are more" not in line) <= columns
        assert len(heads) == (1 if columns == 200 else 2)
        assert "A_Viewer(8001)" in text and "The_Channel(7001)" in text

    @pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
    def test_a_status_has_a_colour_in_a_terminal_unless_that_is_not_wanted(
        self, cli: Commands, sent: list[str], tmp_path: Path, no_color: str, coloured: bool
    ) -> None:
        cli.variables["NO_COLOR"] = no_color
        lines = on_a_terminal(cli, tmp_path, 200, "events", "list", "--limit", "2")
        text = "\n".join(lines)

        assert "scored" in text
        assert coloured is ("\x1b[32mscored" in text)

    def test_an_activity_names_its_channel_when_that_is_monitored(
        self, cli: Commands, monitored: None
    ) -> None:
        whose = {"id": STREAMER_ID, "login": STREAMER, "name": "Sandbox Streamer"}
        event = {**EVENTS["channel.cheer"], **person("broadcaster_user", whose)}
        message = Message("channel.cheer", event)
        assert cli.service.post(message).status_code == 204
        found = cli.json("activities", "list", "--channel", STREAMER)["activities"]
        table = cli.done("activities", "list", "--channel", STREAMER).splitlines()
        listed = cli.json("subscriptions", "list")["subscriptions"]

        assert found[0]["channel_name"] == STREAMER
        one = cli.json("activities", "show", str(found[0]["id"]))["activity"]
        assert one["channel_name"] == STREAMER
        assert (STREAMER, STREAMER_ID) == tuple(table[1].split()[6:8])
        names = {one["channel_id"]: one["channel_name"] for one in listed}
        assert names.pop(STREAMER_ID) == STREAMER
        # The application's own subscription, and those of the channel that is always monitored.
        assert set(names.values()) <= {None, MONITORED}


class TestWhoAmI:
    @pytest.fixture
    def cli(self, admin_cli: Commands) -> Commands:
        """Without a service token."""
        return admin_cli

    def test_a_name_and_a_password_from_standard_input(self, cli: Commands) -> None:
        words = ("channels", "list", "--username", ADMIN, "--password-stdin", "--json")
        ended = cli.run(*words, typed=f"{PASSWORD}\n", **NOBODY)

        assert ended.exit_code == 0

    def test_a_session_ends_with_the_command(self, cli: Commands) -> None:
        cli.service.call("GET", "/twitch/api/audit")  # logs in itself
        cli.done("channels", "list")
        answer = cli.service.call("GET", "/twitch/api/audit", params={"limit": 2})

        assert [one["action"] for one in answer.json()["audit"]] == ["logout", "login"]

    def test_a_wrong_password_is_told_and_where_it_came_from(self, cli: Commands) -> None:
        typed = cli.refused(
            *("channels", "list", "--username", ADMIN, "--password-stdin"), typed="not-it\n"
        )
        kept = cli.refused("channels", "list", ADMIN_PASSWORD="not-the-password-at-all")

        assert typed == (1, "Error: Wrong name or password (401 wrong_credentials)\n")
        assert kept[0] == 1 and "ADMIN_PASSWORD" in kept[1]

    def test_nobody_to_ask_and_nothing_given_says_what_to_give(self, cli: Commands) -> None:
        status, told = cli.refused("channels", "list", **NOBODY)

        assert status == 2
        assert "--password-stdin" in told and "WADDLEBOT_TWITCH_TOKEN" in told

    def test_the_admins_password_of_this_machine_goes_to_no_other_place(
        self, cli: Commands, another: str
    ) -> None:
        elsewhere = another.replace("127.0.0.1", "127.0.0.2")
        cli.variables["PUBLIC_URL"] = "https://bot.example"
        status, told = cli.refused("channels", "list", "--url", elsewhere, "--insecure")

        assert status == 2
        assert "who are you at" in told

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("--url", "http://bot.example"), "unencrypted"),
            (("--url", "bot.example"), "https://your.host"),
            (("--url", "https://me:secret@bot.example"), "without name and password"),
            (("--url", "http://[::1"), "https://your.host"),
            (("--token", "two words"), "service token is not one"),
            (("--token", "x", "--username", "y"), "--token or --username"),
            (("--password-stdin",), "standard input"),
        ],
    )
    def test_wrong_use_is_told(self, cli: Commands, words: tuple[str, ...], told: str) -> None:
        status, text = cli.refused("channels", "list", *words)

        assert status == 2
        assert told in text and "secret@" not in text

    def test_a_service_token_may_what_its_scopes_say_and_no_more(self, cli: Commands) -> None:
        made = cli.json(
            *("service-token", "create", "reader", "--scope", "channels:read", "--days", "30")
        )
        token = made["service_token"]
        given = {**NOBODY, "WADDLEBOT_TWITCH_TOKEN": token}
        listed = cli.json("channels", "list", **given)
        status, told = cli.refused("events", "list", **given)
        cli.printed = cli.printed.replace(token, "", 1)

        assert "channels" in listed
        assert status == 1
        assert "events:read" in told and "403 forbidden" in told
        assert token not in cli.printed

    def test_a_token_in_a_file_will_do_too(self, cli: Commands, tmp_path: Path) -> None:
        words = ("service-token", "create", "file", "--scope", "channels:read", "--days", "30")
        (tmp_path / "token").write_text(cli.json(*words)["service_token"] + "\n")
        file = str(tmp_path / "token")

        cli.json("channels", "list", **NOBODY, WADDLEBOT_TWITCH_TOKEN_FILE=file)
        nothing = cli.refused("channels", "list", WADDLEBOT_TWITCH_TOKEN_FILE=file + "-not")
        assert nothing[0] == 2 and "cannot be read" in nothing[1]

    def test_a_token_that_ends_within_a_week_is_warned_of_on_standard_error(
        self, cli: Commands
    ) -> None:
        words = ("service-token", "create", "near", "--scope", "channels:read", "--days", "30")
        made = cli.json(*words)
        cli.execute(
            f"UPDATE service_tokens SET expires_at_ms = expires_at_ms - {24 * 86_400_000}"
            f" WHERE id = {made['id']}"
        )
        ended = cli.run("channels", "list", "--json", WADDLEBOT_TWITCH_TOKEN=made["service_token"])

        assert "ends in 5 days" in ended.stderr and len(ended.stderr.splitlines()) == 1
        assert "channels" in json.loads(ended.stdout)

    def test_an_access_token_that_ends_on_the_way_is_replaced(
        self, cli: Commands, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, "_PAGE_ROWS", 3)
        begin, begun = api_client.Api._logged_in, []

        def log_in(api: api_client.Api) -> str:
            begun.append(begin(api))
            if len(begun) == 1:
                newest = "(SELECT max(id) FROM admin_sessions)"
                cli.execute(f"UPDATE admin_sessions SET ended_at_ms = 1 WHERE id = {newest}")
            return begun[-1]

        monkeypatch.setattr(api_client.Api, "_logged_in", log_in)
        cli.json("events", "list", "--all")

        assert len(begun) == 2


class TestNotReached:
    def test_nobody_listens(self, cli: Commands) -> None:
        status, told = cli.refused("channels", "list", PORT=str(free_port()))

        assert status == 2
        assert "nothing listens" in told and "make serve" in told and "--url" in told

    @pytest.mark.parametrize(
        ("path", "told"), [("", "not this module"), ("/moved", "https://elsewhere.example/")]
    )
    def test_somebody_else_listens(self, cli: Commands, another: str, path: str, told: str) -> None:
        status, text = cli.refused("channels", "list", "--url", another + path)

        assert status == 2
        assert told in text

    def test_a_wrong_path_below_the_right_host(self, cli: Commands) -> None:
        status, text = cli.refused("channels", "list", "--url", f"{cli.service.url}/elsewhere")

        assert status == 2
        assert "not this module" in text


class TestHelp:
    def test_no_words_at_all_show_the_sections(self, cli: Commands) -> None:
        shown = cli.done()

        assert all(
            text in shown
            for text in ("This installation:", "A running service:", "simulate", "Exit status")
        )
        assert max(map(len, shown.splitlines())) <= 80
        assert "Commands:" in cli.done("channels")

    def test_every_command_has_an_example(self, cli: Commands) -> None:
        without = [
            f"{name} {inner}".strip()
            for name, command in commands.commands.items()
            for inner, one in [("", command), *getattr(command, "commands", {}).items()]
            if "Example" not in (one.help or "")
        ]

        assert without == []

    @pytest.mark.parametrize("words", [("chanels",), ("channels", "lst"), ("events", "--wrong")])
    def test_a_slip_is_told_in_two_lines(self, cli: Commands, words: tuple[str, ...]) -> None:
        status, text = cli.refused(*words)

        assert status == 2
        assert "-h" in text.splitlines()[-1]
