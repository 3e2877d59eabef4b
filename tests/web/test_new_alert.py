"""Does the page on which alerts are opened by hand ask whom it says, and lose nothing typed?"""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.db import db
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts.models import Alert, Priority
from portal.domain.escalation import queries as escalation
from portal.domain.sources.models import AlertSource
from tests.make import make_account, make_policy, make_source, make_user, sign_in
from tests.web.pages import post, text_of

NEW = "/alerts/new"


@pytest.fixture
def account(app: Flask) -> Account:
    with app.app_context():
        return make_account()


@pytest.fixture
def bob(app: Flask, account: Account) -> User:
    with app.app_context():
        return make_user(account, name="Bob")


@pytest.fixture
def source(app: Flask, account: Account, bob: User) -> AlertSource:
    with app.app_context():
        source, _ = make_source(account, name="Shop")
        make_policy(account, [bob], name="Platform", source=source)
        return source


@pytest.fixture
def client(app: Flask, bob: User) -> FlaskClient:
    browser = app.test_client()
    sign_in(browser, bob)
    return browser


def alerts(app: Flask) -> list[Alert]:
    with app.app_context():
        return list(db.session.scalars(select(Alert)))


def test_a_responder_opens_an_alert_and_lands_on_its_page(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    assert NEW in client.get("/alerts").text
    form = client.get(NEW)
    assert "Shop: asks Platform" in text_of(form)
    answer = post(
        client, NEW, source_id=str(source.id), summary="Checkout fails", details="Since noon"
    )
    (alert,) = alerts(app)
    assert answer.location == f"/alerts/{alert.id}"
    shown = text_of(client.get(answer.location))
    assert "Bob opened this by hand on the web" in shown
    assert "Since noon" in shown


def test_whoever_is_ticked_is_asked_alone(
    app: Flask, client: FlaskClient, source: AlertSource, account: Account
) -> None:
    with app.app_context():
        zoe = make_user(account, name="Zoe")
    post(
        client,
        NEW,
        source_id=str(source.id),
        summary="Checkout fails",
        priority="low",
        responders=str(zoe.id),
    )
    (alert,) = alerts(app)
    assert alert.priority is Priority.LOW
    with app.app_context():
        assert [each.user.name for each in escalation.responders_of(alert)] == ["Zoe"]
        assert escalation.escalation_of(alert) is None
    assert "asked only Zoe" in text_of(client.get(f"/alerts/{alert.id}"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"summary": ""}, "Please give a summary of at most 250 characters."),
        ({"summary": "😀 <b>&" * 2_000}, "Please give a summary of at most 250 characters."),
        ({"source_id": "999999"}, "Please choose an alert source."),
        ({"source_id": "x"}, "Please choose an alert source."),
        ({"policy_id": "999999"}, "This choice is no longer offered."),
        ({"policy_id": "x"}, "This choice is no longer offered."),
        ({"responders": "999999"}, "Somebody you chose may no longer answer alerts."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    app: Flask, client: FlaskClient, source: AlertSource, wrong: dict[str, str], words: str
) -> None:
    typed = {
        "source_id": str(source.id),
        "summary": "Checkout <fails> & burns",
        "details": "Since noon",
        "priority": "low",
        "key": "kept",
        **wrong,
    }
    answer = post(client, NEW, **typed)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert alerts(app) == []
    assert "Since noon" in answer.text
    assert 'value="kept"' in answer.text
    assert '<option selected value="low"' in answer.text
    if "summary" not in wrong:
        assert "Checkout &lt;fails&gt; &amp; burns" in answer.text


def test_a_form_that_is_sent_twice_opens_one_alert(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    key = re.search(r'name="key" type="hidden" value="([^"]+)"', client.get(NEW).text)
    assert key
    sent = {"source_id": str(source.id), "summary": "Checkout fails", "key": key[1]}
    first, second = post(client, NEW, **sent), post(client, NEW, **sent)
    assert first.location == second.location
    assert len(alerts(app)) == 1
    post(client, NEW, **{**sent, "key": "another form"})
    assert len(alerts(app)) == 2


def test_a_disabled_source_is_not_offered_and_refused_in_words(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    with app.app_context():
        db.session.get_one(AlertSource, source.id).disabled_at = func.now()
        db.session.commit()
    assert "An alert belongs to a source" in text_of(client.get(NEW))
    answer = post(client, NEW, on="/alerts", source_id=str(source.id), summary="Checkout fails")
    assert answer.status_code == 422
    assert alerts(app) == []


def test_who_may_not_respond_is_neither_offered_nor_allowed_it(
    app: Flask, account: Account, source: AlertSource
) -> None:
    with app.app_context():
        stan = make_user(account, role=Role.STAKEHOLDER)
    browser = app.test_client()
    sign_in(browser, stan)
    assert browser.get(NEW).status_code == 403
