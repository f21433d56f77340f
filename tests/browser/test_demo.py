"""The demo as a newcomer sees it: `make run`, then the page that it prints."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.processes import REPOSITORY, clean_environment, free_port, wait_until


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


def test_a_follow_brings_ten_points_on_the_same_page(demo: str, page: Page) -> None:
    page.goto(demo)
    page.get_by_role("button", name="Add the sandbox's channel").click()
    follow = page.get_by_role("button", name="Fire channel.follow", exact=True)
    expect(follow).to_be_enabled()
    follow.click()

    row = page.locator('#received tr[data-activity="follow"]')
    expect(row).to_have_count(1)
    expect(row.locator(".amount")).to_have_text("10")


def test_a_repeat_a_forgery_and_an_anonymous_cheer_pay_nothing(demo: str, page: Page) -> None:
    page.goto(demo)
    page.get_by_role("button", name="Add the sandbox's channel").click()
    page.get_by_role("button", name="Fire channel.raid", exact=True).click()
    rows = page.locator("#received tr[data-activity]")
    expect(rows).to_have_count(1)

    page.get_by_role("button", name="Send the last one again").click()
    page.get_by_role("button", name="Forged signature").click()
    page.get_by_role("button", name="Fire channel.follow", exact=True).click()
    expect(page.get_by_text("403", exact=True)).to_be_visible()
    page.get_by_role("button", name="Forged signature").click()
    page.get_by_role("button", name="Anonymous").click()
    page.get_by_role("button", name="Fire channel.cheer", exact=True).click()
    page.get_by_role("button", name="Anonymous").click()
    page.get_by_role("button", name="Fire channel.ban", exact=True).click()

    expect(rows).to_have_count(2)
    expect(page.locator('#received tr[data-activity="ban"] .amount')).to_have_text("-10")
    expect(page.locator('#received tr[data-activity="raid"] .amount')).to_have_text("30")
