"""Can admins, and only they, find out who changed what in their account?"""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from portal.db import db
from portal.domain.accounts import operations as accounts
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry
from portal.domain.audit.queries import PAGE
from portal.domain.routing import operations as routing
from portal.domain.routing.drafts import ActionDraft
from portal.domain.sources import operations as sources
from tests.make import make_account, make_source, make_user, sign_in
from tests.web.pages import text_of

LOG = "/settings/audit-log"
CSV = f"{LOG}.csv"
Write = Callable[..., None]


@pytest.fixture
def account(app: Flask) -> Account:
    with app.app_context():
        return make_account("Acme")


@pytest.fixture
def olga(app: Flask, client: FlaskClient, account: Account) -> User:
    with app.app_context():
        admin = make_user(account, role=Role.ADMIN, name="Olga")
    sign_in(client, admin)
    return admin


@pytest.fixture
def write(app: Flask, account: Account) -> Write:
    """Put an entry into Acme's log: by Olga disabling the source Prometheus, unless told otherwise."""

    def run(
        action: AuditAction = AuditAction.SOURCE_DISABLED,
        *,
        by: User | str = "Olga",
        subject: str = "source Prometheus",
        **details: str,
    ) -> None:
        with app.app_context():
            log.record(action, account_id=account.id, by=by, subject=subject, **details)
            db.session.commit()

    return run


def exported(client: FlaskClient, **filters: str) -> list[list[str]]:
    answer = client.get(CSV, query_string=filters)
    assert answer.status_code == HTTPStatus.OK
    head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert head[:3] == ["Time (UTC)", "Who", "Deed"]
    return rows


def test_a_deed_is_told_in_words_with_its_details(
    app: Flask, client: FlaskClient, account: Account, olga: User
) -> None:
    with app.app_context():
        bob = make_user(account, name="Bob")
        source, _ = make_source(account, name="Prometheus")
        other, _ = make_source(account, name="Grafana")
        accounts.change_role(bob.id, Role.ADMIN, by=db.session.get_one(User, olga.id))
        draft = ActionDraft([source], [("C123", "ops")])
        action = routing.create(draft, account=account, by=None)
        anew = ActionDraft([source, other], [("C456", "db")], name=action.name)
        routing.change(action.id, anew, by=db.session.get_one(User, olga.id))
    seen = text_of(client.get(LOG))
    assert "Olga changed the role of Bob from responder to admin" in seen
    assert "The command line created the alert action Alerts to #ops" in seen
    assert "Channel: #ops → #db" in seen
    assert "Alert sources: Prometheus → Grafana, Prometheus" in seen


def test_what_changed_nothing_is_no_deed(
    app: Flask, client: FlaskClient, account: Account, olga: User
) -> None:
    with app.app_context():
        admin = db.session.get_one(User, olga.id)
        source, _ = make_source(account, name="Prometheus")
        same = {"type": source.type, "escalation_policy_id": None}
        sources.change(source.id, name="Prometheus", **same, by=admin)
        assert db.session.query(AuditEntry).count() == 0
        sources.change(source.id, name="Alertmanager", **same, by=admin)
    seen = text_of(client.get(LOG))
    assert "Olga changed the alert source Alertmanager" in seen
    assert "Name: Prometheus → Alertmanager · Type: api" in seen


def test_slacks_reason_is_said_in_words(client: FlaskClient, olga: User, write: Write) -> None:
    broken = AuditAction.WORKSPACE_BROKEN
    write(broken, by=log.SLACK, subject="workspace Acme Corp", reason="token_revoked")
    seen = text_of(client.get(LOG))
    assert "Slack no longer accepts the link to the workspace Acme Corp" in seen
    assert "Reason: The app's token was revoked in Slack." in seen


def test_an_old_entry_without_a_detail_can_still_be_read(
    client: FlaskClient, olga: User, write: Write
) -> None:
    write(AuditAction.ROLE_CHANGED, subject="person Bob")
    assert "changed the role of Bob from unknown to unknown" in text_of(client.get(LOG))


def test_an_empty_log_says_what_will_be_here(client: FlaskClient, olga: User) -> None:
    assert "Entries will appear here" in text_of(client.get(LOG))


@pytest.mark.parametrize("role", [Role.STAKEHOLDER, Role.RESPONDER, Role.USER, Role.SUPPORT])
@pytest.mark.parametrize("url", [LOG, CSV])
def test_others_read_whom_to_ask(app: Flask, client: FlaskClient, role: Role, url: str) -> None:
    with app.app_context():
        sign_in(client, make_user(role=role))
    answer = client.get(url)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "Only admins can read the audit log. Ask an admin" in text_of(answer)
    assert f'href="{LOG}"' not in answer.text


def test_nobody_reads_the_log_of_another_account(
    app: Flask, client: FlaskClient, olga: User, write: Write
) -> None:
    write()
    with app.app_context():
        sign_in(client, make_user(role=Role.OWNER))
    assert "Prometheus" not in client.get(LOG).text
    assert exported(client) == []


