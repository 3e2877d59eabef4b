"""Does the main job work, from nothing to an answered alert, with real processes and a browser?"""

import json
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.scenarios.conftest import Demo, Visitor


def send(demo: Demo, **event: str) -> int:
    """Send an event as a monitoring tool does."""
    body = json.dumps({"integrationKey": demo.integration_key, "eventType": "ALERT", **event})
    request = urllib.request.Request(
        f"{demo.portal}/api/events",
        data=body.encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(answer.status)


def link_workspace(visitor: Visitor) -> None:
    """⚙ → Connectors → Slack → Authorize → Allow; nothing to do where it is linked already."""
    page = visitor.page
    visitor.sign_in("adam@acme.example")
    page.goto(f"{visitor.demo.portal}/settings/connectors")
    page.get_by_role("link", name="Slack Workspace Integration").first.click()
    page.wait_for_url("**/settings/connectors/slack")
    if page.get_by_role("button", name="Authorize", exact=True).count():
        page.get_by_role("button", name="Authorize", exact=True).click()
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_text("is linked").first).to_be_visible()
    expect(page.get_by_role("button", name="Re-authorize Slack")).to_be_visible()


def test_link_send_acknowledge_in_slack_and_see_both_sides_change(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)
    assert send(demo, summary="Disk full on db-1", alertKey="disk") == 202

    slack = Visitor(chromium.new_context(), demo)
    slack.page.goto(demo.screen("U0ADA"))
    message = slack.page.locator("article", has_text="Disk full on db-1")
    expect(message).to_be_visible(timeout=15_000)

    visitor.page.goto(f"{demo.portal}/alerts")
    visitor.page.get_by_role("link", name="Disk full on db-1").click()
    expect(visitor.page.locator("#alert-status")).to_contain_text("Pending", ignore_case=True)

    message.get_by_role("button", name="Acknowledge").click()
    expect(message).to_contain_text("Ada Lovelace", timeout=15_000)
    expect(message.get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(visitor.page.locator("#alert-status")).to_contain_text("Ada Lovelace", timeout=15_000)

    visitor.page.locator("#alert-status").get_by_role("button", name="Resolve").click()
    expect(visitor.page.locator("#alert-status")).to_contain_text("Resolved", ignore_case=True)
    expect(message).to_contain_text("Resolved", timeout=15_000)
    expect(message.get_by_role("button")).to_have_count(0)
    assert visitor.complaints == []
    assert slack.complaints == []


def test_a_slack_user_without_an_account_is_told_so_and_changes_nothing(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)
    assert send(demo, summary="Queue is long", alertKey="queue") == 202
    walter = Visitor(chromium.new_context(), demo)
    walter.page.goto(demo.screen("U0WALTER"))
    message = walter.page.locator("article", has_text="Queue is long").first
    message.get_by_role("button", name="Acknowledge").click()
    told = walter.page.get_by_text("not connected to an account").first
    expect(told).to_be_visible(timeout=15_000)
    expect(message.get_by_role("button", name="Acknowledge")).to_be_visible()
    visitor.page.goto(f"{demo.portal}/alerts")
    row = visitor.page.locator("[id^=alert-]", has_text="Queue is long").first
    expect(row).to_contain_text("Pending", ignore_case=True)


def test_a_stakeholder_sees_the_link_with_a_hint_and_no_alerts(
    visitor: Visitor, demo: Demo
) -> None:
    visitor.sign_in("stan@acme.example")
    page = visitor.page
    page.goto(f"{demo.portal}/settings/connectors/slack")
    expect(page.get_by_text("admin", exact=False).first).to_be_visible()
    expect(page.get_by_role("button", name="Authorize")).to_have_count(0)
    expect(page.get_by_role("button", name="Re-authorize")).to_have_count(0)
    refused = page.goto(f"{demo.portal}/alerts")
    assert refused is not None
    assert refused.status == 403
    expect(page.get_by_text("responder").first).to_be_visible()


PAGES = [
    "/alerts",
    "/alerts?status=all",
    "/alert-sources",
    "/alert-sources/new",
    "/alert-actions",
    "/alert-actions/new",
    "/settings/connectors",
    "/settings/connectors/slack",
    "/settings/users",
    "/settings/audit-log",
    "/settings/audit-log?kind=slack&q=nowhere",
    "/profile",
    "/profile/notifications",
]
SUPPORT_PAGES = ["/support/workspaces", "/support/workspaces/1", "/support/workspaces?q=nowhere"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(chromium: Browser, demo: Demo, scheme: str) -> None:
    context = chromium.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    visitor = Visitor(context, demo)
    link_workspace(visitor)
    assert send(demo, summary="Look at me", alertKey="axe") == 202
    visitor.page.goto(f"{demo.portal}/alerts")
    first = visitor.page.get_by_role("link", name="Look at me").first.get_attribute("href")
    support = Visitor(chromium.new_context(color_scheme=scheme), demo)  # type: ignore[arg-type]
    support.sign_in("sam@tocsin.example")
    found = {}
    for who, paths in ((visitor, [*PAGES, str(first)]), (support, SUPPORT_PAGES)):
        for path in paths:
            who.page.goto(f"{demo.portal}{path}")
            result = Axe().run(who.page)
            if result.violations_count:
                found[path] = result.generate_report()
    assert found == {}
    assert visitor.complaints == support.complaints == []
    context.close()
    support.page.context.close()


def test_the_logs_of_the_running_programs_hold_no_secret(visitor: Visitor, demo: Demo) -> None:
    link_workspace(visitor)
    assert send(demo, summary="Listen", alertKey="listen") == 202
    visitor.page.goto(f"{demo.portal}/alerts")
    expect(visitor.page.get_by_role("link", name="Listen").first).to_be_visible()
    (cookie,) = [each for each in visitor.page.context.cookies() if each.get("name") == "tocsin"]
    world = json.loads((demo.home / "sandbox.json").read_text())["world"]
    kept = json.loads((demo.home / "demo.json").read_text())
    secrets = {
        str(cookie.get("value")),
        *world["tokens"],
        *world["refresh_tokens"],
        *world["codes"],
        *kept["integration_keys"].values(),
        *(kept[name] for name in ("password", "client_secret", "signing_secret")),
        *((demo.home / name).read_text().strip() for name in ("secret-key", "encryption-key")),
    }
    assert world["tokens"]
    for name in ("serve", "worker"):
        log = (demo.home / "logs" / f"{name}.log").read_text()
        assert '"level": "' in log
        assert [secret for secret in secrets if secret in log] == []
