"""Does the link survive what happens to it, and does everybody concerned see its true state?"""

import json
import urllib.request

from playwright.sync_api import Browser, expect

from tests.scenarios.conftest import Demo, Visitor
from tests.scenarios.test_main_job import link_workspace, send

SLACK_PAGE = "/settings/connectors/slack"


def in_slack(demo: Demo, operation: str, **arguments: str) -> None:
    """Something that an admin of the workspace does in Slack."""
    _tell(demo, f"admin/{operation}", {"team_id": "T0ACME", **arguments})


def _tell(demo: Demo, path: str, sent: dict[str, str]) -> None:
    request = urllib.request.Request(
        f"{demo.slack}/_sandbox/{path}",
        data=json.dumps(sent).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def authorize(visitor: Visitor, workspace: str, button: str) -> None:
    visitor.page.goto(f"{visitor.demo.portal}{SLACK_PAGE}")
    visitor.page.get_by_role("button", name=button, exact=True).click()
    visitor.page.get_by_label("Workspace", exact=True).select_option(label=workspace)
    visitor.page.get_by_role("button", name="Allow").click()
    visitor.page.wait_for_url(f"{visitor.demo.portal}/**")


def test_revoked_reauthorized_refused_unlinked_and_linked_elsewhere(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)
    page = visitor.page
    slack = Visitor(chromium.new_context(), demo)
    slack.page.goto(demo.screen("U0ADA"))

    # Revoked in Slack: a banner on the page that is open.
    page.goto(f"{demo.portal}/alerts")
    in_slack(demo, "revoke")
    expect(page.locator("#banners")).to_contain_text("Nothing is sent to Acme", timeout=15_000)
    page.goto(f"{demo.portal}{SLACK_PAGE}")
    expect(page.get_by_text("Disconnected, re-authorize")).to_be_visible()
    assert send(demo, summary="Sent while revoked", alertKey="revoked") == 202
    page.reload()
    expect(page.locator("#connector-broken")).to_contain_text("1 delivery waits")

    # Authorized again: what waited arrives.
    authorize(visitor, "Acme", "Re-authorize Slack")
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    expect(page.locator("#banners")).not_to_contain_text("Nothing is sent")
    message = slack.page.locator("article", has_text="Sent while revoked").first
    expect(message).to_be_visible(timeout=15_000)

    # Another workspace: refused with both names, and the old link goes on.
    authorize(visitor, "Beta", "Re-authorize Slack")
    expect(page.get_by_text("You chose Beta, but this account is linked to Acme")).to_be_visible()
    page.goto(f"{demo.portal}{SLACK_PAGE}")
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()

    # Unlinked while Slack has trouble removing the app: the old buttons answer politely.
    _tell(demo, "faults", {"effect": "server_error", "method": "apps.uninstall"})
    page.get_by_role("button", name="Remove Slack bot from account").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 alert action")
    dialog.get_by_role("button", name="Unlink Acme").click()
    expect(page.get_by_text("No Slack workspace is linked")).to_be_visible()
    message.get_by_role("button", name="Acknowledge").click()
    told = slack.page.get_by_text("This workspace is not linked").first
    expect(told).to_be_visible(timeout=15_000)

    # The same workspace, linked by the second account; the removal that waited is dropped.
    bea = Visitor(chromium.new_context(), demo)
    bea.sign_in("bea@beta.example")
    authorize(bea, "Acme", "Authorize")
    expect(bea.page.get_by_text("Slack workspace Acme is linked")).to_be_visible()

    # Support staff see it, and can do nothing.
    sam = Visitor(chromium.new_context(), demo)
    sam.sign_in("sam@tocsin.example")
    sam.page.goto(f"{demo.portal}/support/workspaces")
    expect(sam.page.locator("main")).to_contain_text("T0ACME")
    expect(sam.page.locator("main")).to_contain_text("Beta")
    expect(sam.page.locator("main").get_by_role("button", name="Remove")).to_have_count(0)
    assert visitor.complaints + bea.complaints + sam.complaints == [
        each
        for each in visitor.complaints
        if "409" in each  # the refused callback's own status
    ]
