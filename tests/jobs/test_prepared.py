"""Does the database plan the worker's statements once, or each time they are run?"""

import pytest
from flask import Flask
from sqlalchemy import text

from portal import connections
from portal.db import db
from portal.jobs import escalations, notifications


def test_the_loops_do_not_make_a_connection_forget_its_prepared_statements(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "RESTED", -1.0)  # so that the pool asks before each use
    with app.app_context():
        db.engine.dispose()
        for _ in range(3):
            escalations.watch()
            notifications.notify()
        known = db.session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
        db.session.rollback()
    assert any("alert_escalations" in statement for statement in known)
    assert any("notifications" in statement for statement in known)
