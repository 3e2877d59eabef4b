"""Is a monitoring tool answered as product.md section 9 promises, and is a 202 a promise kept?"""

import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from portal import create_app
from portal.db import db, now
from portal.domain.alerts.models import Alert, AlertStatus, Outcome, ReceivedEvent
from portal.domain.sources.models import AlertSource
from portal.settings import Settings
from tests.ingest.conftest import Send
from tests.together import held, until, waiting

Alerts = Callable[[], list[Alert]]
EventLog = Callable[[], list[ReceivedEvent]]


def test_an_alert_is_committed_before_it_is_answered(
    send: Send, alerts: Alerts, event_log: EventLog
) -> None:
    answer = send(summary="Disk full", severity=2, priority="LOW", labels={"host": "db-1"})
    assert (answer.status_code, answer.data) == (202, b"")
    (alert,), (event,) = alerts(), event_log()
    assert uuid.UUID(answer.headers["correlation-id"]) == event.id
    assert (event.outcome, event.alert_id) == (Outcome.OPENED, alert.id)
    assert (alert.summary, alert.severity, alert.priority) == ("Disk full", 2, "low")
    assert alert.labels == {"host": "db-1"}


def test_a_second_alert_with_the_same_key_joins_whatever_its_case(
    send: Send, alerts: Alerts
) -> None:
    send(alertKey="DB-1", labels={"host": "db-1"})
    send(alertKey=" db-1 ", labels={"host": "db-2", "rack": "7"})
    (alert,) = alerts()
    assert alert.event_count == 2
    assert alert.labels == {"host": "db-1", "rack": "7"}


def test_without_a_key_every_event_opens_an_alert(send: Send, alerts: Alerts) -> None:
    send(), send()
    assert len(alerts()) == 2


def test_accept_comment_and_resolve_change_the_open_alert(
    send: Send, alerts: Alerts, event_log: EventLog
) -> None:
    send(alertKey="a")
    for kind in ("ACCEPT", "ACCEPT", "COMMENT", "RESOLVE", "RESOLVE"):
        assert send(eventType=kind, alertKey="A", summary=...).status_code == 202
    assert [alert.status for alert in alerts()] == [AlertStatus.RESOLVED]
    assert [event.outcome for event in event_log()] == [
        Outcome.OPENED,
        Outcome.ACKNOWLEDGED,
        Outcome.ALREADY_ACKNOWLEDGED,
        Outcome.COMMENTED,
        Outcome.RESOLVED,
        Outcome.NO_OPEN_ALERT,
    ]


def test_after_a_resolution_the_same_key_opens_a_new_alert(send: Send, alerts: Alerts) -> None:
    send(alertKey="a"), send(alertKey="a", eventType="RESOLVE"), send(alertKey="a")
    assert [alert.status for alert in alerts()] == [AlertStatus.RESOLVED, AlertStatus.PENDING]


def test_a_long_summary_is_shortened_and_kept_in_the_details(send: Send, alerts: Alerts) -> None:
    send(summary="x" * 300, details="more")
    (alert,) = alerts()
    assert alert.summary == "x" * 249 + "…"
    assert alert.details == "x" * 300 + "\n\nmore"


def test_a_dropped_link_is_noted_in_the_event_log(send: Send, event_log: EventLog) -> None:
    assert send(links=[{"href": "javascript:alert(1)"}]).status_code == 202
    assert "links.0.href" in event_log()[0].notes[0]


def test_a_disabled_source_is_answered_and_opens_nothing(
    app: Flask, source: AlertSource, send: Send, alerts: Alerts, event_log: EventLog
) -> None:
    with app.app_context():
        db.session.get_one(AlertSource, source.id).disabled_at = now()
        db.session.commit()
    assert send().status_code == 202
    assert alerts() == []
    assert event_log()[0].outcome is Outcome.SOURCE_DISABLED


def test_a_refusal_is_json_that_names_the_field(send: Send, event_log: EventLog) -> None:
    answer = send(severity="SEV1")
    assert answer.status_code == 400
    assert answer.get_json() == {
        "status": 400,
        "code": "INVALID_EVENT",
        "message": "severity: Input should be a valid integer.",
        "details": [{"field": "severity", "message": "severity: Input should be a valid integer."}],
    }
    assert event_log() == []


def test_an_unknown_key_learns_nothing_else(send: Send) -> None:
    answer = send(integrationKey="wrong")
    assert answer.status_code == 404
    assert answer.get_json()["code"] == "UNKNOWN_INTEGRATION_KEY"


