"""Is any secret found where it does not belong: log, page, answer, export, error, database?

One story goes through everything that touches a secret, with the log at DEBUG. On the way all that
the portal says is collected, and in the end every secret is looked for in all of it.
"""

import io
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from html import unescape
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.sources.models import AlertSource
from portal.observability import logging
from portal.slack import rotation, workspace
from portal.slack.errors import SlackError
from portal.slack.installations import SlackInstallation
from tests.make import PASSWORD, make_action, make_user, sign_in
from tests.slack.conftest import Story
from tests.slack.links import credentials
from tests.web.pages import post

CHANNEL = "C0ALERTS"
CHOSEN = "a password of Grace's own"
ROWS = {
    "alert_id": "alerts",
    "source_id": "alert_sources",
    "action_id": "alert_actions",
    "user_id": "users",
    "sign_in_id": "sign_ins",
    "notice_id": "notices",
    "workspace_id": "slack_installations",
}


class Detective:
    """Collects what the portal says and knows what it must never say."""

    def __init__(self, story: Story, log: io.StringIO) -> None:
        self.story, self.log = story, log
        self.said: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.log_secrets: dict[str, str] = {}  # elsewhere they have a place
        config = story.app.config
        self.secrets["client secret"] = config["SLACK_CLIENT_SECRET"]
        self.secrets["signing secret"] = config["SLACK_SIGNING_SECRETS"][0]
        self.secrets["secret key"] = config["SECRET_KEY"]
        self.secrets["encryption key"] = config["ENCRYPTION_KEYS"][0]
        self.secrets["password"], self.secrets["chosen password"] = PASSWORD, CHOSEN

    def hear(self, where: str, answer: TestResponse) -> TestResponse:
        headers = "\n".join(f"{n}: {v}" for n, v in answer.headers if n != "Set-Cookie")
        self.said[f"{len(self.said)} {where}: {answer.status}"] = f"{headers}\n{answer.text}"
        return answer

    def browser(self, person: User | None) -> FlaskClient:
        client = self.story.app.test_client()
        if person is not None:
            self.secrets[f"sign-in {len(self.secrets)}"] = sign_in(client, person)
        return client

    def keep_cookie(self, client: FlaskClient) -> None:
        cookie = client.get_cookie("tocsin")
        assert cookie is not None
        self.secrets[f"cookie {len(self.secrets)}"] = cookie.value

    def ask_everything(
        self, moment: str, people: dict[str, User], methods: Collection[str] = ("GET",)
    ) -> None:
        """Every page for these people and for strangers; forms are sent without their token."""
        urls = self.story.app.url_map.bind("localhost")
        ids = self._ids()
        for name, person in {**people, "stranger": None}.items():
            client = self.browser(person)
            for rule in self.story.app.url_map.iter_rules():
                if rule.endpoint in ("static", "login.logout"):
                    continue
                for method in set(methods) & (rule.methods or set()):
                    row = {arg: ids.get(arg, 1) for arg in rule.arguments}
                    url = urls.build(rule.endpoint, row, method)
                    self.hear(f"{moment}, {name}: {method} {url}", client.open(url, method=method))
            if person is not None:
                self.keep_cookie(client)
        self._dump(moment)

    def _ids(self) -> dict[str, int | str]:
        with self.story.app.app_context():
            found: dict[str, int | str] = {
                name: db.session.scalar(text(f"SELECT max(id) FROM {table}")) or 1
                for name, table in ROWS.items()
            }
        return {**found, "token": "unknown"}

    def _dump(self, moment: str) -> None:
        """Every row of every table, as text; PostgreSQL writes bytes as hexadecimal digits."""
        with self.story.app.app_context():
            tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            for table in db.session.scalars(text(tables)).all():
                rows = db.session.scalars(text(f'SELECT t::text FROM "{table}" t')).all()
                self.said[f"{moment}, table {table}"] = "\n".join(rows)

    def learn_from_slack(self) -> None:
        """All tokens, codes and addresses to answer at that the pretend Slack ever gave away."""
        with self.story.sandbox.platform.reading() as world:
            self.secrets.update({f"token {token}": token for token in world.tokens})
            self.secrets.update({f"refresh token {token}": token for token in world.refresh_tokens})
            self.secrets.update({f"code {code}": code for code in world.codes})
            self.log_secrets.update({f"response_url {each}": each for each in world.response_urls})
        for delivery in self.story.sandbox.deliveries():
            self.said[f"answer to Slack {delivery.seq}"] = delivery.answer

    def leaks(self) -> list[str]:
        places = {**self.said, "the log": self.log.getvalue()}
        everywhere = [
            (name, where, place) for name in self.secrets for where, place in places.items()
        ]
        logged = [(name, "the log", self.log.getvalue()) for name in self.log_secrets]
        known = {**self.secrets, **self.log_secrets}
        return [
            f"{name} in {where}"
            for name, where, place in everywhere + logged
            if any(form in place for form in _forms(known[name]))
        ]


