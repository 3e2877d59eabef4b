"""Can somebody say in the browser which Slack user they are, and can nobody say it for another?"""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, text

from portal.db import db, now
from portal.domain.accounts import operations as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import operations as alerts
from portal.domain.alerts.models import Alert, AlertStatus, TimelineEntry, TimelineKind, Via
from portal.jobs import upkeep
from portal.slack import connecting, people
from portal.slack.connects import Connect
from portal.slack.people import UserLink
from tests.make import make_account, make_action, make_alert, make_source, make_user
from tests.slack.conftest import Story, post
from tests.together import collide

CHANNEL, WALTER, GUSTAV = "C0ALERTS", "U0WALTER", "U0GUSTAV"


@pytest.fixture
def cast(story: Story) -> dict[str, User]:
    """Acme's people, and Wendy, whose address in Slack is another one; the workspace is linked."""
    cast = story.people()
    story.link(cast["olivia"])
    with story.app.app_context():
        cast["wendy"] = make_user(cast["olivia"].account, name="Wendy", email="w@private.example")
    return cast


def an_alert(story: Story, cast: dict[str, User]) -> int:
    with story.app.app_context():
        source, _ = make_source(cast["olivia"].account)
        make_action(source, channel_id=CHANNEL, channel_name="alerts")
        alert_id = make_alert(source).id
    story.work()
    return alert_id


def pressed(story: Story, slack_user_id: str = WALTER, action_id: str = "alert_acknowledge") -> str:
    """Somebody whom we do not know presses; returns the path of the address they get."""
    message = [m for m in story.sandbox.messages(CHANNEL) if not m["is_ephemeral"]][-1]
    delivery = story.sandbox.click(
        user_id=slack_user_id, channel_id=CHANNEL, ts=message["ts"], action_id=action_id
    )
    assert delivery.status == 200
    story.work()
    return address(told(story, slack_user_id)[-1])


def told(story: Story, slack_user_id: str) -> list[dict[str, Any]]:
    seen = story.sandbox.messages(CHANNEL, as_user=slack_user_id)
    return [message for message in seen if message["is_ephemeral"]]


def address(message: dict[str, Any]) -> str:
    found = re.search(r"https?://[^/]+(/connect/[\w-]+)", str(message["blocks"]))
    assert found, message
    return found[1]


def status(story: Story, alert_id: int) -> AlertStatus:
    with story.app.app_context():
        return db.session.get_one(Alert, alert_id).status


def link_of(story: Story, person: User) -> UserLink | None:
    with story.app.app_context():
        return people.link_of(person.id)


def test_who_presses_unknown_connects_and_what_they_pressed_is_done(
    story: Story, cast: dict[str, User]
) -> None:
    alert_id = an_alert(story, cast)
    path = pressed(story)
    assert "Press *Connect*, or ask an admin" in told(story, WALTER)[0]["text"]
    assert status(story, alert_id) is AlertStatus.PENDING
    browser = story.browser(cast["wendy"])
    page = browser.get(path)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    for named in ("walter.walkin", "Acme", "Wendy", "w@private.example"):
        assert named in page.text
    assert link_of(story, cast["wendy"]) is None  # looking connects nobody
    answer = post(browser, path)
    assert answer.location.endswith(f"/alerts/{alert_id}")
    assert status(story, alert_id) is AlertStatus.ACKNOWLEDGED
    with story.app.app_context():
        done = select(TimelineEntry).where(TimelineEntry.kind == TimelineKind.ACKNOWLEDGED)
        (entry,) = db.session.scalars(done).all()
        assert (entry.actor_name, entry.via) == ("Wendy", Via.SLACK)
    shown = browser.get(answer.location).text
    assert "You are connected to walter.walkin in Slack. The alert is acknowledged." in shown
    known = link_of(story, cast["wendy"])
    assert known is not None
    assert (known.slack_user_id, known.is_by_hand) == (WALTER, True)


def test_the_slack_user_is_told_with_whom_they_were_connected(
    story: Story, cast: dict[str, User]
) -> None:
    an_alert(story, cast)
    post(story.browser(cast["wendy"]), pressed(story))
    story.work()
    (note,) = [
        call.arguments["text"]
        for call in story.sandbox.requests(method="chat.postMessage")
        if call.arguments["channel"] == WALTER
    ]
    assert "is connected to Wendy (w@private.example) now" in note


def test_a_stranger_to_the_browser_signs_in_first_and_comes_back(
    story: Story, cast: dict[str, User]
) -> None:
    an_alert(story, cast)
    path = pressed(story)
    answer = story.browser().get(path)
    assert "/login?next=%2Fconnect%2F" in answer.location or f"next={path}" in answer.location


def test_the_click_is_checked_then_with_the_persons_own_permission(
    story: Story, cast: dict[str, User]
) -> None:
    alert_id = an_alert(story, cast)
    with story.app.app_context():
        stan = make_user(cast["olivia"].account, name="Stella", role=Role.STAKEHOLDER)
    browser = story.browser(stan)
    answer = post(browser, pressed(story))
    assert answer.location.endswith("/profile#slack")
    assert status(story, alert_id) is AlertStatus.PENDING
    page = browser.get("/profile").text
    assert "You are connected to walter.walkin in Slack." in page
    assert "may not change alerts" in page


def test_somebody_was_faster_is_said_and_the_connection_stays(
    story: Story, cast: dict[str, User]
) -> None:
    alert_id = an_alert(story, cast)
    path = pressed(story)
    with story.app.app_context():
        alerts.resolve(alert_id, by=db.session.get_one(User, cast["uma"].id), via=Via.WEB)
    browser = story.browser(cast["wendy"])
    answer = post(browser, path)
    assert "Uma" in browser.get(answer.location).text
    assert link_of(story, cast["wendy"]) is not None


