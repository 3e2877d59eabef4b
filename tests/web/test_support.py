"""Can support staff see all links and change none; and does each account learn of the look?"""

from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import db
from portal.domain.accounts.permissions import Role
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry
from portal.slack.installations import SlackInstallation
from tests.make import make_account, make_user, sign_in
from tests.web.pages import post, text_of

WORKSPACES = "/support/workspaces"


@pytest.fixture
def two_links(app: Flask) -> list[int]:
    """The accounts Acme and Beta, each linked to a workspace."""
    accounts = []
    with app.app_context():
        for name in ("Acme", "Beta"):
            admin = make_user(make_account(name), role=Role.ADMIN, name=f"Admin of {name}")
            db.session.add(
                SlackInstallation(
                    account_id=admin.account_id,
                    team_id=f"T{name.upper()}",
                    team_name=f"{name} Corp",
                    team_url=f"https://{name.lower()}.slack.com/",
                    app_id="A1",
                    bot_user_id="U1",
                    bot_id="B1",
                    bot_token="xoxb-secret-token",
                    scopes=[],
                    installed_by_id=admin.id,
                )
            )
            accounts.append(admin.account_id or 0)
        db.session.commit()
    return accounts


def test_support_staff_see_every_link_and_no_secret(
    app: Flask, client: FlaskClient, two_links: list[int]
) -> None:
    with app.app_context():
        sue = make_user(role=Role.SUPPORT)
    sign_in(client, sue)
    page = client.get(WORKSPACES)
    seen = text_of(page)
    for fact in ("Acme Corp", "beta.slack.com", "TBETA", "Connected", "Admin of Acme"):
        assert fact in seen
    assert "xoxb" not in page.text


def test_each_look_is_in_the_audit_log_of_each_account(
    app: Flask, client: FlaskClient, two_links: list[int]
) -> None:
    with app.app_context():
        sue = make_user(role=Role.SUPPORT, name="Sue")
    sign_in(client, sue)
    client.get(WORKSPACES)
    with app.app_context():
        entries = db.session.scalars(db.select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [entry.account_id for entry in entries] == two_links
        assert {entry.actor_name for entry in entries} == {"Sue"}
        assert {entry.action for entry in entries} == {AuditAction.WORKSPACE_VIEWED_BY_SUPPORT}


def test_support_staff_may_not_touch_the_links(
    app: Flask, client: FlaskClient, two_links: list[int]
) -> None:
    with app.app_context():
        sue = make_user(role=Role.SUPPORT)
    sign_in(client, sue)
    for deed in ("authorize", "unlink"):
        answer = post(client, f"/settings/connectors/slack/{deed}", on=WORKSPACES)
        assert answer.status_code == HTTPStatus.FORBIDDEN
    with app.app_context():
        assert db.session.query(SlackInstallation).count() == len(two_links)


def test_nobody_of_an_account_sees_the_links_of_others(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        owner = make_user(role=Role.OWNER)
    sign_in(client, owner)
    assert client.get(WORKSPACES).status_code == HTTPStatus.FORBIDDEN
