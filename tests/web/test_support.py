"""Can support staff see all links and change none; and does each account learn of the look?"""

from datetime import timedelta
from http import HTTPStatus

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.looks import ONCE_IN
from portal.domain.audit.models import AuditEntry
from portal.slack.installations import LinkState, SlackInstallation
from portal.slack.linked_workspaces import PAGE
from portal.slack.posted import Lane, PostedMessage
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

LIST = "/support/workspaces"


@pytest.fixture
def links(app: Flask) -> dict[str, SlackInstallation]:
    """The accounts Acme, Beta and Gamma, each linked to a workspace, in each of the three states."""
    with app.app_context():
        admins = {
            name: make_user(make_account(name), role=Role.ADMIN, name=f"Admin of {name}")
            for name in ("Acme", "Beta", "Gamma")
        }
        broken, limited = LinkState.BROKEN, LinkState.LIMITED
        return {
            "Acme": make_installation(admins["Acme"], team_id="T0ACME", team_name="Acme Corp"),
            "Beta": make_installation(
                admins["Beta"],
                team_id="T0BETA",
                team_name="Beta Corp",
                state=broken,
                state_reason="token_revoked",
            ),
            "Gamma": make_installation(
                admins["Gamma"],
                team_id="T0GAMMA",
                team_name="Gamma Corp",
                state=limited,
                state_reason="missing_scope",
                scopes=["chat:write"],
            ),
        }


@pytest.fixture
def sue(app: Flask, client: FlaskClient) -> User:
    """One of the support staff, signed in."""
    with app.app_context():
        staff = make_user(role=Role.SUPPORT, name="Sue")
    sign_in(client, staff)
    return staff


def page_of(installation: SlackInstallation) -> str:
    return f"{LIST}/{installation.id}"


def looks(app: Flask) -> list[tuple[int | None, str, str]]:
    """Account, person and place of each look that is noted, in order."""
    with app.app_context():
        seen = AuditEntry.action == AuditAction.WORKSPACE_VIEWED_BY_SUPPORT
        entries = db.session.scalars(db.select(AuditEntry).where(seen).order_by(AuditEntry.id))
        return [(entry.account_id, entry.actor_name, entry.details["where"]) for entry in entries]


def test_support_staff_see_every_link_with_its_state(
    client: FlaskClient, sue: User, links: dict[str, SlackInstallation]
) -> None:
    seen = text_of(client.get(LIST))
    for fact in (
        "All 3 Broken 1 Permissions missing 1 Connected 1",
        "Acme in Acme Corp t0acme.slack.com T0ACME Connected since",
        "Disconnected, re-authorize",
        "The app's token was revoked in Slack.",
        "Missing: commands, channels:read, users:read",
        "installed by Admin of Gamma",
        "nothing waits · last message never · last event never",
    ):
        assert fact in seen, fact


@pytest.mark.usefixtures("sue", "links")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"state": "broken"}, {"Beta"}),
        ({"state": "limited"}, {"Gamma"}),
        ({"state": "linked"}, {"Acme"}),
        ({"state": "happy"}, {"Acme", "Beta", "Gamma"}),
        ({"q": "aCm"}, {"Acme"}),
        ({"q": "T0BETA"}, {"Beta"}),
        ({"q": "gamma.slack.com"}, {"Gamma"}),
        ({"q": " corp "}, {"Acme", "Beta", "Gamma"}),
        ({"q": "%"}, set()),
        ({"q": "\0", "before": "x"}, {"Acme", "Beta", "Gamma"}),
        ({"q": "corp", "state": "broken"}, {"Beta"}),
    ],
)
def test_links_are_found_by_state_and_by_name(
    client: FlaskClient, filters: dict[str, str], expected: set[str]
) -> None:
    seen = text_of(client.get(LIST, query_string=filters))
    assert {name for name in ("Acme", "Beta", "Gamma") if f"{name} in {name} Corp" in seen} == (
        expected
    )
    assert ("No workspaces here" in seen) == (not expected)


def test_pages_follow_each_other(app: Flask, client: FlaskClient, sue: User) -> None:
    with app.app_context():
        for number in range(PAGE + 1):
            make_installation(make_user(), team_id=f"T{number:03}", team_name=f"No {number:03}")
    first = client.get(LIST).text
    assert "No 001" in first
    assert "No 000" not in first
    second = client.get(first.split('rel="next" href="')[1].split('"')[0]).text
    assert "No 000" in second
    assert "No 001" not in second