def test_the_log_is_filtered_by_person_kind_and_subject(
    app: Flask, client: FlaskClient, olga: User, write: Write
) -> None:
    with app.app_context():
        sue = make_user(role=Role.SUPPORT, name="Sue")
    write(subject="source by Olga", by=olga)
    write(subject="source of 100% noise", by=log.COMMAND_LINE)
    write(AuditAction.WORKSPACE_BROKEN, subject="workspace Acme Corp", by=log.SLACK)
    write(AuditAction.WORKSPACE_VIEWED_BY_SUPPORT, subject="workspace Acme Corp", by=sue)

    def subjects(**filters: str) -> list[str]:
        return [row[4] for row in exported(client, **filters)]

    assert subjects(who=str(olga.id)) == ["source by Olga"]
    assert subjects(who="command-line") == ["source of 100% noise"]
    assert subjects(who="slack", kind="slack") == ["workspace Acme Corp"]
    assert [row[1] for row in exported(client, who="support")] == ["Sue"]
    assert subjects(kind="sources") == ["source of 100% noise", "source by Olga"]
    assert subjects(q="BY olga") == ["source by Olga"]
    assert subjects(q="100% n") == ["source of 100% noise"]
    assert subjects(q="100%noise") == []  # a % is a %, nothing else
    seen = text_of(client.get(LOG, query_string={"kind": "sources", "q": "olga"}))
    assert "source by Olga" in seen
    assert "noise" not in seen
    assert "Nothing in the log fits" in text_of(client.get(LOG, query_string={"q": "nowhere"}))


def test_a_day_begins_and_ends_where_the_reader_lives(
    app: Flask, client: FlaskClient, olga: User, write: Write
) -> None:
    with app.app_context():
        db.session.get_one(User, olga.id).time_zone = "Pacific/Auckland"  # UTC+13 in November
        db.session.commit()
    for hour in (10, 11):
        with time_machine.travel(datetime(2026, 11, 23, hour, 30, tzinfo=UTC), tick=False):
            write(subject=f"source at {hour}")
    sign_in(client, olga)
    for filters, expected in (
        ({"from": "2026-11-24"}, ["source at 11"]),
        ({"to": "2026-11-23"}, ["source at 10"]),
        ({"from": "2026-11-23", "to": "2026-11-24"}, ["source at 11", "source at 10"]),
        ({"from": "2026-11-25"}, []),
    ):
        assert [row[4] for row in exported(client, **filters)] == expected, filters


@pytest.mark.parametrize(
    "filters",
    [
        {"who": "99999999999999999999"},
        {"who": "nobody"},
        {"kind": "weather"},
        {"from": "yesterday", "to": "9999-12-31"},
        {"from": "0001-01-01"},
        {"before": "-1"},
        {"q": "\0"},
    ],
)
def test_a_filter_that_cannot_be_read_asks_for_everything(
    client: FlaskClient, olga: User, write: Write, filters: dict[str, str]
) -> None:
    write()
    answer = client.get(LOG, query_string=filters)
    assert answer.status_code == HTTPStatus.OK
    assert "disabled the alert source Prometheus" in text_of(answer)


def test_pages_follow_each_other_without_a_gap(
    client: FlaskClient, olga: User, write: Write
) -> None:
    for number in range(PAGE + 2):
        write(subject=f"source no {number:03}.")
    first = client.get(LOG)
    assert f"no {PAGE + 1:03}." in first.text
    assert "no 001." not in first.text
    older = first.text.split('rel="next" href="')[1].split('"')[0]
    write(subject="source that came meanwhile")
    second = text_of(client.get(older))
    assert "no 001." in second
    assert "no 000." in second
    assert "no 002." not in second
    assert "Newest" in second
    assert "Older" not in second


def test_an_unchanged_list_costs_a_304(client: FlaskClient, olga: User, write: Write) -> None:
    write()
    asked = {"HX-Request": "true", "HX-Target": "audit-list"}
    first = client.get(LOG, headers=asked)
    assert first.text.lstrip().startswith('<section id="audit-list"')
    asked["If-None-Match"] = first.headers["ETag"]
    assert client.get(LOG, headers=asked).status_code == HTTPStatus.NOT_MODIFIED
    write()
    assert client.get(LOG, headers=asked).status_code == HTTPStatus.OK


def test_the_export_is_complete_and_newest_first(
    client: FlaskClient, olga: User, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.web.settings.audit_log.ROWS_AT_ONCE", 2)
    for number in range(5):
        write(subject=f"source {number}")
    answer = client.get(CSV)
    assert answer.content_type == "text/csv; charset=utf-8"
    assert 'attachment; filename="audit-log-' in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert [row[4] for row in exported(client)] == [f"source {n}" for n in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "＝1", "a,b"])
def test_no_cell_of_the_export_is_a_formula(
    client: FlaskClient, olga: User, write: Write, name: str
) -> None:
    write(by=name, subject=name)
    (row,) = exported(client)
    assert row[4] == (name if name == "a,b" else f"'{name}")
    assert row[1] == row[4].replace("a", "A")


def test_the_page_links_to_the_export_of_what_it_shows(
    client: FlaskClient, olga: User, write: Write
) -> None:
    page = client.get(LOG, query_string={"kind": "sources", "from": "2026-01-01"})
    assert f'href="{CSV}?kind=sources&amp;from=2026-01-01"' in page.text
