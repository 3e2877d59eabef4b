"""Does the page on which alerts are opened by hand work in a real browser, also pressed twice?"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from portal.db import db
from portal.domain.alerts.models import Alert
from tests.make import PASSWORD, make_account, make_policy, make_source, make_user
from tests.web.test_in_browser import portal

__all__ = ["portal"]


@pytest.fixture(params=[("light", 1280), ("dark", 390)], ids=str)
def page(
    app: Flask, chromium: Browser, portal: str, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """Bob's browser on the list of alerts."""
    with app.app_context():
        account = make_account()
        bob = make_user(account, name="Bob", email="bob@example.com")
        source, _ = make_source(account, name="Shop")
        make_policy(account, [bob], name="Platform", source=source)
    scheme, width = request.param
    page = chromium.new_page(
        color_scheme=scheme, viewport={"width": width, "height": 900}, base_url=portal
    )
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto("/login?next=/alerts")
    page.get_by_label("E-mail address").fill("bob@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Alerts", exact=True)).to_be_visible()
    yield page
    page.close()
    assert faults == []


def test_an_alert_is_opened_once_and_what_was_wrong_is_said(app: Flask, page: Page) -> None:
    page.get_by_role("link", name="Create alert").click()
    page.get_by_label("Details").fill("Since noon")
    page.get_by_label("Alert source").select_option(label="Shop: asks Platform")
    page.get_by_role("button", name="Create alert").click()
    expect(page.get_by_text("Please give a summary")).to_be_visible()
    expect(page.get_by_label("Details")).to_have_value("Since noon")
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_label("Summary").fill("Checkout <fails> & burns")
    page.get_by_role("button", name="Create alert").dblclick()
    expect(page.get_by_role("heading", name="Checkout <fails> & burns")).to_be_visible()
    expect(page.locator("#alert-timeline")).to_contain_text("Bob opened this by hand on the web")
    with app.app_context():
        assert db.session.execute(select(func.count()).select_from(Alert)).scalar_one() == 1
