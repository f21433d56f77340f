"""The page that the wizard shows whom Twitch has sent back."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from apps.twitch_module.commands.setup.redirect_listener import RedirectListener
from tests.processes import free_port


@pytest.fixture
def address() -> Iterator[str]:
    """Where the wizard waits."""
    url = f"http://localhost:{free_port()}/twitch/auth/callback"
    with RedirectListener(url).listening():
        yield url


@pytest.mark.parametrize(
    ("query", "told", "scheme", "ground"),
    [
        ("code=abc&state=s", "how it goes on", "light", "rgb(246, 245, 243)"),
        ("error=access_denied&state=s", "have not been logged in", "dark", "rgb(23, 23, 28)"),
    ],
)
def test_it_looks_like_the_modules_own_pages_light_and_dark_wide_and_narrow(
    address: str, page: Page, query: str, told: str, scheme: Literal["light", "dark"], ground: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 480})
    page.goto(f"{address}?{query}")

    expect(page.get_by_role("heading")).to_have_text("Back to the terminal")
    expect(page.get_by_text(told)).to_be_visible()
    expect(page.locator("body")).to_have_css("background-color", ground)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert "abc" not in page.content()
