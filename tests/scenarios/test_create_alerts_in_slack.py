"""Alerts that people create on Slack's screen, and a channel whose sources they choose there."""

import re

from playwright.sync_api import Browser, Locator, Page, expect

from tests.scenarios.conftest import Demo, Visitor
from tests.scenarios.test_main_job import link_workspace
from tests.scenarios.test_oncall_in_slack import PATIENCE, in_slack, type_command


def modal(page: Page, title: str) -> Locator:
    shown = page.locator("dialog.modal", has_text=title)
    expect(shown).to_be_visible(timeout=PATIENCE)
    return shown


def choose(within: Locator, placeholder: str, name: str) -> None:
    """Type into a search field and take what fits."""
    search = within.get_by_placeholder(placeholder)
    search.fill(name)
    within.page.get_by_role("option", name=name).first.click()


def test_with_an_account_any_source_and_without_one_what_the_channel_offers(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)

    ada = in_slack(chromium, demo, "U0ADA", "C0ALERTS")
    type_command(ada.page, "/il-alert Checkout <fails> & burns")
    window = modal(ada.page, "Alert on-call team")
    expect(window.get_by_label("Alert summary")).to_have_value("Checkout <fails> & burns")
    window.get_by_label("Alert details").fill("Since noon")
    choose(window, "Search alert sources", "Shop checkout")
    expect(window.get_by_label("Escalation policy")).to_have_value("Platform", timeout=PATIENCE)
    expect(window.get_by_label("Alert details")).to_have_value("Since noon")
    window.get_by_role("button", name="Submit").last.click()
    expect(ada.page.locator("dialog.modal")).to_have_count(0, timeout=PATIENCE)
    told = ada.page.locator(".message.ephemeral", has_text="opened Checkout <fails> & burns")
    expect(told).to_contain_text("It asks Platform", timeout=PATIENCE)

    walter = in_slack(chromium, demo, "U0WALTER", "C0OPS")
    type_command(walter.page, "/il-alert Card terminal is dead")
    window = modal(walter.page, "Alert on-call engineers")
    expect(window.get_by_role("button", name="Advanced settings")).to_have_count(0)
    window.get_by_role("button", name="Submit").last.click()
    expect(window).to_be_visible()  # nothing is chosen yet
    window.get_by_label("Platform team").check()
    window.get_by_role("button", name="Submit").last.click()
    expect(walter.page.locator("dialog.modal")).to_have_count(0, timeout=PATIENCE)
    line = walter.page.locator(".message:not(.ephemeral)", has_text="Card terminal is dead")
    expect(line).to_contain_text("Walter Walkin opened Card terminal is dead", timeout=PATIENCE)
    expect(line).to_contain_text("It asks Platform team")

    visitor.page.goto(f"{demo.portal}/alerts")
    visitor.page.get_by_role("link", name="Card terminal is dead").click()
    expect(visitor.page.locator("#alert-timeline")).to_contain_text(
        "walter.walkin opened this by hand in Slack for Platform"
    )
    assert ada.complaints == walter.complaints == []


def test_a_message_becomes_an_alert_and_everybody_else_hears_nothing(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)
    uma = in_slack(chromium, demo, "U0UMA", "C0DB")
    type_command(uma.page, "Replica lags & grows: 5 < 7")
    said = uma.page.locator(".message", has_text="Replica lags")
    expect(said).to_be_visible(timeout=PATIENCE)

    ada = in_slack(chromium, demo, "U0ADA", "C0DB")
    message = ada.page.locator(".message", has_text="Replica lags")
    message.get_by_label(re.compile("More for the message")).click()
    message.get_by_role("button", name="Create alert").click()
    window = modal(ada.page, "Alert on-call team")
    expect(window.get_by_label("Alert summary")).to_have_value("Replica lags & grows: 5 < 7")
    details = window.get_by_label("Alert details")
    expect(details).to_have_value(re.compile("Uma Ueda wrote this in Slack: http"))
    permalink = details.input_value().rpartition(" ")[2]
    choose(window, "Search alert sources", "Prometheus")
    window.get_by_role("button", name="Submit").last.click()
    expect(ada.page.locator("dialog.modal")).to_have_count(0, timeout=PATIENCE)
    told = ada.page.locator(".message.ephemeral", has_text="Replica lags & grows: 5 < 7")
    expect(told.first).to_be_visible(timeout=PATIENCE)
    expect(uma.page.locator(".message")).to_have_count(1)
    ada.page.goto(permalink)
    expect(ada.page.locator(".message", has_text="Replica lags").first).to_be_visible()
    assert ada.complaints == uma.complaints == []


def test_the_sources_of_a_channel_are_chosen_in_it(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)
    uma = in_slack(chromium, demo, "U0UMA", "C0DB")
    type_command(uma.page, "/ilert")
    menu = uma.page.locator(".message.ephemeral", has_text="configured for this channel")
    expect(menu).to_contain_text("0 alert sources configured", timeout=PATIENCE)
    choose(menu, "Add an alert source", "Shop checkout")
    expect(menu).to_contain_text("1 alert source configured", timeout=PATIENCE)
    expect(menu).to_contain_text("Uma Ueda: alert source [2] Shop checkout added to the channel")
    public = uma.page.locator(".message:not(.ephemeral)")
    expect(public.last).to_contain_text("Shop checkout added to the channel", timeout=PATIENCE)

    visitor.page.goto(f"{demo.portal}/alert-sources/2")
    expect(visitor.page.locator("#alert-source-actions")).to_contain_text(
        "Added in Slack to #db by Uma Ueda"
    )

    menu.get_by_role("button", name="Remove").click()
    expect(menu).to_contain_text("0 alert sources configured", timeout=PATIENCE)
    expect(public.last).to_contain_text("Shop checkout removed from the channel", timeout=PATIENCE)
    visitor.page.reload()
    expect(visitor.page.locator("#alert-source-actions")).not_to_contain_text("#db")

    type_command(uma.page, "/ilert dance")
    refused = uma.page.locator(".message.ephemeral", has_text="knows no such word")
    expect(refused).to_be_visible(timeout=PATIENCE)
    assert uma.complaints == []
