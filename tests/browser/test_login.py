"""A streamer logs in: the link, Twitch's page, and back."""

from playwright.sync_api import Page, expect


def test_a_login_ends_on_a_page_that_says_who_is_connected(demo: str, page: Page) -> None:
    base = demo.removesuffix("/sandbox")
    page.goto(f"{base}/twitch/auth/login?activation_key=demo-key")
    page.get_by_role("button", name="Log in as Sandbox Streamer").click()

    expect(page.get_by_role("heading")).to_have_text("Connected as Sandbox Streamer")
    expect(page.get_by_text("The gateway is activated.")).to_be_visible()
    expect(page).to_have_url(f"{base}/twitch/auth/connected")
    page.reload()
    expect(page.get_by_role("heading")).to_have_text("Connected as Sandbox Streamer")


def test_who_declines_can_try_again_and_come_through(demo: str, page: Page) -> None:
    base = demo.removesuffix("/sandbox")
    page.goto(f"{base}/twitch/auth/login")
    with page.expect_response(lambda answer: "/twitch/auth/callback" in answer.url) as refused:
        page.get_by_role("button", name="Decline").click()
    expect(page.get_by_text("declined")).to_be_visible()
    page.get_by_role("link", name="Log in with Twitch").click()
    page.get_by_role("button", name="Log in as Sandbox Streamer").click()

    assert refused.value.status == 403
    expect(page.get_by_role("heading")).to_have_text("Connected as Sandbox Streamer")


def test_a_link_for_another_channel_says_so_and_leads_to_the_right_login(
    demo: str, page: Page
) -> None:
    base = demo.removesuffix("/sandbox")
    page.goto(f"{base}/twitch/auth/login?channel_id=100200300")
    page.get_by_role("button", name="Log in as Quiet_Heron").click()

    expect(page.get_by_role("heading")).to_have_text("This link is for Sandbox Streamer")
    expect(page.get_by_text("You logged in as")).to_be_visible()
    page.get_by_role("link", name="Log in as Sandbox Streamer").click()
    page.get_by_role("button", name="Log in as Sandbox Streamer").click()
    expect(page.get_by_role("heading")).to_have_text("Connected as Sandbox Streamer")
