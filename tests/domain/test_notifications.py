"""Who is told when, and who no more? The rows and the timeline, with the clock moved by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from portal.db import db, now
from portal.domain.accounts import operations as accounts
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import operations as alerts
from portal.domain.alerts.models import Alert, Priority, TimelineEntry, TimelineKind, Via
from portal.domain.escalation import operations as escalation
from portal.domain.escalation.targets import Target, TargetKind
from portal.domain.notifications import operations, outcomes, queries
from portal.domain.notifications.models import Notification, NotificationState, Way
from portal.domain.sources.models import AlertSource
from portal.errors import Conflict, Invalid
from portal.jobs import escalations, notifications
from tests.domain.conftest import Cast
from tests.make import make_alert, make_policy, make_source, make_user

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST_BY_MAIL = {Way.EMAIL: 1, Way.SLACK: 3}
NEVER: dict[Way, int | None] = {Way.EMAIL: None, Way.SLACK: None}
Told = list[tuple[str, str, str]]


@pytest.fixture
def clock(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    monkeypatch.setitem(app.config, "SMTP_URL", "smtp://127.0.0.1:9")
    monkeypatch.setitem(app.config, "MAIL_FROM", "tocsin@example.com")
    with time_machine.travel(NOON, tick=False) as traveller, app.app_context():
        yield traveller


@pytest.fixture
def source(clock: time_machine.Traveller, cast: Cast) -> AlertSource:
    """Its policy asks Bob, then Ada; Bob is told by e-mail after 1 min and in Slack after 3."""
    source, _ = make_source(cast.account)
    make_policy(cast.account, [cast.bob], [cast.ada], source=source)
    operations.choose({Priority.HIGH: FIRST_BY_MAIL, Priority.LOW: NEVER}, by=cast.bob)
    return source


def rows(alert: Alert) -> Told:
    """Whom, on which way, and what became of it."""
    db.session.rollback()
    wanted = select(Notification).where(Notification.alert_id == alert.id)
    found = db.session.scalars(wanted.order_by(Notification.due_at, Notification.id))
    return [(row.user.name, row.way.value, row.state.value) for row in found]


def said(alert: Alert) -> list[str]:
    db.session.rollback()
    kinds = (TimelineKind.NOTIFIED, TimelineKind.NOTIFICATION_FAILED)
    wanted = select(TimelineEntry).where(
        TimelineEntry.alert_id == alert.id, TimelineEntry.kind.in_(kinds)
    )
    entries = db.session.scalars(wanted.order_by(TimelineEntry.id))
    return [
        f"{entry.data['person']} {entry.kind.value} {entry.data.get('because', '')}".strip()
        for entry in entries
    ]


def pass_time(clock: time_machine.Traveller, **time: float) -> int:
    clock.shift(timedelta(**time))
    return notifications.due(now())


def test_each_way_has_its_own_time_by_the_persons_own_choice(
    source: AlertSource, clock: time_machine.Traveller
) -> None:
    alert = make_alert(source)
    assert rows(alert) == [("Bob", "email", "planned"), ("Bob", "slack", "planned")]
    assert pass_time(clock, seconds=59) == 0
    assert pass_time(clock, seconds=1) == 1
    assert rows(alert)[0] == ("Bob", "email", "under_way")
    assert pass_time(clock, minutes=2) == 1
    assert said(alert) == ["Bob notification_failed No workspace is linked."]


def test_low_priority_has_a_choice_of_its_own_and_none_is_said(source: AlertSource) -> None:
    alert = make_alert(source, priority="LOW")
    assert rows(alert) == []
    (only,) = said(alert)
    assert only.endswith("They want to be told nothing of low priority.")


def test_who_chose_nothing_is_told_in_slack_at_once_and_by_mail_after_two_minutes(
    cast: Cast, clock: time_machine.Traveller
) -> None:
    source, _ = make_source(cast.account)
    make_policy(cast.account, [cast.ada], source=source)
    high, low = make_alert(source), make_alert(source, priority="LOW")
    wanted = select(Notification.due_at).where(
        Notification.alert_id == high.id, Notification.way == Way.EMAIL
    )
    assert db.session.execute(wanted).scalar_one() == NOON + timedelta(minutes=2)
    assert rows(high) == [("Ada", "slack", "failed"), ("Ada", "email", "planned")]
    assert rows(low) == [("Ada", "slack", "failed")]


@pytest.mark.parametrize("answer", [alerts.acknowledge, alerts.resolve])
def test_once_anybody_has_answered_nobody_else_is_told(
    source: AlertSource, cast: Cast, clock: time_machine.Traveller, answer: object
) -> None:
    alert = make_alert(source)
    pass_time(clock, minutes=1)
    answer(alert.id, by=cast.ada, via=Via.WEB)  # type: ignore[operator]
    assert {state for _, _, state in rows(alert)} == {"cancelled"}
    assert pass_time(clock, minutes=60) == 0
    assert said(alert) == []


def test_a_letter_that_was_on_its_way_when_somebody_answered_is_still_told(
    source: AlertSource, cast: Cast, clock: time_machine.Traveller
) -> None:
    alert = make_alert(source)
    pass_time(clock, minutes=1)
    alerts.acknowledge(alert.id, by=cast.ada, via=Via.WEB)
    outcomes.sent(
        list(db.session.scalars(select(Notification.id).where(Notification.way == Way.EMAIL)))
    )
    db.session.commit()
    assert said(alert) == ["Bob notified"]


def test_a_way_that_fails_brings_the_next_one_forward(
    source: AlertSource, clock: time_machine.Traveller
) -> None:
    alert = make_alert(source)
    pass_time(clock, minutes=1)
    (email,) = db.session.scalars(select(Notification.id).where(Notification.way == Way.EMAIL))
    outcomes.failed([email], "The mail server refuses the address.")
    db.session.commit()
    notifications.next_way(
        alert_id=alert.id, user_id=db.session.get_one(Notification, email).user_id
    )
    assert said(alert) == [
        "Bob notification_failed The mail server refuses the address.",
        "Bob notification_failed No workspace is linked.",
    ]
    assert rows(alert) == [("Bob", "email", "failed"), ("Bob", "slack", "failed")]


def test_an_outcome_is_said_once(source: AlertSource, clock: time_machine.Traveller) -> None:
    alert = make_alert(source)
    pass_time(clock, minutes=1)
    ids = list(db.session.scalars(select(Notification.id).where(Notification.way == Way.EMAIL)))
    for _ in range(2):
        outcomes.sent(ids)
        outcomes.failed(ids, "Too late.")
        db.session.commit()
    assert said(alert) == ["Bob notified"]


def test_being_asked_again_begins_anew(
    source: AlertSource, cast: Cast, clock: time_machine.Traveller
) -> None:
    alert = make_alert(source)
    clock.shift(timedelta(seconds=30))
    escalation.escalate(alert.id, 1, by=cast.ada, via=Via.WEB)
    assert sorted(state for _, _, state in rows(alert)) == ["cancelled"] * 2 + ["planned"] * 2
    assert pass_time(clock, seconds=30) == 0
    assert pass_time(clock, seconds=30) == 1


def test_the_next_level_is_told_and_the_first_goes_on_being_told(
    source: AlertSource, cast: Cast, clock: time_machine.Traveller
) -> None:
    operations.choose(
        {Priority.HIGH: {Way.EMAIL: 10, Way.SLACK: None}, Priority.LOW: NEVER}, by=cast.bob
    )
    alert = make_alert(source)
    clock.shift(timedelta(minutes=5))
    assert escalations.due(now()) == 1
    assert ("Bob", "email", "planned") in rows(alert)
    assert ("Ada", "email", "planned") in rows(alert)


def test_rerouting_quiets_those_asked_before(
    source: AlertSource, cast: Cast, clock: time_machine.Traveller
) -> None:
    alert = make_alert(source)
    other = make_user(cast.account, name="Dora")
    escalation.reroute(alert.id, Target(TargetKind.PERSON, other.id), by=cast.ada, via=Via.WEB)
    told = rows(alert)
    assert {state for name, _, state in told if name == "Bob"} == {"cancelled"}
    assert ("Dora", "email", "planned") in told


def test_muted_people_become_responders_and_are_told_nothing(
    source: AlertSource, cast: Cast, clock: time_machine.Traveller
) -> None:
    operations.mute(1, by=cast.bob)
    alert = make_alert(source)
    assert rows(alert) == []
    assert said(alert) == ["Bob notification_failed They are muted until 1 Mar 2026, 13:00 UTC."]
    clock.shift(timedelta(hours=1))
    assert rows(make_alert(source))[0] == ("Bob", "email", "planned")


def test_muting_also_holds_for_what_was_planned_already(
    source: AlertSource, cast: Cast, clock: time_machine.Traveller
) -> None:
    alert = make_alert(source)
    operations.mute(1, by=cast.bob)
    pass_time(clock, minutes=1)
    assert rows(alert)[0] == ("Bob", "email", "cancelled")
    assert "They are muted" in said(alert)[0]
    operations.unmute(by=cast.bob)
    assert queries.preferences_of(cast.bob).muted_until is None


def test_a_deactivated_person_is_told_nothing_more(
    source: AlertSource, cast: Cast, clock: time_machine.Traveller
) -> None:
    alert = make_alert(source)
    accounts.deactivate(cast.bob.id, by=cast.ada)
    assert {state for _, _, state in rows(alert)} == {"cancelled"}
    assert pass_time(clock, minutes=5) == 0


def test_who_is_asked_although_somebody_has_it_is_told_on_one_way_only(
    source: AlertSource, cast: Cast, clock: time_machine.Traveller
) -> None:
    alert = make_alert(source)
    alerts.acknowledge(alert.id, by=cast.ada, via=Via.WEB)
    dora = make_user(cast.account, name="Dora")
    operations.choose({Priority.HIGH: FIRST_BY_MAIL, Priority.LOW: NEVER}, by=dora)
    escalation.add_responder(alert.id, dora.id, by=cast.ada, via=Via.WEB)
    pass_time(clock, minutes=1)
    pass_time(clock, minutes=2)
    assert [row for row in rows(alert) if row[0] == "Dora"] == [
        ("Dora", "email", "under_way"),
        ("Dora", "slack", "cancelled"),
    ]


def test_one_that_fails_by_a_fault_of_ours_does_not_stop_the_others(
    source: AlertSource, cast: Cast, clock: time_machine.Traveller
) -> None:
    broken, whole = make_alert(source), make_alert(source)
    db.session.execute(
        text("UPDATE alerts SET status = 'no such status' WHERE id = :id"), {"id": broken.id}
    )
    db.session.commit()
    assert pass_time(clock, minutes=1) == 1
    assert rows(whole)[0] == ("Bob", "email", "under_way")
    db.session.execute(
        text("UPDATE alerts SET status = 'pending' WHERE id = :id"), {"id": broken.id}
    )
    db.session.commit()
    assert pass_time(clock, seconds=59) == 0
    assert pass_time(clock, seconds=1) == 1


def test_choices_are_checked_and_belong_to_one_person(cast: Cast, clock: object) -> None:
    with pytest.raises(Invalid):
        operations.choose({Priority.HIGH: {Way.SLACK: -1}}, by=cast.bob)
    db.session.rollback()
    with pytest.raises(Invalid):
        operations.mute(10_000, by=cast.bob)
    db.session.rollback()
    operations.choose({Priority.HIGH: NEVER}, by=cast.bob)
    assert queries.preferences_of(cast.bob).after(Priority.HIGH) == {}
    assert set(queries.preferences_of(cast.charlie).after(Priority.HIGH)) == set(Way)
    assert queries.preferences_of(cast.bob).after(Priority.LOW) == {Way.SLACK: timedelta()}


def test_tests_are_not_sent_all_the_time(cast: Cast, clock: time_machine.Traveller) -> None:
    operations.send_test([Way.EMAIL], by=cast.bob)
    with pytest.raises(Conflict, match="a moment ago"):
        operations.send_test([Way.EMAIL], by=cast.bob)
    (test,) = queries.tests_of(cast.bob, since=NOON)
    assert (test.state, test.alert_id) == (NotificationState.UNDER_WAY, None)
    assert queries.tests_of(cast.charlie, since=NOON) == []
    clock.shift(timedelta(seconds=21))
    operations.send_test([Way.EMAIL], by=cast.bob)


def test_stakeholders_who_were_responders_are_told_nothing(
    source: AlertSource, cast: Cast, clock: time_machine.Traveller
) -> None:
    alert = make_alert(source)
    accounts.change_role(cast.bob.id, Role.STAKEHOLDER, by=cast.ada)
    assert {state for _, _, state in rows(alert)} == {"cancelled"}
