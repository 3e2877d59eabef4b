"""Can somebody whom Slack knows by another address begin in Slack and end up answering the alert?"""

from playwright.sync_api import Browser, expect

from tests.scenarios.conftest import Demo, Visitor
from tests.scenarios.test_main_job import link_workspace, send

WALTER = "U0WALTER"


def test_connect_from_the_message_does_what_was_pressed(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)
    assert send(demo, summary="Certificate ends", alertKey="certificate") == 202
    walter = Visitor(chromium.new_context(), demo)
    walter.sign_in("stan@acme.example")  # in the portal under an address that Slack does not know
    page = walter.page
    page.goto(demo.screen(WALTER))
    message = page.locator("article", has_text="Certificate ends").first
    message.get_by_role("button", name="Acknowledge").click()
    link = page.get_by_role("link", name="Connect").last
    expect(link).to_be_visible(timeout=15_000)
    page.goto(str(link.get_attribute("href")))
    expect(page.get_by_role("heading", name="Is this you in Slack?")).to_be_visible()
    expect(page.locator("main")).to_contain_text("walter.walkin")
    expect(page.locator("main")).to_contain_text("stan@acme.example")
    page.get_by_role("button", name="Yes, that is me").click()
    expect(page.locator("main")).to_contain_text("You are connected to walter.walkin in Slack.")
    expect(page.locator("main")).to_contain_text("may not change alerts")  # Stan is a stakeholder
    assert walter.complaints == []


def test_home_shows_ones_own_alerts_and_answers_them(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)
    visitor.page.goto(f"{demo.portal}/on-call")
    is_ada = visitor.page.locator("main").get_by_text("Ada Lovelace").count() > 0
    assert send(demo, summary="Queue stands still", alertKey="stands") == 202
    asked = Visitor(chromium.new_context(), demo)
    page = asked.page
    page.goto(f"{demo.slack}/w/T0ACME/{'U0ADA' if is_ada else 'U0ADAM'}/app")
    home = page.locator("#home")
    expect(home.get_by_text("Your open alerts")).to_be_visible(timeout=15_000)
    expect(home.get_by_text("Queue stands still")).to_be_visible()
    home.get_by_role("button", name="Resolve").first.click()  # the newest is on top
    expect(home.get_by_text("Queue stands still")).to_have_count(0, timeout=15_000)
    home.get_by_role("button", name="Create an alert").click()
    expect(page.get_by_role("dialog")).to_contain_text("Alert summary", timeout=15_000)
    assert asked.complaints == []
