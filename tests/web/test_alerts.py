"""Can people see what is burning, take it, and end it; and may nobody else?"""

import re
from http import HTTPStatus
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.db import db
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import operations, queries, receive
from portal.domain.alerts.incoming import EventType, IncomingComment, IncomingEvent
from portal.domain.alerts.models import Alert, AlertStatus, Via
from portal.domain.sources.models import AlertSource
from portal.slack.posted import PostedMessage
from tests.make import make_account, make_action, make_alert, make_source, make_user, sign_in
from tests.web.pages import text_of

HTMX = {"HX-Request": "true"}
TOKEN = re.compile(r'"X-CSRFToken":"([^"]+)"')


class World:
    """Acme with a source, a responder, and one alert of it."""

    def __init__(self) -> None:
        self.account: Account = make_account("Acme")
        self.source: AlertSource = make_source(self.account, name="Prometheus")[0]
        self.bob: User = make_user(self.account, name="Bob")
        self.alert: Alert = make_alert(self.source, details="98 % used")


@pytest.fixture
def world(app: Flask) -> World:
    with app.app_context():
        return World()


def press(client: FlaskClient, path: str, **more: Any) -> TestResponse:
    """Post as HTMX or a form does, with the token that every page carries."""
    found = TOKEN.search(client.get("/profile").text)
    assert found
    headers = {"X-CSRFToken": found[1], **more.pop("headers", {})}
    return client.post(f"/alerts/{path}", headers=headers, **more)


def status_of(app: Flask, alert: Alert) -> AlertStatus:
    with app.app_context():
        return db.session.get_one(Alert, alert.id).status


def acknowledged_by(app: Flask, world: World, name: str) -> None:
    with app.app_context():
        other = make_user(world.account, name=name)
        operations.acknowledge(world.alert.id, by=other, via=Via.SLACK)


def test_the_list_answers_first_how_much_is_burning(client: FlaskClient, world: World) -> None:
    sign_in(client, world.bob)
    page = client.get("/alerts").text
    assert "1 pending, 0 acknowledged" in page
    assert "Disk full on db-1" in page
    assert "Prometheus" in page


@pytest.mark.parametrize(
    ("tab", "is_listed"),
    [
        ("open", True),
        ("pending", True),
        ("acknowledged", False),
        ("resolved", False),
        ("all", True),
    ],
)
def test_a_tab_lists_the_alerts_of_its_status(
    client: FlaskClient, world: World, tab: str, is_listed: bool
) -> None:
    sign_in(client, world.bob)
    assert ("Disk full" in client.get(f"/alerts?status={tab}").text) is is_listed


def test_alerts_of_another_source_are_filtered_out(
    app: Flask, client: FlaskClient, world: World
) -> None:
    with app.app_context():
        other = make_source(world.account)[0].id
    sign_in(client, world.bob)
    assert "Disk full" in client.get(f"/alerts?source={world.source.id}").text
    assert "Disk full" not in client.get(f"/alerts?source={other}").text


def test_older_alerts_are_on_the_next_page(app: Flask, client: FlaskClient, world: World) -> None:
    with app.app_context():
        for number in range(50):
            make_alert(world.source, summary=f"Later alert {number}")
    sign_in(client, world.bob)
    first = client.get("/alerts").text
    assert "Disk full" not in first
    assert f"before={world.alert.id + 1}" in first
    assert "Disk full" in client.get(f"/alerts?before={world.alert.id + 1}").text


