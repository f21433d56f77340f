"""The API's description as people read it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.processes import Module


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Module]:
    module = Module(tmp_path, DB_URI=f"sqlite://{tmp_path}/storage.db", WORKER="off")
    yield module.wait_until_ready()
    module.stop()


def test_the_description_is_read_without_anything_from_elsewhere(
    server: Module, page: Page
) -> None:
    """What the policy for its content forbids would be a complaint in the console: see page."""
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{server.url}/twitch/docs")

    page.get_by_text("Change a channel").click()
    operation = page.locator("#change_channel")
    expect(operation).to_contain_text("services with the scope channels:write")
    expect(operation).to_contain_text("session_ended")
    operation.get_by_role("link", name="ChannelChange").click()
    expect(page.locator(":target")).to_contain_text("event_types")
    assert page.evaluate("getComputedStyle(document.querySelector('nav ul')).display") == "flex"
    assert all(url.startswith((server.url, "data:,")) for url in requested)
    assert len(requested) >= 3


@pytest.mark.parametrize("width", [360, 1280])
def test_the_description_fits_into_narrow_and_wide_windows(
    server: Module, page: Page, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{server.url}/twitch/docs")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")

    assert page.evaluate("document.documentElement.scrollWidth") == width