def _forms(secret: str) -> set[str]:
    """How a secret may be written: as it is, in a URL, as bytes in a dump, as a name in Python."""
    return {secret, quote(secret, safe=""), secret.encode().hex(), repr(secret)[1:-1]}


@pytest.fixture
def detective(story: Story, monkeypatch: pytest.MonkeyPatch) -> Iterator[Detective]:
    heard = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", heard)
        logging.configure("DEBUG")
    story.app.config["PROPAGATE_EXCEPTIONS"] = False
    yield Detective(story, heard)
    story.app.config["PROPAGATE_EXCEPTIONS"] = None
    logging.configure("WARNING")


@contextmanager
def refusing(story: Story, table: str, condition: str) -> Iterator[None]:
    """The database fails where the portal does not expect it to."""
    with story.app.app_context():
        broken = f"ADD CONSTRAINT broken CHECK (NOT ({condition})) NOT VALID"
        db.session.execute(text(f"ALTER TABLE {table} {broken}"))
        db.session.commit()
    yield
    with story.app.app_context():
        db.session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT broken"))
        db.session.commit()


def follow_sign_in(detective: Detective, person: User) -> None:
    """With a wrong password, with the right one, and out again."""
    client = detective.story.app.test_client()
    wrong = {"email": person.email, "password": f"{PASSWORD}!"}
    detective.hear("wrong password", post(client, "/login", **wrong))
    detective.hear("right password", post(client, "/login", email=person.email, password=PASSWORD))
    detective.keep_cookie(client)
    with client.session_transaction() as session:
        detective.secrets["sign-in by password"] = session["sign_in"]
    detective.hear("out", post(client, "/logout", on="/profile"))


def follow_invitation(detective: Detective, admin: User) -> None:
    """The link is on the page that made it and nowhere else; it is used while the database fails."""
    client = detective.browser(admin)
    grace = {"name": "Grace", "email": "grace@acme.example", "role": "user"}
    made = post(client, "/settings/users", **grace)
    link = unescape(re.search(r"/invitations/[^\"<]+", made.text)[0])  # type: ignore[index]
    detective.secrets["invitation"] = link.rpartition("/")[2]
    guest = detective.story.app.test_client()
    with refusing(detective.story, "users", "name = 'Grace' AND password_hash IS NOT NULL"):
        broken = post(guest, link, password=CHOSEN)
    detective.hear("a fault", broken)
    assert broken.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    detective.hear("accepted", post(guest, link, password=CHOSEN))
    detective.keep_cookie(guest)
    changed = {"old_password": CHOSEN, "password": f"{CHOSEN}, again"}
    detective.hear("changed", post(guest, "/profile/password", on="/profile", **changed))


def follow_key(detective: Detective, user: User) -> str:
    """Made, replaced, shown once each on the source's page; used rightly and wrongly."""
    client = detective.browser(user)
    made = post(client, "/alert-sources/new", name="Prometheus", type="prometheus")
    url = urlsplit(made.location).path
    for moment in ("first", "second"):
        shown = client.get(url).text
        key = re.search(r'data-copy="([\w-]{40,})"', shown)
        assert key, "the key is shown right after it was made"
        detective.secrets[f"{moment} integration key"] = key[1]
        detective.hear(f"the source, after the {moment} key was shown", client.get(url))
        if moment == "first":
            detective.hear("replaced", post(client, f"{url}/rotate", on=url))
    newest = detective.secrets["second integration key"]
    event: dict[str, Any] = {"integrationKey": newest, "eventType": "ALERT", "alertKey": "disk"}
    for body in (
        {**event, "summary": "Disk full"},
        {**event, "summary": "Disk full", "eventType": "PANIC"},
        {**event, "integrationKey": detective.secrets["first integration key"], "summary": "Old"},
        {**event, "summary": ["not", "a", "text"]},
    ):
        detective.hear(f"event {body}"[:10], client.post("/api/events", json=body))
    detective.hear("no JSON", client.post("/api/events", data=f'{{"integrationKey": "{newest}"'))
    detective.hear("ingest", client.post(f"/api/ingest/native/{newest}", json=event))
    return newest


def follow_calendar_link(detective: Detective, person: User) -> None:
    """The address is shown once; then a calendar program reads it, and one with a wrong address."""
    client = detective.browser(person)
    post(client, "/my-shifts/calendar-link", on="/my-shifts")
    found = re.search(r"/calendar/([\w-]+)\.ics", client.get("/my-shifts").text)
    assert found, "the address is shown right after it was made"
    detective.secrets["calendar link"] = found[1]
    detective.hear("my shifts", client.get("/my-shifts"))
    stranger = detective.story.app.test_client()
    assert detective.hear("the calendar", stranger.get(found[0])).status_code == HTTPStatus.OK
    detective.hear("no calendar", stranger.get(f"/calendar/{found[1]}x.ics"))


