"""Does what portal.js promises happen in a real browser, under the real security policy?"""

import re
from collections.abc import Iterator
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from werkzeug.serving import make_server

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import operations
from portal.domain.alerts.models import Via
from portal.domain.notices import operations as notices
from tests.make import PASSWORD, make_account, make_alert, make_policy, make_source, make_user


@pytest.fixture
def people(app: Flask) -> tuple[User, User]:
    """An admin and a responder of one account."""
    with app.app_context():
        account = make_account()
        admin = make_user(account, role=Role.ADMIN, name="Olga", email="olga@example.com")
        return admin, make_user(account, name="Bob")


@pytest.fixture
def portal(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def screen(chromium: Browser, portal: str, people: tuple[User, User]) -> Iterator[Page]:
    """The admin's browser, on the page of users. A complaint of its console fails the test."""
    page = chromium.new_page(color_scheme="light", base_url=portal)
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda line: faults.append(line.text) if _is_refused(line) else None)
    page.goto("/login?next=/settings/users")
    page.get_by_label("E-mail address").fill(people[0].email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    page.wait_for_load_state()  # the page is there before its scripts
    yield page
    page.close()
    assert faults == []


def _is_refused(line: ConsoleMessage) -> bool:
    """Has the security policy stopped something of ours?"""
    return "Content Security Policy" in line.text


def test_a_harm_asks_once_and_cancel_leaves_everything(
    app: Flask, screen: Page, people: tuple[User, User]
) -> None:
    def is_active() -> bool:
        with app.app_context():
            return db.session.get_one(User, people[1].id).is_active

    row = screen.get_by_role("row", name="Bob")
    row.get_by_role("button", name="Deactivate").click()
    question = screen.get_by_role("dialog", name="Deactivate Bob?")
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_be_hidden()
    assert is_active()
    row.get_by_role("button", name="Deactivate").click()
    question.get_by_role("button", name="Deactivate").click()
    expect(screen.get_by_text("Bob is deactivated and signed out everywhere.")).to_be_visible()
    assert not is_active()


def test_the_chosen_theme_stays(screen: Page) -> None:
    html = screen.locator("html")
    expect(html).to_have_attribute("data-bs-theme", "light")
    screen.get_by_label("You: Olga").click()
    screen.get_by_role("button", name="Dark").click()
    expect(html).to_have_attribute("data-bs-theme", "dark")
    screen.reload()
    expect(html).to_have_attribute("data-bs-theme", "dark")


def test_an_error_of_htmx_is_a_note_beside_what_one_reads(screen: Page) -> None:
    screen.evaluate("htmx.ajax('GET', '/nowhere', {target: '#content'})")
    expect(screen.locator("#toasts")).to_contain_text("There is nothing here")
    expect(screen.get_by_role("heading", name="Users")).to_be_visible()
    screen.get_by_role("button", name="Close").click()
    expect(screen.locator("#toasts")).to_be_empty()


def test_what_is_told_on_every_page_follows_and_leaves_the_focus_where_it_is(
    app: Flask, screen: Page, people: tuple[User, User]
) -> None:
    with app.app_context():
        notices.tell([people[0]], about="x", text="Something broke.", path="/alerts")
        db.session.commit()
    screen.goto("/alerts")
    for role, name in (("link", "See what to do"), ("button", "Understood")):
        control = screen.get_by_role(role, name=name)  # type: ignore[arg-type]
        control.focus()
        with screen.expect_response("**/banners"):
            pass
        with screen.expect_response("**/banners"):
            pass
        expect(control).to_be_focused()


def test_a_notice_is_understood_by_keyboard_and_one_reads_on_with_the_page(
    screen: Page, app: Flask, people: tuple[User, User]
) -> None:
    with app.app_context():
        notices.tell([people[0]], about="x", text="#db is archived.", path="/alerts")
        db.session.commit()
    screen.reload()
    screen.get_by_role("button", name="Understood").press("Enter")
    expect(screen.get_by_text("#db is archived.")).to_have_count(0)
    expect(screen.locator("#content")).to_be_focused()


def test_the_list_of_alerts_follows_and_costs_a_304_when_nothing_happened(screen: Page) -> None:
    screen.goto("/alerts")
    for status in (200, 304):  # the first answer brings the fragment's ETag
        with screen.expect_response("**/alerts*") as answer:
            pass
        assert answer.value.status == status
    expect(screen.locator("#alert-list")).to_be_visible()


def test_a_policy_is_made_with_the_keyboard_and_nothing_typed_is_lost(screen: Page) -> None:
    screen.goto("/escalation-policies/new")
    screen.get_by_label("Name").fill("Platform")
    screen.get_by_label("Minutes to answer").fill("3")
    screen.get_by_label("to level 1").select_option(label="Bob")
    screen.get_by_role("button", name="Add a level").press("Enter")
    second = screen.get_by_label("to level 2")
    expect(second).to_be_focused()
    second.select_option(label="Olga")
    second.press("Tab")
    screen.keyboard.press("Enter")  # Add
    level_2 = screen.get_by_role("group", name="Level 2")
    expect(level_2.get_by_role("listitem").filter(has_text="Olga")).to_be_visible()
    expect(screen.get_by_label("to level 2")).to_be_focused()  # the page has settled
    screen.get_by_role("group", name="Level 2").get_by_role("button", name="Move up").press("Enter")
    expect(screen.get_by_role("heading", name="Level 1")).to_be_focused()
    expect(screen.get_by_label("Minutes to answer").nth(1)).to_have_value("3")
    screen.get_by_label("Name").press("Enter")  # saves, and presses no other button
    expect(screen.get_by_role("heading", name="Platform")).to_be_visible()
    levels = screen.get_by_role("region", name="Who would be asked right now").locator("ol > li")
    expect(levels).to_have_count(2)
    expect(levels.nth(0)).to_contain_text("Olga")
    expect(levels.nth(1)).to_contain_text("Bob")


def test_an_alert_is_steered_in_a_dialog_and_the_page_follows(
    app: Flask, screen: Page, people: tuple[User, User]
) -> None:
    olga, bob = people
    with app.app_context():
        source = make_source(olga.account)[0]
        make_policy(olga.account, [olga], [bob], name="Platform", source=source)
        alert = make_alert(source)
        operations.acknowledge(alert.id, by=db.session.get_one(User, bob.id), via=Via.SLACK)
    screen.goto(f"/alerts/{alert.id}")
    asked = screen.get_by_role("region", name="Who is asked")
    expect(asked).to_contain_text("Nobody further, while Bob has it")
    asked.get_by_role("button", name="Escalate").click()
    question = screen.get_by_role("dialog", name="Escalate now?")
    expect(question.get_by_label("Level")).to_be_focused()
    question.get_by_label("Level").select_option("1")
    question.get_by_role("button", name="Escalate").click()
    expect(asked).to_contain_text("to Bob: level 2 of Platform")
    expect(screen.get_by_role("region", name="Status")).to_contain_text("Nobody has it")
    expect(screen.get_by_role("region", name="Timeline")).to_contain_text("Olga escalated to Olga")
    expect(asked.get_by_role("heading")).to_be_focused()


def test_a_box_that_was_made_larger_is_used_as_any_other(
    app: Flask, screen: Page, people: tuple[User, User]
) -> None:
    with app.app_context():
        alert = make_alert(make_source(people[0].account)[0])
    screen.goto(f"/alerts/{alert.id}")
    comment = screen.get_by_label("Comment")
    box = comment.bounding_box()
    assert box
    corner = box["x"] + box["width"] - 4, box["y"] + box["height"] - 4
    screen.mouse.move(*corner)
    screen.mouse.down()
    screen.mouse.move(corner[0], corner[1] + 60)
    screen.mouse.up()
    expect(comment).to_have_attribute("style", re.compile("height"))  # the browser's own doing
    comment.fill("It is the cache")
    screen.get_by_role("button", name="Comment").click()
    expect(screen.get_by_role("region", name="Timeline")).to_contain_text("It is the cache")
    expect(comment).to_have_value("")