@pytest.fixture
def deliveries(app: Flask, links: dict[str, SlackInstallation]) -> None:
    """Acme has a message that is shown, one that waits, and one that was given up; Beta has none."""
    with app.app_context():
        account_id = links["Acme"].account_id
        source, _ = make_source(links["Acme"].account)
        make_action(source, channel_id="C0OPS", channel_name="ops")
        shown, waiting, failed = (make_alert(source, summary="Secret plans") for _ in range(3))
        posts = db.session.scalars(db.select(PostedMessage).order_by(PostedMessage.id)).all()
        assert [post.alert_id for post in posts] == [shown.id, waiting.id, failed.id]
        posts[0].shown_version, posts[0].shown_at = 1, now() - timedelta(minutes=5)
        posts[1].created_at = now() - timedelta(hours=2)
        posts[2].gave_up_at = now()
        link = db.session.get_one(SlackInstallation, links["Acme"].id)
        link.last_success_at = posts[0].shown_at
        lane = db.session.get(Lane, (account_id, "C0OPS"))
        lane = lane or Lane(account_id=account_id, channel_id="C0OPS")
        lane.held_reason, lane.next_at = "is_archived", now() + timedelta(minutes=1)
        db.session.add(lane)
        db.session.commit()


@pytest.mark.usefixtures("deliveries")
def test_the_list_counts_what_waits_and_what_failed(client: FlaskClient, sue: User) -> None:
    seen = text_of(client.get(LIST, query_string={"q": "Acme"}))
    assert "1 waiting , the oldest since" in seen
    assert "1 given up within 7 days" in seen
    assert "last message never" not in seen
    assert "nothing waits" in text_of(client.get(LIST, query_string={"q": "Beta"}))


@pytest.mark.usefixtures("deliveries")
def test_a_workspaces_page_says_how_each_channel_is_and_what_happened(
    app: Flask, client: FlaskClient, sue: User, links: dict[str, SlackInstallation]
) -> None:
    with app.app_context():
        account_id = links["Acme"].account_id
        for action in (AuditAction.WORKSPACE_LINKED, AuditAction.SOURCE_CREATED):
            log.record(action, account_id=account_id, by="Olga", subject="workspace Acme Corp")
        log.record(
            AuditAction.WORKSPACE_LINKED,
            account_id=links["Beta"].account_id,
            by="Bertha",
            subject="workspace Beta Corp",
        )
        db.session.commit()
    page = client.get(page_of(links["Acme"]))
    seen = text_of(page)
    for fact in (
        "Acme in Acme Corp Connected",
        "1 message waiting, the oldest since",
        "1 given up within 7 days",
        "#ops C0OPS : The channel is archived.",
        "Next try",
        "Olga linked the Slack workspace Acme Corp",
        "Missing permissions none",
    ):
        assert fact in seen, fact
    for hidden in ("Secret plans", "Bertha", "alert source", "xoxb", "looked at"):
        assert hidden not in page.text, hidden


@pytest.mark.usefixtures("deliveries")
def test_support_staff_see_no_secret_and_no_text(
    client: FlaskClient, sue: User, links: dict[str, SlackInstallation]
) -> None:
    for url in (LIST, *map(page_of, links.values())):
        page = client.get(url).text
        for secret in ("xoxb", "secret-token", "Secret plans"):
            assert secret not in page


def test_each_look_is_in_the_audit_log_of_each_account(
    app: Flask, client: FlaskClient, sue: User, links: dict[str, SlackInstallation]
) -> None:
    client.get(LIST, query_string={"state": "linked"})
    acme, beta = links["Acme"].account_id, links["Beta"].account_id
    assert looks(app) == [(acme, "Sue", "list")]  # only what was shown
    client.get(page_of(links["Beta"]))
    assert looks(app)[1:] == [(beta, "Sue", "page")]
    with app.app_context():
        owner = make_user(links["Beta"].account, role=Role.OWNER)
    sign_in(client, owner)
    seen = text_of(client.get("/settings/audit-log"))
    assert "Sue looked at the link to the Slack workspace Beta Corp" in seen
    assert "Where: the page of this workspace" in seen
    assert "Acme" not in seen


