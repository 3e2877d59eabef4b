"""Can people choose how they are told, try it, and see who is unreachable before it matters?"""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.notifications import operations
from portal.domain.notifications.models import Notification, NotificationState, Preferences
from portal.slack.people import UserLink
from tests.make import make_account, make_installation, make_policy, make_user, sign_in
from tests.web.pages import post, text_of

PAGE = "/profile/notifications"
CHOICE = {"slack_high": "0", "email_high": "5", "slack_low": "", "email_low": ""}


@pytest.fixture
def ada(app: Flask, client: FlaskClient) -> User:
    """An admin of a linked account, known in Slack."""
    with app.app_context():
        ada = make_user(make_account("Acme"), name="Ada", role=Role.ADMIN, email="ada@example.com")
        make_installation(ada)
        db.session.add(UserLink(account_id=ada.account_id, user_id=ada.id, slack_user_id="U0ADA"))
        db.session.commit()
    sign_in(client, ada)
    return ada


def is_muted(client: FlaskClient, path: str) -> bool:
    """Whether the page says of somebody that they are, and until when."""
    words = text_of(client.get(path))
    return "muted" in words.lower() and ("that ends" in words.lower() or "which ends" in words)


@pytest.fixture
def mail_server(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SMTP_URL", "smtp://127.0.0.1:9")
    monkeypatch.setitem(app.config, "MAIL_FROM", "tocsin@example.com")


def test_the_page_says_first_how_one_is_told(
    client: FlaskClient, ada: User, mail_server: None
) -> None:
    words = text_of(client.get(PAGE))
    assert "You are told of high priority by Slack at once, then by e-mail after 2 min." in words
    assert "To ada@example.com" in words
    assert "Slack at once, e-mail after 2 min" in text_of(client.get("/profile"))


def test_without_a_mail_server_the_page_says_so(client: FlaskClient, ada: User) -> None:
    words = text_of(client.get(PAGE))
    assert "This installation has no mail server, so no e-mail is sent." in words
    assert "You are told of high priority by Slack at once." in words


def test_a_choice_is_kept_and_shown(
    app: Flask, client: FlaskClient, ada: User, mail_server: None
) -> None:
    answer = post(client, PAGE, **CHOICE)
    assert answer.status_code == 303
    page = client.get(PAGE)
    assert "then by e-mail after 5 min" in text_of(page)
    assert '<option selected value="5">After 5 minutes' in page.text
    with app.app_context():
        kept = db.session.get_one(Preferences, ada.id)
        assert (kept.slack_high, kept.email_high, kept.slack_low, kept.email_low) == (
            0,
            5,
            None,
            None,
        )


def test_a_time_that_is_not_offered_is_refused_at_its_field_and_the_rest_is_kept(
    app: Flask, client: FlaskClient, ada: User
) -> None:
    answer = post(client, PAGE, **CHOICE | {"slack_high": "7"})
    assert answer.status_code == 422
    assert "Not a valid choice" not in text_of(answer)
    assert "Please choose one of the times in the list." in text_of(answer)
    assert '<option selected value="5">After 5 minutes' in answer.text
    with app.app_context():
        assert db.session.get(Preferences, ada.id) is None


def test_who_wants_to_be_told_nothing_is_warned(client: FlaskClient, ada: User) -> None:
    post(client, PAGE, **CHOICE | {"slack_high": ""})
    assert "Nobody can reach you: wants no messages in Slack." in text_of(client.get(PAGE))


def test_muting_is_shown_wherever_it_matters_and_ends(
    app: Flask, client: FlaskClient, ada: User
) -> None:
    with app.app_context():
        policy = make_policy(ada.account, [ada])
    assert post(client, f"{PAGE}/mute", on=PAGE, hours="8").status_code == 303
    for path in (PAGE, "/on-call", f"/escalation-policies/{policy.id}", "/settings/users"):
        assert is_muted(client, path), path
    post(client, f"{PAGE}/unmute", on=PAGE)
    for path in (PAGE, "/on-call", f"/escalation-policies/{policy.id}", "/settings/users"):
        assert not is_muted(client, path), path


def test_a_mute_of_any_other_length_is_refused(client: FlaskClient, ada: User) -> None:
    assert post(client, f"{PAGE}/mute", on=PAGE, hours="100000").status_code == 422
    assert not is_muted(client, PAGE)


def test_a_mute_that_is_over_is_not_shown(app: Flask, client: FlaskClient, ada: User) -> None:
    post(client, f"{PAGE}/mute", on=PAGE, hours="1")
    with app.app_context():
        db.session.execute(update(Preferences).values(muted_until=now() - timedelta(seconds=1)))
        db.session.commit()
    assert not is_muted(client, PAGE)


def test_a_test_is_sent_and_what_came_of_it_is_shown(
    app: Flask, client: FlaskClient, ada: User, mail_server: None
) -> None:
    assert post(client, f"{PAGE}/test", on=PAGE).status_code == 303
    words = text_of(client.get(f"{PAGE}/test"))
    assert "Slack : on its way" in words
    assert "E-mail : on its way" in words
    with app.app_context():
        slack, email = db.session.scalars(select(Notification).order_by(Notification.id))
        slack.state, slack.done_at = NotificationState.SENT, now()
        email.state, email.last_error = NotificationState.FAILED, "No such user."
        db.session.commit()
    words = text_of(client.get(f"{PAGE}/test"))
    assert "Slack : sent" in words
    assert "E-mail : No such user." in words
    assert "hx-trigger" not in client.get(f"{PAGE}/test").text


def test_a_second_test_has_to_wait(client: FlaskClient, ada: User) -> None:
    post(client, f"{PAGE}/test", on=PAGE)
    again = post(client, f"{PAGE}/test", on=PAGE)
    assert again.status_code == 303
    assert "A test was sent a moment ago." in text_of(client.get(PAGE))


def test_nobody_sees_the_test_of_somebody_else(app: Flask, client: FlaskClient, ada: User) -> None:
    with app.app_context():
        operations.send_test(["slack"], by=make_user(ada.account))  # type: ignore[list-item]
    assert "on its way" not in text_of(client.get(PAGE))


def test_admins_see_who_is_unreachable_and_that_stakeholders_are_not_asked(
    app: Flask, client: FlaskClient, ada: User
) -> None:
    with app.app_context():
        make_user(ada.account, name="Bob")
        make_user(ada.account, name="Stan", role=Role.STAKEHOLDER)
    words = text_of(client.get("/settings/users"))
    assert words.count("Unreachable: not connected to Slack") == 1
    assert "not asked" in words


def test_with_mail_nobody_is_unreachable_who_takes_it(
    app: Flask, client: FlaskClient, ada: User, mail_server: None
) -> None:
    with app.app_context():
        bob = make_user(ada.account, name="Bob")
        policy = make_policy(ada.account, [bob])
    for path in ("/on-call", f"/escalation-policies/{policy.id}"):
        words = text_of(client.get(path))
        assert "Unreachable" not in words
        assert "e-mail after 2 min" in words
    with app.app_context():
        operations.choose({"high": {"email": None}}, by=bob)  # type: ignore[dict-item]
    words = text_of(client.get(f"/escalation-policies/{policy.id}"))
    assert "Unreachable: not connected to Slack, wants no e-mail" in words


def test_a_stakeholder_is_told_that_their_role_is_not_asked(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        stan = make_user(role=Role.STAKEHOLDER)
    sign_in(client, stan)
    assert "Your role is not asked about alerts." in text_of(client.get(PAGE))


def test_status_updates_are_off_until_they_are_wanted(client: FlaskClient, ada: User) -> None:
    def is_checked() -> bool:
        return 'checked class="form-check-input" id="status_updates"' in client.get(PAGE).text

    assert not is_checked()
    post(client, PAGE, **CHOICE, status_updates="y")
    assert is_checked()
    post(client, PAGE, **CHOICE)
    assert not is_checked()
