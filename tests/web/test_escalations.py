"""Does an alert's page say what happens next, and can people steer it there?"""

from http import HTTPStatus
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.db import db
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import operations as alerts
from portal.domain.alerts.models import Alert, AlertStatus, Via
from portal.domain.escalation import operations, queries
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.notifications.models import Notification, NotificationState
from portal.domain.sources.models import AlertSource
from tests.make import make_account, make_alert, make_policy, make_source, make_user, sign_in
from tests.web.pages import post, text_of

HTMX = {"HX-Request": "true"}


class World:
    """Acme: its source's policy asks Bob, then Ada. Bob is signed in."""

    def __init__(self) -> None:
        self.account: Account = make_account("Acme")
        self.bob: User = make_user(self.account, name="Bob")
        self.ada: User = make_user(self.account, name="Ada")
        self.source: AlertSource = make_source(self.account, name="Prometheus")[0]
        self.policy: EscalationPolicy = make_policy(
            self.account, [self.bob], [self.ada], name="Platform", source=self.source
        )
        self.alert: Alert = make_alert(self.source)


@pytest.fixture
def world(app: Flask, client: FlaskClient) -> World:
    with app.app_context():
        made = World()
    sign_in(client, made.bob)
    return made


def next_of(client: FlaskClient, alert: Alert) -> str:
    return text_of(client.get(f"/alerts/{alert.id}/escalation"))


def steer(client: FlaskClient, alert: Alert, deed: str, **fields: Any) -> TestResponse:
    return post(client, f"/alerts/{alert.id}/{deed}", on=f"/alerts/{alert.id}", **fields)


def test_the_page_says_what_happens_next(app: Flask, client: FlaskClient, world: World) -> None:
    assert "to Ada : level 2 of Platform" in next_of(client, world.alert)
    assert "Bob asked" in next_of(client, world.alert)
    page = text_of(client.get(f"/alerts/{world.alert.id}"))
    assert "Asked Bob , level 1 of Platform" in page
    with app.app_context():
        low = make_alert(world.source, priority="LOW")
        other = make_alert(make_source(world.account, name="Legacy")[0])
        alerts.acknowledge(world.alert.id, by=world.bob, via=Via.WEB)
    assert "low priority asks only level 1 of Platform" in next_of(client, low)
    assert "the source Legacy has no escalation policy" in next_of(client, other)
    assert "Nobody further, while Bob has it" in next_of(client, world.alert)


def test_the_end_and_nobody_on_call_are_said(app: Flask, client: FlaskClient, world: World) -> None:
    with app.app_context():
        gone = make_user(world.account, name="Gone")
        source = make_source(world.account)[0]
        make_policy(world.account, [gone], name="Empty", source=source)
        db.session.get_one(User, gone.id).role = Role.STAKEHOLDER
        db.session.commit()
        admin = make_user(world.account, role=Role.ADMIN)
        unheard = make_alert(source, summary="Nobody hears")
    assert "Nobody was on call, so nobody was asked" in next_of(client, unheard)
    sign_in(client, admin)
    told = "Nobody was on call for Empty: “Nobody hears” reached nobody."
    assert told in text_of(client.get("/on-call"))


def test_escalating_from_the_page(app: Flask, client: FlaskClient, world: World) -> None:
    with app.app_context():
        alerts.acknowledge(world.alert.id, by=world.bob, via=Via.WEB)
    client.environ_base["HTTP_HX_REQUEST"] = "true"
    answer = steer(client, world.alert, "escalate", level="2")
    assert answer.headers["HX-Trigger"] == "alert-changed, alert-steered"
    assert answer.text.lstrip().startswith("<section")
    with app.app_context():
        assert db.session.get_one(Alert, world.alert.id).status is AlertStatus.PENDING
        assert len(queries.responders_of(world.alert)) == 2


@pytest.mark.parametrize("target", ["person:{ada}", "policy:{policy}"])
def test_rerouting_from_the_page(
    app: Flask, client: FlaskClient, world: World, target: str
) -> None:
    with app.app_context():
        other = make_policy(world.account, [world.ada], name="Database")
    chosen = target.format(ada=world.ada.id, policy=other.id)
    answer = steer(client, world.alert, "reroute", target=chosen)
    assert answer.location == f"/alerts/{world.alert.id}"
    with app.app_context():
        assert [each.user.name for each in queries.responders_of(world.alert)] == ["Ada"]
    expected = "Ada" if target.startswith("person") else "Database"
    assert f"Bob rerouted to {expected} on the web" in text_of(client.get(answer.location))


def test_raising_and_adding_from_the_page(app: Flask, client: FlaskClient, world: World) -> None:
    with app.app_context():
        low = make_alert(world.source, priority="LOW")
    assert "Raise priority" in next_of(client, low)
    steer(client, low, "raise")
    steer(client, low, "add-responder", person=f"person:{world.ada.id}")
    shown = next_of(client, low)
    assert "Raise priority" not in shown
    assert "Ada asked" in shown


