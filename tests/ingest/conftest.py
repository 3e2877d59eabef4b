"""What does a monitoring tool have? A source's integration key and a way to send."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.db import db
from portal.domain.alerts.models import Alert, ReceivedEvent
from portal.domain.sources.models import AlertSource
from tests.make import make_source

Send = Callable[..., TestResponse]


@pytest.fixture
def source_and_key(app: Flask) -> tuple[AlertSource, str]:
    with app.app_context():
        return make_source(name="Prometheus")


@pytest.fixture
def source(source_and_key: tuple[AlertSource, str]) -> AlertSource:
    return source_and_key[0]


@pytest.fixture
def key(source_and_key: tuple[AlertSource, str]) -> str:
    return source_and_key[1]


@pytest.fixture
def send(client: FlaskClient, key: str) -> Send:
    """send(summary="Disk full") sends an ALERT; a field given as `...` is left out."""

    def post(**fields: Any) -> TestResponse:
        body = {"integrationKey": key, "eventType": "ALERT", "summary": "Disk full"} | fields
        return client.post(
            "/api/events", json={name: v for name, v in body.items() if v is not ...}
        )

    return post


@pytest.fixture
def alerts(app: Flask) -> Callable[[], list[Alert]]:
    def all_of_them() -> list[Alert]:
        with app.app_context():
            return list(db.session.scalars(db.select(Alert).order_by(Alert.id)))

    return all_of_them


@pytest.fixture
def event_log(app: Flask) -> Callable[[], list[ReceivedEvent]]:
    def all_of_it() -> list[ReceivedEvent]:
        with app.app_context():
            wanted = db.select(ReceivedEvent).order_by(ReceivedEvent.received_at)
            return list(db.session.scalars(wanted))

    return all_of_it
