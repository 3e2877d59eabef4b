"""Is Alertmanager's webhook body understood, as a whole or not at all?"""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.domain.alerts.models import Alert, AlertStatus, Outcome, Priority, ReceivedEvent

Alerts = Callable[[], list[Alert]]
EventLog = Callable[[], list[ReceivedEvent]]
Notify = Callable[..., TestResponse]


def an_alert(number: int = 1, status: str = "firing", **more: Any) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "DiskFull", "instance": f"db-{number}", "severity": "critical"},
        "annotations": {"summary": f"Disk of db-{number} is full", "description": "95 % used"},
        "startsAt": "2026-11-24T12:00:00.000Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com:9090/graph?g0.expr=disk",
        "fingerprint": f"{number:016x}",
        **more,
    }


@pytest.fixture
def notify(client: FlaskClient, key: str) -> Notify:
    def post(*alerts: dict[str, Any], **more: Any) -> TestResponse:
        body = {
            "version": "4",
            "groupKey": '{}:{alertname="DiskFull"}',
            "status": "firing",
            "receiver": "tocsin",
            "externalURL": "http://alertmanager.example.com",
            "alerts": list(alerts),
            **more,
        }
        return client.post(f"/api/ingest/alertmanager/{key}", json=body)

    return post


def test_each_alert_of_the_body_opens_one(
    notify: Notify, alerts: Alerts, event_log: EventLog
) -> None:
    answer = notify(*(an_alert(number) for number in range(100)))
    assert (answer.status_code, answer.data) == (202, b"")
    assert answer.headers["correlation-id"] in {str(event.id) for event in event_log()}
    found = alerts()
    assert len(found) == 100
    first = found[0]
    assert (first.summary, first.details) == ("Disk of db-0 is full", "95 % used")
    assert first.alert_key == f"{0:016x}"
    assert first.labels["instance"] == "db-0"
    assert {link["text"]: link["href"] for link in first.links} == {
        "Source": "http://prometheus.example.com:9090/graph?g0.expr=disk",
        "Alertmanager": "http://alertmanager.example.com",
    }
    assert [event.outcome for event in event_log()] == [Outcome.OPENED] * 100


def test_what_fires_again_joins_and_what_is_resolved_resolves(
    notify: Notify, alerts: Alerts, event_log: EventLog
) -> None:
    notify(an_alert(1), an_alert(2))
    notify(an_alert(1), an_alert(2, status="resolved"))
    assert [(a.status, a.event_count) for a in alerts()] == [
        (AlertStatus.PENDING, 2),
        (AlertStatus.RESOLVED, 1),
    ]
    notify(an_alert(2, status="resolved"))
    assert event_log()[-1].outcome is Outcome.NO_OPEN_ALERT


def test_one_body_may_say_several_things_of_one_alert(notify: Notify, alerts: Alerts) -> None:
    notify(an_alert(1), an_alert(1), an_alert(1, status="resolved"), an_alert(1))
    assert [(a.status, a.event_count) for a in alerts()] == [
        (AlertStatus.RESOLVED, 2),
        (AlertStatus.PENDING, 1),
    ]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"status": "burning"}, "alerts.1.status"),
        ({"labels": {"size": 7}}, "alerts.1.labels.size"),
        ({"fingerprint": "f" * 600}, "alerts.1.fingerprint"),
    ],
)
def test_a_body_with_one_wrong_alert_is_refused_as_a_whole_and_names_it(
    notify: Notify, alerts: Alerts, wrong: dict[str, Any], named: str
) -> None:
    answer = notify(an_alert(1), an_alert(2, **wrong))
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["details"][0]["field"] == named
    assert named in answer.json["message"]
    assert alerts() == []


def test_severity_and_priority_labels_say_whom_it_may_wake(notify: Notify, alerts: Alerts) -> None:
    for number, labels in enumerate(
        [{"severity": "info"}, {"severity": "warning"}, {"severity": "critical", "priority": "low"}]
    ):
        notify(an_alert(number, labels=labels))
    assert [a.priority for a in alerts()] == [Priority.LOW, Priority.HIGH, Priority.LOW]


def test_an_alert_without_annotations_is_called_by_its_name(notify: Notify, alerts: Alerts) -> None:
    notify(an_alert(1, annotations={}), an_alert(2, annotations={}, labels={}))
    assert [a.summary for a in alerts()] == ["DiskFull", "Alert without a name"]


def test_without_a_fingerprint_the_labels_are_the_key(notify: Notify, alerts: Alerts) -> None:
    for _ in range(2):
        notify(an_alert(1, fingerprint=""), an_alert(2, fingerprint=""))
    assert [a.event_count for a in alerts()] == [2, 2]


def test_a_link_that_is_no_web_address_is_dropped_and_noted(
    notify: Notify, alerts: Alerts, event_log: EventLog
) -> None:
    notify(an_alert(1, generatorURL="javascript:alert(1)"), truncatedAlerts=3)
    assert [link["text"] for link in alerts()[0].links] == ["Alertmanager"]
    assert event_log()[0].notes == [
        "alerts.0.generatorURL was dropped: it is not an http or https address.",
        "Alertmanager left out 3 more alerts of this group.",
    ]


def test_an_empty_body_is_accepted_and_changes_nothing(notify: Notify, alerts: Alerts) -> None:
    assert notify().status_code == 202
    assert alerts() == []


def test_unknown_formats_keys_and_methods_are_refused(client: FlaskClient, key: str) -> None:
    assert client.post(f"/api/ingest/smoke-signals/{key}", json={}).status_code == 404
    answer = client.post("/api/ingest/alertmanager/wrong", json={"alerts": []})
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["code"] == "UNKNOWN_INTEGRATION_KEY"
    assert client.get(f"/api/ingest/alertmanager/{key}").status_code == 405


def test_every_alert_of_a_body_counts_for_the_limit(
    app: Flask, notify: Notify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "EVENTS_PER_MINUTE", 5)
    with time_machine.travel("2026-11-24T12:00:10Z", tick=False):  # not where a window ends
        answers = [notify(*(an_alert(number) for number in range(3))) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert int(answers[2].headers["Retry-After"]) > 0
