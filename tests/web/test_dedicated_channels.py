"""Who may ask for an alert's channel on the page, and what does the page say about it?"""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.routing.models import AlertAction
from portal.slack.installations import LinkState
from portal.slack.scopes import ALL
from tests.make import (
    make_account,
    make_action,
    make_alert,
    make_installation,
    make_source,
    make_user,
    sign_in,
)
from tests.web.pages import post, text_of


@pytest.fixture
def admin(app: Flask) -> User:
    with app.app_context():
        return make_user(make_account(), role=Role.ADMIN, name="Olga")


@pytest.fixture
def alert_id(app: Flask, admin: User) -> int:
    with app.app_context():
        return make_alert(make_source(admin.account, name="Grafana")[0]).id


def the_link(app: Flask, admin: User, without: set[str], state: LinkState) -> None:
    with app.app_context():
        make_installation(admin, scopes=[s for s in ALL if s not in without], state=state)


def section(client: FlaskClient, alert_id: int) -> str:
    answer = client.get(f"/alerts/{alert_id}/channel")
    assert answer.status_code == 200
    return text_of(answer)


def test_without_a_link_the_button_is_off_and_says_why(
    app: Flask, client: FlaskClient, admin: User, alert_id: int
) -> None:
    sign_in(client, admin)
    assert "No Slack workspace is linked." in section(client, alert_id)
    the_link(app, admin, set(), LinkState.BROKEN)
    assert "The link to Slack is broken." in section(client, alert_id)


def test_a_missing_permission_takes_away_only_what_needs_it(
    app: Flask, client: FlaskClient, admin: User, alert_id: int
) -> None:
    sign_in(client, admin)
    the_link(app, admin, {"groups:write"}, LinkState.LIMITED)
    page = client.get(f"/alerts/{alert_id}/channel").text
    assert 'data-dialog="channel-dialog"' in page
    assert "Private channels need the permissions" in page


def test_only_private_channels_are_offered_where_public_ones_are_not_allowed(
    app: Flask, client: FlaskClient, admin: User, alert_id: int
) -> None:
    sign_in(client, admin)
    the_link(app, admin, {"channels:manage"}, LinkState.LIMITED)
    assert "It will be private" in section(client, alert_id)


def test_the_name_is_shown_as_slack_will_take_it(
    client: FlaskClient, admin: User, alert_id: int
) -> None:
    sign_in(client, admin)
    for typed, shown in (
        ("Big Fire!", "Slack will call it #big_fire"),
        ("", f"Slack will call it #grafana_alert_{alert_id}"),
        ("!!", "Please use letters or digits in the name."),
    ):
        answer = client.get(f"/alerts/{alert_id}/channel/name", query_string={"name": typed})
        assert shown in text_of(answer), typed


def test_what_slack_takes_of_a_name_is_used(
    app: Flask, client: FlaskClient, admin: User, alert_id: int
) -> None:
    sign_in(client, admin)
    the_link(app, admin, set(), LinkState.LINKED)
    answer = post(client, f"/alerts/{alert_id}/channel", on=f"/alerts/{alert_id}", name="<b>!</b>?")
    assert answer.status_code == 302  # some of it is left
    assert "Creating…" in section(client, alert_id)


def test_a_name_of_which_nothing_is_left_comes_back_with_the_reason(
    client: FlaskClient, admin: User, alert_id: int
) -> None:
    sign_in(client, admin)
    answer = post(client, f"/alerts/{alert_id}/channel", on=f"/alerts/{alert_id}", name="?!<>")
    assert answer.status_code == 422
    assert 'value="?!&lt;&gt;"' in answer.text
    assert "Please use letters or digits in the name." in answer.text


@pytest.mark.parametrize(
    ("typed", "expected"), [("3", 3), ("", None), ("0", 7), ("-1", 7), ("soon", 7), ("1000", 7)]
)
def test_an_action_is_told_when_to_archive(
    app: Flask, client: FlaskClient, admin: User, typed: str, expected: int | None
) -> None:
    with app.app_context():
        action = make_action(make_source(admin.account)[0])
    sign_in(client, admin)
    url = f"/alert-actions/{action.id}"
    for days in ("7", typed):
        fields = {"creates_channel": "y", "archive_channel_days": days}
        post(client, f"{url}/dedicated-channels", on=url, **fields)
    said = text_of(client.get(url))
    assert ("Please enter from 1 to 999 days, or nothing." in said) == (expected == 7)
    with app.app_context():
        found = db.session.get_one(AlertAction, action.id)
        assert (found.creates_channel, found.archive_channel_days) == (True, expected)


def test_a_stakeholder_sees_nothing_and_a_foreign_alert_is_not_there(
    app: Flask, client: FlaskClient, admin: User, alert_id: int
) -> None:
    with app.app_context():
        stan = make_user(admin.account, role=Role.STAKEHOLDER)
        foreign = make_user(role=Role.ADMIN)
    for person, expected in ((stan, 403), (foreign, 404)):
        sign_in(client, person)
        for path in ("", "/detach", "/invite"):
            url = f"/alerts/{alert_id}/channel{path}"
            assert post(client, url, on="/profile", name="x").status_code == expected, url
