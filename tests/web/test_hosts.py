"""Does the portal answer browsers under its own name only, and everybody else under any?"""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import create_app
from portal.extensions import csrf
from portal.settings import Settings
from portal.web.hosts import FOR_ANY_NAME
from tests.make import make_source
from tests.slack.signed import signed
from tests.web.pages import text_of


@pytest.fixture(scope="module")
def alerts_example(settings: Settings) -> Flask:
    """A portal whose public name is not the one of this machine."""
    return create_app(settings.model_copy(update={"PUBLIC_URL": "https://Alerts.example.com"}))


@pytest.mark.parametrize("name", ["alerts.example.com", "ALERTS.example.com:443", "localhost:8000"])
@pytest.mark.parametrize("more", ["127.0.0.1", "[::1]:8000"])
def test_its_own_names_are_answered(alerts_example: Flask, name: str, more: str) -> None:
    for host in (name, more):
        answer = alerts_example.test_client().get("/login", headers={"Host": host})
        assert answer.status_code == 200, host


@pytest.mark.parametrize(
    "host",
    ["evil.example", "alerts.example.com.evil.example", "10.0.0.7", "alerts.example.com@evil", "["],
)
@pytest.mark.parametrize("path", ["/login", "/nowhere", "/static/portal.css"])
def test_another_name_is_refused_in_words(alerts_example: Flask, host: str, path: str) -> None:
    answer = alerts_example.test_client().get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "does not answer to this name" in text_of(answer)
    assert "evil" not in answer.text


def test_names_in_other_scripts_are_known_as_browsers_send_them(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"PUBLIC_URL": "https://münchen.example"}))
    answer = app.test_client().get("/login", headers={"Host": "xn--mnchen-3ya.example"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_is_told_under_any_name(app: Flask, client: FlaskClient, path: str) -> None:
    by_ip = client.get(path, headers={"Host": "10.0.0.7:8000"})
    assert by_ip.status_code == client.get(path).status_code


def test_an_alert_gets_in_under_any_name(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        _, key = make_source()
    body = {"integrationKey": key, "eventType": "ALERT", "summary": "Disk full"}
    answer = client.post("/api/events", json=body, headers={"Host": "tocsin.internal"})
    assert answer.status_code == 202
    request = signed("a=b")
    request["headers"]["Host"] = "tunnel.example"
    assert client.post("/slack/commands", **request).status_code == 200


def test_any_name_is_for_those_who_need_no_cookie(alerts_example: Flask) -> None:
    assert set(FOR_ANY_NAME) == {part.name for part in csrf._exempt_blueprints}


def test_browsers_keep_to_https_where_the_portal_has_it(
    alerts_example: Flask, client: FlaskClient
) -> None:
    for path in ("/login", "/healthz", "/nowhere"):
        kept = alerts_example.test_client().get(path).headers["Strict-Transport-Security"]
        assert kept == "max-age=31536000"
        assert "Strict-Transport-Security" not in client.get(path).headers
