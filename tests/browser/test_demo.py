"""The demo as a newcomer sees it: `make run`, then the page that it prints."""

from playwright.sync_api import Page, expect


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
