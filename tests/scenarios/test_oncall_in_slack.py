"""Who is on call, typed into Slack's composer by a person with an account and by one without."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.scenarios.conftest import Demo, Visitor
from tests.scenarios.test_main_job import link_workspace

PATIENCE = 15_000


def in_slack(chromium: Browser, demo: Demo, user_id: str, channel_id: str) -> Visitor:
    visitor = Visitor(chromium.new_context(), demo)
    visitor.page.goto(demo.screen(user_id, channel_id))
    return visitor


def type_command(page: Page, line: str) -> None:
    box = page.get_by_label(re.compile(r"Message #"))
    box.fill(line)
    box.press("Enter")


def test_a_person_with_an_account_searches_and_one_without_is_answered_where_it_is_open(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)

    uma = in_slack(chromium, demo, "U0UMA", "C0ALERTS")
    type_command(uma.page, "/il-oncall")
    asked = uma.page.locator(".message.ephemeral").last
    expect(asked).to_contain_text("Choose an escalation policy or an alert source")
    search = asked.get_by_placeholder("Search policies and sources")
    search.click()
    expect(asked.get_by_role("option")).to_have_count(4)  # a policy and three sources
    search.fill("plat")
    expect(asked.get_by_role("option")).to_have_count(1)
    uma.page.get_by_role("option", name="Platform").first.click()
    expect(asked).to_contain_text("On call for Platform", timeout=PATIENCE)
    expect(asked).to_contain_text("always on-call")
    expect(asked).to_contain_text("Times are in Asia/Tokyo")
    asked.get_by_role("button", name="Change policy or source").click()
    expect(asked).to_contain_text("Choose an escalation policy", timeout=PATIENCE)
    asked.get_by_role("button", name="Cancel").click()
    expect(uma.page.locator(".message.ephemeral")).to_have_count(0, timeout=PATIENCE)

    walter = in_slack(chromium, demo, "U0WALTER", "C0OPS")
    type_command(walter.page, "/il-oncall")
    told = walter.page.locator(".message.ephemeral")
    expect(told.first).to_contain_text("On call for Platform team")
    expect(told.first.get_by_role("button", name="Change")).to_have_count(0)
    expect(told.last).to_contain_text("+442079460958", timeout=PATIENCE)  # once Slack knows him

    walter.page.goto(demo.screen("U0WALTER", "C0ALERTS"))
    type_command(walter.page, "/il-oncall Platform")
    refused = walter.page.locator(".message.ephemeral").last
    expect(refused).to_contain_text("not switched on in this channel", timeout=PATIENCE)
    expect(walter.page.get_by_text("On call for")).to_have_count(0)
    for who in (uma, walter):
        assert who.complaints == []
