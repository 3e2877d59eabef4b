"""Does the main job work, from nothing to an answered alert, with real processes and a browser?"""

import json
import urllib.request
from typing import Literal

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
    refused_in_slack(walter, "U0WALTER", "Queue is long", "not connected to an account")
    still_pending(visitor, "Queue is long")
    assert visitor.complaints == walter.complaints == []


def test_a_stakeholder_is_refused_politely_at_every_step(
    visitor: Visitor, chromium: Browser, demo: Demo
) -> None:
    link_workspace(visitor)
    assert send(demo, summary="Mail is late", alertKey="mail") == 202
    stan = Visitor(chromium.new_context(), demo)
    stan.sign_in("stan@acme.example")
    page = stan.page
    page.goto(f"{demo.portal}/settings/connectors")
    page.get_by_role("link", name="Slack Workspace Integration").first.click()
    expect(page.get_by_text("Only admins can change connectors. Ask Adam Ahmed")).to_be_visible()
    for name in ("Authorize", "Re-authorize", "Remove Slack bot"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    refused_in_slack(stan, "U0STAN", "Mail is late", "may not change alerts")
    assert stan.complaints == []
    refused = page.goto(f"{demo.portal}/alerts")
    assert refused is not None
    assert refused.status == 403
    expect(page.get_by_text("responder").first).to_be_visible()
    still_pending(visitor, "Mail is late")
    assert visitor.complaints == []


def refused_in_slack(visitor: Visitor, user_id: str, summary: str, words: str) -> None:
    """Press Acknowledge and read, as the only one, why nothing happened."""
    visitor.page.goto(visitor.demo.screen(user_id))
    message = visitor.page.locator("article", has_text=summary).first
    message.get_by_role("button", name="Acknowledge").click(timeout=15_000)
    expect(visitor.page.get_by_text(words).first).to_be_visible(timeout=15_000)
    expect(message.get_by_role("button", name="Acknowledge")).to_be_visible()


def still_pending(visitor: Visitor, summary: str) -> None:
    visitor.page.goto(f"{visitor.demo.portal}/alerts")
    row = visitor.page.locator("[id^=alert-]", has_text=summary).first
    expect(row).to_contain_text("Pending", ignore_case=True)


PAGES = {
    "adam@acme.example": [
        "/alerts",
        "/alerts?status=all",
        "/alert-sources",
        "/alert-sources/new",
        "/alert-sources/1",
        "/alert-sources/1/edit",
        "/alert-actions",
        "/alert-actions/new",
        "/alert-actions/1",
        "/alert-actions/1/edit",
        "/settings/connectors",
        "/settings/connectors/slack",
        "/settings/users",
        "/settings/audit-log",
        "/settings/audit-log?kind=slack&q=nowhere",
        "/profile",
        "/profile/notifications",
    ],
    "stan@acme.example": ["/settings/connectors", "/settings/connectors/slack", "/profile"],
    "bea@beta.example": ["/alerts", "/alert-sources", "/settings/connectors/slack"],  # not linked
    "sam@tocsin.example": [
        "/support/workspaces",
        "/support/workspaces/1",
        "/support/workspaces?q=nowhere",
    ],
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
REFUSED = ["/alerts", "/nowhere"]  # by a stakeholder; their console says the 403 and the 404


def test_axe_finds_nothing_on_any_page_light_or_dark(chromium: Browser, demo: Demo) -> None:
    found: dict[str, str] = {}

    def look(visitor: Visitor, path: str) -> None:
        visitor.page.goto(f"{demo.portal}{path}")
        inspect(visitor, path)

    def inspect(visitor: Visitor, what: str) -> None:
        for scheme in SCHEMES:
            visitor.page.emulate_media(color_scheme=scheme)
            result = Axe().run(visitor.page)
            if result.violations_count:
                found[f"{what}, {scheme}"] = result.generate_report()

    def somebody(email: str | None = None) -> Visitor:
        visitor = Visitor(chromium.new_context(reduced_motion="reduce"), demo)
        if email:
            visitor.sign_in(email)
        return visitor

    admin = somebody()
    link_workspace(admin)
    alerts = an_alert_in_each_state(admin, "axe")
    stranger, *others = somebody(), *(somebody(email) for email in PAGES if email[:4] != "adam")
    look(stranger, "/login")
    for who, paths in zip((admin, *others), PAGES.values(), strict=True):
        for path in paths:
            look(who, path)
    for path in alerts:
        look(admin, path)
    admin.page.goto(f"{demo.portal}/settings/users")
    row = admin.page.get_by_role("row", name="Stan")
    row.get_by_role("button", name="Deactivate").click()
    inspect(admin, "the question before a harm")
    assert [each.complaints for each in (stranger, admin, *others)] == [[]] * 5
    for path in REFUSED:
        look(others[0], path)
    stranger.page.get_by_label("E-mail").fill("nobody@acme.example")
    stranger.page.get_by_label("Password").fill("wrong")
    stranger.page.get_by_role("button", name="Sign in").click()
    expect(stranger.page.get_by_role("alert")).to_be_visible()
    inspect(stranger, "a refused sign-in")
    look(stranger, "/invitations/of-another-time")
    assert found == {}
    for each in (stranger, admin, *others):
        each.page.context.close()


def an_alert_in_each_state(visitor: Visitor, key: str) -> list[str]:
    """Send three alerts, acknowledge one and resolve one; returns the paths of their pages."""
    paths = []
    for event in ("ALERT", "ACCEPT", "RESOLVE"):
        summary = f"{event} {key}"
        assert send(visitor.demo, summary=summary, alertKey=summary, details="p99 is 4 s") == 202
        visitor.page.goto(f"{visitor.demo.portal}/alerts")
        path = visitor.page.get_by_role("link", name=summary).get_attribute("href")
        paths.append(str(path))
        if event != "ALERT":
            assert send(visitor.demo, alertKey=summary, eventType=event) == 202
    return paths


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
