"""What is missing or wrong with this installation? For `tocsin doctor` and the Slack page alike."""

from collections.abc import Iterator
from typing import NamedTuple

from flask import current_app
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from portal import private_postgres
from portal.db import db
from portal.observability.health import CHECKS
from portal.slack import app_check, encryption
from portal.slack.installations import LinkState, SlackInstallation

FINE, NOTE, WRONG = "ok", "note", "WRONG"


class Finding(NamedTuple):
    """`verdict` is FINE, NOTE or WRONG."""

    verdict: str
    words: str


def examine() -> Iterator[Finding]:
    """Look at the running configuration and the database. Needs an app context."""
    yield from _addresses()
    yield from _slack_app()
    if not current_app.config["DATABASE_URL"]:
        home = current_app.config["TOCSIN_HOME"]
        words = f"DATABASE_URL is not set: a private PostgreSQL under {home} is used."
        yield Finding(NOTE, words)
    yield from _database()


def _addresses() -> Iterator[Finding]:
    public_url = current_app.config["PUBLIC_URL"]
    if public_url.startswith("https://"):
        yield Finding(FINE, f"Slack and people reach the portal at {public_url}.")
    elif current_app.config["SLACK_API_URL"].startswith("https://"):
        yield Finding(
            WRONG, f"PUBLIC_URL is {public_url}: Slack only calls addresses with https://."
        )
    else:
        yield Finding(NOTE, f"PUBLIC_URL is {public_url}: enough for a pretend Slack.")


def _slack_app() -> Iterator[Finding]:
    missing = app_check.missing_settings()
    if missing:
        yield Finding(
            WRONG,
            "The Slack app is not set up: create one from the output of `tocsin manifest`, then set"
            f" {', '.join(missing)}.",
        )
        return
    yield Finding(FINE, "The Slack app's id and secrets are set.")
    if not current_app.config["SLACK_APP_ID"]:
        yield Finding(NOTE, "SLACK_APP_ID is not set: callbacks of other apps are not told apart.")
    problem = app_check.refusal()
    if problem:
        yield Finding(WRONG, problem)
    else:
        yield Finding(FINE, "Slack knows the app by this client id and secret.")


def _database() -> Iterator[Finding]:
    try:
        version = db.session.scalar(text("SHOW server_version_num"))
    except SQLAlchemyError as problem:
        words = " ".join(str(getattr(problem, "orig", problem)).split())
        yield Finding(WRONG, f"The database does not answer; see DATABASE_URL. It says: {words}")
        return
    major = int(version or 0) // 10000
    if major < private_postgres.OLDEST:
        yield Finding(
            WRONG, f"PostgreSQL {major} is too old: {private_postgres.OLDEST} or newer is needed."
        )
    yield Finding(FINE, f"PostgreSQL {major} answers.")
    is_migrated, words = CHECKS["migrations"]()
    yield Finding(FINE if is_migrated else WRONG, words)
    if is_migrated:
        is_working, words = CHECKS["worker"]()
        yield Finding(FINE if is_working else WRONG, words)
        yield from _tokens()
        yield from _links()


def _tokens() -> Iterator[Finding]:
    """A key that was taken away from ENCRYPTION_KEYS leaves tokens that nobody can open."""
    closed = list(encryption.closed())
    if closed:
        yield Finding(
            WRONG,
            f"ENCRYPTION_KEYS no longer opens {len(closed)} of the stored Slack tokens"
            f" ({', '.join(closed[:20])}): add the key that was used before, or have an admin link"
            " the workspace again.",
        )
    else:
        yield Finding(FINE, "ENCRYPTION_KEYS opens all stored Slack tokens.")


def _links() -> Iterator[Finding]:
    counted = select(func.count()).where(SlackInstallation.state == LinkState.BROKEN)
    broken = db.session.scalar(counted)
    if broken:
        words = f"{broken} linked workspaces wait for an admin to re-authorize; they see a banner."
        yield Finding(NOTE, words)