def authorize(detective: Detective, admin: User, **choice: Any) -> TestResponse:
    """To Slack and back. The state in the address is a secret of the log's."""
    browser = detective.browser(admin)
    going = detective.story.authorize(browser)
    detective.log_secrets[f"state {len(detective.log_secrets)}"] = parse_qs(urlsplit(going).query)[
        "state"
    ][0]
    back = detective.story.sandbox.consent(going, **choice)
    answer: TestResponse = detective.story.come_back(browser, back)
    detective.hear("back from Slack", answer)
    detective.hear("back from Slack, twice", detective.story.come_back(browser, back))
    detective.hear("where it leads", browser.get("/settings/connectors/slack"))
    return answer


def test_no_secret_is_found_anywhere(story: Story, detective: Detective) -> None:
    people = story.people()
    with story.app.app_context():
        people["sue"] = make_user(role=Role.SUPPORT, name="Sue")
    olivia, sandbox = people["olivia"], story.sandbox
    sandbox.admin("switch", token_rotation=True)
    follow_sign_in(detective, olivia)
    follow_invitation(detective, olivia)
    follow_calendar_link(detective, people["ada"])

    # Linking: cancelled, refused by Slack, failing in the database, and done.
    assert authorize(detective, olivia, allow=False).status_code == HTTPStatus.CONFLICT
    sandbox.add_fault(method="oauth.v2.access", effect="error", error="invalid_code", times=1)
    assert authorize(detective, olivia).status_code == HTTPStatus.CONFLICT
    with refusing(story, "audit_entries", "action = 'workspace_linked'"):
        assert authorize(detective, olivia).status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert authorize(detective, olivia).status_code == HTTPStatus.SEE_OTHER
    story.work()

    # An alert, answered in Slack by a stranger, by somebody who may not, and by somebody who may.
    client = detective.browser(olivia)
    key = follow_key(detective, people["uma"])
    with story.app.app_context():
        make_action(db.session.scalars(db.select(AlertSource)).one(), channel_id=CHANNEL)
    event = {"integrationKey": key, "eventType": "ALERT", "alertKey": "cpu", "summary": "CPU hot"}
    assert client.post("/api/events", json=event).status_code == HTTPStatus.ACCEPTED
    story.work()
    (message,) = [each for each in sandbox.messages(CHANNEL) if not each["is_ephemeral"]]
    for user_id in ("U0WALTER", "U0STAN", "U0ADA"):
        where = {"channel_id": CHANNEL, "ts": message["ts"]}
        sandbox.click(user_id=user_id, action_id="alert_acknowledge", **where)
        story.work()
    detective.ask_everything("linked", people, methods=("GET", "POST"))

    # The token is refreshed, at the second try; then Slack takes it away; the admin authorizes again.
    sandbox.add_fault(method="oauth.v2.access", effect="server_error", times=1)
    for _ in range(2):
        with story.app.app_context():
            soon = {"token_expires_at": now() + timedelta(minutes=1), "refresh_not_before": None}
            db.session.execute(db.update(SlackInstallation).values(**soon))
            rotation.refresh_ahead(account_id=olivia.account_id or 0)
    with sandbox.platform.reading() as world:
        assert len(world.tokens) == 3  # two authorizations, one refresh
    sandbox.admin("revoke", team_id="T0ACME")
    client.post("/api/events", json={**event, "alertKey": "ram", "summary": "RAM gone"})
    story.work()
    few = {name: people[name] for name in ("olivia", "stan", "sue")}
    detective.ask_everything("broken", few)
    assert authorize(detective, olivia).status_code == HTTPStatus.SEE_OTHER
    story.work()

    # Unlinked while Slack is away: the token waits, encrypted, to be revoked.
    sandbox.add_fault(method="*", effect="server_error")
    detective.hear("unlinked", post(client, "/settings/connectors/slack/unlink", on="/profile"))
    story.work()
    detective.ask_everything("unlinked", few)

    detective.learn_from_slack()
    assert detective.leaks() == []
    assert "$argon2" not in detective.log.getvalue()


def test_an_answer_that_cannot_be_read_is_not_written_to_the_log(
    story: Story, detective: Detective
) -> None:
    olivia = story.people()["olivia"]
    story.link(olivia)
    story.sandbox.add_fault(
        method="users.info", effect="not_json", variant="truncated", after_processing=True
    )
    known = credentials(story, olivia)
    with story.app.app_context(), pytest.raises(SlackError, match="not_json"):
        workspace.call(known, "users.info", user="U0ADA")
    assert "request_answered" in detective.log.getvalue()
    assert "Failed to decode" not in detective.log.getvalue()


def test_the_search_would_find_a_secret(story: Story, detective: Detective) -> None:
    people = story.people()
    story.link(people["olivia"])
    detective.ask_everything("planted", {"olivia": people["olivia"]})
    for name, found_in in {
        "planted, olivia: GET /settings/connectors/slack": "T0ACME",
        "planted, table slack_installations": "T0ACME",
        "the log": "request_answered",
    }.items():
        detective.secrets = {"planted": found_in}
        assert any(name in leak for leak in detective.leaks()), name
    with story.app.app_context():
        stored = db.session.scalar(text("SELECT bot_token FROM slack_installations"))
    detective.secrets = {"bytes": bytes(stored).decode()}
    assert detective.leaks() == ["bytes in planted, table slack_installations"]
