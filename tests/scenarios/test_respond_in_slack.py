"""An alert is escalated, commented, rerouted and shared on Slack's screen alone."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, expect

from tests.scenarios.conftest import Demo, Visitor
from tests.scenarios.test_create_alerts_in_slack import choose, modal
from tests.scenarios.test_main_job import link_workspace, send
from tests.scenarios.test_oncall_in_slack import PATIENCE, in_slack

ALERT = "Replica is an hour behind"


def go_to(slack: Visitor, message: Locator, entry: str, title: str) -> Locator:
    """Open the menu under the message and press one of its entries."""
    message.get_by_role("button", name="More…").click()
    menu = modal(slack.page, ALERT)
    menu.get_by_role("button", name=entry, exact=True).click()
    return modal(slack.page, title)


def submit(slack: Visitor, window: Locator, name: str) -> None:
    window.get_by_role("button", name=name).last.click()
    expect(slack.page.locator("dialog.modal")).to_have_count(0, timeout=PATIENCE)


def test_everything_that_can_be_done_is_done_in_slack(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)
    assert send(demo, summary=ALERT, alertKey="replica") == 202
    ada = in_slack(chromium, demo, "U0ADA", "C0ALERTS")
    message = ada.page.locator("article", has_text=ALERT).first
    expect(message).to_be_visible(timeout=PATIENCE)

    window = go_to(ada, message, "Escalate", "The level is asked at once")
    expect(window).to_contain_text("Level 1 (reached)")
    submit(ada, window, "Escalate")

    window = go_to(ada, message, "Comment", "Comment")
    window.get_by_label("Comment").last.fill("The disk is *slow* & <full>")
    submit(ada, window, "Comment")

    window = go_to(ada, message, "Reroute", "Others are asked now")
    choose(window, "Search people, schedules and policies", "Uma Ueda")
    submit(ada, window, "Reroute")

    window = go_to(ada, message, "Add responder", "Status and escalation stay")
    choose(window, "Search people", "Adam")
    submit(ada, window, "Add responder")

    visitor.page.goto(f"{demo.portal}/alerts")
    visitor.page.get_by_role("link", name=ALERT).click()
    story = visitor.page.locator("#alert-timeline")
    expect(story).to_contain_text("The disk is *slow* & <full>", timeout=PATIENCE)
    expect(story).to_contain_text("rerouted to Uma Ueda in Slack")
    expect(story).to_contain_text("asked Adam")
    asked = visitor.page.get_by_role("list", name="Responders")
    expect(asked).to_contain_text("Uma Ueda")
    expect(asked).to_contain_text("Adam")
    assert ada.complaints == visitor.complaints == []


def test_many_alerts_are_answered_at_once_on_their_list_with_the_keyboard(
    visitor: Visitor, demo: Demo
) -> None:
    link_workspace(visitor)
    for number in range(3):
        assert send(demo, summary=f"Bulk {number}", alertKey=f"bulk-{number}") == 202
    page = visitor.page
    page.goto(f"{demo.portal}/alerts?status=pending")
    acknowledge = page.get_by_role("button", name="Acknowledge chosen")
    expect(acknowledge).to_be_disabled()
    for number in (0, 1):
        page.get_by_label(f"Choose Bulk {number}").focus()
        page.keyboard.press("Space")
    expect(page.get_by_text("2 alerts chosen").first).to_be_visible()
    acknowledge.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#alert-notice")).to_contain_text("2 acknowledged.")
    expect(page.get_by_role("link", name="Bulk 0")).to_have_count(0)  # the filter stays

    page.goto(f"{demo.portal}/alerts")
    page.get_by_label("All open ones on this page").check()
    page.get_by_role("button", name="Resolve chosen…").click()
    question = page.get_by_role("dialog", name="Resolve the chosen alerts?")
    question.get_by_label("Comment (optional)").fill("All of one cause")
    assert Axe().run(page).violations_count == 0
    question.get_by_role("button", name="Resolve").click()
    expect(page.locator("#alert-notice")).to_contain_text("resolved")
    expect(page.get_by_text("All quiet")).to_be_visible()
    assert visitor.complaints == []
