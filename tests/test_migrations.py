"""Does `tocsin db upgrade` bring every earlier database to this version?"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import flask_migrate
import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import create_engine, make_url, text

from portal import create_app
from portal.db import db
from portal.jobs import engine
from portal.settings import Settings

MIGRATIONS = str(Path(__file__).parent.parent / "migrations")
REVISIONS = [script.revision for script in ScriptDirectory(MIGRATIONS).walk_revisions()]


@pytest.fixture
def empty(settings: Settings) -> Iterator[Flask]:
    """A portal on a database of its own, in which nothing has run yet."""
    server = create_engine(settings.DATABASE_URL or "", isolation_level="AUTOCOMMIT")
    url = make_url(settings.DATABASE_URL or "").set(database="of_another_version")
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE of_another_version"))
        written = url.render_as_string(hide_password=False)
        app = create_app(settings.model_copy(update={"DATABASE_URL": written}))
        yield app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        connection.execute(text("DROP DATABASE of_another_version WITH (FORCE)"))
    server.dispose()


@pytest.mark.parametrize("revision", [*reversed(REVISIONS), "head"])
def test_a_database_of_any_earlier_version_is_brought_to_this_one(
    empty: Flask, revision: str
) -> None:
    with empty.app_context():
        flask_migrate.upgrade(directory=MIGRATIONS, revision=revision)
        flask_migrate.upgrade(directory=MIGRATIONS)
        flask_migrate.upgrade(directory=MIGRATIONS)  # safe to repeat
        flask_migrate.check(directory=MIGRATIONS)  # exits where a model has no migration
        db.session.remove()
    checks = empty.test_client().get("/readyz").get_json()["checks"]
    assert checks["migrations"] == {"ok": True, "message": "All migrations have run."}


def test_names_that_differ_in_case_only_are_told_apart(empty: Flask) -> None:
    named = "SELECT name FROM schedules ORDER BY id"
    with empty.app_context():
        before = ScriptDirectory(MIGRATIONS).get_revision("0014").down_revision
        flask_migrate.upgrade(directory=MIGRATIONS, revision=before)
        db.session.execute(
            text("INSERT INTO accounts (id, name, created_at) VALUES (1, 'A', now())")
        )
        for name in ("Platform", "platform (3)", "PLATFORM"):
            put = (
                "INSERT INTO schedules (account_id, name, type, time_zone, shows_gaps, created_at)"
                " VALUES (1, :name, 'static', 'UTC', true, now())"
            )
            db.session.execute(text(put), {"name": name})
        db.session.commit()
        flask_migrate.upgrade(directory=MIGRATIONS)
        names = list(db.session.scalars(text(named)))
        db.session.remove()
    assert names == ["Platform", "platform (3)", "PLATFORM (3) (3)"]


def test_a_worker_without_tables_says_what_to_run(empty: Flask) -> None:
    def start() -> None:
        asyncio.run(engine.run_workers(empty, threads=1))

    # In a thread of its own: Playwright's event loop may be running in this one.
    with (
        ThreadPoolExecutor(1) as thread,
        pytest.raises(engine.NoTables, match="run tocsin db upgrade"),
    ):
        thread.submit(start).result()


def test_a_database_of_an_earlier_version_is_not_ready(empty: Flask) -> None:
    for revision in reversed(REVISIONS[1:]):
        with empty.app_context():
            flask_migrate.upgrade(directory=MIGRATIONS, revision=revision)
        check = empty.test_client().get("/readyz").get_json()["checks"]["migrations"]
        assert not check["ok"]
        assert f"is at {revision}, not {REVISIONS[0]}" in check["message"]
