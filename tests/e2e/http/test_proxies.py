"""nginx and Caddy before the module, as `deploy/` has them: the real programs."""

import os
import re
import resource
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.e2e.http.certificate import Certificate, localhost_certificate
from tests.e2e.http.half_open import Attack, send
from tests.messages import Message
from tests.processes import REPOSITORY, Module, free_port, wait_until

DEPLOY = REPOSITORY / "deploy"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Module]:
    module = Module(
        tmp_path, DB_URI="sqlite://storage.db", WORKER="off", TRUSTED_PROXIES="127.0.0.1"
    )
    yield module.wait_until_ready()
    module.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return localhost_certificate(tmp_path)


def replaced(text: str, changes: dict[str, str]) -> str:
    """The text with changes, each of which must find what it replaces."""
    for pattern, other in changes.items():
        text, times = re.subn(pattern, other, text)
        assert times, pattern
    return text


def nginx(folder: Path, module: Module, certificate: Certificate, port: int) -> list[str]:
    """deploy/nginx.conf with other ports, files and user; the command that runs it."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "nginx has to be installed; see CONTRIBUTING.md"
    config = replaced(
        (DEPLOY / "nginx.conf").read_text(),
        {
            r"user www-data;": f"daemon off; pid {folder}/nginx.pid; error_log stderr;",
            r"http \{": "http {\n"
            + "".join(
                f"{what}_temp_path {folder}/{what};"
                for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            ),
            r"listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            r"127\.0\.0\.1:8000": f"127.0.0.1:{module.port}",
            r"/etc/letsencrypt/live/your.host/fullchain.pem": str(certificate.certificate),
            r"/etc/letsencrypt/live/your.host/privkey.pem": str(certificate.key),
        },
    )
    if os.getuid() == 0:
        config = "user root;\n" + config
    path = folder / "nginx.conf"
    path.write_text(config)
    return [program, "-e", "stderr", "-c", str(path)]


def caddy(folder: Path, module: Module, certificate: Certificate, port: int) -> list[str]:
    """deploy/Caddyfile with other ports and no call to a certificate authority; its command."""
    config = replaced(
        (DEPLOY / "Caddyfile").read_text(),
        {
            r"\A(#.*\n)\{": r"\1{\n\tadmin off\n\tauto_https disable_redirects",
            r"your\.host \{": f"https://localhost:{port} {{\n"
            f"\tbind 127.0.0.1\n\ttls {certificate.certificate} {certificate.key}",
            r"127\.0\.0\.1:8000": f"127.0.0.1:{module.port}",
        },
    )
    path = folder / "Caddyfile"
    path.write_text(config)
    program = Path(sys.executable).with_name("caddy")
    return [str(program), "run", "--config", str(path), "--adapter", "caddyfile"]


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def proxy(
    request: pytest.FixtureRequest, server: Module, certificate: Certificate, tmp_path: Path
) -> Iterator[int]:
    """The port of a proxy before the module."""
    port = free_port()
    command: list[str] = request.param(tmp_path, server, certificate, port)
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    with (tmp_path / "proxy.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def answers() -> bool:
        assert process.poll() is None, (tmp_path / "proxy.log").read_text()
        try:
            return get(port, certificate, "/twitch/health").ok
        except requests.ConnectionError:
            return False

    wait_until(answers, seconds=10)
    yield port
    process.terminate()
    process.wait(timeout=20)


def get(port: int, certificate: Certificate, path: str) -> requests.Response:
    verify = str(certificate.certificate)
    return requests.get(f"https://localhost:{port}{path}", timeout=5, verify=verify)


@contextmanager
def more_files() -> Iterator[None]:
    """This process may open some thousand files: it is the attacker."""
    limit, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, allowed), allowed))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, allowed))


def test_a_thousand_half_open_connections_keep_nobody_out(
    proxy: int, certificate: Certificate
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate.certificate))
    address = ("127.0.0.1", proxy)
    with more_files(), Attack(address, "127.0.0.66", tls=trusting):
        found = send(
            f"https://localhost:{proxy}", "127.0.0.1", 5, verify=str(certificate.certificate)
        )

    assert ["204"] == list(found.statuses), found
    assert found.statuses.total() > 100
    assert found.slowest_seconds < 2


def test_a_forwarded_address_is_the_proxy_s_word(
    proxy: int, certificate: Certificate, server: Module
) -> None:
    message = Message()
    answer = requests.post(
        f"https://localhost:{proxy}/twitch/webhook",
        data=message.content(),
        headers={**message.headers(), "X-Forwarded-For": "203.0.113.9"},
        verify=str(certificate.certificate),
        timeout=5,
    )
    metrics = get(proxy, certificate, "/twitch/metrics")

    assert 204 == answer.status_code
    assert [message.message_id] == [one["event_id"] for one in server.all("/twitch/events")]
    assert 401 == metrics.status_code  # the proxy is on this machine, its clients are not
