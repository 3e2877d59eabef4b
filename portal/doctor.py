"""What is missing or wrong with this installation? Said in words, with the setting to change."""

from collections.abc import Iterator
from typing import NamedTuple

from cryptography.fernet import InvalidToken
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from portal import create_app, private_postgres
from portal.db import db
from portal.observability.health import CHECKS
from portal.settings import Settings, SettingsError, load
from portal.slack.installations import Revocation, SlackInstallation

FINE, NOTE, WRONG = "ok", "note", "WRONG"


class Finding(NamedTuple):
    """`verdict` is FINE, NOTE or WRONG."""

    verdict: str
    words: str


def examine() -> Iterator[Finding]:
    """Look at everything; what cannot be looked at without something earlier is left out."""
    try:
        settings = load()
    except SettingsError as problem:
        yield from (Finding(WRONG, line) for line in str(problem).splitlines())
        return
    yield Finding(FINE, f"The settings are complete for {settings.APP_ENV}.")
    yield from _addresses(settings)
    yield from _slack_app(settings)
    if not settings.DATABASE_URL:
        yield Finding(
            NOTE,
            f"DATABASE_URL is not set: a private PostgreSQL under {settings.TOCSIN_HOME} is used.",
        )
    try:
        app = create_app(settings)
    except private_postgres.CannotStart as problem:
        yield Finding(WRONG, str(problem))
        return
    with app.app_context():
        yield from _database()


def _addresses(settings: Settings) -> Iterator[Finding]:
    if settings.PUBLIC_URL.startswith("https://"):
        yield Finding(FINE, f"Slack and people reach the portal at {settings.PUBLIC_URL}.")
    elif settings.SLACK_API_URL.startswith("https://"):
        yield Finding(
            WRONG,
            f"PUBLIC_URL is {settings.PUBLIC_URL}: Slack only calls addresses with https://.",
        )
    else:
        yield Finding(NOTE, f"PUBLIC_URL is {settings.PUBLIC_URL}: enough for a pretend Slack.")


def _slack_app(settings: Settings) -> Iterator[Finding]:
    if not settings.is_slack_configured:
        yield Finding(
            WRONG,
            "The Slack app is not set up: create one from the output of `tocsin manifest`, then set"
            " SLACK_CLIENT_ID, SLACK_CLIENT_SECRET and SLACK_SIGNING_SECRETS.",
        )
        return
    yield Finding(FINE, "The Slack app's id and secrets are set.")
    if not settings.SLACK_APP_ID:
        yield Finding(NOTE, "SLACK_APP_ID is not set: callbacks of other apps are not told apart.")


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


def _tokens() -> Iterator[Finding]:
    """A key that was taken away from ENCRYPTION_KEYS leaves tokens that nobody can open."""
    closed = 0
    for kind in (SlackInstallation, Revocation):
        for number in db.session.scalars(select(kind.id)):
            try:
                db.session.scalar(select(kind.bot_token).where(kind.id == number))
            except InvalidToken:
                closed += 1
    if closed:
        yield Finding(
            WRONG,
            f"ENCRYPTION_KEYS no longer opens {closed} of the stored Slack tokens: add the key that"
            " was used before, or have an admin link the workspace again.",
        )
    else:
        yield Finding(FINE, "ENCRYPTION_KEYS opens all stored Slack tokens.")
