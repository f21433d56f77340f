"""A real browser: the Chromium or Chrome of this machine."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.processes import REPOSITORY, clean_environment, free_port, wait_until

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    assert path, "The browser tests need Chromium or Chrome: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own; whatever it complains of in the console fails the test."""
    complaints: list[str] = []
    context = browser.new_context()
    page = context.new_page()

    def note(message: ConsoleMessage) -> None:
        # The browser also complains when the page itself, asked for by the test, is a 403.
        itself = message.location["url"] == page.url or "/callback" in message.location["url"]
        if message.type == "error" and not itself:
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(10_000)
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """The address that the demo prints."""
    output = tmp_path / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.twitch_module.demo"],
            cwd=REPOSITORY,
            env=clean_environment(PORT=str(free_port()), DATA_DIR=str(tmp_path)),
            stdout=file,
            stderr=file,
        )

    def address() -> str | None:
        assert process.poll() is None, output.read_text()
        printed = re.search(r"Open +(\S+)", output.read_text())
        try:
            return printed[1] if printed and requests.get(printed[1], timeout=5).ok else None
        except requests.ConnectionError:
            return None

    yield wait_until(address, seconds=30)
    process.terminate()
    assert process.wait(timeout=30) == 0
