"""What do the tests of the Slack edge stand on? The sandbox, and a portal that it can reach."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, update
from werkzeug.serving import make_server

from portal import create_app
from portal.db import db, now
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.settings import Settings
from portal.slack import installations, manifest, pacing, upkeep
from portal.slack.posted import Lane, PostedMessage, Summary, ThreadReply
from portal.slack_sandbox import Sandbox
from tests.make import make_account, make_user, sign_in
from tests.together import work


class Story:
    """A portal and a pretend Slack that know each other, and what tests do with the two."""

    def __init__(self, app: Flask, sandbox: Sandbox) -> None:
        self.app, self.sandbox = app, sandbox

    def people(self, account: str = "Acme") -> dict[str, User]:
        """An account with one person of each role; all but Walter are in Slack's Acme as well."""
        names = {
            "olivia": Role.OWNER,
            "adam": Role.ADMIN,
            "uma": Role.USER,
            "ada": Role.RESPONDER,
            "stan": Role.STAKEHOLDER,
        }
        with self.app.app_context():
            acme = make_account(account)
            domain = account.lower()
            return {
                name: make_user(
                    acme, role=role, name=name.capitalize(), email=f"{name}@{domain}.example"
                )
                for name, role in names.items()
            }

    def browser(self, person: User | None = None) -> FlaskClient:
        client = self.app.test_client()
        if person is not None:
            sign_in(client, person)
        return client

    def authorize(self, browser: FlaskClient) -> str:
        """Press Authorize; returns the URL at Slack."""
        answer = post(browser, "/settings/connectors/slack/authorize")
        assert answer.status_code in (302, 303), answer.text
        return str(answer.location)

    def come_back(self, browser: FlaskClient, callback_url: str) -> Any:
        return browser.get(callback_url.removeprefix(self.app.config["PUBLIC_URL"]))

    def link(self, admin: User, *, team_id: str = "T0ACME", user_id: str = "U0OLIVIA") -> None:
        """Authorize, allow, come back."""
        browser = self.browser(admin)
        callback = self.sandbox.consent(self.authorize(browser), team_id=team_id, user_id=user_id)
        answer = self.come_back(browser, callback)
        assert answer.status_code in (302, 303), answer.text
        self.work()

    def work(self) -> None:
        """Run the jobs that are due."""
        work(self.app)

    def installation(self, account: Account | int) -> installations.SlackInstallation | None:
        account_id = account if isinstance(account, int) else account.id
        with self.app.app_context():
            return installations.of_account(account_id)


def pass_the_pace(story: Story) -> None:
    """As if a while had gone by: what Slack forbade, or we spared it, may be done now."""
    with story.app.app_context():
        free = {"next_at": now(), "paced_at": now(), "returns_at": None, "held_reason": None}
        db.session.execute(update(Lane).values(**free, post_at=None, update_at=None))
        db.session.execute(update(pacing.Outage).values(next_try_at=now()))
        db.session.execute(delete(pacing.Pace))
        for kind in (PostedMessage, Summary, ThreadReply):
            db.session.execute(update(kind).values(not_before=None))
        earlier = Summary.shown_at - timedelta(seconds=10)
        db.session.execute(update(Summary).values(shown_at=earlier))
        upkeep.wake_behind()
        db.session.commit()
    story.work()


def post(browser: FlaskClient, path: str, **fields: Any) -> Any:
    """Submit a form of the page, with the CSRF token that every page carries."""
    page = browser.get("/settings/connectors").text
    token = page.split('"X-CSRFToken":"')[1].split('"')[0]
    return browser.post(path, data={"csrf_token": token, **fields})


@pytest.fixture(scope="session")
def connected(settings: Settings, portal_app: Flask) -> Iterator[Story]:
    """Portal and sandbox, each as a server in a thread of this process."""
    made: list[Flask] = []

    def portal(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        # As a whole: Werkzeug's server forgets to close a file whose reader has gone away.
        with closing(made[0](environ, start_response)) as answer:
            return [b"".join(answer)]

    server = make_server("127.0.0.1", 0, portal, threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    sandbox = Sandbox(
        manifest.build(url),
        client_id=settings.SLACK_CLIENT_ID,
        client_secret=settings.SLACK_CLIENT_SECRET,
        signing_secret=settings.SLACK_SIGNING_SECRETS[0],
        app_id="A0TOCSIN",
    )
    with sandbox:
        app = create_app(
            settings.model_copy(
                update={
                    "PUBLIC_URL": url,
                    "SLACK_API_URL": sandbox.api_url,
                    "SLACK_AUTHORIZE_URL": sandbox.authorize_url,
                    "SLACK_RESPONSE_HOSTS": [sandbox.response_host],
                    "SLACK_APP_ID": "A0TOCSIN",
                }
            )
        )
        app.testing = True
        made.append(app)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Story(app, sandbox)
        server.shutdown()
        thread.join()
        server.server_close()
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def story(connected: Story, clean: None) -> Story:
    """A fresh start on both sides."""
    connected.sandbox.reset()
    return connected