def test_a_guest_connects_by_hand(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast)
    post(story.browser(cast["wendy"]), pressed(story, GUSTAV))
    known = link_of(story, cast["wendy"])
    assert known is not None
    assert known.slack_user_id == GUSTAV


def test_the_link_works_once(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast)
    path = pressed(story)
    browser = story.browser(cast["wendy"])
    assert post(browser, path).status_code == 303
    again = post(browser, path)
    assert again.status_code == 404
    assert "It works once, for 15 minutes" in again.text


def test_two_confirmations_at_once_make_one_connection(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast)
    token = pressed(story).removeprefix("/connect/")

    def confirm() -> Any:
        return connecting.confirm(token, by=db.session.get_one(User, cast["wendy"].id))

    answers = collide(story.app, "SELECT 1 FROM slack_connects FOR UPDATE", [confirm, confirm])
    assert sorted(type(answer).__name__ for answer in answers) == ["NotFound", "Sides"]


def test_the_link_ends_after_fifteen_minutes_and_is_forgotten(
    story: Story, cast: dict[str, User]
) -> None:
    an_alert(story, cast)
    path = pressed(story)
    browser = story.browser(cast["wendy"])
    with time_machine.travel(now() + timedelta(minutes=15, seconds=1), tick=True):
        assert browser.get(path).status_code == 404
        with story.app.app_context():
            upkeep.prune()
            assert db.session.scalars(select(Connect)).all() == []


def test_who_opens_it_first_has_it(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast)
    path = pressed(story)
    assert story.browser(cast["wendy"]).get(path).status_code == 200
    with story.app.app_context():
        xaver = make_user(cast["olivia"].account, name="Xaver")
    other = story.browser(xaver)
    assert other.get(path).status_code == 404
    assert post(other, path).status_code == 404
    assert story.browser(cast["wendy"]).get(path).status_code == 200


def test_nobody_of_another_account_can_use_it(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast)
    path = pressed(story)
    with story.app.app_context():
        foreign = make_user(make_account(), name="Foreign")
    assert story.browser(foreign).get(path).status_code == 404
    assert story.browser(cast["wendy"]).get(path).status_code == 200


def test_a_form_of_another_site_connects_nobody(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast)
    path = pressed(story)
    answer = story.browser(cast["wendy"]).post(path)
    assert answer.status_code == 400
    assert link_of(story, cast["wendy"]) is None


def test_a_slack_user_of_somebody_else_is_not_taken_over(
    story: Story, cast: dict[str, User]
) -> None:
    an_alert(story, cast)
    path = pressed(story)
    with story.app.app_context():
        xaver = make_user(cast["olivia"].account, name="Xaver")
        people.link(db.session.get_one(User, xaver.id), WALTER, is_by_hand=True)
        db.session.commit()
    answer = post(story.browser(cast["wendy"]), path, on=path)
    assert answer.status_code == 409
    assert "connected to somebody else" in answer.text
    assert link_of(story, cast["wendy"]) is None
    with story.app.app_context():  # who is not here any more keeps nobody out
        accounts.deactivate(xaver.id, by=db.session.get_one(User, cast["olivia"].id))
    assert post(story.browser(cast["wendy"]), path).status_code == 303


def test_somebody_connected_elsewhere_is_told_that_this_ends(
    story: Story, cast: dict[str, User]
) -> None:
    an_alert(story, cast)
    browser = story.browser(cast["ada"])
    path = pressed(story)
    assert "You are connected to the Slack user U0ADA now. That ends." in browser.get(path).text
    post(browser, path)
    known = link_of(story, cast["ada"])
    assert known is not None
    assert known.slack_user_id == WALTER


def test_who_was_deactivated_in_slack_meanwhile_is_not_connected(
    story: Story, cast: dict[str, User]
) -> None:
    an_alert(story, cast)
    path = pressed(story)
    with story.app.app_context():
        db.session.execute(text("UPDATE slack_profiles SET kind = 'outsider'"))
        db.session.commit()
    assert story.browser(cast["wendy"]).get(path).status_code == 404


def test_an_address_that_slack_never_got_is_made_anew(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast)
    story.sandbox.add_fault(effect="server_error", method="response_url", times=1)
    path = pressed(story)
    assert story.browser(cast["wendy"]).get(path).status_code == 200


def test_no_token_stands_in_the_database(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast)
    token = pressed(story).removeprefix("/connect/")
    with story.app.app_context():
        tables = db.session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).all()
        for table in tables:
            found = text(f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE :token")
            assert db.session.scalar(found, {"token": f"%{token}%"}) == 0, table


def test_pressing_connect_itself_says_nothing_more(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast)
    pressed(story)
    before = len(told(story, WALTER))
    (message,) = told(story, WALTER)[-1:]
    story.sandbox.click(user_id=WALTER, channel_id=CHANNEL, ts=message["ts"], action_id="connect")
    story.work()
    assert len(told(story, WALTER)) == before


def test_a_window_that_needs_an_account_offers_to_connect_instead(
    story: Story, cast: dict[str, User]
) -> None:
    an_alert(story, cast)
    path = pressed(story, action_id="alert_more")
    page = story.browser(cast["wendy"])
    answer = post(page, path)
    assert answer.location.endswith("/profile#slack")
    assert link_of(story, cast["wendy"]) is not None


def test_a_command_that_needs_an_account_offers_to_connect(
    story: Story, cast: dict[str, User]
) -> None:
    story.sandbox.command("T0ACME", CHANNEL, WALTER, "/il-oncall", "")
    story.work()
    post(story.browser(cast["wendy"]), address(told(story, WALTER)[-1]))
    assert link_of(story, cast["wendy"]) is not None
