"""Can people make a source, send events with its key, and see what became of them?"""

import html
import json
import re
import shlex
from datetime import timedelta
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.db import db, now
from portal.domain.accounts.models import Account
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import receive
from portal.domain.alerts.incoming import EventType, IncomingEvent
from portal.domain.rate_limits import RateCounter
from portal.domain.sources import queries
from portal.domain.sources.models import AlertSource
from tests.make import make_account, make_action, make_source, make_user, sign_in
from tests.web.pages import post, text_of

SOURCES = "/alert-sources"


@pytest.fixture
def account(app: Flask, client: FlaskClient) -> Account:
    """An account; a person with the role user of it is signed in."""
    with app.app_context():
        account = make_account("Acme")
        sign_in(client, make_user(account, role=Role.USER))
    return account


@pytest.fixture
def source(app: Flask, account: Account) -> AlertSource:
    with app.app_context():
        return make_source(account, name="Prometheus", type="prometheus")[0]


def press(client: FlaskClient, source: AlertSource, deed: str, **fields: str) -> TestResponse:
    return post(client, f"{SOURCES}/{source.id}/{deed}", on=SOURCES, **fields)


def shown_key(page: str) -> str | None:
    found = re.search(r'data-copy="([^"]+)" aria-label="Copy integration key"', page)
    return found[1] if found else None


def test_a_new_source_shows_its_key_this_one_time(
    app: Flask, client: FlaskClient, account: Account
) -> None:
    created = post(client, f"{SOURCES}/new", name="Grafana", type="grafana")
    first = client.get(created.location)
    key = shown_key(first.text)
    assert key is not None
    assert key not in created.location
    assert first.headers["Cache-Control"] == "no-store"
    with app.app_context():
        assert queries.by_integration_key(key).name == "Grafana"
    assert key not in client.get(created.location).text


def test_the_command_line_sends_a_test_alert(
    app: Flask, client: FlaskClient, account: Account
) -> None:
    created = post(client, f"{SOURCES}/new", name="Grafana", type="grafana")
    page = client.get(created.location).text
    found = re.search(r'data-copy="([^"]+)" aria-label="Copy command line"', page)
    assert found
    curl, url, _, content_type, _, body = shlex.split(html.unescape(found[1]))
    assert (curl, url) == ("curl", "http://localhost/api/events")
    assert content_type == "Content-Type: application/json"
    stranger = app.test_client()
    assert stranger.post("/api/events", json=json.loads(body)).status_code == HTTPStatus.ACCEPTED
    assert "A test alert" in client.get("/alerts").text


def test_a_rotated_key_replaces_the_old_one(
    app: Flask, client: FlaskClient, account: Account
) -> None:
    created = post(client, f"{SOURCES}/new", name="Grafana", type="grafana")
    old = shown_key(client.get(created.location).text)
    post(client, f"{created.location}/rotate", on=SOURCES)
    new = shown_key(client.get(created.location).text)
    assert new is not None
    assert new != old


@pytest.mark.parametrize(
    ("name", "words"), [("", "1 to 80 characters"), ("Prometheus", "There is already")]
)
def test_a_name_that_does_not_fit_is_kept_and_explained(
    client: FlaskClient, source: AlertSource, name: str, words: str
) -> None:
    answer = post(client, f"{SOURCES}/new", name=name, type="zabbix")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert words in text_of(answer)
    assert f'value="{name}"' in answer.text
    assert 'selected value="zabbix"' in answer.text


def test_a_source_can_be_renamed(client: FlaskClient, source: AlertSource) -> None:
    assert 'value="Prometheus"' in client.get(f"{SOURCES}/{source.id}/edit").text
    press(client, source, "edit", name="Prometheus EU", type="prometheus")
    assert "Prometheus EU" in client.get(f"{SOURCES}/{source.id}").text


def test_a_disabled_source_says_so_and_can_be_enabled(
    client: FlaskClient, source: AlertSource
) -> None:
    press(client, source, "disable")
    assert "its events open no alert" in text_of(client.get(f"{SOURCES}/{source.id}"))
    press(client, source, "enable")
    client.get(SOURCES)  # shows and so ends the message
    assert "open no alert" not in client.get(f"{SOURCES}/{source.id}/events").text
    assert ">Enable<" not in client.get(f"{SOURCES}/{source.id}").text


def test_the_event_log_says_what_became_of_each_event(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    with app.app_context():
        found = db.session.get_one(AlertSource, source.id)
        receive.receive(found, IncomingEvent(EventType.ALERT, alert_key="k", summary="Disk full"))
        receive.receive(found, IncomingEvent(EventType.RESOLVE, alert_key="other"))
    page = text_of(client.get(f"{SOURCES}/{source.id}"))
    assert "ALERT opened an alert: Disk full" in page
    assert "RESOLVE changed nothing: no open alert has this key" in page


def test_refused_events_are_told_for_two_days(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    def refused(at_hours_ago: int, number: int) -> None:
        start = now() - timedelta(hours=at_hours_ago)
        key = f"events:{source.id}"
        with app.app_context():
            db.session.add(RateCounter(key=key, window_start=start, tries=9000, refused=number))
            db.session.commit()

    refused(49, 7)
    assert "events refused" not in client.get(f"{SOURCES}/{source.id}").text
    refused(47, 12)
    assert "12 events refused in the last 48 hours" in client.get(f"{SOURCES}/{source.id}").text
    assert "12 events refused" in client.get(SOURCES).text


def test_a_source_names_the_channels_that_show_its_alerts(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    assert "appear in no Slack channel" in client.get(f"{SOURCES}/{source.id}").text
    with app.app_context():
        make_action(source, channel_name="ops")
    assert "#ops in Slack" in text_of(client.get(f"{SOURCES}/{source.id}"))


def test_responders_may_look_but_not_change(
    app: Flask, client: FlaskClient, account: Account, source: AlertSource
) -> None:
    with app.app_context():
        bob = make_user(account, role=Role.RESPONDER)
    sign_in(client, bob)
    page = client.get(f"{SOURCES}/{source.id}")
    assert page.status_code == HTTPStatus.OK
    assert "Rotate" not in page.text
    assert client.get(f"{SOURCES}/new").status_code == HTTPStatus.FORBIDDEN
    for deed in ("edit", "rotate", "disable", "enable"):
        assert press(client, source, deed).status_code == HTTPStatus.FORBIDDEN


def test_another_account_finds_no_such_source(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    with app.app_context():
        stranger = make_user(role=Role.ADMIN)
    sign_in(client, stranger)
    assert "Prometheus" not in text_of(client.get(SOURCES))
    assert client.get(f"{SOURCES}/{source.id}").status_code == HTTPStatus.NOT_FOUND
    for deed in ("edit", "rotate", "disable", "enable"):
        answer = press(client, source, deed, name="Mine", type="api")
        assert answer.status_code == HTTPStatus.NOT_FOUND
