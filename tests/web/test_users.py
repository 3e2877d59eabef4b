"""Can admins, and only they, look after the people of their account?"""

import html
import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.db import db, now
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from tests.make import PASSWORD, make_account, make_user, sign_in
from tests.web.pages import post, text_of

USERS = "/settings/users"


@pytest.fixture
def account(app: Flask) -> Account:
    with app.app_context():
        return make_account()


@pytest.fixture
def admin(app: Flask, client: FlaskClient, account: Account) -> User:
    with app.app_context():
        olga = make_user(account, role=Role.ADMIN, name="Olga")
    sign_in(client, olga)
    return olga


@pytest.fixture
def bob(app: Flask, account: Account) -> User:
    with app.app_context():
        return make_user(account, role=Role.RESPONDER, name="Bob", email="bob@example.com")


def press(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    return post(client, f"{USERS}/{path}", on=USERS, **fields)


def invite(client: FlaskClient, **fields: str) -> TestResponse:
    grace = {"name": "Grace", "email": "grace@example.com", "role": "user"}
    return post(client, USERS, **{**grace, **fields})


def link_on(answer: TestResponse) -> str:
    found = re.search(r'data-copy="http://localhost(/invitations/[^"]+)"', answer.text)
    assert found
    return html.unescape(found[1])


def role_of(app: Flask, person: User) -> Role:
    with app.app_context():
        return db.session.get_one(User, person.id).role


def test_an_admin_sees_everybody_of_the_account_and_nobody_else(
    app: Flask, client: FlaskClient, admin: User, bob: User
) -> None:
    with app.app_context():
        make_user(name="Mallory of elsewhere")
    words = text_of(client.get(USERS))
    assert "Bob bob@example.com Active" in words
    assert "2 people work in" in words
    assert "Mallory" not in words


@pytest.mark.parametrize("role", [Role.STAKEHOLDER, Role.RESPONDER, Role.USER, Role.SUPPORT])
def test_others_read_whom_to_ask(app: Flask, client: FlaskClient, role: Role) -> None:
    with app.app_context():
        sign_in(client, make_user(role=role))
    answer = client.get(USERS)
    assert answer.status_code == 403
    assert "Only admins can manage people. Ask an admin of your account." in text_of(answer)
    assert 'href="/settings/users"' not in answer.text


def test_the_link_of_an_invitation_is_shown_once_and_works(
    app: Flask, client: FlaskClient, admin: User
) -> None:
    answer = invite(client)
    assert answer.headers["Cache-Control"] == "no-store"
    link = link_on(answer)
    assert "Grace grace@example.com Invited" in text_of(client.get(USERS))
    assert link not in client.get(USERS).text
    grace = app.test_client()
    assert post(grace, link, password="a long enough one").location == "/alerts"
    assert "Grace grace@example.com Active" in text_of(client.get(USERS))


def test_a_taken_address_is_refused_at_its_field_and_the_form_keeps_its_words(
    client: FlaskClient, admin: User, bob: User
) -> None:
    answer = invite(client, email="BOB@example.com")
    assert answer.status_code == 422
    assert "BOB@example.com is already used by somebody." in text_of(answer)
    assert 'value="Grace"' in answer.text
    assert '<option selected value="user">' in answer.text


def test_a_mistyped_address_is_refused_at_its_field(client: FlaskClient, admin: User) -> None:
    answer = invite(client, email="grace")
    assert answer.status_code == 422
    assert "Please give an e-mail address like ada@example.com." in text_of(answer)


def test_nobody_is_invited_as_owner(client: FlaskClient, admin: User) -> None:
    assert invite(client, role="owner").status_code == 422


def test_a_new_link_ends_the_old_one(app: Flask, client: FlaskClient, admin: User) -> None:
    old = link_on(invite(client))
    found = re.search(rf'action="{USERS}/(\d+)/invitation"', client.get(USERS).text)
    assert found
    new = link_on(press(client, f"{found[1]}/invitation"))
    assert app.test_client().get(old).status_code == 404
    assert app.test_client().get(new).status_code == 200


def test_a_new_role_counts_from_the_next_request_on(
    app: Flask, client: FlaskClient, admin: User, bob: User
) -> None:
    browser = app.test_client()
    sign_in(browser, bob)
    assert browser.get(USERS).status_code == 403
    assert press(client, f"{bob.id}/role", role="admin").status_code == 303
    assert "Bob is now admin." in text_of(client.get(USERS))
    assert browser.get(USERS).status_code == 200


@pytest.mark.parametrize("role", ["owner", "support", "king", ""])
def test_a_role_that_admins_cannot_give_changes_nothing(
    app: Flask, client: FlaskClient, admin: User, bob: User, role: str
) -> None:
    assert press(client, f"{bob.id}/role", role=role).status_code == 422
    assert role_of(app, bob) is Role.RESPONDER


def test_admins_change_neither_themselves_nor_the_owner(
    app: Flask, client: FlaskClient, admin: User, account: Account
) -> None:
    with app.app_context():
        owner = make_user(account, role=Role.OWNER, name="Boss")
    assert press(client, f"{admin.id}/deactivate").status_code == 409
    refused = press(client, f"{owner.id}/role", role="user")
    assert refused.status_code == 409
    assert "Boss is the owner." in text_of(refused)
    assert f"{USERS}/{owner.id}/" not in client.get(USERS).text  # nothing is offered either


def test_somebody_deactivated_is_out_at_once_and_can_be_taken_back(
    app: Flask, client: FlaskClient, admin: User, bob: User
) -> None:
    browser = app.test_client()
    sign_in(browser, bob)
    press(client, f"{bob.id}/deactivate")
    assert browser.get("/profile").status_code == 303
    assert "Bob bob@example.com Deactivated" in text_of(client.get(USERS))
    press(client, f"{bob.id}/reactivate")
    assert "Bob bob@example.com Active" in text_of(client.get(USERS))


@pytest.mark.parametrize("deed", ["role", "deactivate", "reactivate", "invitation", "sign-in-link"])
def test_people_of_another_account_are_not_there(
    app: Flask, client: FlaskClient, admin: User, deed: str
) -> None:
    with app.app_context():
        foreign = make_user()
    assert press(client, f"{foreign.id}/{deed}", role="user").status_code == 404
    assert role_of(app, foreign) is Role.RESPONDER


def test_who_has_forgotten_the_password_is_given_a_new_way_in(
    app: Flask, client: FlaskClient, admin: User, bob: User
) -> None:
    elsewhere, browser = app.test_client(), app.test_client()
    sign_in(elsewhere, bob)
    answer = press(client, f"{bob.id}/sign-in-link")
    assert answer.headers["Cache-Control"] == "no-store"
    link = link_on(answer)
    assert elsewhere.get("/profile").status_code == 200  # the link alone changes nothing
    assert "Choose a new password, Bob" in text_of(browser.get(link))
    assert post(browser, link, password="a new long one").location == "/alerts"
    assert browser.get("/profile").status_code == 200
    assert elsewhere.get("/profile").status_code == 303
    assert app.test_client().get(link).status_code == 404  # once
    signed_out = app.test_client()
    fields = {"email": "bob@example.com", "password": "a new long one"}
    assert post(signed_out, "/login", **fields).status_code == 303
    told = text_of(client.get("/settings/audit-log"))
    assert "Olga made a sign-in link for Bob" in told
    assert "Bob chose a new password with a sign-in link" in told


def test_a_sign_in_link_ends_after_a_day_or_with_a_password_chosen_since(
    app: Flask, client: FlaskClient, admin: User, bob: User
) -> None:
    link = link_on(press(client, f"{bob.id}/sign-in-link"))
    with time_machine.travel(now() + timedelta(hours=24, minutes=1)):
        assert app.test_client().get(link).status_code == 404
    browser = app.test_client()
    sign_in(browser, bob)
    chosen = {"old_password": PASSWORD, "password": "remembered after all"}
    assert post(browser, "/profile/password", on="/profile", **chosen).status_code == 303
    assert app.test_client().get(link).status_code == 404


def test_no_link_leads_into_the_owners_account_or_around_a_deactivation(
    app: Flask, client: FlaskClient, admin: User, account: Account, bob: User
) -> None:
    with app.app_context():
        owner = make_user(account, role=Role.OWNER, name="Boss")
    for person in (owner, admin):
        assert press(client, f"{person.id}/sign-in-link").status_code == 409
        assert f"{USERS}/{person.id}/sign-in-link" not in client.get(USERS).text
    press(client, f"{bob.id}/deactivate")
    refused = press(client, f"{bob.id}/sign-in-link")
    assert refused.status_code == 409
    assert "Bob is deactivated. Reactivate them first." in text_of(refused)
