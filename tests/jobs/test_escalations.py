"""Does every timer fire once and in time, with several workers and with workers that die?"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts.models import Alert, AlertStatus, TimelineEntry, TimelineKind, Via
from portal.domain.escalation import operations
from portal.domain.escalation.models import AlertEscalation
from portal.domain.sources.models import AlertSource
from portal.jobs import escalations
from portal.settings import Settings
from tests.make import make_account, make_alert, make_policy, make_source, make_user
from tests.together import held, until

ROOT = Path(__file__).parents[2]
IN_TIME = timedelta(seconds=2)
ALERT_ROW = "SELECT 1 FROM alerts WHERE id = :id FOR UPDATE"


@pytest.fixture
def source(app: Flask) -> AlertSource:
    """Its policy asks Ada, then Bob, and begins again nine times."""
    with app.app_context():
        account = make_account()
        ada, bob = make_user(account, name="Ada"), make_user(account, name="Bob")
        source, _ = make_source(account)
        make_policy(account, [ada], [bob], repeats=9, source=source)
        return source


def make_due(*alert_ids: int, in_: timedelta = timedelta()) -> None:
    db.session.execute(
        text("UPDATE alert_escalations SET next_step_at = :at WHERE alert_id = ANY(:ids)"),
        {"at": now() + in_, "ids": list(alert_ids)},
    )
    db.session.commit()


def asked(alert_id: int) -> list[str]:
    """Who was asked so far, in order."""
    db.session.rollback()
    escalated = select(TimelineEntry).where(
        TimelineEntry.alert_id == alert_id, TimelineEntry.kind == TimelineKind.ESCALATED
    )
    entries = db.session.scalars(escalated.order_by(TimelineEntry.id))
    return [name for entry in entries for name in entry.data["targets"]]


def test_workers_that_look_at_the_same_moment_share_the_work(
    app: Flask, source: AlertSource
) -> None:
    with app.app_context():
        alert_ids = [make_alert(source).id for _ in range(120)]
        make_due(*alert_ids)
        moment = now()

    def work() -> int:
        with app.app_context():
            return sum(escalations.due(moment) for _ in range(3))

    with ThreadPoolExecutor(4) as pool:
        taken = [each.result() for each in [pool.submit(work) for _ in range(4)]]
    assert sum(taken) == len(alert_ids)
    with app.app_context():
        per_alert = (
            select(TimelineEntry.alert_id, func.count())
            .where(TimelineEntry.kind == TimelineKind.ESCALATED)
            .group_by(TimelineEntry.alert_id)
        )
        assert {number for _, number in db.session.execute(per_alert)} == {2}


def test_an_alert_that_somebody_is_at_is_left_to_them(app: Flask, source: AlertSource) -> None:
    with app.app_context():
        busy, free = make_alert(source).id, make_alert(source).id
        make_due(busy, free)
        with held(app, ALERT_ROW, id=busy):
            assert escalations.due(now()) == 1
            assert asked(busy) == ["Ada"]
        assert asked(free) == ["Ada", "Bob"]
        assert escalations.due(now()) == 1
        assert asked(busy) == ["Ada", "Bob"]


def test_acknowledging_at_the_last_moment_wins(app: Flask, source: AlertSource) -> None:
    """The worker has read which alerts are due; before it gets the row, somebody answers."""
    with app.app_context():
        alert_id, moment = make_alert(source).id, now()
        make_due(alert_id)
        person = db.session.scalars(select(User).where(User.name == "Bob")).one()
        alerts.acknowledge(alert_id, by=person, via=Via.WEB)
        assert operations.take_due_steps([alert_id], moment + timedelta(hours=1)) == 0
        assert asked(alert_id) == ["Ada"]
        assert db.session.get_one(Alert, alert_id).status is AlertStatus.ACKNOWLEDGED


@pytest.fixture
def worker(app: Flask, settings: Settings) -> Callable[[], subprocess.Popen[bytes]]:
    """Start `tocsin worker` as a process of its own, on the database of the tests."""
    values = settings.model_dump(exclude={"TOCSIN_HOME"})
    words = {k: ",".join(v) if isinstance(v, list) else str(v) for k, v in values.items()}
    environment = {**os.environ, **words, "TOCSIN_HOME": str(settings.TOCSIN_HOME)}
    command = [sys.executable, "-m", "portal.cli", "worker"]
    return lambda: subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)


@contextmanager
def running(start: Callable[[], subprocess.Popen[bytes]]) -> Iterator[subprocess.Popen[bytes]]:
    with start() as process:
        try:
            yield process
        finally:
            process.kill()


def lateness(alert_id: int, due_at: object) -> timedelta:
    db.session.rollback()
    last = select(func.max(TimelineEntry.at)).where(TimelineEntry.alert_id == alert_id)
    return db.session.execute(last).scalar_one() - due_at


def test_timers_survive_a_worker_that_is_killed_and_fire_once_and_in_time(
    app: Flask, source: AlertSource, worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    with app.app_context():
        alert_id = make_alert(source).id
        with running(worker) as first:
            make_due(alert_id)
            until(lambda: asked(alert_id) == ["Ada", "Bob"], "the first worker asks level 2")
            make_due(alert_id, in_=timedelta(seconds=1))
            first.send_signal(signal.SIGKILL)
            first.wait()
        assert asked(alert_id) == ["Ada", "Bob"]
        with running(worker) as second, running(worker):
            until(lambda: len(asked(alert_id)) == 3, "the others take what is overdue")
            due_at = now() + timedelta(seconds=1)
            make_due(alert_id, in_=timedelta(seconds=1))
            until(lambda: len(asked(alert_id)) == 4, "the next level is asked")
            assert asked(alert_id) == ["Ada", "Bob", "Ada", "Bob"]
            assert lateness(alert_id, due_at) < IN_TIME
            second.send_signal(signal.SIGTERM)
            assert second.wait(20) == 0
        climb = db.session.get_one(AlertEscalation, alert_id)
        assert (climb.level, climb.lap) == (2, 2)
