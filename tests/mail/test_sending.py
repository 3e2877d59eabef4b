"""Are people told by e-mail, once, in time, and with what became of it on the timeline?"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from portal.db import db, now
from portal.domain.accounts import operations as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import operations as alerts
from portal.domain.alerts.models import Alert, Priority, TimelineEntry, TimelineKind, Via
from portal.domain.escalation import operations as escalation
from portal.domain.notices import operations as notices
from portal.domain.notices.models import Notice
from portal.domain.notifications import operations
from portal.domain.notifications.models import Notification, NotificationState, Way
from portal.domain.sources.models import AlertSource
from portal.jobs import notifications, upkeep
from portal.jobs.engine import wake
from portal.mail import sending
from portal.settings import Settings
from tests.mail.conftest import Postman, use
from tests.make import make_account, make_alert, make_policy, make_source, make_user
from tests.together import until, work

ROOT = Path(__file__).parents[2]
BY_MAIL_ONLY = {Priority.HIGH: {Way.SLACK: None, Way.EMAIL: 0}}


@pytest.fixture
def ada(app: Flask) -> User:
    """She wants e-mail at once, and nothing in Slack."""
    with app.app_context():
        ada = make_user(make_account("Acme"), name="Ada", role=Role.ADMIN, email="ada@example.com")
        operations.choose(BY_MAIL_ONLY, by=ada)
        return ada


@pytest.fixture
def source(app: Flask, ada: User) -> AlertSource:
    with app.app_context():
        source, _ = make_source(ada.account, name="Prometheus")
        make_policy(ada.account, [ada], source=source, repeats=1)
        return source


def an_alert(app: Flask, source: AlertSource) -> int:
    with app.app_context():
        return make_alert(source).id


def said(app: Flask, alert_id: int) -> list[tuple[str, object]]:
    with app.app_context():
        kinds = (TimelineKind.NOTIFIED, TimelineKind.NOTIFICATION_FAILED)
        wanted = select(TimelineEntry).where(
            TimelineEntry.alert_id == alert_id, TimelineEntry.kind.in_(kinds)
        )
        entries = db.session.scalars(wanted.order_by(TimelineEntry.id)).all()
        return [
            (e.kind.value, e.data.get("because") or e.data.get("perhaps_twice")) for e in entries
        ]


def the_notification(app: Flask) -> Notification:
    with app.app_context():
        return db.session.scalars(select(Notification)).one()


def make_due(app: Flask) -> None:
    with app.app_context():
        db.session.execute(update(Notification).values(due_at=now()))
        db.session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now()"))
        db.session.commit()
    work(app)


def test_the_person_gets_a_letter_and_the_timeline_says_so(
    app: Flask, source: AlertSource, mail: Postman
) -> None:
    alert_id = an_alert(app, source)
    work(app)
    (letter,) = mail.letters
    assert letter["To"] == "ada@example.com"
    assert letter["Subject"] == "[Pending] Disk full on db-1"
    assert said(app, alert_id) == [("notified", None)]


def test_who_is_asked_again_gets_a_letter_that_belongs_to_the_first(
    app: Flask, source: AlertSource, ada: User, mail: Postman
) -> None:
    alert_id = an_alert(app, source)
    work(app)
    with app.app_context():
        escalation.escalate(alert_id, 1, by=ada, via=Via.WEB)
    work(app)
    first, second = mail.letters
    assert second["References"] == first["Message-ID"]
    assert second["Message-ID"] != first["Message-ID"]


def test_a_server_that_is_busy_is_tried_again_and_nothing_is_said_meanwhile(
    app: Flask, source: AlertSource, mail: Postman
) -> None:
    mail.says["DATA"] = ["451 4.3.0 Busy", "421 4.3.0 Busy"]
    alert_id = an_alert(app, source)
    work(app)
    row = the_notification(app)
    assert (row.attempts, row.last_error) == (
        1,
        "The mail server refuses the message: 451 4.3.0 Busy",
    )
    assert row.due_at > now()
    make_due(app)
    assert the_notification(app).attempts == 2
    assert (mail.letters, said(app, alert_id)) == ([], [])
    make_due(app)
    assert len(mail.letters) == 1
    assert said(app, alert_id) == [("notified", None)]


def test_a_refusal_for_good_is_told_and_not_tried_again(
    app: Flask, source: AlertSource, mail: Postman
) -> None:
    mail.says["RCPT"] = ["550 5.1.1 No such user"]
    alert_id = an_alert(app, source)
    work(app)
    make_due(app)
    because = "The mail server refuses the address: 550 5.1.1 No such user"
    assert said(app, alert_id) == [("notification_failed", because)]
    assert mail.letters == []


def test_after_an_hour_of_trying_it_is_given_up_and_told(
    app: Flask, source: AlertSource, mail: Postman
) -> None:
    mail.says["DATA"] = ["451 Busy"] * 2
    alert_id = an_alert(app, source)
    work(app)
    with app.app_context():
        long_ago = now() - sending.GIVE_UP_AFTER - timedelta(seconds=1)
        db.session.execute(update(Notification).values(created_at=long_ago))
        db.session.commit()
    make_due(app)
    assert said(app, alert_id) == [
        ("notification_failed", "The mail server refuses the message: 451 Busy")
    ]


def test_an_answer_while_the_server_is_busy_calls_the_letter_off(
    app: Flask, source: AlertSource, ada: User, mail: Postman
) -> None:
    mail.says["DATA"] = ["451 Busy"] * 9  # on a slow machine the next try comes at once
    alert_id = an_alert(app, source)
    work(app)
    mail.says["DATA"] = []
    with app.app_context():
        alerts.acknowledge(alert_id, by=ada, via=Via.WEB)
    make_due(app)
    assert (mail.letters, said(app, alert_id)) == ([], [])


def test_a_deactivated_person_gets_no_letter(
    app: Flask, source: AlertSource, ada: User, mail: Postman
) -> None:
    an_alert(app, source)
    with app.app_context():
        boss = make_user(ada.account, role=Role.OWNER)
        accounts.deactivate(ada.id, by=boss)
    work(app)
    assert mail.letters == []
    assert the_notification(app).state is NotificationState.CANCELLED


def test_without_a_mail_server_there_is_no_such_way(app: Flask, source: AlertSource) -> None:
    alert_id = an_alert(app, source)
    work(app)
    assert the_notification(app).state is NotificationState.CANCELLED
    assert said(app, alert_id) == []


def test_a_letter_without_a_job_is_found_by_the_net(
    app: Flask, source: AlertSource, mail: Postman
) -> None:
    an_alert(app, source)
    with app.app_context():
        db.session.execute(text("DELETE FROM procrastinate_jobs"))
        db.session.commit()
        upkeep.wake_behind()
    work(app)
    assert len(mail.letters) == 1


def test_a_test_says_what_it_is(app: Flask, ada: User, mail: Postman) -> None:
    with app.app_context():
        operations.send_test([Way.EMAIL], by=ada)
    work(app)
    (letter,) = mail.letters
    assert letter["Subject"] == "This is a test of your notifications"
    assert the_notification(app).state is NotificationState.SENT


def test_workers_that_look_at_the_same_moment_send_each_letter_once(
    app: Flask, source: AlertSource, ada: User, mail: Postman
) -> None:
    with app.app_context():
        operations.choose({Priority.HIGH: {Way.EMAIL: 1}}, by=ada)
        for _ in range(60):
            make_alert(source)
        moment = now() + timedelta(minutes=1)

    def take() -> int:
        with app.app_context():
            return sum(notifications.due(moment) for _ in range(3))

    with ThreadPoolExecutor(4) as pool:
        assert sum(each.result() for each in [pool.submit(take) for _ in range(4)]) == 60
    with app.app_context():
        db.session.execute(update(Notification).values(due_at=now()))
        db.session.commit()
    work(app)
    assert len(mail.letters) == 60
    assert len({letter["Message-ID"] for letter in mail.letters}) == 60


@contextmanager
def a_worker(settings: Settings, smtp_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """`tocsin worker` as a process of its own, on the database of the tests."""
    values = settings.model_dump(exclude={"TOCSIN_HOME"}) | {
        "SMTP_URL": smtp_url,
        "MAIL_FROM": "tocsin@example.com",
    }
    words = {k: ",".join(v) if isinstance(v, list) else str(v) for k, v in values.items()}
    environment = {**os.environ, **words, "TOCSIN_HOME": str(settings.TOCSIN_HOME)}
    command = [sys.executable, "-m", "portal.cli", "worker"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_a_worker_killed_while_it_sends_costs_at_most_a_second_letter_which_is_said(
    app: Flask, source: AlertSource, mail: Postman, settings: Settings
) -> None:
    mail.hangs_at_data = True
    url = app.config["SMTP_URL"]
    with a_worker(settings, url) as first:
        alert_id = an_alert(app, source)
        until(mail.hung.is_set, "the worker is in the middle of sending")
        first.send_signal(signal.SIGKILL)
        first.wait()
    mail.hangs_at_data = False
    with a_worker(settings, url) as second:
        until(lambda: len(mail.letters) == 1, "another worker takes over")
        until(lambda: said(app, alert_id) == [("notified", True)], "the timeline says so")
        second.send_signal(signal.SIGTERM)
        assert second.wait(20) == 0
    assert len(mail.letters) == 1


def test_a_mail_server_that_hangs_keeps_nothing_else_waiting(
    app: Flask, source: AlertSource, mail: Postman, settings: Settings
) -> None:
    mail.hangs_at_data = True
    for _ in range(12):  # more than a worker has threads
        an_alert(app, source)

    def is_waiting() -> bool:
        with app.app_context():
            asked = text("SELECT 1 FROM procrastinate_jobs WHERE task_name = 'next_way'")
            return db.session.scalar(asked) is not None

    with a_worker(settings, app.config["SMTP_URL"]):
        until(mail.hung.is_set, "the worker is in the middle of sending")
        with app.app_context():
            wake(notifications.next_way, alert_id=0, user_id=0)
            db.session.commit()
        until(lambda: not is_waiting(), "another job is done")
    assert mail.letters == []


def test_a_notice_also_reaches_those_who_look_at_no_page(
    app: Flask, ada: User, mail: Postman
) -> None:
    with app.app_context():
        for _ in range(2):  # told once
            notices.tell([ada], about="link", text="Nothing is sent any more.", path="/settings")
            db.session.commit()
    work(app)
    (letter,) = mail.letters
    assert letter["Subject"] == "Nothing is sent any more."
    plain = letter.get_body(("plain",))
    assert plain is not None
    assert f"{app.config['PUBLIC_URL']}/settings" in plain.get_content()


def test_a_notice_that_was_seen_or_is_over_needs_no_letter(
    app: Flask, ada: User, mail: Postman
) -> None:
    with app.app_context():
        notices.tell([ada], about="seen", text="Seen", path="/")
        notices.tell([ada], about="over", text="Over", path="/")
        db.session.commit()
        seen = db.session.scalars(select(Notice.id).where(Notice.about == "seen")).one()
        notices.dismiss(seen, by=ada)
        notices.withdraw(ada.account_id or 0, about="over")
        db.session.commit()
    work(app)
    assert mail.letters == []


def test_a_notice_waits_for_a_busy_server_and_accepts_a_refusal(
    app: Flask, ada: User, mail: Postman
) -> None:
    mail.says["DATA"] = ["451 Busy", "550 Never"]
    with app.app_context():
        notices.tell([ada], about="link", text="Broken", path="/")
        db.session.commit()
    work(app)
    make_due(app)
    with app.app_context():
        assert db.session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar() == 0
    assert mail.letters == []


def test_nobody_on_call_is_also_mailed_to_the_admins(app: Flask, ada: User, mail: Postman) -> None:
    with app.app_context():
        gone = make_user(ada.account, name="Gone")
        source, _ = make_source(ada.account)
        make_policy(ada.account, [gone], source=source, name="Platform")
        accounts.deactivate(gone.id, by=ada)
        make_alert(source)
    work(app)
    assert [letter["Subject"] for letter in mail.letters] == [
        "Nobody was on call for Platform: “Disk full on db-1” reached nobody."
    ]


def test_a_server_that_is_down_delays_nobody_in_the_portal(
    app: Flask, source: AlertSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(app, monkeypatch, "smtp://127.0.0.1:9")
    alert_id = an_alert(app, source)  # no word to the server within this transaction
    with app.app_context():
        assert db.session.get_one(Alert, alert_id).is_open
    assert the_notification(app).attempts == 0
