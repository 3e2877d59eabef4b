"""Is this process alive, is the portal ready, and what is it doing? For operators and machines."""

from collections.abc import Callable
from functools import cache

from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from portal.db import db
from portal.observability import metrics

SILENCE = 30  # seconds; a worker reports every three

bp = Blueprint("health", __name__)
Check = Callable[[], tuple[bool, str]]


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 as long as this process answers. It asks nobody, so that an outage restarts nothing."""
    return {"status": "ok"}


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 when alerts can come in and go out, else 503; one sentence per check says what to do."""
    results = {name: _result(check) for name, check in CHECKS.items()}
    is_ready = all(fits for fits, _ in results.values())
    checks = {name: {"ok": fits, "message": said} for name, (fits, said) in results.items()}
    return {
        "status": "ready" if is_ready else "not ready",
        "checks": checks,
    }, 200 if is_ready else 503


@bp.get("/metrics")
def show_metrics() -> ResponseReturnValue:
    """Prometheus' text format. The same from every process: all of it is read from the database."""
    try:
        return Response(metrics.render(), content_type=metrics.CONTENT_TYPE)
    except SQLAlchemyError:
        db.session.rollback()
        return Response("The database does not answer.\n", status=503, content_type="text/plain")


def _result(check: Check) -> tuple[bool, str]:
    try:
        return check()
    except SQLAlchemyError:
        db.session.rollback()
        return False, "The database does not answer: see DATABASE_URL, and whether it is running."


def _database() -> tuple[bool, str]:
    db.session.execute(text("SELECT 1"))
    return True, "The database answers."


def _migrations() -> tuple[bool, str]:
    known = db.session.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
    found = None
    if known.scalar_one():
        found = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    wanted = _newest_migration(current_app.extensions["migrate"].directory)
    if found == wanted:
        return True, "All migrations have run."
    return False, f"The database is at {found or 'nothing'}, not {wanted}: run tocsin db upgrade."


@cache
def _newest_migration(folder: str) -> str | None:
    return ScriptDirectory(folder).get_current_head()


def _worker() -> tuple[bool, str]:
    age = "SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers"
    silent_for = db.session.scalar(text(age))
    if silent_for is None:
        return False, "No worker is running: start tocsin worker, or nothing reaches Slack."
    if silent_for > SILENCE:
        return False, f"No worker was heard of for {int(silent_for)} s: start tocsin worker."
    return True, "A worker is running."


def _slack() -> tuple[bool, str]:
    if current_app.config["SLACK_CLIENT_ID"]:
        return True, "The Slack app is set up."
    return False, "No Slack app is set up: see SLACK_CLIENT_ID in the README."


CHECKS: dict[str, Check] = {
    "database": _database,
    "migrations": _migrations,
    "worker": _worker,
    "slack": _slack,
}
