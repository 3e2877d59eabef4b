"""Does a limit hold, over all processes, and only for its window?"""

from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask

from portal.db import db
from portal.domain import rate_limits
from tests.together import collide

NOON = datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def allowed(key: str = "k") -> bool:
    return rate_limits.hit(key, limit=2, window=MINUTE).is_allowed


def test_the_limit_holds_until_the_window_ends(app: Flask) -> None:
    with app.app_context(), time_machine.travel(NOON, tick=False) as clock:
        assert [allowed() for _ in range(4)] == [True, True, False, False]
        assert allowed("another key")
        verdict = rate_limits.hit("k", limit=2, window=MINUTE)
        assert verdict.retry_after == 41
        clock.shift(verdict.retry_after)
        assert allowed()


def test_the_refused_are_counted_and_explained_until_pruned(app: Flask) -> None:
    with app.app_context(), time_machine.travel(NOON, tick=False) as clock:
        for _ in range(5):
            allowed()
        clock.shift(MINUTE)
        for _ in range(3):
            allowed()
        assert rate_limits.refused_since("k", NOON - MINUTE) == 4
        assert rate_limits.refused_since("k", NOON) == 1
        rate_limits.prune(NOON)
        db.session.commit()
        assert rate_limits.refused_since("k", NOON - MINUTE) == 1


def test_nothing_is_allowed_where_the_limit_is_none(app: Flask) -> None:
    with app.app_context(), time_machine.travel(NOON, tick=False):
        assert not rate_limits.hit("k", limit=0, window=MINUTE).is_allowed
        assert rate_limits.refused_since("k", NOON - MINUTE) == 1


def test_tries_at_the_same_moment_are_all_counted(app: Flask) -> None:
    with time_machine.travel(NOON, tick=False):
        with app.app_context():
            allowed()
        lock = "SELECT 1 FROM rate_counters WHERE key = 'k' FOR UPDATE"
        assert sorted(collide(app, lock, [allowed] * 8)) == [False] * 7 + [True]