@pytest.mark.parametrize(
    ("deed", "fields", "words"),
    [
        ("escalate", {"level": "9"}, "from 1 to 2"),
        ("escalate", {"level": "x"}, "from 1 to 2"),
        ("reroute", {"target": "nonsense"}, "no longer offered"),
        ("reroute", {"target": "person:999999"}, "no such person"),
        ("reroute", {"target": "schedule:999999"}, "no such schedule"),
        ("raise", {}, "high priority already"),
        ("add-responder", {"person": ""}, "no longer offered"),
    ],
)
def test_a_refusal_is_said_and_nothing_changes(
    app: Flask,
    client: FlaskClient,
    world: World,
    deed: str,
    fields: dict[str, str],
    words: str,
) -> None:
    answer = steer(client, world.alert, deed, **fields)
    assert words in client.get(answer.location).text
    client.environ_base["HTTP_HX_REQUEST"] = "true"
    assert words in steer(client, world.alert, deed, **fields).text
    with app.app_context():
        assert [each.user.name for each in queries.responders_of(world.alert)] == ["Bob"]


def test_only_what_is_possible_is_offered(app: Flask, client: FlaskClient, world: World) -> None:
    with app.app_context():
        make_alert(world.source, priority="LOW")
        alerts.resolve(world.alert.id, by=world.bob, via=Via.WEB)
    resolved = next_of(client, world.alert)
    for label in ("Escalate", "Reroute", "Add responder", "Raise"):
        assert label not in resolved


def test_on_call_says_who_you_are_and_what_comes(client: FlaskClient, world: World) -> None:
    page = text_of(client.get("/on-call"))
    assert "On call at level 1 of Platform always: you are named in it" in page
    assert "You cannot be reached" in page
    assert "Disk full on db-1 escalates" in page
    polled = client.get("/on-call/next", headers=HTMX)
    again = {**HTMX, "If-None-Match": polled.headers["ETag"]}
    assert client.get("/on-call/next", headers=again).status_code == HTTPStatus.NOT_MODIFIED


def test_another_account_sees_and_steers_nothing(
    app: Flask, client: FlaskClient, world: World
) -> None:
    with app.app_context():
        stranger = make_user(role=Role.ADMIN)
    sign_in(client, stranger)
    assert "Platform" not in client.get("/on-call").text
    assert "Disk full" not in client.get("/on-call").text
    path = f"/alerts/{world.alert.id}"
    assert client.get(f"{path}/escalation").status_code == HTTPStatus.NOT_FOUND
    for deed in ("escalate", "reroute", "raise", "add-responder"):
        answer = post(client, f"{path}/{deed}", on="/on-call", level="1")
        assert answer.status_code == HTTPStatus.NOT_FOUND


def test_a_responder_is_removed_and_told_nothing_further(
    app: Flask, client: FlaskClient, world: World
) -> None:
    with app.app_context():
        operations.add_responder(world.alert.id, world.ada.id, by=world.bob, via=Via.WEB)
    answer = steer(client, world.alert, "remove-responder", person=f"person:{world.ada.id}")
    assert answer.status_code == HTTPStatus.FOUND
    assert responders(app, world.alert) == ["Bob"]
    page = text_of(client.get(f"/alerts/{world.alert.id}"))
    assert "Bob took Ada off the responders on the web" in page
    with app.app_context():
        wanted = select(Notification).where(
            Notification.user_id == world.ada.id, Notification.alert_id == world.alert.id
        )
        states = {each.state for each in db.session.scalars(wanted)}
    assert states.isdisjoint({NotificationState.PLANNED, NotificationState.UNDER_WAY})
    again = steer(client, world.alert, "remove-responder", person=f"person:{world.ada.id}")
    assert "Ada is no responder" in text_of(client.get(again.location))


def responders(app: Flask, alert: Alert) -> list[str]:
    with app.app_context():
        present = db.session.get_one(Alert, alert.id)
        return [each.user.name for each in queries.responders_of(present)]


def test_a_summary_is_put_in_other_words(app: Flask, client: FlaskClient, world: World) -> None:
    path = f"/alerts/{world.alert.id}"
    post(client, f"{path}/summary", on=path, summary="  The disk of  db-1 is full ")
    page = text_of(client.get(path))
    assert "The disk of db-1 is full" in page
    assert "Bob changed the summary on the web, before: “Disk full on db-1”" in page


def test_a_summary_that_does_not_fit_is_not_lost(
    app: Flask, client: FlaskClient, world: World
) -> None:
    path = f"/alerts/{world.alert.id}"
    answer = post(client, f"{path}/summary", on=path, summary="x" * 251)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "at most 250 characters" in text_of(answer)
    assert "x" * 251 in answer.text
    with app.app_context():
        alerts.resolve(world.alert.id, by=world.bob, via=Via.WEB)
    late = post(client, f"{path}/summary", on="/alerts", summary="too late")
    assert late.status_code == HTTPStatus.CONFLICT
    assert "by Bob. Nothing was changed." in text_of(late)
    assert "too late" in late.text
