"""Does the database plan the worker's statements once, or each time they are run?"""

import pytest
from flask import Flask
from sqlalchemy import text

from portal import connections
from portal.db import db
from portal.jobs import loops


def test_the_loops_do_not_make_a_connection_forget_its_prepared_statements(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "RESTED", -1.0)  # so that the pool asks before each use
    with app.app_context():
        db.engine.dispose()
        for _ in range(3):
            for loop in loops.LOOPS:
                loop.run()
        known = db.session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
        db.session.rollback()
    for table in ("alert_escalations", "notifications", "alert_action_timers"):
        assert any(f"FROM {table}" in " ".join(each.split()) for each in known), table
