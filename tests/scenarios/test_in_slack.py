"""What do people do on Slack's screen alone, from asking who is on call to answering an alert?"""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.scenarios.conftest import Demo, Visitor
from tests.scenarios.test_main_job import link_workspace, send

PATIENCE = 15_000
REPLICA = "Replica is an hour behind"


def in_slack(chromium: Browser, demo: Demo, user_id: str, channel_id: str) -> Visitor:
    visitor = Visitor(chromium.new_context(), demo)
    visitor.page.goto(demo.screen(user_id, channel_id))
    return visitor


def type_command(page: Page, line: str) -> None:
    box = page.get_by_label(re.compile(r"Message #"))
    box.fill(line)
    box.press("Enter")


def modal(page: Page, title: str) -> Locator:
    shown = page.locator("dialog.modal", has_text=title)
    expect(shown).to_be_visible(timeout=PATIENCE)
    return shown


def choose(within: Locator, placeholder: str, name: str) -> None:
    """Type into a search field and take what fits."""
    search = within.get_by_placeholder(placeholder)
    search.fill(name)
    within.page.get_by_role("option", name=name).first.click()


def go_to(slack: Visitor, message: Locator, entry: str, title: str) -> Locator:
    """Open the menu under the message and press one of its entries."""
    message.get_by_role("button", name="More…").click()
    menu = modal(slack.page, REPLICA)
    menu.get_by_role("button", name=entry, exact=True).click()
    return modal(slack.page, title)


def submit(slack: Visitor, window: Locator, name: str) -> None:
    window.get_by_role("button", name=name).last.click()
    expect(slack.page.locator("dialog.modal")).to_have_count(0, timeout=PATIENCE)


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


def test_everything_that_can_be_done_is_done_in_slack(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)
    assert send(demo, summary=REPLICA, alertKey="replica") == 202
    ada = in_slack(chromium, demo, "U0ADA", "C0ALERTS")
    message = ada.page.locator("article", has_text=REPLICA).first
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
    visitor.page.get_by_role("link", name=REPLICA).click()
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


def test_connect_from_the_message_does_what_was_pressed(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)
    assert send(demo, summary="Certificate ends", alertKey="certificate") == 202
    walter = Visitor(chromium.new_context(), demo)
    walter.sign_in("stan@acme.example")  # in the portal under an address that Slack does not know
    page = walter.page
    page.goto(demo.screen("U0WALTER"))
    message = page.locator("article", has_text="Certificate ends").first
    message.get_by_role("button", name="Acknowledge").click()
    link = page.get_by_role("link", name="Connect").last
    expect(link).to_be_visible(timeout=PATIENCE)
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
    expect(home.get_by_text("Your open alerts")).to_be_visible(timeout=PATIENCE)
    expect(home.get_by_text("Queue stands still")).to_be_visible()
    home.get_by_role("button", name="Resolve").first.click()  # the newest is on top
    expect(home.get_by_text("Queue stands still")).to_have_count(0, timeout=PATIENCE)
    home.get_by_role("button", name="Create an alert").click()
    expect(page.get_by_role("dialog")).to_contain_text("Alert summary", timeout=PATIENCE)
    assert asked.complaints == []
