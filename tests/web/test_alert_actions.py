"""Can people choose which alerts appear in which channel?"""

from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import db, now
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.routing.models import AlertAction
from portal.domain.sources.models import AlertSource
from portal.slack.conversations import ChannelList, known_channels
from portal.slack.installations import SlackInstallation
from tests.make import make_account, make_action, make_source, make_user, sign_in
from tests.web.pages import post, text_of

ACTIONS = "/alert-actions"
NEW = f"{ACTIONS}/new"
AUTOMATIC = {"mode": "automatic", "triggers": "alert-created"}


@pytest.fixture
def user(app: Flask, client: FlaskClient) -> User:
    with app.app_context():
        person = make_user(make_account("Acme"), role=Role.USER)
    sign_in(client, person)
    return person


@pytest.fixture
def account(user: User) -> Account:
    assert user.account is not None
    return user.account


@pytest.fixture
def source(app: Flask, account: Account) -> AlertSource:
    with app.app_context():
        return make_source(account, name="Prometheus")[0]


@pytest.fixture
def slack(app: Flask, account: Account, user: User) -> None:
    """A linked workspace whose channels are known: #ops, #ops-eu (private), and 150 others."""
    names = ["ops", "ops-eu", *(f"team-{number}" for number in range(150))]
    channels = [
        {"id": f"C{number:04}", "name": name, "is_private": number == 1, "is_member": number == 1}
        for number, name in enumerate(names)
    ]
    with app.app_context():
        db.session.add(
            SlackInstallation(
                account_id=account.id,
                team_id="T1",
                team_name="Acme Corp",
                team_url="https://acme.slack.com/",
                app_id="A1",
                bot_user_id="U1",
                bot_id="B1",
                bot_token="xoxb-test",
                scopes=["chat:write"],
                installed_by_id=user.id,
            )
        )
        db.session.add(ChannelList(account_id=account.id, channels=channels, fetched_at=now()))
        db.session.commit()


def the_action(app: Flask) -> tuple[str, str, str, list[str]]:
    """Name, ids and names of the channels, and names of the sources."""
    with app.app_context():
        action = db.session.scalars(db.select(AlertAction)).one()
        sources = [source.name for source in action.sources]
        ids = " ".join(each.channel_id for each in action.channels)
        names = " ".join(each.channel_name for each in action.channels)
        return action.name, ids, names, sources


def test_without_a_linked_workspace_the_form_leads_to_connectors(
    client: FlaskClient, source: AlertSource
) -> None:
    page = client.get(NEW)
    assert "No Slack workspace is linked" in page.text
    assert "/settings/connectors/slack" in page.text


