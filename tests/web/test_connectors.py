"""Does the Slack connector say how the link is, and do only admins change it?"""

import html
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import db, now
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.routing.models import AlertAction
from portal.slack.installations import LinkState, SlackInstallation, of_account
from portal.slack.posted import Lane
from tests.make import make_account, make_action, make_alert, make_source, make_user, sign_in
from tests.web.pages import post, text_of

LIST = "/settings/connectors"
SLACK = f"{LIST}/slack"


@pytest.fixture
def ada(app: Flask, client: FlaskClient) -> User:
    """The admin of Acme, signed in."""
    with app.app_context():
        person = make_user(make_account("Acme"), role=Role.ADMIN, name="Ada")
    sign_in(client, person)
    return person


@pytest.fixture
def account(ada: User) -> Account:
    assert ada.account is not None
    return ada.account


@pytest.fixture
def linked(app: Flask, ada: User) -> None:
    with app.app_context():
        db.session.add(
            SlackInstallation(
                account_id=ada.account_id,
                team_id="T1",
                team_name="Acme Corp",
                team_url="https://acme.slack.com/",
                app_id="A1",
                bot_user_id="U0BOT",
                bot_id="B1",
                bot_token="xoxb-secret-token",
                scopes=["chat:write"],
                installed_by_id=ada.id,
            )
        )
        db.session.commit()


def break_link(app: Flask, account: Account) -> None:
    with app.app_context():
        installation = of_account(account.id)
        assert installation is not None
        installation.state, installation.state_reason = LinkState.BROKEN, "token_revoked"
        db.session.commit()


def test_the_built_in_row_is_there_before_anything_is_linked(
    client: FlaskClient, ada: User
) -> None:
    page = text_of(client.get(LIST))
    assert "Slack Workspace Integration" in page
    assert "Disconnected" in page


def test_an_admin_reads_what_slack_will_ask_and_can_authorize(
    client: FlaskClient, ada: User
) -> None:
    page = text_of(client.get(SLACK))
    assert "chat:write : post alerts" in page
    answer = post(client, f"{SLACK}/authorize", on=SLACK)
    going = urlsplit(answer.location)
    assert going.path == "/oauth/v2/authorize"
    assert parse_qs(going.query)["redirect_uri"] == [f"http://localhost{SLACK}/callback"]


@pytest.mark.usefixtures("linked")
def test_a_linked_workspace_is_shown_with_its_facts(client: FlaskClient) -> None:
    page = client.get(SLACK)
    for fact in ("Connected", "Acme Corp", "https://acme.slack.com/", "U0BOT", "by Ada"):
        assert fact in text_of(page)
    assert "Re-authorize Slack" in page.text
    assert "xoxb" not in page.text
    assert "Connected" in text_of(client.get(LIST))


@pytest.mark.usefixtures("linked")
def test_a_broken_link_says_why_and_what_waits(
    app: Flask, client: FlaskClient, account: Account
) -> None:
    break_link(app, account)
    page = text_of(client.get(SLACK))
    assert "Disconnected, re-authorize" in page
    assert "token_revoked" in page
    assert "0 deliveries wait" in page
    assert "Re-authorize Slack" in page