def test_looking_again_and_again_is_noted_once_in_ten_minutes(
    app: Flask, client: FlaskClient, sue: User, links: dict[str, SlackInstallation]
) -> None:
    acme = links["Acme"]
    start = now()
    for _ in range(3):
        client.get(LIST)
        client.get(page_of(acme))
    assert len(looks(app)) == len(links) + 1
    with time_machine.travel(start + ONCE_IN + timedelta(minutes=1), tick=False):
        client.get(page_of(acme))
    assert len(looks(app)) == len(links) + 2
    with app.app_context():
        sign_in(client, make_user(role=Role.SUPPORT, name="Sam"))
    client.get(page_of(acme))
    assert looks(app)[-1] == (acme.account_id, "Sam", "page")


def test_what_cannot_be_written_down_is_not_shown(
    app: Flask, client: FlaskClient, sue: User, links: dict[str, SlackInstallation]
) -> None:
    with app.app_context():
        refuse = "ADD CONSTRAINT nothing_more CHECK (false) NOT VALID"
        db.session.execute(text(f"ALTER TABLE audit_entries {refuse}"))
        db.session.commit()
    app.config["PROPAGATE_EXCEPTIONS"] = False
    try:
        for url in (LIST, page_of(links["Acme"])):
            answer = client.get(url)
            assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
            assert "Acme" not in answer.text
    finally:
        app.config["PROPAGATE_EXCEPTIONS"] = None
        with app.app_context():
            db.session.execute(text("ALTER TABLE audit_entries DROP CONSTRAINT nothing_more"))
            db.session.commit()


def test_support_staff_may_not_touch_the_links(
    app: Flask, client: FlaskClient, sue: User, links: dict[str, SlackInstallation]
) -> None:
    for deed in ("authorize", "unlink"):
        answer = post(client, f"/settings/connectors/slack/{deed}", on=LIST)
        assert answer.status_code == HTTPStatus.FORBIDDEN
    token = client.get(LIST).text.split('"X-CSRFToken":"')[1].split('"')[0]
    for url in (LIST, page_of(links["Acme"])):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = client.open(url, method=method, headers={"X-CSRFToken": token})
            assert answer.status_code == HTTPStatus.FORBIDDEN
            assert "look at workspaces and change nothing" in text_of(answer)
    with app.app_context():
        assert db.session.query(SlackInstallation).count() == len(links)


def test_for_people_of_an_account_there_is_nothing_here(
    app: Flask, client: FlaskClient, links: dict[str, SlackInstallation]
) -> None:
    with app.app_context():
        sign_in(client, make_user(links["Acme"].account, role=Role.OWNER))
    one = {"X-Request-ID": "the-same-for-all"}
    nowhere = text_of(client.get("/support/nowhere", headers=one))
    for url in (LIST, page_of(links["Acme"]), f"{LIST}/999999"):
        answer = client.get(url, headers=one)
        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert text_of(answer) == nowhere


def test_strangers_are_sent_to_the_sign_in_page(
    client: FlaskClient, links: dict[str, SlackInstallation]
) -> None:
    for url in (LIST, page_of(links["Acme"])):
        assert client.get(url).location.startswith("/login")


def test_the_page_of_a_workspace_that_was_unlinked_is_gone(client: FlaskClient, sue: User) -> None:
    assert client.get(f"{LIST}/999999").status_code == HTTPStatus.NOT_FOUND


def test_an_unchanged_list_costs_a_304(
    client: FlaskClient, sue: User, links: dict[str, SlackInstallation]
) -> None:
    for url, region in ((LIST, "workspace-list"), (page_of(links["Acme"]), "workspace-state")):
        asked = {"HX-Request": "true", "HX-Target": region}
        first = client.get(url, headers=asked)
        assert f'id="{region}"' in first.text.split(">")[0]
        asked["If-None-Match"] = first.headers["ETag"]
        assert client.get(url, headers=asked).status_code == HTTPStatus.NOT_MODIFIED


def test_a_link_whose_token_no_key_opens_counts_and_is_found_as_broken(
    app: Flask, client: FlaskClient, sue: User, links: dict[str, SlackInstallation]
) -> None:
    with app.app_context():
        unreadable = "UPDATE slack_installations SET bot_token = 'of another key' WHERE id = :id"
        db.session.execute(text(unreadable), {"id": links["Acme"].id})
        db.session.commit()
    broken = text_of(client.get("/support/workspaces?state=broken"))
    assert "Broken 2" in broken
    assert "Connected 0" in broken
    assert "Acme Corp" in broken
    assert "Acme Corp" not in text_of(client.get("/support/workspaces?state=linked"))
