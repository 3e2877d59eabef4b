"""Do the pages of schedules work in a real browser: in place, with a preview, for everybody?"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from portal.db import now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.oncall.models import Schedule
from tests.make import PASSWORD, make_account, make_override, make_schedule, make_user
from tests.web.test_in_browser import portal  # noqa: F401 - a fixture

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture
def olga(app: Flask) -> User:
    with app.app_context():
        return make_user(make_account(), role=Role.USER, name="Olga", email="olga@example.com")


@pytest.fixture
def platform(app: Flask, olga: User) -> Schedule:
    with app.app_context():
        bob = make_user(olga.account, name="Bob")
        schedule = make_schedule(bob, olga, name="Platform", time_zone="America/New_York")
        make_override(schedule, bob, now() + timedelta(hours=2), now() + timedelta(hours=4))
        return schedule


@pytest.fixture
def screen(chromium: Browser, portal: str, olga: User) -> Iterator[Page]:  # noqa: F811
    """Olga's browser, signed in. A complaint of its console fails the test."""
    page = chromium.new_page(color_scheme="light", base_url=portal)
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto("/login?next=/schedules")
    page.get_by_label("E-mail address").fill(olga.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Schedules", exact=True)).to_be_visible()
    yield page
    page.close()
    assert faults == []


def test_an_override_is_entered_and_removed_without_leaving_the_page(
    screen: Page, platform: Schedule
) -> None:
    screen.goto(f"/schedules/{platform.id}")
    screen.get_by_label("Who is on call").select_option(label="Olga")
    screen.get_by_role("button", name="Add override").click()
    expect(screen.get_by_text("Please give a date and a time.")).to_be_visible()
    expect(screen.get_by_label("Who is on call").locator("option:checked")).to_have_text("Olga")
    screen.get_by_label("Until").fill(f"{now() + timedelta(days=2):%Y-%m-%dT%H:%M}")
    screen.get_by_role("button", name="Add override").click()
    expect(screen.get_by_text("The override is entered.")).to_be_visible()
    row = screen.locator("#schedule-board li", has_text="Olga").first
    row.get_by_role("button", name="Remove").click()
    question = screen.get_by_role("dialog", name="Remove the override of Olga?")
    question.get_by_role("button", name="Remove").click()
    expect(screen.get_by_text("The override is removed.")).to_be_visible()
    expect(screen.locator("#schedule-board li")).to_have_count(1)


def test_the_range_changes_in_place_and_going_back_works(screen: Page, platform: Schedule) -> None:
    screen.goto(f"/schedules/{platform.id}")
    weeks = screen.locator(".calendar-week")
    expect(weeks).to_have_count(2)
    screen.get_by_role("link", name="Week", exact=True).click()
    expect(weeks).to_have_count(1)
    assert "span=week" in screen.url
    screen.go_back()
    expect(weeks).to_have_count(2)


def test_the_editor_shows_what_would_be_before_it_is_saved(
    screen: Page, platform: Schedule
) -> None:
    screen.goto("/schedules/new")
    screen.get_by_label("Name", exact=True).fill("Database")
    preview = screen.locator("#schedule-preview")
    expect(preview).to_contain_text("The preview waits: Please add at least one person.")
    screen.get_by_label("Person 1 of layer 1", exact=True).select_option(label="Olga")
    expect(preview).to_contain_text("Somebody is on call at every moment.")
    screen.get_by_role("button", name="Add a person to layer 1").click()
    screen.get_by_label("Person 2 of layer 1", exact=True).select_option(label="Bob")
    expect(preview.locator(".turns")).to_contain_text("Bob")
    screen.get_by_role("button", name="Move person 2 of layer 1 up").click()
    expect(
        screen.get_by_label("Person 1 of layer 1", exact=True).locator("option:checked")
    ).to_have_text("Bob")
    screen.get_by_role("button", name="Add a restriction to layer 1").click()
    expect(preview).to_contain_text("Nobody is on call in 2")
    expect(screen.get_by_label("Name", exact=True)).to_have_value("Database")
    screen.get_by_role("button", name="Create").click()
    expect(screen.get_by_text("There are times when nobody is on call")).to_be_visible()
    screen.get_by_role("button", name="Save with gaps").click()
    expect(screen.get_by_role("heading", name="Database", level=1)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits_a_phone(
    screen: Page, platform: Schedule, scheme: str
) -> None:
    of_it = f"/schedules/{platform.id}"
    paths = ["/schedules", of_it, "/schedules/new", f"{of_it}/edit", f"{of_it}/take"]
    paths += [f"{of_it}/swap", f"{of_it}/import", "/schedules/hand-over", "/my-shifts"]
    screen.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for size in (DESK, PHONE):
        screen.set_viewport_size(size)  # type: ignore[arg-type]
        for path in paths:
            screen.goto(path)
            found = Axe().run(screen).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], path
            assert screen.evaluate("document.documentElement.scrollWidth") <= size["width"], path
