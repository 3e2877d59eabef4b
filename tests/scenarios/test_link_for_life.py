"""Does the link survive what happens to it? With real processes and a browser, as an admin sees it."""

import json
import re
import urllib.request
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.scenarios.conftest import Demo, Visitor
from tests.scenarios.test_main_job import link_workspace, send

SLACK_PAGE = "/settings/connectors/slack"
SOON = 15_000  # milliseconds
BANNER = 5_000


def at_slack(demo: Demo, path: str, **arguments: Any) -> None:
    """Have something happen in the pretend Slack."""
    request = urllib.request.Request(
        f"{demo.slack}/_sandbox/{path}",
        data=json.dumps(arguments).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def allow(page: Page, workspace: str = "Acme") -> None:
    page.get_by_label("Workspace", exact=True).select_option(label=workspace)
    page.get_by_role("button", name="Allow").click()


def test_broken_at_slack_authorized_again_unlinked_and_linked_by_another_account(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)
    page = visitor.page
    slack = Visitor(chromium.new_context(), demo)
    slack.page.goto(demo.screen("U0ADA"))

    # Revoked at Slack: every page says so by itself, and what comes meanwhile waits.
    page.goto(f"{demo.portal}/alerts")
    at_slack(demo, "admin/revoke", team_id="T0ACME")
    expect(page.get_by_text("Nothing is sent to Acme any more")).to_be_visible(timeout=BANNER)
    assert send(demo, summary="Fan stopped", alertKey="fan") == 202
    page.goto(f"{demo.portal}{SLACK_PAGE}")
    expect(page.locator("#connector-broken")).to_contain_text("1 delivery waits")

    # Another workspace is refused, with both names.
    page.get_by_role("button", name="Re-authorize Slack").first.click()
    allow(page, "Beta")
    expect(page.get_by_text("You chose Beta, but this account is linked to Acme")).to_be_visible()

    # Authorized again: what waited arrives.
    page.goto(f"{demo.portal}{SLACK_PAGE}")
    page.get_by_role("button", name="Re-authorize Slack").first.click()
    allow(page)
    expect(page.get_by_text("Slack workspace Acme is linked")).to_be_visible()
    expect(page.get_by_text("Nothing is sent to")).to_have_count(0)
    message = slack.page.locator("article", has_text="Fan stopped")
    expect(message).to_be_visible(timeout=SOON)

    # Unlinked while Slack is down: its button answers politely, the alert stays as it was.
    at_slack(demo, "faults", effect="server_error", method="apps.uninstall")
    page.goto(f"{demo.portal}{SLACK_PAGE}")
    page.get_by_role("button", name="Remove Slack bot from account").click()
    page.get_by_role("button", name="Unlink Acme").click()
    expect(page.locator("#connector-unlinked")).to_be_visible()
    message.get_by_role("button", name="Acknowledge").click()
    told = slack.page.get_by_text("This workspace is not linked")
    expect(told.first).to_be_visible(timeout=SOON)

    # The second account links it, and support staff see whose it is.
    bea = Visitor(chromium.new_context(), demo)
    bea.sign_in("bea@beta.example")
    bea.page.goto(f"{demo.portal}{SLACK_PAGE}")
    bea.page.get_by_role("button", name="Authorize", exact=True).click()
    allow(bea.page)
    expect(bea.page.get_by_text("Slack workspace Acme is linked")).to_be_visible()
    sam = Visitor(chromium.new_context(), demo)
    sam.sign_in("sam@tocsin.example")
    sam.page.goto(f"{demo.portal}/support/workspaces")
    expect(sam.page.get_by_text(re.compile(r"Connected\s+since \d\d:\d\d"))).to_be_visible()
    sam.page.get_by_role("link", name="Beta").click()
    expect(sam.page.get_by_role("heading", name="Beta in Acme")).to_be_visible()
    expect(sam.page.locator("main form")).to_have_count(0)  # to look, and not to touch
    assert bea.complaints == sam.complaints == slack.complaints == []
