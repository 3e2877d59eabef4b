"""Can people look after their own password and sign-ins?"""

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.db import db, now
from portal.domain.accounts.models import SignIn, User
from portal.domain.accounts.permissions import Role
from portal.web.browsers import name_of
from tests.make import PASSWORD, make_user, sign_in
from tests.web.pages import post, text_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
)


@pytest.fixture
def person(app: Flask, client: FlaskClient) -> User:
    with app.app_context():
        ada = make_user(email="ada@example.com", name="Ada", role=Role.USER)
    sign_in(client, ada)
    return ada


def change(client: FlaskClient, old: str, new: str) -> TestResponse:
    return post(client, "/profile/password", on="/profile", old_password=old, password=new)


def sign_ins_of(app: Flask, person: User) -> list[int]:
    with app.app_context():
        asked = select(SignIn.id).where(SignIn.user_id == person.id).order_by(SignIn.id)
        return list(db.session.scalars(asked))


def test_the_profile_says_who_one_is(client: FlaskClient, person: User) -> None:
    words = text_of(client.get("/profile"))
    assert "Ada User in Account" in words
    assert "ada@example.com" in words
    assert "This browser" in words


def test_a_new_password_counts_and_signs_the_other_browsers_out(
    app: Flask, client: FlaskClient, person: User
) -> None:
    other = app.test_client()
    sign_in(other, person)
    assert change(client, PASSWORD, "an even longer one").status_code == 303
    assert client.get("/profile").status_code == 200
    assert other.get("/profile").status_code == 303
    again = post(other, "/login", email="ada@example.com", password="an even longer one")
    assert again.location == "/alerts"


def test_the_present_password_is_asked_for(client: FlaskClient, person: User) -> None:
    answer = change(client, "not this one", "an even longer one")
    assert answer.status_code == 422
    assert "This is not your present password." in text_of(answer)


def test_a_new_password_that_is_too_short_changes_nothing(
    app: Flask, client: FlaskClient, person: User
) -> None:
    answer = change(client, PASSWORD, "short")
    assert answer.status_code == 422
    assert "Please choose a password of 10 to 200 characters." in text_of(answer)
    assert post(app.test_client(), "/login", email=person.email, password=PASSWORD).location


def test_one_ends_a_sign_in_of_another_browser(
    app: Flask, client: FlaskClient, person: User
) -> None:
    lost = app.test_client()
    sign_in(lost, person)
    _, lost_id = sign_ins_of(app, person)
    post(client, f"/profile/sign-ins/{lost_id}/revoke", on="/profile")
    assert lost.get("/profile").status_code == 303
    assert client.get("/profile").status_code == 200


def test_nobody_ends_the_sign_in_of_somebody_else(
    app: Flask, client: FlaskClient, person: User
) -> None:
    other = app.test_client()
    with app.app_context():
        stranger = make_user()
    sign_in(other, stranger)
    (foreign_id,) = sign_ins_of(app, stranger)
    post(client, f"/profile/sign-ins/{foreign_id}/revoke", on="/profile")
    assert other.get("/profile").status_code == 200


def test_an_unchanged_page_costs_a_304_although_its_form_token_is_new(
    client: FlaskClient, person: User
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        etag = client.get("/profile").headers["ETag"]
        clock.shift(2)  # seconds: the token is signed with the time
        again = client.get("/profile", headers={"If-None-Match": etag})
    assert (again.status_code, again.text) == (304, "")
    change(client, PASSWORD, "an even longer one")  # leaves a message for the next page
    assert client.get("/profile", headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (EDGE, "Edge on Windows"),
        ("curl/8.14.1", "curl/8.14.1"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named_in_words(user_agent: str, name: str) -> None:
    assert name_of(user_agent) == name


def test_a_person_chooses_the_zone_in_which_they_read_schedules(
    app: Flask, client: FlaskClient, person: User
) -> None:
    chosen = post(client, "/profile/time-zone", on="/profile", time_zone="Asia/Tokyo")
    assert chosen.status_code == 303
    assert '<option selected value="Asia/Tokyo">' in client.get("/profile").text
    refused = post(client, "/profile/time-zone", on="/profile", time_zone="Mars/Olympus")
    assert refused.status_code == 422
    with app.app_context():
        assert db.session.get_one(User, person.id).time_zone == "Asia/Tokyo"
