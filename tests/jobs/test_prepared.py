"""Does the database plan the worker's statements once, and for the few rows that they concern?"""

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


def test_a_look_into_a_lane_starts_no_helpers_however_large_the_table_seems(app: Flask) -> None:
    with app.app_context():
        for cost in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
            db.session.execute(text(f"SET LOCAL {cost} = 0"))
        plan = db.session.scalars(text("EXPLAIN SELECT count(*) FROM posted_messages")).all()
        assert db.session.scalar(text("SHOW jit")) == "off"
        db.session.rollback()
    assert "Aggregate" in plan[0]
    assert not any("Gather" in line for line in plan), plan
