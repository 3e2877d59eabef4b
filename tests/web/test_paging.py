"""Do long lists come in pages, so that none becomes too long to open?"""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import db, now
from portal.domain.accounts.models import Account
from portal.domain.accounts.permissions import Role
from portal.domain.alerts.incoming import EventType
from portal.domain.alerts.models import Outcome, ReceivedEvent
from portal.domain.sources.models import AlertSource
from portal.web.paging import PAGE
from tests.make import (
    make_account,
    make_action,
    make_policy,
    make_schedule,
    make_source,
    make_user,
    sign_in,
)
from tests.web.pages import text_of


@pytest.fixture
def account(app: Flask, client: FlaskClient) -> Account:
    """An account whose admin is signed in."""
    with app.app_context():
        account = make_account()
        sign_in(client, make_user(account, role=Role.ADMIN, name="000 Olga"))
    return account


LISTS = {
    "/settings/users": lambda account: make_user(account),
    "/alert-sources": lambda account: make_source(account),
    "/alert-actions": lambda account: make_action(account=account),
    "/escalation-policies": lambda account: make_policy(account),
    "/schedules": lambda account: make_schedule(make_user(account)),
}
ROWS = {
    "/settings/users": r'id="user-(\d+)"',
    "/alert-sources": r'href="/alert-sources/(\d+)"',
    "/alert-actions": r'href="/alert-actions/(\d+)"',
    "/escalation-policies": r'href="/escalation-policies/(\d+)"',
    "/schedules": r'href="/schedules/(\d+)"',
}


@pytest.mark.parametrize("path", LISTS)
def test_a_long_list_comes_in_pages_and_nothing_is_left_out(
    app: Flask, client: FlaskClient, account: Account, path: str
) -> None:
    with app.app_context():
        for _ in range(PAGE + 3):
            LISTS[path](account)

    def rows(query: str) -> list[str]:
        return re.findall(ROWS[path], client.get(path + query).text)

    first, second = rows(""), rows("?page=2")
    assert len(first) == PAGE
    assert len(set(first + second)) == len(first) + len(second) >= PAGE + 3
    assert "Page 1 of 2" in text_of(client.get(path))
    assert 'href="?page=2"' in client.get(path).text
    assert rows("?page=0") == rows("?page=x") == rows("?page=-1") == first
    assert rows("?page=99999999999999999999") == first
    assert rows("?page=9") == second


def test_a_short_list_has_no_pages(client: FlaskClient, account: Account) -> None:
    assert "Page 1" not in text_of(client.get("/settings/users"))


def test_older_events_of_a_source_are_on_the_next_pages(
    app: Flask, client: FlaskClient, account: Account
) -> None:
    with app.app_context():
        source, _ = make_source(account)
        log_events(source, 120)
    page, seen = f"/alert-sources/{source.id}", list[str]()
    while page:
        text = client.get(page).text
        seen += re.findall(r"event no\. (\d+)\.", text)
        older = re.search(r'rel="next" href="([^"#]+)', text)
        page = older[1].replace("&amp;", "&") if older else ""
    assert seen == [str(number) for number in reversed(range(120))]
    for nonsense in ("x", "2024-01-01T00:00", "0001-01-01T00:00+00:00"):
        answer = client.get(f"/alert-sources/{source.id}", query_string={"before": nonsense})
        assert "event no. 119." in answer.text


def log_events(source: AlertSource, count: int) -> None:
    begun = now() - timedelta(hours=1)
    for number in range(count):
        db.session.add(
            ReceivedEvent(
                id=f"00000000-0000-0000-0000-{number:012}",
                source_id=source.id,
                received_at=begun + timedelta(seconds=number),
                type=EventType.ALERT,
                summary=f"event no. {number}.",
                outcome=Outcome.JOINED,
            )
        )
    db.session.commit()
