"""Do operators and their machines learn the truth?"""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from portal import create_app
from portal.db import db
from portal.settings import Settings
from tests.make import (
    make_account,
    make_action,
    make_alert,
    make_policy,
    make_source,
    make_user,
)


@pytest.fixture
def nowhere(settings: Settings) -> FlaskClient:
    """A portal whose database is away."""
    away = {"DATABASE_URL": "postgresql+psycopg://x@127.0.0.1:9/x"}
    return create_app(settings.model_copy(update=away)).test_client()


def report(app: Flask, seconds_ago: int) -> None:
    """A worker was heard of so long ago."""
    with app.app_context():
        heard = "now() - make_interval(secs => :ago)"
        reported = text(f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES ({heard})")
        db.session.execute(reported, {"ago": seconds_ago})
        db.session.commit()


def test_a_process_without_a_database_is_alive_and_not_ready(nowhere: FlaskClient) -> None:
    assert nowhere.get("/healthz").status_code == 200
    answer = nowhere.get("/readyz")
    assert answer.status_code == 503
    body = answer.get_json()
    assert "does not answer" in body["checks"]["database"]["message"]
    assert body["checks"]["slack"]["ok"]


def test_with_everything_in_place_it_is_ready(app: Flask, client: FlaskClient) -> None:
    report(app, seconds_ago=2)
    answer = client.get("/readyz")
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["status"] == "ready"


def test_without_a_worker_it_says_that_nothing_reaches_slack(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    failed = {name: check for name, check in answer.get_json()["checks"].items() if not check["ok"]}
    assert list(failed) == ["worker"]
    assert "start tocsin worker" in failed["worker"]["message"]


def test_a_worker_that_fell_silent_is_noticed(app: Flask, client: FlaskClient) -> None:
    report(app, seconds_ago=45)
    assert "for 45 s" in client.get("/readyz").get_json()["checks"]["worker"]["message"]


def test_migrations_that_have_not_run_are_named(app: Flask, client: FlaskClient) -> None:
    report(app, seconds_ago=2)
    with app.app_context():
        newest = db.session.scalar(text("SELECT version_num FROM alembic_version"))
        db.session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        db.session.commit()
    try:
        answer = client.get("/readyz")
    finally:
        with app.app_context():
            restored = text("UPDATE alembic_version SET version_num = :newest")
            db.session.execute(restored, {"newest": newest})
            db.session.commit()
    assert answer.status_code == 503
    assert "run tocsin db upgrade" in answer.get_json()["checks"]["migrations"]["message"]


def test_without_a_slack_app_it_is_not_ready(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(app, seconds_ago=2)
    monkeypatch.setitem(app.config, "SLACK_CLIENT_ID", "")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert not answer.get_json()["checks"]["slack"]["ok"]


def test_metrics_count_what_the_database_knows(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        account = make_account()
        source, _ = make_source(account)
        make_policy(account, [make_user(account)], source=source)
        make_action(source)
        make_alert(source)
        make_alert(source)
        waiting = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")
        jobs = db.session.execute(waiting).scalar_one()
    report(app, seconds_ago=2)
    answer = client.get("/metrics")
    assert answer.content_type.startswith("text/plain")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["tocsin_events_received_last_5_minutes", "opened"] == 2
    assert found["tocsin_alerts_open", "pending"] == 2
    assert found["tocsin_escalations_pending",] == 2
    assert found["tocsin_escalations_oldest_overdue_seconds",] == 0
    assert found["tocsin_deliveries_waiting",] == 2
    assert 0 <= found["tocsin_deliveries_oldest_seconds",] < 60
    assert found["tocsin_deliveries_given_up",] == 0
    assert found["tocsin_jobs_waiting",] == jobs > 0
    assert found["tocsin_workers",] == 1


def test_metrics_name_no_account_and_no_alert(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_alert(make_source(name="Secret source")[0], summary="Secret summary")
    assert "Secret" not in client.get("/metrics").text


def test_without_a_database_metrics_say_so(nowhere: FlaskClient) -> None:
    answer = nowhere.get("/metrics")
    assert answer.status_code == 503
    assert "database" in answer.text