@pytest.mark.usefixtures("linked")
def test_a_channel_says_what_it_waits_for_and_names_no_moment_that_is_over(
    app: Flask, client: FlaskClient, account: Account
) -> None:
    with app.app_context():
        source, _ = make_source(account)
        action = make_action(source)
        make_alert(source)
        lane = Lane(
            account_id=account.id, channel_id=action.channels[0].channel_id, held_reason="timeout"
        )
        lane.next_at = lane.paced_at = now() - timedelta(minutes=4)
        db.session.add(lane)
        db.session.commit()
    page = text_of(client.get(SLACK))
    assert "Slack did not answer in time." in page
    assert "Next try" not in page
    break_link(app, account)
    page = text_of(client.get(SLACK))
    assert "held until an admin re-authorizes Slack" in page
    assert "Slack did not answer in time." not in page


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize("role", [Role.STAKEHOLDER, Role.RESPONDER, Role.USER])
def test_others_read_the_same_facts_and_whom_to_ask(
    app: Flask, client: FlaskClient, account: Account, role: Role
) -> None:
    with app.app_context():
        person = make_user(account, role=role)
    sign_in(client, person)
    page = client.get(SLACK)
    assert "Acme Corp" in page.text
    assert "Only admins can change connectors. Ask Ada ." in text_of(page)
    for button in ("Authorize", "Re-authorize", "Remove Slack bot"):
        assert button + "<" not in page.text
    for deed in ("authorize", "unlink"):
        answer = post(client, f"{SLACK}/{deed}", on=SLACK)
        assert answer.status_code == HTTPStatus.FORBIDDEN
    assert client.get(f"{SLACK}/manifest.json").status_code == HTTPStatus.FORBIDDEN
    with app.app_context():
        assert of_account(account.id) is not None


@pytest.mark.usefixtures("linked")
def test_only_who_sees_alert_actions_reads_that_there_are_none(
    app: Flask, client: FlaskClient, account: Account
) -> None:
    for role, hint in ((Role.RESPONDER, True), (Role.STAKEHOLDER, False)):
        with app.app_context():
            person = make_user(account, role=role)
        sign_in(client, person)
        assert ("Next step:" in text_of(client.get(SLACK))) is hint


@pytest.mark.usefixtures("linked")
def test_unlinking_counts_what_goes_and_then_it_is_gone(
    app: Flask, client: FlaskClient, account: Account
) -> None:
    with app.app_context():
        make_action(account=account)
    page = text_of(client.get(SLACK))
    assert "This cannot be undone. It deletes 1 alert action and 0 links" in page
    post(client, f"{SLACK}/unlink", on=SLACK)
    assert "No Slack workspace is linked" in text_of(client.get(SLACK))
    with app.app_context():
        assert db.session.query(AlertAction).count() == 0
    again = post(client, f"{SLACK}/unlink", on=SLACK)
    assert again.status_code == HTTPStatus.CONFLICT
    assert "not linked" in text_of(again)


def test_the_manifest_names_this_portal(client: FlaskClient, ada: User) -> None:
    manifest = client.get(f"{SLACK}/manifest.json").get_json()
    assert manifest["oauth_config"]["redirect_urls"] == [f"http://localhost{SLACK}/callback"]


def test_without_a_slack_app_an_admin_reads_which_settings_are_missing(
    app: Flask, client: FlaskClient, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SLACK_CLIENT_ID", "")
    page = text_of(client.get(SLACK))
    assert "SLACK_CLIENT_ID Client ID (still missing)" in page
    assert "SLACK_CLIENT_SECRET Client Secret SLACK" in page  # that one is set
    assert "Copy the manifest" in page


def test_a_callback_without_a_sign_in_is_told_to_start_again(client: FlaskClient) -> None:
    answer = client.get(f"{SLACK}/callback?code=1&state=2")
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    expected = "This authorization is no longer valid. Sign in and start again with Authorize."
    assert expected in html.unescape(answer.text)


def test_a_callback_with_an_unknown_state_changes_nothing(
    app: Flask, client: FlaskClient, ada: User
) -> None:
    answer = client.get(f"{SLACK}/callback?code=1&state=forged")
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert "no longer valid" in answer.text
    with app.app_context():
        assert of_account(ada.account_id) is None


def test_cancelling_at_slack_is_said_in_words(client: FlaskClient, ada: User) -> None:
    going = post(client, f"{SLACK}/authorize", on=SLACK).location
    state = parse_qs(urlsplit(going).query)["state"][0]
    answer = client.get(f"{SLACK}/callback?error=access_denied&state={state}")
    assert answer.status_code == HTTPStatus.CONFLICT
    assert "You cancelled at Slack. Nothing was changed." in text_of(answer)
