"""Can many alerts be answered at once on their list, each as if it were the only one?"""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.db import db
from portal.domain.accounts.models import Account, User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, Via
from portal.domain.sources.models import AlertSource
from tests.make import make_account, make_alert, make_source, make_user, sign_in
from tests.web.pages import post, text_of


class World:
    """Five alerts of Acme; Bob is signed in."""

    def __init__(self) -> None:
        self.account: Account = make_account("Acme")
        self.bob: User = make_user(self.account, name="Bob")
        self.ada: User = make_user(self.account, name="Ada")
        self.source: AlertSource = make_source(self.account, name="Prometheus")[0]
        self.ids = [make_alert(self.source, summary=f"Disk {n}").id for n in range(5)]


@pytest.fixture
def world(app: Flask, client: FlaskClient) -> World:
    with app.app_context():
        made = World()
    sign_in(client, made.bob)
    return made


def statuses(app: Flask) -> dict[str, int]:
    with app.app_context():
        rows = db.session.execute(select(Alert.status, func.count()).group_by(Alert.status))
        return {str(status): number for status, number in rows}


def test_the_chosen_alerts_are_acknowledged_and_the_others_are_not(
    app: Flask, client: FlaskClient, world: World
) -> None:
    answer = post(client, "/alerts/bulk", on="/alerts", alert=world.ids[:3], deed="acknowledge")
    assert "3 acknowledged." in text_of(answer)
    assert statuses(app) == {"pending": 2, "acknowledged": 3}


def test_each_is_checked_by_itself_and_the_skipped_say_why(
    app: Flask, client: FlaskClient, world: World
) -> None:
    with app.app_context():
        alerts.resolve(world.ids[0], by=world.ada, via=Via.WEB)
        alerts.acknowledge(world.ids[1], by=world.ada, via=Via.WEB)
        foreign = make_alert(summary="of Globex").id
    chosen = [*world.ids[:3], foreign]
    answer = post(client, "/alerts/bulk", on="/alerts", alert=chosen, deed="acknowledge")
    said = text_of(answer)
    assert "1 acknowledged, 3 skipped." in said
    assert f"Alert {world.ids[0]} : It was resolved before." in said
    assert f"Alert {world.ids[1]} : It was acknowledged before." in said
    assert f"Alert {foreign} : This alert is not available here." in said
    assert "Globex" not in said
    with app.app_context():
        assert db.session.get_one(Alert, world.ids[1]).acknowledger == "Ada"


def test_resolving_puts_the_comment_on_each(app: Flask, client: FlaskClient, world: World) -> None:
    with app.app_context():
        alerts.acknowledge(world.ids[1], by=world.ada, via=Via.WEB)
    chosen = {"alert": world.ids[:2], "deed": "resolve", "comment": "false alarm"}
    assert "2 resolved." in text_of(post(client, "/alerts/bulk", on="/alerts", **chosen))
    with app.app_context():
        for alert_id in world.ids[:2]:
            alert = db.session.get_one(Alert, alert_id)
            assert [e.data["content"] for e in queries.comments(alert)] == ["false alarm"]
    assert statuses(app) == {"pending": 3, "resolved": 2}


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"deed": "acknowledge"}, "choose at least one alert"),
        ({"deed": "delete", "alert": "1"}, "choose Acknowledge or Resolve"),
        ({"deed": "acknowledge", "alert": list(range(1, 202))}, "at most 200 alerts"),
        ({"deed": "resolve", "alert": "1", "comment": "x" * 4001}, "1 to 4000 characters"),
        ({"deed": "acknowledge", "alert": "9" * 30}, "choose at least one alert"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    app: Flask, client: FlaskClient, world: World, chosen: dict[str, object], words: str
) -> None:
    answer = post(client, "/alerts/bulk", on="/alerts", **chosen)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert statuses(app) == {"pending": 5}


def test_the_filters_stay(app: Flask, client: FlaskClient, world: World) -> None:
    with app.app_context():
        other = make_alert(make_source(world.account, name="Legacy")[0], summary="Other").id
    filters = {"status": "pending", "source": world.source.id, "size": 200}
    form = {"alert": world.ids[:1], "deed": "acknowledge", **filters}
    answer = post(client, "/alerts/bulk", on="/alerts", **form)
    assert f"source={world.source.id}" in answer.text
    assert "size=200" in answer.text
    assert f"alert-row-{other}" not in answer.text
    assert f"alert-row-{world.ids[0]}" not in answer.text  # it is pending no more
    assert f"alert-row-{world.ids[1]}" in answer.text


def test_two_hundred_fit_on_a_page(app: Flask, client: FlaskClient, world: World) -> None:
    with app.app_context():
        for number in range(60):
            make_alert(world.source, summary=f"More {number}")
    assert client.get("/alerts").text.count('name="alert"') == 50
    assert client.get("/alerts?size=200").text.count('name="alert"') == 65
    assert client.get("/alerts?size=100000").text.count('name="alert"') == 50


def test_who_may_only_look_sees_no_boxes(app: Flask, client: FlaskClient, world: World) -> None:
    with app.app_context():
        alerts.resolve(world.ids[0], by=world.ada, via=Via.WEB)
    page = client.get("/alerts?status=resolved").text
    assert 'name="alert"' not in page
    assert "bulk-form" not in page
