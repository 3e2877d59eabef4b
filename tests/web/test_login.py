"""Does the right person come in, and nobody else?"""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from werkzeug.test import TestResponse

from portal.db import db, now
from portal.domain.accounts import operations
from portal.domain.accounts.models import SignIn, User
from portal.domain.accounts.permissions import Role
from portal.domain.accounts.sign_ins import TRIES_PER_PAIR
from tests.make import PASSWORD, make_user, sign_in
from tests.web.pages import post, text_of


@pytest.fixture
def person(app: Flask) -> User:
    with app.app_context():
        return make_user(email="ada@example.com", name="Ada")


def log_in(client: FlaskClient, url: str = "/login", password: str = PASSWORD) -> TestResponse:
    return post(client, url, email="ada@example.com", password=password)


def test_email_and_password_lead_to_the_alerts(client: FlaskClient, person: User) -> None:
    answer = log_in(client)
    assert (answer.status_code, answer.location) == (303, "/alerts")
    assert "Ada" in client.get("/profile").text


@pytest.mark.parametrize(
    ("role", "home"),
    [
        (Role.STAKEHOLDER, "/settings/connectors"),
        (Role.SUPPORT, "/support/workspaces"),
        (Role.ADMIN, "/alerts"),
    ],
)
def test_everybody_lands_where_their_role_can_look(
    app: Flask, client: FlaskClient, role: Role, home: str
) -> None:
    with app.app_context():
        sign_in(client, make_user(role=role))
    assert client.get("/").location == home


def test_a_wrong_password_and_an_unknown_address_read_the_same(
    client: FlaskClient, person: User
) -> None:
    wrong = log_in(client, password="not this one")
    unknown = post(client, "/login", email="nobody@example.com", password="not this one")
    assert wrong.status_code == unknown.status_code == 422
    sentence = "This e-mail address and password do not fit together."
    assert sentence in wrong.text
    assert sentence in unknown.text
    assert 'value="ada@example.com"' in wrong.text  # what was typed is kept
    assert "not this one" not in wrong.text


def test_empty_fields_say_what_they_want(client: FlaskClient) -> None:
    answer = post(client, "/login", email="", password="")
    assert answer.status_code == 422
    assert "Please give your e-mail address." in answer.text


def test_somebody_deactivated_cannot_come_in(app: Flask, client: FlaskClient, person: User) -> None:
    with app.app_context():
        db.session.get_one(User, person.id).deactivated_at = now()
        db.session.commit()
    assert log_in(client).status_code == 422


@time_machine.travel("2026-11-24T12:01:00Z", tick=False)  # not where a window ends
def test_too_many_tries_are_told_how_long_to_wait(client: FlaskClient, person: User) -> None:
    for _ in range(TRIES_PER_PAIR):
        assert log_in(client, password="not this one").status_code == 422
    answer = log_in(client)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert "Too many attempts. Please try again in" in text_of(answer)


def test_after_signing_in_the_wanted_page_opens(client: FlaskClient, person: User) -> None:
    sent = client.get("/profile?from=mail")
    assert (sent.status_code, sent.location) == (303, "/login?next=/profile?from%3Dmail")
    assert log_in(client, sent.location).location == "/profile?from=mail"


@pytest.mark.parametrize(
    "foreign",
    ["https://evil.example/", "//evil.example/", "/\\evil.example/", "/%09/evil.example", "evil"],
)
def test_nobody_is_sent_to_another_site(client: FlaskClient, person: User, foreign: str) -> None:
    assert log_in(client, f"/login?next={foreign}").location == "/alerts"


def test_an_htmx_request_of_a_stranger_moves_the_whole_page_to_sign_in(
    client: FlaskClient,
) -> None:
    current = "http://localhost/profile"
    answer = client.get("/profile", headers={"HX-Request": "true", "HX-Current-URL": current})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login?next=/profile"


def test_nothing_from_before_signing_in_stays_in_the_session(
    client: FlaskClient, person: User
) -> None:
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    log_in(client)
    with client.session_transaction() as session:
        assert "planted" not in session


def test_signing_out_ends_the_sign_in_on_the_server(
    app: Flask, client: FlaskClient, person: User
) -> None:
    log_in(client)
    stolen = client.get_cookie("tocsin")
    assert stolen is not None
    assert post(client, "/logout", on="/profile").location == "/login"
    thief = app.test_client()
    thief.set_cookie("tocsin", stolen.value)
    assert thief.get("/profile").status_code == 303


def test_signing_out_needs_the_form_token(client: FlaskClient, person: User) -> None:
    log_in(client)
    answer = client.post("/logout")
    assert answer.status_code == 400
    assert "This form is no longer valid" in text_of(answer)
    assert client.get("/profile").status_code == 200


def test_a_sign_in_ends_after_two_weeks_without_use(client: FlaskClient, person: User) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        log_in(client)
        clock.shift(timedelta(days=13))
        assert client.get("/profile").status_code == 200
        clock.shift(timedelta(days=13))
        assert client.get("/profile").status_code == 200
        clock.shift(timedelta(days=15))
        assert client.get("/profile").status_code == 303


def test_deleting_the_row_signs_the_browser_out(
    app: Flask, client: FlaskClient, person: User
) -> None:
    log_in(client)
    with app.app_context():
        db.session.execute(delete(SignIn))
        db.session.commit()
    assert client.get("/profile").status_code == 303


def test_the_cookie_cannot_be_moved_to_another_person(
    app: Flask, client: FlaskClient, person: User
) -> None:
    log_in(client)
    with app.app_context():
        other = make_user()
    with client.session_transaction() as session:
        session["_user_id"] = other.get_id()
    assert client.get("/profile").status_code == 303


@pytest.fixture
def invitation(app: Flask) -> str:
    with app.app_context():
        admin = make_user(role=Role.ADMIN, name="Olga")
        _, token = operations.invite(
            by=db.session.get_one(User, admin.id),
            email="grace@example.com",
            name="Grace",
            role=Role.STAKEHOLDER,
        )
    return f"/invitations/{token}"


def test_an_invited_person_chooses_a_password_and_is_signed_in(
    client: FlaskClient, invitation: str
) -> None:
    opened = client.get(invitation)
    assert "Welcome, Grace" in opened.text
    assert opened.headers["Referrer-Policy"] == "no-referrer"
    answer = post(client, invitation, password="a long enough one")
    assert (answer.status_code, answer.location) == (303, "/settings/connectors")
    assert "grace@example.com" in client.get("/profile").text


def test_an_invitation_works_once(client: FlaskClient, invitation: str) -> None:
    post(client, invitation, password="a long enough one")
    answer = client.get(invitation)
    assert answer.status_code == 404
    assert "Ask an admin for a new link." in text_of(answer)


def test_an_invitation_ends_after_seven_days(client: FlaskClient, invitation: str) -> None:
    with time_machine.travel(now() + timedelta(days=7, minutes=1)):
        assert client.get(invitation).status_code == 404


def test_a_short_password_is_refused_at_its_field(client: FlaskClient, invitation: str) -> None:
    answer = post(client, invitation, password="short")
    assert answer.status_code == 422
    assert "Please choose a password of 10 to 200 characters." in text_of(answer)
    assert 'aria-invalid="true"' in answer.text
    assert client.get(invitation).status_code == 200  # the link is not used up