def test_what_is_wrong_is_said_before_the_key_is_looked_at(send: Send) -> None:
    assert send(integrationKey="wrong", severity=9).status_code == 400


def test_other_methods_are_refused_in_json(client: FlaskClient) -> None:
    answer = client.get("/api/events")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert answer.get_json()["status"] == 405


def test_who_sends_too_much_is_told_when_to_go_on(
    app: Flask, send: Send, alerts: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "EVENTS_PER_MINUTE", 3)
    answers = [send() for _ in range(7)]  # a minute may end in between, once
    assert len(alerts()) in (3, 4, 5, 6)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 7 - len(alerts()) > 0
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 61
    assert refused[0].get_json()["code"] == "TOO_MANY_EVENTS"


def test_twenty_senders_at_once_open_one_alert(
    app: Flask, key: str, alerts: Alerts, event_log: EventLog
) -> None:
    body = {"integrationKey": key, "eventType": "ALERT", "summary": "Down", "alertKey": "db-1"}

    def send() -> int:
        return app.test_client().post("/api/events", json=body).status_code

    with ThreadPoolExecutor(20) as pool:
        # Everybody may look for an open alert, and nobody may open one: the worst moment.
        with held(app, "LOCK TABLE alerts IN SHARE MODE"):
            sending = [pool.submit(send) for _ in range(20)]
            until(lambda: len(waiting(app)) == 20, "all of them wait")
        assert [sent.result(20) for sent in sending] == [202] * 20
    assert [alert.event_count for alert in alerts()] == [20]
    outcomes = [event.outcome for event in event_log()]
    assert (outcomes.count(Outcome.OPENED), outcomes.count(Outcome.JOINED)) == (1, 19)


def test_without_a_database_the_sender_is_asked_to_try_again(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"DATABASE_URL": "postgresql+psycopg://x@127.0.0.1:9/x"})
    body = {"integrationKey": "k", "eventType": "ALERT", "summary": "Down"}
    answer = create_app(nowhere).test_client().post("/api/events", json=body)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json()["code"] == "NOT_STORED"


def test_an_event_whose_connection_breaks_is_never_answered_with_202(
    app: Flask, source: AlertSource, key: str, alerts: Alerts
) -> None:
    body = {"integrationKey": key, "eventType": "ALERT", "summary": "Down", "alertKey": "db-1"}
    lock = "SELECT pg_advisory_xact_lock(:source_id, hashtext('db-1'))"
    with ThreadPoolExecutor(1) as pool, held(app, lock, source_id=source.id):
        sending = pool.submit(app.test_client().post, "/api/events", json=body)
        until(lambda: len(waiting(app)) == 1, "the event waits for the lock")
        with app.app_context():
            db.session.execute(db.select(db.func.pg_terminate_backend(waiting(app)[0])))
        assert sending.result(20).status_code == 503
    assert alerts() == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {"eventType": st.sampled_from(["ALERT", "ACCEPT", "RESOLVE", "COMMENT"])},
    optional={
        "summary": st.text(st.characters(codec=None)),
        "details": st.text(st.characters(codec=None)),
        "alertKey": st.text(st.characters(codec=None), max_size=600),
        "severity": st.integers(0, 6) | ANYTHING,
        "priority": st.sampled_from(["HIGH", "LOW", None, "x"]),
        "links": st.lists(st.fixed_dictionaries({"href": st.text(), "text": st.text()})),
        "images": st.lists(st.fixed_dictionaries({"src": st.text(), "href": st.text()})) | ANYTHING,
        "labels": st.dictionaries(st.text(st.characters(codec=None)), st.text()) | ANYTHING,
        "comments": st.lists(st.fixed_dictionaries({"creator": st.text(), "content": st.text()})),
        "customDetails": ANYTHING,
    },
)


@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(fields=FIELDS)
def test_whatever_is_sent_it_is_stored_or_refused(
    client: FlaskClient, key: str, fields: dict[str, object]
) -> None:
    body = json.dumps({"integrationKey": key, **fields})
    answer = client.post("/api/events", data=body)
    assert answer.status_code in (202, 400), answer.text
    if answer.status_code == 400:
        assert answer.get_json()["message"]


@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary())
def test_noise_is_refused(client: FlaskClient, body: bytes) -> None:
    assert client.post("/api/events", data=body).status_code == 400
