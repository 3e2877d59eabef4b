"""How does the portal use its connections to the database?

Whether a pooled one is still good is asked when it has rested, not before every use: after a
restart of the database the first use of each would fail, and SQLAlchemy's own pool_pre_ping asks
every time, which is one of the few round trips that storing an event takes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy.exc import DisconnectionError

from portal.db import db

RESTED = 1.0  # seconds


@contextmanager
def connected(app: Flask) -> Iterator[None]:
    """The app's context for one command; the connections are closed at its end."""
    with app.app_context():
        try:
            yield
        finally:
            db.session.remove()  # gives its connection back
            db.engine.dispose()


def _note_use(connection: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _ask_if_rested(connection: Any, record: Any, proxy: Any) -> None:
    """The pool takes another connection when this one raises DisconnectionError."""
    if time.monotonic() - record.info.get("used_at", 0.0) < RESTED:
        return
    try:
        connection.execute("SELECT 1")
        connection.commit()  # a rollback would make psycopg forget its prepared statements
    except psycopg.Error:
        raise DisconnectionError from None


def _plan_for_few_rows(connection: Any, record: Any) -> None:
    """The portal asks for few rows by an index, also among a million, where PostgreSQL sometimes
    expects many: then its helpers and its compiler take longer to start than the answer does. And
    what is newer than the last ANALYZE a merge join finds at the end of the whole index only.
    """
    for setting in ("max_parallel_workers_per_gather = 0", "jit = off", "enable_mergejoin = off"):
        connection.execute(f"SET {setting}")
    connection.commit()


EVENTS = [(_plan_for_few_rows, "connect"), (_note_use, "checkin"), (_ask_if_rested, "checkout")]
