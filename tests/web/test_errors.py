"""Does everybody who meets an error read words, and a reference for the log?"""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import create_app
from portal.db import db
from portal.domain.accounts.permissions import Role
from portal.settings import Settings
from tests.make import make_account, make_user, sign_in
from tests.web.pages import post, text_of


@pytest.fixture
def admin_browser(app: Flask, client: FlaskClient) -> FlaskClient:
    with app.app_context():
        sign_in(client, make_user(make_account(), role=Role.ADMIN, name="Olga"))
    return client


def test_a_mistyped_address_reads_so_and_keeps_the_way_back(admin_browser: FlaskClient) -> None:
    answer = admin_browser.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing here" in text_of(answer)
    assert "Reference" in text_of(answer)
    assert 'href="/alerts"' in answer.text


def test_a_stranger_is_shown_no_navigation(client: FlaskClient) -> None:
    assert 'href="/alerts"' not in client.get("/nowhere").text


def test_htmx_gets_a_note_that_replaces_nothing(admin_browser: FlaskClient) -> None:
    answer = admin_browser.get("/nowhere", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert answer.headers["HX-Retarget"] == "#toasts"
    assert answer.headers["HX-Reswap"] == "beforeend"
    assert "<html" not in answer.text


def test_going_back_in_the_history_gets_a_whole_page(admin_browser: FlaskClient) -> None:
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in admin_browser.get("/nowhere", headers=headers).text


def test_a_program_gets_json(client: FlaskClient) -> None:
    answer = client.get("/api/nowhere")
    assert answer.status_code == 404
    assert answer.get_json()["message"]


def test_too_large_a_form_is_refused(admin_browser: FlaskClient) -> None:
    answer = post(admin_browser, "/settings/users", name="x" * 2_000_000)
    assert answer.status_code == 413
    assert "Please send less than 1 MB at once." in text_of(answer)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/login", {"email": "olga\0@example.com", "password": "x"}),
        ("/settings/users", {"name": "O\0", "email": "o@example.com", "role": "user"}),
        ("/alert-sources/new", {"name": "S\0", "type": "api"}),
        ("/alert-actions/new", {"sources": "9" * 30, "channel_id": "C1"}),
    ],
)
def test_what_the_database_cannot_keep_is_a_bad_request(
    admin_browser: FlaskClient, path: str, sent: dict[str, str]
) -> None:
    answer = post(admin_browser, path, on="/profile", **sent)
    assert answer.status_code == 400
    assert "could not read what your browser sent" in text_of(answer)


def test_when_the_database_is_away_the_page_still_has_words(settings: Settings) -> None:
    away = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    app = create_app(settings.model_copy(update={"DATABASE_URL": away}))
    client = app.test_client()
    with client.session_transaction() as session:
        session["sign_in"], session["_user_id"] = "a token", "1"
    answer = client.get("/profile")
    with app.app_context():
        db.engine.dispose()
    assert answer.status_code == 500
    words = text_of(answer)
    assert "Something broke on our side" in words
    assert "Reference" in words
    assert "psycopg" not in answer.text
