"""How do several things happen at the same moment in a test, and how does it wait for them?"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import Connection, NullPool, create_engine, text

from portal.db import db
from portal.jobs.engine import drain

PATIENCE = 60  # seconds; a busy machine may need twenty for what takes two


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until the condition holds; fail with `what` when it does not in time."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s in vain until {what}"
        time.sleep(0.01)


@contextmanager
def beside(app: Flask) -> Iterator[Connection]:
    """A connection beside the app's pool, which those who wait may have used up."""
    with app.app_context():
        url = db.engine.url
    with create_engine(url, poolclass=NullPool).connect() as connection:
        yield connection


def waiting(app: Flask) -> list[int]:
    """The process ids of the database's sessions that wait for a lock."""
    asked = text("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with beside(app) as connection:
        return list(connection.scalars(asked))


@contextmanager
def held(app: Flask, statement: str, **values: Any) -> Iterator[None]:
    """Hold the locks that the statement takes."""
    with beside(app) as connection:
        connection.execute(text(statement), values)
        yield


def collide(
    app: Flask, lock: str, attempts: Sequence[Callable[[], Any]], **values: Any
) -> list[Any]:
    """Run the attempts in threads of their own, all stopped at one lock, then let them go.

    Returns what each returned or raised, in their order. Each has an app context of its own.
    """

    def run(attempt: Callable[[], Any]) -> Any:
        with app.app_context():
            try:
                return attempt()
            except Exception as problem:
                db.session.rollback()
                return problem

    with ThreadPoolExecutor(len(attempts)) as pool:
        with held(app, lock, **values):
            started = [pool.submit(run, attempt) for attempt in attempts]
            until(lambda: len(waiting(app)) == len(attempts), "all of them wait for the lock")
        return [attempt.result(PATIENCE) for attempt in started]


def work(app: Flask) -> None:
    """Run the jobs that are due, and what they wake.

    In a thread of its own: Playwright's event loop may be running in this one.
    """

    def run() -> None:
        with app.app_context():
            drain(app)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(run).result()
