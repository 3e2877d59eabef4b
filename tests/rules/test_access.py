"""Is every route refused to everybody who may not use it? Generated: a new route is tested too."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from portal.db import db, now
from portal.domain.accounts.models import Account, SignIn, User
from portal.domain.accounts.permissions import HIDDEN, PERMISSIONS, Permission, Role
from portal.domain.notices.models import Notice
from tests.make import (
    make_account,
    make_action,
    make_alert,
    make_installation,
    make_override,
    make_policy,
    make_schedule,
    make_shift,
    make_slack_settings,
    make_source,
    make_static_schedule,
    make_user,
    sign_in,
)

# Neither a page nor signed: who may use these, and why that is no danger.
OTHERWISE_GUARDED = {
    "static": "the same files for everybody",
    "ingest.events": "the integration key in the body",
    "ingest.only_post": "always refused",
    "ingest.from_alertmanager": "the integration key in the address",
    "ingest.only_post_notifications": "always refused",
    "health.healthz": "says nothing about any account",
    "health.readyz": "says nothing about any account",
    "health.show_metrics": "numbers only, of no account",
}
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
MARK = "Zanzibar"  # in every name of the account that nobody else may see
PEOPLE = "SELECT id FROM users WHERE account_id = :account_id"
SCHEDULED = "schedule_id IN (SELECT id FROM schedules WHERE account_id = :account_id)"
WATCHED = {
    "accounts": "id = :account_id",
    "users": "account_id = :account_id",
    "alerts": "account_id = :account_id",
    "alert_sources": "account_id = :account_id",
    "alert_actions": "account_id = :account_id",
    "dedicated_channels": "account_id = :account_id",
    "slack_sources": "account_id = :account_id",
    "slack_user_groups": "account_id = :account_id",
    "slack_source_channels": "account_id = :account_id",
    "slack_source_policies": "account_id = :account_id",
    "slack_installations": "account_id = :account_id",
    "schedules": "account_id = :account_id",
    "audit_entries": "account_id = :account_id",
    "notices": "account_id = :account_id",
    "invitations": f"user_id IN ({PEOPLE})",
    "sign_ins": f"user_id IN ({PEOPLE})",
    "schedule_versions": SCHEDULED,
    "rotation_layers": f"version_id IN (SELECT id FROM schedule_versions WHERE {SCHEDULED})",
    "static_shifts": SCHEDULED,
    "overrides": SCHEDULED,
    "calendar_links": f"user_id IN ({PEOPLE})",
    "on_call_absences": f"user_id IN ({PEOPLE})",
    "timeline_entries": "alert_id IN (SELECT id FROM alerts WHERE account_id = :account_id)",
    "escalation_policies": "account_id = :account_id",
    "alert_escalations": "alert_id IN (SELECT id FROM alerts WHERE account_id = :account_id)",
    "alert_responders": "alert_id IN (SELECT id FROM alerts WHERE account_id = :account_id)",
    "notifications": f"user_id IN ({PEOPLE})",
    "notification_preferences": f"user_id IN ({PEOPLE})",
    "posted_messages": "account_id = :account_id",
    "alert_action_channels": "account_id = :account_id",
    "alert_action_runs": "alert_id IN (SELECT id FROM alerts WHERE account_id = :account_id)",
    "alert_action_tests": (
        "action_id IN (SELECT id FROM alert_actions WHERE account_id = :account_id)"
    ),
    "alert_action_sources": (
        "source_id IN (SELECT id FROM alert_sources WHERE account_id = :account_id)"
    ),
}


CALENDAR = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n"
CALENDAR_END = "END:VEVENT\nEND:VCALENDAR\n"


@dataclass(frozen=True)
class Route:
    endpoint: str
    method: str
    url: str
    permission: Permission | None
    names_a_row: bool

    def ask(self, client: FlaskClient, form: dict[str, Any]) -> TestResponse:
        data = form if self.method in UNSAFE else None
        return client.open(self.url, method=self.method, data=data)

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


@dataclass(frozen=True)
class World:
    """An account with one row of every kind, and what a valid form about them says."""

    account: Account
    ids: dict[str, int | str]
    form: dict[str, Any]


@pytest.fixture
def world(app: Flask, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # it would refuse before we can
    with app.app_context():
        account = make_account(f"{MARK} Inc.")
        person = make_user(account, name=f"{MARK} person")
        source, _ = make_source(account, name=f"{MARK} source", type="slack")
        action = make_action(source, channel_name=f"{MARK.lower()}-ops")
        policy = make_policy(account, [person], name=f"{MARK} policy", source=source)
        make_slack_settings(source, policy, channel_name=f"{MARK.lower()}-questions")
        alert = make_alert(source, summary=f"{MARK} is on fire")
        workspace = make_installation(person, team_id="T0MARK", team_name=f"{MARK} workspace")
        schedule = make_schedule(person, name=f"{MARK} schedule")
        soon, later = now() + timedelta(hours=1), now() + timedelta(hours=9)
        override = make_override(schedule, person, soon, later)
        shift = make_shift(
            make_static_schedule(account, name=f"{MARK} shifts"), person, soon, later
        )
        notice = Notice(
            account_id=account.id, user_id=person.id, about="link", text=f"{MARK} broke", path="/"
        )
        db.session.add(notice)
        db.session.commit()
        notice_id = notice.id
    sign_in(app.test_client(), person)
    with app.app_context():
        browser = db.session.scalars(db.select(SignIn.id)).one()
    ids = {
        "alert_id": alert.id,
        "source_id": source.id,
        "action_id": action.id,
        "policy_id": policy.id,
        "user_id": person.id,
        "notice_id": notice_id,
        "sign_in_id": browser,
        "workspace_id": workspace.id,
        "token": "unknown",
        "schedule_id": schedule.id,
        "override_id": override.id,
        "shift_id": shift.id,
    }
    part = f"{person.id}|{soon.isoformat()}|{later.isoformat()}"
    form = {
        "name": "Renamed",
        "type": "api",
        "sources": source.id,
        "channel_id": "C0123456789",
        "channel": "C0123456789",
        "channel_name": "elsewhere",
        "channels": "C0123456789",
        "offer-0-policy": policy.id,
        "handle": "oncall",
        "phone": "+442079460958",
        "content": "A remark",
        "source_id": source.id,
        "policy_id": policy.id,
        "summary": "Smoke in the cellar",
        "level": "1",
        "target": f"person:{person.id}",
        "person": f"person:{person.id}",
        "level-0-timeout": "5",
        "level-0-target": f"person:{person.id}",
        "email": "somebody@example.com",
        "role": "user",
        "user_id": person.id,
        "ends_at": f"{later:%Y-%m-%dT%H:%M}",
        "time_zone": "UTC",
        "layers": 1,
        "layer-0-starts_on": "2024-01-01T09:00",
        "layer-0-every": 1,
        "layer-0-unit": "weeks",
        "layer-0-person": person.id,
        "of": person.id,
        "to": person.id,
        "start": soon.isoformat(),
        "end": later.isoformat(),
        "schedule": schedule.id,
        "one": part,
        "other": part,
        "confirm": "1",
        "archive_channel_days": "3",
        "hours": "1",
        "slack_high": "5",
        "default_user_id": person.id,
        "calendar": f"{CALENDAR}DTSTART:{soon:%Y%m%dT%H%M%SZ}\nDURATION:PT1H\n{CALENDAR_END}",
    }
    return World(account, ids, form)


def routes(app: Flask, world: World) -> Iterator[Route]:
    urls = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OTHERWISE_GUARDED:
            continue
        unknown = rule.arguments - world.ids.keys()
        assert not unknown, f"{rule.rule}: say in test_access.py which row {unknown} names"
        access = getattr(app.view_functions[rule.endpoint], "access", None)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            url = urls.build(rule.endpoint, {n: world.ids[n] for n in rule.arguments}, method)
            permission = access if isinstance(access, Permission) else None
            yield Route(rule.endpoint, method, url, permission, bool(rule.arguments))


EVERYTHING = " UNION ALL ".join(
    f"SELECT '{table}', CAST({table} AS text) FROM {table} WHERE {where}"
    for table, where in WATCHED.items()
)


def rows(app: Flask, account: Account) -> list[tuple[str, str]]:
    """All that the account has; what is compared before and after."""
    with app.app_context():
        found = db.session.execute(text(EVERYTHING), {"account_id": account.id})
        return sorted((table, row) for table, row in found)


def test_every_route_says_who_may_use_it(portal_app: Flask) -> None:
    for endpoint, view in portal_app.view_functions.items():
        declared = getattr(view, "access", None) or OTHERWISE_GUARDED.get(endpoint)
        assert declared, f"{endpoint}: write @requires(Permission.…) or @public above it"


def test_strangers_are_sent_to_the_sign_in_page(app: Flask, world: World) -> None:
    before, stranger = rows(app, world.account), app.test_client()
    for route in routes(app, world):
        if route.permission is None:
            continue
        answer = route.ask(stranger, world.form)
        assert answer.status_code == 303, f"{route}: {answer.status}"
        assert answer.headers["Location"].startswith("/login"), route
        assert rows(app, world.account) == before, f"{route} changed something"


@pytest.mark.parametrize("role", Role)
def test_a_role_is_refused_what_it_may_not(app: Flask, world: World, role: Role) -> None:
    with app.app_context():
        person = make_user(None if role is Role.SUPPORT else world.account, role=role)
    client = app.test_client()
    sign_in(client, person)
    before = rows(app, world.account)
    for route in routes(app, world):
        if route.permission is None or route.permission in PERMISSIONS[role]:
            continue
        answer = route.ask(client, world.form)
        expected = 404 if route.permission in HIDDEN else 403
        assert answer.status_code == expected, f"{role} {route}: {answer.status}"
        assert rows(app, world.account) == before, f"{role} {route} changed something"


@pytest.mark.parametrize("role", Role)
def test_nobody_sees_or_changes_another_account(app: Flask, world: World, role: Role) -> None:
    with app.app_context():
        person = make_user(role=role)
    client = app.test_client()
    before = rows(app, world.account)
    for route in routes(app, world):
        sign_in(client, person)  # anew, since one of the routes signs out
        answer = route.ask(client, world.form)
        where = f"{role} {route}: {answer.status}"
        if role is Role.SUPPORT and route.permission in HIDDEN:
            assert answer.status_code == (403 if route.method in UNSAFE else 200), where
            before = rows(app, world.account)  # staff may know the workspaces; it is audited
            continue
        assert rows(app, world.account) == before, f"{where} changed something"
        assert MARK.lower() not in answer.text.lower(), f"{where} shows something"
        # Ending a sign-in that one does not have is no error: it may have ended meanwhile.
        if route.names_a_row and route.permission and route.endpoint != "profile.revoke":
            is_hidden = route.permission in PERMISSIONS[role] | HIDDEN
            assert answer.status_code == (404 if is_hidden else 403), where


def test_every_form_needs_its_token(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = True  # the fixture's monkeypatch restores what was
    with app.app_context():
        owner = make_user(world.account, role=Role.OWNER)
    client = app.test_client()
    sign_in(client, owner)
    before = rows(app, world.account)
    for route in routes(app, world):
        if route.method in UNSAFE and not route.url.startswith("/slack/"):
            answer = route.ask(client, world.form)
            assert answer.status_code == 400, f"{route}: {answer.status}"
            assert rows(app, world.account) == before, f"{route} changed something"


def test_slack_is_refused_without_a_signature(app: Flask, world: World) -> None:
    found = [route for route in routes(app, world) if route.url.startswith("/slack/")]
    assert len(found) >= 4
    for route in found:
        assert route.ask(app.test_client(), {"payload": "{}"}).status_code in (401, 403), route


def test_who_is_deactivated_is_out_at_the_next_request(app: Flask, world: World) -> None:
    with app.app_context():
        person = make_user(world.account, role=Role.ADMIN)
    client = app.test_client()
    sign_in(client, person)
    assert client.get("/alerts").status_code == 200
    with app.app_context():
        db.session.get_one(User, person.id).deactivated_at = person.created_at
        db.session.commit()
    assert client.get("/alerts").status_code == 303


def test_who_is_demoted_loses_it_at_the_next_request(app: Flask, world: World) -> None:
    with app.app_context():
        person = make_user(world.account, role=Role.ADMIN)
    client = app.test_client()
    sign_in(client, person)
    assert client.get("/settings/users").status_code == 200
    with app.app_context():
        db.session.get_one(User, person.id).role = Role.STAKEHOLDER
        db.session.commit()
    assert client.get("/settings/users").status_code == 403
    assert client.get("/alerts").status_code == 403
