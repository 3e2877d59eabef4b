"""Can a person set up, test and clone an alert action with a real browser, and talk in its thread?"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.routing.models import AlertAction
from portal.domain.sources.models import AlertSource
from portal.slack import conversations
from tests.make import PASSWORD, make_alert, make_source
from tests.slack.conftest import Story
from tests.slack.test_threads import CHANNEL, comments, do, heard, later, parent


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    """Acme's people, with the workspace linked, its channels known and the app in #alerts."""
    cast = story.people()
    story.link(cast["olivia"])
    story.sandbox.admin("invite", channel=CHANNEL)
    account_id = cast["olivia"].account_id
    assert account_id is not None
    with story.app.app_context():
        make_source(cast["olivia"].account, name="Prometheus")
        make_source(cast["olivia"].account, name="Grafana")
        conversations.ask_refresh(account_id)
    story.work()
    return cast


@pytest.fixture
def screen(chromium: Browser, story: Story, people: dict[str, User]) -> Iterator[Page]:
    """Uma's browser, signed in. A complaint of its console fails the test."""
    page = chromium.new_page(color_scheme="light", base_url=story.app.config["PUBLIC_URL"])
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto("/login")
    page.get_by_label("E-mail address").fill(people["uma"].email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/alerts")
    yield page
    page.close()
    assert faults == []


def the_actions(story: Story) -> list[AlertAction]:
    with story.app.app_context():
        found = list(db.session.scalars(db.select(AlertAction).order_by(AlertAction.id)))
        for action in found:
            assert action.sources
            assert action.channels
        return found


def fill_in(screen: Page) -> None:
    """Both channels, every update, and two conditions of which the second was a mistake."""
    screen.goto("/alert-actions/new")
    screen.get_by_label("Prometheus").check()
    screen.locator("#channel-C0ALERTS").check()
    screen.get_by_label("Search channels").fill("ops")
    expect(screen.locator("#channel-C0OPS")).to_be_visible()
    expect(screen.locator("#channel-C0ALERTS")).to_be_checked()  # chosen ones stay
    screen.locator("#channel-C0OPS").check()
    screen.get_by_role("button", name="Deselect all").click()
    expect(screen.get_by_label("Alert created", exact=True)).not_to_be_checked()
    screen.get_by_role("button", name="Select all", exact=True).click()
    expect(screen.get_by_label("Alert priority raised")).to_be_checked()
    screen.get_by_label("Seconds after the alert was created").fill("1800")
    screen.get_by_role("button", name="Add a condition").click()
    first = screen.get_by_role("group", name="Condition 1")
    first.get_by_label("How it is compared").select_option("matches")
    first.get_by_label("Value").fill("(disk")
    screen.get_by_role("button", name="Add a condition").click()
    second = screen.get_by_role("group", name="Condition 2")
    expect(first.get_by_label("Value")).to_have_value("(disk")
    second.get_by_label("Value").fill("oops")
    second.get_by_role("button", name="Remove").click()
    expect(second).to_have_count(0)


def test_what_is_ticked_while_a_search_is_on_its_way_stays_ticked(
    story: Story, screen: Page
) -> None:
    screen.goto("/alert-actions/new")
    screen.get_by_label("Prometheus").check()
    expect(screen.locator("#channel-C0ALERTS")).to_be_visible()
    held: list[Route] = []
    screen.route("**/alert-actions/channels?*", lambda route: held.append(route))
    with screen.expect_request("**/alert-actions/channels?*"):
        screen.get_by_label("Search channels").fill("ops")
    screen.locator("#channel-C0OPS").check()
    screen.locator("#channel-C0ALERTS").check()  # does not fit what is searched
    held[0].continue_()
    expect(screen.locator("#channel-C0GENERAL")).to_have_count(0)  # the answer is here
    expect(screen.locator("#channel-C0OPS")).to_be_checked()
    expect(screen.locator("#channel-C0ALERTS")).to_be_checked()
    screen.get_by_role("button", name="Create", exact=True).click()
    expect(screen.get_by_role("heading", level=1)).to_contain_text("Alerts to #alerts, #ops")


def test_an_action_is_set_up_corrected_tested_and_cloned(story: Story, screen: Page) -> None:
    fill_in(screen)
    screen.get_by_role("button", name="Create", exact=True).click()
    expect(screen.get_by_text("is not a regular expression")).to_be_visible()
    first = screen.get_by_role("group", name="Condition 1")
    expect(first.get_by_label("Value")).to_have_value("(disk")  # what was typed is kept
    expect(screen.get_by_label("Seconds after the alert was created")).to_have_value("1800")
    first.get_by_label("Value").fill("(disk|db)")
    assert Axe().run(screen).response["violations"] == []
    screen.get_by_role("button", name="Create", exact=True).click()
    expect(screen.get_by_role("heading", level=1)).to_contain_text("Alerts to #alerts, #ops")
    expect(screen.get_by_text("Summary matches “(disk|db)”")).to_be_visible()
    test = screen.get_by_role("region", name="Test")
    test.get_by_role("button", name="Test this alert action").click()
    expect(test).to_contain_text("asking Slack")
    story.work()
    expect(test).to_contain_text("#alerts: Slack shows the test message.")
    expect(test).to_contain_text("#ops: Slack shows the test message.")
    assert Axe().run(screen).response["violations"] == []
    screen.get_by_role("button", name="Clone").click()
    question = screen.get_by_role("dialog")
    question.get_by_label("Grafana").check()
    question.get_by_role("button", name="Make a copy").click()
    expect(screen.get_by_label("Name")).to_have_value("Copy of Alerts to #alerts, #ops")
    made, copy = the_actions(story)
    assert made.not_resolved_after == 1800
    assert [source.name for source in copy.sources] == ["Grafana"]
    assert copy.stored_conditions == made.stored_conditions
    assert [each.channel_name for each in copy.channels] == ["alerts", "ops"]


def test_a_conversation_in_slack_and_on_the_page_is_one(
    story: Story, screen: Page, people: dict[str, User]
) -> None:
    screen.goto("/alert-actions/new")
    screen.get_by_label("Prometheus").check()
    screen.locator("#channel-C0ALERTS").check()
    screen.get_by_role("button", name="Create", exact=True).click()
    with story.app.app_context():
        source = db.session.scalars(db.select(AlertSource).filter_by(name="Prometheus")).one()
        alert_id = make_alert(source).id
    story.work()
    do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    story.sandbox.hold_events()
    browser = screen.context.browser
    assert browser is not None
    slack = browser.new_page()
    slack.goto(f"{story.sandbox.url}/w/T0ACME/U0ADA/{CHANNEL}?reply={parent(story)['ts']}")
    expect(slack.get_by_text("Ada acknowledged")).to_be_visible()
    slack.locator("textarea[name=text]").fill("Freed some space")
    slack.get_by_role("button", name="Send").click()
    expect(slack.get_by_text("Freed some space")).to_be_visible()
    heard(story)
    assert comments(story, alert_id) == [("Ada", "Freed some space")]
    screen.goto(f"/alerts/{alert_id}")
    timeline = screen.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("Ada commented in Slack")
    expect(timeline).to_contain_text("Freed some space")
