"""What does every test stand on? A real PostgreSQL, the real app, and no way out to the network."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Playwright, expect
from sqlalchemy import text

from portal import create_app, private_postgres
from portal.db import db
from portal.settings import Settings

ROOT = Path(__file__).parent.parent
expect.set_options(timeout=20_000)  # milliseconds; a busy machine is no fault
LOCALHOST = {"127.0.0.1", "::1", "localhost"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# As root it needs the first; the others keep it from asking its makers for anything.
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The DATABASE_URL of a PostgreSQL of our own, for this run only. `portal_app` migrates it."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-"))
    folder.chmod(0o711)  # so that PostgreSQL's user gets through
    yield private_postgres.url(folder / "postgres", durable=False)
    private_postgres.stop(folder / "postgres")
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def settings(database: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Everything set, nothing read from the environment that could differ between machines.

    A test with a Slack of its own makes its own app:
    `create_app(settings.model_copy(update={"SLACK_API_URL": …}))`.
    """
    return Settings(
        APP_ENV="development",
        DATABASE_URL=database,
        TOCSIN_HOME=tmp_path_factory.mktemp("home"),
        PUBLIC_URL="http://localhost",
        LOG_LEVEL="WARNING",
        SECRET_KEY="a secret key for tests, long enough to sign with",
        ENCRYPTION_KEYS=[Fernet.generate_key().decode()],
        SLACK_CLIENT_ID="1111.2222",
        SLACK_CLIENT_SECRET="test-client-secret",
        SLACK_SIGNING_SECRETS=["test-signing-secret"],
        SLACK_APP_ID="",
        SLACK_API_URL="http://127.0.0.1:9/api/",
        SLACK_AUTHORIZE_URL="http://127.0.0.1:9/oauth/v2/authorize",
        SLACK_RESPONSE_HOSTS=["hooks.slack.com"],
        SMTP_URL="",
        MAIL_FROM="",
        EVENTS_PER_MINUTE=6000,
        TRUSTED_PROXIES=0,
    )


@pytest.fixture(scope="session")
def portal_app(settings: Settings) -> Iterator[Flask]:
    """One app for the whole run, on a database made by running all migrations."""
    app = create_app(settings)
    app.testing = True
    with app.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def clean(portal_app: Flask) -> Iterator[None]:
    """Empty tables for the next test, whatever this one left behind."""
    yield
    empty(portal_app)


# Only the tables that hold something, and without their foreign keys: TRUNCATE makes new files for
# every table and index, which took longer than most tests.
EMPTY = """
DO $$
DECLARE name text; holds_rows boolean;
BEGIN
    SET LOCAL lock_timeout = '10s';  -- say it instead of hanging
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO holds_rows;
        IF holds_rows THEN
            EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
END $$
"""


def empty(app: Flask) -> None:
    """Nothing is left but the tables themselves."""
    with app.app_context():
        db.session.execute(text(EMPTY))
        db.session.commit()


@pytest.fixture
def app(portal_app: Flask, clean: None) -> Flask:
    """The app, with empty tables. Push a context around set-up only, never around client calls.

    In an open context all requests of the test client would share `g` and the database session.
    """
    return portal_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that is not signed in; see tests.make.sign_in."""
    return app.test_client()


@pytest.fixture(scope="session")
def one_chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, once for the whole run; without it the tests that ask for it are skipped."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def chromium(one_chromium: Browser) -> Iterator[Browser]:
    """The browser, for the tests of one file: their pages would go on asking servers that ended."""
    yield one_chromium
    for context in one_chromium.contexts:
        context.close()


@pytest.fixture(autouse=True)
def only_localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches the network. An OSError, so that the caller closes its socket."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in LOCALHOST:
            raise ConnectionRefusedError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