def test_an_unchanged_list_costs_a_304(client: FlaskClient, world: World) -> None:
    sign_in(client, world.bob)
    polled = {**HTMX, "HX-Target": "alert-list"}
    first = client.get("/alerts", headers=polled)
    assert "<html" not in first.text
    again = client.get("/alerts", headers={**polled, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == HTTPStatus.NOT_MODIFIED


def test_a_responder_acknowledges_from_the_row(
    app: Flask, client: FlaskClient, world: World
) -> None:
    sign_in(client, world.bob)
    row = press(
        client,
        f"{world.alert.id}/acknowledge",
        headers={**HTMX, "HX-Target": f"alert-row-{world.alert.id}"},
    )
    assert row.text.lstrip().startswith("<li")
    assert "Bob has it" in row.text
    assert ">Acknowledge<" not in row.text
    assert status_of(app, world.alert) is AlertStatus.ACKNOWLEDGED


def test_the_alert_page_says_first_who_has_it(
    app: Flask, client: FlaskClient, world: World
) -> None:
    acknowledged_by(app, world, "Carol")
    sign_in(client, world.bob)
    page = client.get(f"/alerts/{world.alert.id}").text
    assert page.index("Carol</strong> has it") < page.index("98 % used")


def test_who_is_slower_reads_who_was_faster(app: Flask, client: FlaskClient, world: World) -> None:
    acknowledged_by(app, world, "Carol")
    sign_in(client, world.bob)
    answer = press(
        client, f"{world.alert.id}/acknowledge", headers={**HTMX, "HX-Target": "alert-status"}
    )
    assert answer.status_code == HTTPStatus.OK
    assert "Carol acknowledged this" in answer.text
    assert "Carol</strong> has it" in answer.text


def test_without_javascript_the_buttons_lead_back_to_the_alert(
    app: Flask, client: FlaskClient, world: World
) -> None:
    sign_in(client, world.bob)
    answer = press(client, f"{world.alert.id}/resolve")
    assert answer.location == f"/alerts/{world.alert.id}"
    assert status_of(app, world.alert) is AlertStatus.RESOLVED


def test_a_comment_appears_in_the_timeline_as_text(client: FlaskClient, world: World) -> None:
    sign_in(client, world.bob)
    press(client, f"{world.alert.id}/comment", data={"content": "<b>on it</b>"})
    timeline = client.get(f"/alerts/{world.alert.id}/timeline").text
    assert "&lt;b&gt;on it&lt;/b&gt;" in timeline


def test_of_the_events_that_joined_the_newest_are_listed_and_the_others_counted(
    app: Flask, client: FlaskClient, world: World
) -> None:
    with app.app_context():
        source = db.session.get_one(AlertSource, world.source.id)
        for number in range(queries.JOINED_LISTED + 4):
            again = IncomingEvent(type=EventType.ALERT, alert_key="cpu", summary=f"no. {number}.")
            alert_id = receive.receive(source, again).alert_id
    sign_in(client, world.bob)
    timeline = text_of(client.get(f"/alerts/{alert_id}/timeline"))
    assert "Opened by Prometheus" in timeline
    assert "3 more events joined before these 20" in timeline
    assert "no. 3." not in timeline
    assert "no. 4." in timeline
    assert "no. 23." in timeline


def send(app: Flask, world: World, **fields: Any) -> int:
    """An event of the world's source; returns its alert's id."""
    with app.app_context():
        source = db.session.get_one(AlertSource, world.source.id)
        event = IncomingEvent(type=fields.pop("type", EventType.ALERT), **fields)
        alert_id = receive.receive(source, event).alert_id
    assert alert_id is not None
    return alert_id


def test_an_enormous_alert_is_shown_in_part_and_kept_whole(
    app: Flask, client: FlaskClient, world: World
) -> None:
    huge = "<&>" * 100_000
    alert_id = send(
        app,
        world,
        summary="Huge",
        details=f"{huge}the end of the details",
        custom_details={"dump": f"{huge}the end of the dump"},
        labels={f"label-{number:03}": f"{huge[:900]}value-{number}" for number in range(300)},
        links=[{"href": f"https://example.com/{number}", "text": ""} for number in range(300)],
        comments=[IncomingComment("Nagios", f"{huge}the end of the comment")],
    )
    sign_in(client, world.bob)
    page = client.get(f"/alerts/{alert_id}")
    assert len(page.text) < 150_000
    words = text_of(page)
    assert "Show all (300,022 characters)" in words
    assert "Show all (300 links)" in words
    assert "Show all (300 labels)" in words
    assert len(client.get(f"/alerts/{alert_id}/timeline").text) < 30_000
    everything = client.get(f"/alerts/{alert_id}/details")
    assert everything.content_type == "text/plain; charset=utf-8"
    assert everything.headers["X-Content-Type-Options"] == "nosniff"
    for end in ("details", "dump", "comment"):
        assert f"{huge}the end of the {end}" in everything.text
    assert "label-299: " in everything.text
    assert "value-299" in everything.text
    assert "https://example.com/299" in everything.text


def test_an_alert_of_usual_size_is_shown_whole(client: FlaskClient, world: World) -> None:
    sign_in(client, world.bob)
    page = client.get(f"/alerts/{world.alert.id}")
    assert "98 % used" in page.text
    assert "Show all" not in page.text


def test_of_thousands_of_comments_the_newest_are_in_the_timeline(
    app: Flask, client: FlaskClient, world: World
) -> None:
    alert_id = send(app, world, summary="Chatty", alert_key="chatty")
    said = [IncomingComment("Nagios", f"remark no. {n}.") for n in range(queries.OTHERS_LISTED + 7)]
    send(app, world, type=EventType.COMMENT, alert_key="chatty", comments=said)
    sign_in(client, world.bob)
    timeline = text_of(client.get(f"/alerts/{alert_id}/timeline"))
    assert "Opened by Prometheus" in timeline
    assert "7 earlier entries are left out here. Show all (comments)" in timeline
    assert "remark no. 6." not in timeline
    assert "remark no. 7." in timeline
    assert "remark no. 6." in client.get(f"/alerts/{alert_id}/details").text


def test_a_comment_that_is_too_long_is_not_lost(client: FlaskClient, world: World) -> None:
    sign_in(client, world.bob)
    long = "x" * 4001
    for headers in ({}, HTMX):
        answer = press(client, f"{world.alert.id}/comment", data={"content": long}, headers=headers)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert long in answer.text
        assert "1 to 4000 characters" in answer.text


def test_the_page_says_why_an_alert_is_nowhere_in_slack(client: FlaskClient, world: World) -> None:
    sign_in(client, world.bob)
    page = client.get(f"/alerts/{world.alert.id}/slack").text
    assert "no alert action names the source Prometheus" in page


def test_the_page_says_where_an_alert_waits_for_slack(
    app: Flask, client: FlaskClient, world: World
) -> None:
    with app.app_context():
        make_action(world.source, channel_name="ops")
        alert = make_alert(world.source)
        assert db.session.query(PostedMessage).count() == 1
    sign_in(client, world.bob)
    page = client.get(f"/alerts/{alert.id}/slack").text
    assert "#ops" in page
    assert "No workspace is linked" in page


def test_links_of_an_alert_do_not_hand_over_the_page(
    app: Flask, client: FlaskClient, world: World
) -> None:
    with app.app_context():
        alert = db.session.get_one(Alert, world.alert.id)
        alert.links = [{"href": "https://example.com/d", "text": "Dashboard"}]
        alert.custom_details = {"disk": "</code><script>"}
        db.session.commit()
    sign_in(client, world.bob)
    page = client.get(f"/alerts/{world.alert.id}").text
    assert 'href="https://example.com/d" rel="noopener noreferrer"' in page
    assert "&lt;/code&gt;&lt;script&gt;" in page


@pytest.mark.parametrize("deed", ["acknowledge", "resolve", "comment"])
@pytest.mark.parametrize("role", [Role.STAKEHOLDER, Role.SUPPORT])
def test_stakeholders_and_support_staff_may_not_act(
    app: Flask, client: FlaskClient, world: World, deed: str, role: Role
) -> None:
    with app.app_context():
        account = None if role is Role.SUPPORT else world.account
        person = make_user(account, role=role)
    sign_in(client, person)
    assert client.get("/alerts").status_code == HTTPStatus.FORBIDDEN
    answer = press(client, f"{world.alert.id}/{deed}", data={"content": "hello"})
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert status_of(app, world.alert) is AlertStatus.PENDING


def test_another_account_finds_no_such_alert(app: Flask, client: FlaskClient, world: World) -> None:
    with app.app_context():
        stranger = make_user()
    sign_in(client, stranger)
    assert "Disk full" not in client.get("/alerts?status=all").text
    for path in ("", "/status", "/timeline", "/slack", "/details"):
        assert client.get(f"/alerts/{world.alert.id}{path}").status_code == HTTPStatus.NOT_FOUND
    answer = press(client, f"{world.alert.id}/resolve")
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert status_of(app, world.alert) is AlertStatus.PENDING


def test_each_id_on_an_alerts_page_belongs_to_one_element(
    client: FlaskClient, world: World
) -> None:
    sign_in(client, world.bob)
    ids = re.findall(r'\bid="([^"]+)"', client.get(f"/alerts/{world.alert.id}").text)
    assert sorted(ids) == sorted(set(ids))  # else the label “Comment” names another field
