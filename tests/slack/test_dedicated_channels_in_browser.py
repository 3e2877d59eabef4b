"""Can a person get a channel for an alert with a real browser, and is every step of it said?"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.domain.accounts.models import User
from tests.make import PASSWORD
from tests.slack.conftest import Story
from tests.slack.test_dedicated_channels import an_alert, ours, settle


@pytest.fixture
def cast(story: Story) -> dict[str, User]:
    people = story.people()
    story.link(people["adam"])
    return people


@pytest.fixture
def screen(chromium: Browser, story: Story, cast: dict[str, User]) -> Iterator[Page]:
    """Ada's browser, signed in. A complaint of its console fails the test."""
    page = chromium.new_page(color_scheme="light", base_url=story.app.config["PUBLIC_URL"])
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto("/login")
    page.get_by_label("E-mail address").fill(cast["ada"].email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/alerts")
    yield page
    page.close()
    assert faults == []


def test_a_name_is_corrected_as_it_is_typed_and_the_channel_appears(
    story: Story, screen: Page, cast: dict[str, User]
) -> None:
    alert_id = an_alert(story, cast["ada"])
    screen.goto(f"/alerts/{alert_id}")
    links = screen.get_by_role("region", name="Links")
    links.get_by_role("button", name="Create Slack channel").click()
    question = screen.get_by_role("dialog", name="Create a Slack channel for this alert?")
    expect(question.get_by_label("Name")).to_have_value(f"grafana_alert_{alert_id}")
    expect(question).to_contain_text("Invited: Ada.")
    question.get_by_label("Name").fill("!!!")
    expect(question).to_contain_text("Please use letters or digits in the name.")
    question.get_by_role("button", name="Create Slack channel").click()
    refused = question.locator("input.is-invalid")
    expect(refused).to_have_value("!!!")  # what was typed is kept
    question.get_by_label("Name").fill("Datenbank: Überlauf?")
    expect(question).to_contain_text("Slack will call it #datenbank_uberlauf")
    question.get_by_role("button", name="Create Slack channel").click()
    expect(links).to_contain_text("Creating…")
    settle(story)
    view = links.get_by_role("link", name="View Slack channel #datenbank_uberlauf")
    expect(view).to_be_visible()
    (made,) = ours(story)
    assert (view.get_attribute("href") or "").endswith(made["id"])
    links.get_by_role("button", name="Detach").click()
    farewell = screen.get_by_role("dialog", name="Detach #datenbank_uberlauf?")
    farewell.get_by_role("button", name="Cancel").click()
    links.get_by_role("button", name="Detach").click()
    farewell.get_by_role("button", name="Detach").click()
    expect(links.get_by_role("button", name="Create Slack channel")).to_be_visible()
    timeline = screen.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("Ada detached #datenbank_uberlauf on the web")
