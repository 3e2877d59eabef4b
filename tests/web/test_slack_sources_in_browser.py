"""Do the Slack settings of a source follow what is typed, in a real browser?"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from portal.db import db, now
from portal.domain.accounts.permissions import Role
from portal.slack.conversations import ChannelList
from tests.make import (
    PASSWORD,
    make_account,
    make_installation,
    make_policy,
    make_source,
    make_user,
)
from tests.web.test_in_browser import portal

__all__ = ["portal"]


@pytest.fixture(params=["light", "dark"])
def page(
    app: Flask, chromium: Browser, portal: str, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """Uma's browser on the settings of a new Slack source."""
    with app.app_context():
        account = make_account()
        uma = make_user(account, role=Role.USER, name="Uma", email="uma@example.com")
        make_installation(uma)
        for name in ("Platform", "Databases"):
            make_policy(account, [uma], [make_user(account, name="Ada")], name=name)
        source, _ = make_source(account, name="Ask us", type="slack")
        listed = [
            {"id": f"C0{name.upper()}", "name": name, "is_private": False, "is_member": True}
            for name in ("ops", "db", "general")
        ]
        db.session.add(ChannelList(account_id=account.id, channels=listed, fetched_at=now()))
        db.session.commit()
    page = chromium.new_page(color_scheme=request.param, base_url=portal)
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.goto(f"/login?next=/alert-sources/{source.id}/slack")
    page.get_by_label("E-mail address").fill("uma@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Slack settings")).to_be_visible()
    yield page
    page.close()
    assert faults == []


def test_a_source_is_set_up_with_a_preview_that_follows(page: Page) -> None:
    preview = page.locator("#slack-preview")
    expect(preview).to_contain_text("not switched on")
    page.get_by_label("#ops").check()
    page.get_by_label("Anyone in these channels").check()
    expect(preview).to_contain_text("Choose at least one escalation policy")
    for name in ("Platform", "Databases"):
        page.get_by_label("Add an escalation policy").select_option(name)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator("#slack-offers ol")).to_contain_text(name)
    expect(preview).to_contain_text("Level 2")
    page.get_by_role("button", name="Move up Databases").click()
    expect(page.locator("#slack-offers li").first).to_contain_text("1. Databases")
    page.locator("#offer-0-name").fill("The data people")
    expect(preview).to_contain_text("The data people")
    modal = preview.locator(".slack-modal")
    expect(modal.get_by_role("listitem")).to_have_text(["The data people", "Platform"])
    expect(modal).to_contain_text("Who should be alerted?")
    page.get_by_label("Custom label").fill("Whom do you need? <b>")
    expect(modal).to_contain_text("Whom do you need? <b>")
    page.get_by_label("Also show phone numbers").check()
    expect(preview).to_contain_text("no number on their profile")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator("#alert-source-slack")).to_contain_text("Databases as “The data people”")
    expect(page.locator("#alert-source-slack")).to_contain_text("#ops")
    assert Axe().run(page).response["violations"] == []