@pytest.mark.usefixtures("slack")
def test_a_new_action_is_named_after_its_channel(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    answer = post(client, NEW, sources=str(source.id), channels="C0000", **AUTOMATIC)
    assert answer.location.startswith(ACTIONS)
    assert the_action(app) == ("Alerts to #ops", "C0000", "ops", ["Prometheus"])
    assert "Alerts to #ops is ready." in client.get(ACTIONS).text


@pytest.mark.usefixtures("slack")
def test_what_was_chosen_is_kept_when_something_is_missing(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    without_channel = post(client, NEW, sources=str(source.id), name="Night alerts")
    assert without_channel.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Please choose a channel." in without_channel.text
    assert 'value="Night alerts"' in without_channel.text
    assert f'name="sources" value="{source.id}" checked' in without_channel.text
    without_source = post(client, NEW, channels="C0001")
    assert "Please choose at least one alert source." in without_source.text
    assert 'value="C0001" checked' in without_source.text


@pytest.mark.usefixtures("slack")
def test_a_channel_that_slack_did_not_list_is_refused(
    client: FlaskClient, source: AlertSource
) -> None:
    answer = post(client, NEW, sources=str(source.id), channels="C9999")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.usefixtures("slack")
def test_channels_are_searched_and_the_chosen_one_stays(client: FlaskClient) -> None:
    found = text_of(client.get(f"{ACTIONS}/channels?q=%23OPS&channels=C0005"))
    assert "#ops" in found
    assert "#ops-eu private" in found
    assert "#team-3" in found  # the chosen one
    assert "#team-4" not in found
    assert "52 more: search to find them" in text_of(client.get(f"{ACTIONS}/channels"))


@pytest.mark.usefixtures("slack")
def test_refresh_asks_slack_anew_and_the_list_follows(
    app: Flask, client: FlaskClient, account: Account
) -> None:
    assert "every 1s" not in client.get(f"{ACTIONS}/channels").text
    post(client, f"{ACTIONS}/channels/refresh", on=NEW)
    with app.app_context():
        assert known_channels(account.id).is_refreshing
    assert "every 1s" in client.get(f"{ACTIONS}/channels").text


@pytest.mark.usefixtures("slack")
def test_an_action_is_changed_with_its_channel_prefilled(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    with app.app_context():
        action = make_action(source, channel_id="COLD", channel_name="gone")
    path = f"{ACTIONS}/{action.id}/edit"
    assert 'value="COLD" checked' in client.get(path).text
    assert f'name="sources" value="{source.id}" checked' in client.get(path).text
    post(client, path, sources=str(source.id), channels="COLD", name="Still to gone", **AUTOMATIC)
    assert the_action(app) == ("Still to gone", "COLD", "gone", ["Prometheus"])
    post(client, path, sources=str(source.id), channels="C0001", name="Europe", **AUTOMATIC)
    assert the_action(app) == ("Europe", "C0001", "ops-eu", ["Prometheus"])


@pytest.mark.usefixtures("slack")
def test_another_channel_and_what_follows_a_storm_are_kept(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    with app.app_context():
        action = make_action(source, channel_id="COLD", channel_name="gone")
    path = f"{ACTIONS}/{action.id}/edit"
    form = {"sources": str(source.id), "channels": "COLD", "name": "x", "after_storm": "own"}
    form |= AUTOMATIC
    answer = post(client, path, **form, fallback_channel_id="COLD")
    assert "another channel than above" in answer.text
    answer = post(client, path, **form, fallback_channel_id="CUNKNOWN")
    assert "choose a channel, or none" in answer.text
    post(client, path, **form, fallback_channel_id="C0001")
    shown = client.get(path).text
    assert '<option selected value="C0001">#ops-eu</option>' in shown
    assert '<option selected value="own">' in shown


def test_deleting_asks_and_says_what_stays(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    with app.app_context():
        action = make_action(source)
    path = f"{ACTIONS}/{action.id}"
    assert "Alerts already shown there are still kept up to date" in client.get(path).text
    post(client, f"{path}/delete", on=path)
    page = text_of(client.get(ACTIONS))
    assert "Alerts to #ops is deleted" in page
    assert "Create the first alert action" in page


def test_responders_may_look_but_not_change(
    app: Flask, client: FlaskClient, account: Account, source: AlertSource
) -> None:
    with app.app_context():
        action = make_action(source)
        bob = make_user(account, role=Role.RESPONDER)
    sign_in(client, bob)
    assert "#ops" in client.get(ACTIONS).text
    own = f"{ACTIONS}/{action.id}"
    seen = client.get(own).text
    assert "Prometheus" in seen
    assert "Test this alert action" not in seen
    for path in (NEW, f"{own}/edit", f"{own}/test", f"{ACTIONS}/channels"):
        assert client.get(path).status_code == HTTPStatus.FORBIDDEN
    for path in (NEW, *(f"{own}/{deed}" for deed in ("edit", "clone", "test", "delete"))):
        assert post(client, path, on=ACTIONS).status_code == HTTPStatus.FORBIDDEN


def test_another_account_finds_neither_the_action_nor_the_source(
    app: Flask, client: FlaskClient, source: AlertSource
) -> None:
    with app.app_context():
        action = make_action(source)
        stranger = make_user(role=Role.ADMIN)
    sign_in(client, stranger)
    assert "#ops" not in client.get(ACTIONS).text
    own = f"{ACTIONS}/{action.id}"
    for path in (NEW, *(f"{own}/{deed}" for deed in ("edit", "clone", "test", "delete"))):
        fields = {"sources": str(source.id), "channels": "C0123456789"}
        assert post(client, path, on=ACTIONS, **fields).status_code == HTTPStatus.NOT_FOUND
    assert the_action(app)[0] == "Alerts to #ops"
