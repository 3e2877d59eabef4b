"""Does an alert climb its policy as it must, with the clock moved by hand?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries as seen
from portal.domain.alerts.incoming import EventType, IncomingEvent
from portal.domain.alerts.models import Alert, AlertStatus, TimelineKind, Via
from portal.domain.alerts.receive import receive
from portal.domain.escalation import operations, policies, queries
from portal.domain.escalation.models import AlertEscalation, EscalationPolicy
from portal.domain.escalation.policies import PolicyDraft, RuleDraft
from portal.domain.escalation.targets import Target, TargetKind
from portal.domain.sources.models import AlertSource
from portal.errors import Conflict, Denied, Invalid, NotFound
from portal.jobs import escalations
from tests.domain.conftest import Cast
from tests.make import make_alert, make_policy, make_source, make_user

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEVEL_TIME = timedelta(minutes=5)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def source(app: Flask, cast: Cast) -> AlertSource:
    with app.app_context():
        return make_source(cast.account, name="Prometheus")[0]


@pytest.fixture
def policy(app: Flask, cast: Cast, source: AlertSource) -> EscalationPolicy:
    """Bob first, then Ada."""
    with app.app_context():
        return make_policy(cast.account, [cast.bob], [cast.ada], name="Platform", source=source)


def pass_time(clock: time_machine.Traveller, **time: float) -> int:
    clock.shift(timedelta(**time))
    return escalations.due(now())


def told(alert: Alert) -> list[tuple[str, str]]:
    """The timeline without the opening: what happened, and to whom or where.

    How people were told of it is another story: tests/domain/test_notifications.py.
    """
    words = ("targets", "level", "to", "key", "person")
    return [
        (
            entry.kind.value,
            next((str(entry.data[word]) for word in words if word in entry.data), ""),
        )
        for entry in seen.timeline(alert)[1:]
        if entry.kind is not TimelineKind.NOTIFICATION_FAILED
    ]


def climb_of(alert: Alert) -> AlertEscalation:
    db.session.rollback()
    return db.session.get_one(AlertEscalation, alert.id)


def responders(alert: Alert) -> list[str]:
    return [each.user.name for each in queries.responders_of(alert)]


def test_nobody_answers_and_the_alert_climbs_to_the_end(
    app: Flask, source: AlertSource, policy: EscalationPolicy, clock: time_machine.Traveller
) -> None:
    with app.app_context():
        alert = make_alert(source)
        assert told(alert) == [("escalated", "['Bob']")]
        assert pass_time(clock, minutes=4, seconds=59) == 0
        assert pass_time(clock, seconds=1) == 1
        assert told(alert)[1:] == [("escalated", "['Ada']")]
        assert responders(alert) == ["Bob", "Ada"]
        assert pass_time(clock, minutes=5) == 1
        assert told(alert)[2:] == [("escalation_ended", "")]
        assert pass_time(clock, days=1) == 0
        assert climb_of(alert).ended_at is not None
        assert db.session.get_one(Alert, alert.id).status is AlertStatus.PENDING


def test_repeats_begin_again_with_the_first_level(
    app: Flask, cast: Cast, source: AlertSource, clock: time_machine.Traveller
) -> None:
    with app.app_context():
        make_policy(cast.account, [cast.bob], repeats=2, source=source)
        alert = make_alert(source)
        for _ in range(3):
            pass_time(clock, minutes=5)
        asked = [("escalated", "['Bob']")]
        assert told(alert) == [*asked * 3, ("escalation_ended", "")]
        assert responders(alert) == ["Bob"]


@pytest.mark.parametrize("deed", [alerts.acknowledge, alerts.resolve])
def test_who_answers_stops_it(  # type: ignore[no-untyped-def]
    app: Flask,
    cast: Cast,
    source: AlertSource,
    policy: EscalationPolicy,
    clock: time_machine.Traveller,
    deed,
) -> None:
    with app.app_context():
        alert = make_alert(source)
        deed(alert.id, by=cast.ada, via=Via.WEB)
        assert climb_of(alert).next_step_at is None
        assert pass_time(clock, days=1) == 0


def test_who_acknowledges_becomes_a_responder_with_a_mark(
    app: Flask, cast: Cast, source: AlertSource, policy: EscalationPolicy
) -> None:
    with app.app_context():
        alert = make_alert(source)
        alerts.acknowledge(alert.id, by=cast.ada, via=Via.WEB)
        bob, ada = queries.responders_of(alert)
        assert (bob.user.name, bob.acknowledged_at) == ("Bob", None)
        assert (ada.user.name, ada.asked_at) == ("Ada", None)
        assert ada.acknowledged_at is not None


def test_a_tool_that_acknowledges_or_resolves_stops_it_too(
    app: Flask, source: AlertSource, policy: EscalationPolicy, clock: time_machine.Traveller
) -> None:
    with app.app_context():
        for kind in (EventType.ACCEPT, EventType.RESOLVE):
            alert = make_alert(source, alert_key=kind)
            receive(db.session.get_one(AlertSource, source.id), IncomingEvent(kind, alert_key=kind))
            assert climb_of(alert).next_step_at is None
        assert pass_time(clock, days=1) == 0


def test_an_overdue_step_happens_once_and_the_next_counts_from_then(
    app: Flask, source: AlertSource, policy: EscalationPolicy, clock: time_machine.Traveller
) -> None:
    with app.app_context():
        alert = make_alert(source)
        assert pass_time(clock, hours=3) == 1
        assert told(alert)[1:] == [("escalated", "['Ada']")]
        assert climb_of(alert).next_step_at == NOON + timedelta(hours=3) + LEVEL_TIME


def test_a_delay_asks_nobody_until_it_has_passed(
    app: Flask, cast: Cast, source: AlertSource, clock: time_machine.Traveller
) -> None:
    with app.app_context():
        make_policy(cast.account, [cast.bob], delay_minutes=2, source=source)
        alert, answered = make_alert(source), make_alert(source)
        assert (told(alert), responders(alert)) == ([], [])
        alerts.acknowledge(answered.id, by=cast.ada, via=Via.WEB)
        assert pass_time(clock, minutes=2) == 1
        assert told(alert) == [("escalated", "['Bob']")]
        assert responders(answered) == ["Ada"]


def test_low_priority_asks_the_first_level_only_until_it_is_raised(
    app: Flask,
    cast: Cast,
    source: AlertSource,
    policy: EscalationPolicy,
    clock: time_machine.Traveller,
) -> None:
    with app.app_context():
        alert = make_alert(source, priority="LOW")
        assert pass_time(clock, hours=1) == 0
        with pytest.raises(Conflict, match="Raise the priority first"):
            operations.escalate(alert.id, 2, by=cast.ada, via=Via.WEB)
        db.session.rollback()
        alerts.raise_priority(alert.id, by=cast.ada, via=Via.WEB)
        assert climb_of(alert).next_step_at == now() + LEVEL_TIME
        pass_time(clock, minutes=5)
        assert told(alert)[-1] == ("escalated", "['Ada']")
        with pytest.raises(Conflict, match="high priority already"):
            alerts.raise_priority(alert.id, by=cast.ada, via=Via.WEB)


def test_nobody_on_call_falls_through_and_is_said(
    app: Flask, cast: Cast, source: AlertSource, clock: time_machine.Traveller
) -> None:
    with app.app_context():
        gone = make_user(cast.account, name="Gone")
        make_policy(cast.account, [gone], [cast.bob], source=source)
        db.session.get_one(User, gone.id).deactivated_at = now()
        db.session.commit()
        alert = make_alert(source)
        assert told(alert) == [("nobody_on_call", "1"), ("escalated", "['Bob']")]
        assert responders(alert) == ["Bob"]


def test_nobody_anywhere_ends_at_once(app: Flask, cast: Cast, source: AlertSource) -> None:
    with app.app_context():
        gone = make_user(cast.account, name="Gone")
        make_policy(cast.account, [gone], [gone], repeats=9, source=source)
        db.session.get_one(User, gone.id).role = Role.STAKEHOLDER
        db.session.commit()
        high, low = make_alert(source), make_alert(source, priority="LOW")
        empty = [("nobody_on_call", "1"), ("nobody_on_call", "2")]
        assert told(high) == [*empty, ("escalation_ended", "")]
        assert told(low) == [("nobody_on_call", "1")]
        assert climb_of(high).next_step_at is climb_of(low).next_step_at is None


def test_an_alert_keeps_the_rules_it_was_opened_with(
    app: Flask,
    cast: Cast,
    source: AlertSource,
    policy: EscalationPolicy,
    clock: time_machine.Traveller,
) -> None:
    with app.app_context():
        alert = make_alert(source)
        bob = Target(TargetKind.PERSON, cast.bob.id)
        changed = PolicyDraft("Platform", [RuleDraft(60, [bob])])
        policies.change(policy.id, changed, by=cast.ada)
        pass_time(clock, minutes=5)
        assert told(alert)[-1] == ("escalated", "['Ada']")


def test_escalating_by_hand_brings_it_back_and_goes_on_from_there(
    app: Flask,
    cast: Cast,
    source: AlertSource,
    policy: EscalationPolicy,
    clock: time_machine.Traveller,
) -> None:
    with app.app_context():
        alert = make_alert(source)
        alerts.acknowledge(alert.id, by=cast.bob, via=Via.SLACK)
        escalated = operations.escalate(alert.id, 2, by=cast.bob, via=Via.WEB)
        assert (escalated.status, escalated.acknowledger) == (AlertStatus.PENDING, None)
        assert climb_of(alert).next_step_at == now() + LEVEL_TIME
        marks = {each.user.name: each.acknowledged_at for each in queries.responders_of(alert)}
        assert marks == {"Bob": now(), "Ada": None}
        with pytest.raises(Invalid, match="from 1 to 2"):
            operations.escalate(alert.id, 3, by=cast.bob, via=Via.WEB)


def test_rerouting_to_a_person_asks_them_alone(
    app: Flask,
    cast: Cast,
    source: AlertSource,
    policy: EscalationPolicy,
    clock: time_machine.Traveller,
) -> None:
    with app.app_context():
        alert = make_alert(source)
        target = Target(TargetKind.PERSON, cast.ada.id)
        operations.reroute(alert.id, target, by=cast.bob, via=Via.WEB)
        assert responders(alert) == ["Ada"]
        assert told(alert)[-1] == ("rerouted", "Ada")
        assert pass_time(clock, days=1) == 0
        with pytest.raises(Conflict, match="has no escalation policy"):
            operations.escalate(alert.id, 1, by=cast.bob, via=Via.WEB)


def test_rerouting_to_a_policy_begins_at_its_first_level_without_delay(
    app: Flask,
    cast: Cast,
    source: AlertSource,
    policy: EscalationPolicy,
    clock: time_machine.Traveller,
) -> None:
    with app.app_context():
        other = make_policy(cast.account, [cast.ada], [cast.bob], name="Database", delay_minutes=30)
        alert = make_alert(source)
        pass_time(clock, minutes=5)
        target = Target(TargetKind.POLICY, other.id)
        operations.reroute(alert.id, target, by=cast.bob, via=Via.WEB)
        assert told(alert)[-2:] == [("rerouted", "Database"), ("escalated", "['Ada']")]
        assert (climb_of(alert).policy_name, climb_of(alert).level) == ("Database", 1)
        assert responders(alert) == ["Ada"]


def test_a_responder_is_added_once_and_changes_nothing_else(
    app: Flask, cast: Cast, source: AlertSource, policy: EscalationPolicy
) -> None:
    with app.app_context():
        eve, stan = make_user(cast.account, name="Eve"), make_user(cast.account)
        db.session.get_one(User, stan.id).role = Role.STAKEHOLDER
        db.session.commit()
        alert = make_alert(source)
        before = climb_of(alert).next_step_at
        operations.add_responder(alert.id, eve.id, by=cast.bob, via=Via.WEB)
        assert responders(alert) == ["Bob", "Eve"]
        assert climb_of(alert).next_step_at == before
        for person, words in ((eve, "is a responder already"), (stan, "may not answer")):
            with pytest.raises(Conflict, match=words):
                operations.add_responder(alert.id, person.id, by=cast.bob, via=Via.WEB)
            db.session.rollback()
        with pytest.raises(NotFound):
            operations.add_responder(alert.id, cast.charlie.id, by=cast.bob, via=Via.WEB)


@pytest.mark.parametrize(
    ("key", "policy_name", "first"),
    [
        (None, "Platform", "escalated"),
        ("db", "Database", "escalated"),
        (" DB ", "Database", "escalated"),
        ("unknown, db, web", "Database", "escalated"),
        ("web,db", "Web", "escalated"),
        ("unknown", "Platform", "not_routed"),
        ("foreign", "Platform", "not_routed"),
        (" , ", "Platform", "escalated"),
    ],
)
@pytest.mark.usefixtures("policy")
def test_the_routing_key_of_an_event_chooses_the_policy(
    app: Flask, cast: Cast, source: AlertSource, key: str | None, policy_name: str, first: str
) -> None:
    with app.app_context():
        make_policy(cast.account, [cast.ada], name="Database", routing_key="Db")
        make_policy(cast.account, [cast.ada], name="Web", routing_key="web")
        make_policy(cast.charlie.account, [cast.charlie], routing_key="foreign")
        alert = make_alert(source, routing_key=key)
        assert climb_of(alert).policy_name == policy_name
        assert told(alert)[0][0] == first


def test_a_source_without_a_policy_asks_nobody(app: Flask, source: AlertSource) -> None:
    with app.app_context():
        alert = make_alert(source)
        assert queries.escalation_of(alert) is None
        assert (told(alert), responders(alert)) == ([], [])


def test_nothing_moves_a_resolved_alert(
    app: Flask, cast: Cast, source: AlertSource, policy: EscalationPolicy
) -> None:
    with app.app_context():
        alert = make_alert(source)
        alerts.resolve(alert.id, by=cast.ada, via=Via.WEB)
        attempts = (
            lambda: operations.escalate(alert.id, 1, by=cast.bob, via=Via.WEB),
            lambda: operations.add_responder(alert.id, cast.ada.id, by=cast.bob, via=Via.WEB),
            lambda: operations.reroute(
                alert.id, Target(TargetKind.PERSON, cast.bob.id), by=cast.bob, via=Via.WEB
            ),
            lambda: alerts.raise_priority(alert.id, by=cast.bob, via=Via.WEB),
        )
        for attempt in attempts:
            with pytest.raises(Conflict, match="Ada"):
                attempt()
            db.session.rollback()
        assert responders(alert) == ["Bob"]


def test_another_account_and_stakeholders_move_nothing(
    app: Flask, cast: Cast, source: AlertSource, policy: EscalationPolicy
) -> None:
    with app.app_context():
        stan = make_user(cast.account, role=Role.STAKEHOLDER)
        foreign = make_policy(cast.charlie.account, [cast.charlie])
        alert = make_alert(source)
        for person, refusal in ((stan, Denied), (cast.charlie, NotFound)):
            with pytest.raises(refusal):
                operations.escalate(alert.id, 1, by=person, via=Via.WEB)
            with pytest.raises(refusal):
                operations.add_responder(alert.id, cast.ada.id, by=person, via=Via.WEB)
            db.session.rollback()
        target = Target(TargetKind.POLICY, foreign.id)
        with pytest.raises(NotFound):
            operations.reroute(alert.id, target, by=cast.bob, via=Via.WEB)
        db.session.rollback()
        assert told(alert) == [("escalated", "['Bob']")]


def test_a_step_that_fails_does_not_keep_the_others_waiting(
    app: Flask,
    source: AlertSource,
    policy: EscalationPolicy,
    clock: time_machine.Traveller,
) -> None:
    with app.app_context():
        broken, sound = make_alert(source), make_alert(source)
        spoil = text("UPDATE alert_escalations SET rules = '[{}]' WHERE alert_id = :id")
        db.session.execute(spoil, {"id": broken.id})
        db.session.commit()
        assert pass_time(clock, minutes=5) == 1
        assert told(sound)[-1] == ("escalated", "['Ada']")
        assert climb_of(broken).next_step_at == now() + operations.AGAIN_AFTER_A_FAULT


@pytest.mark.parametrize("text_", ["", "person", "person:", "person:x", "team:1", "person:-1"])
def test_a_target_that_is_none_is_refused(text_: str) -> None:
    with pytest.raises(NotFound):
        Target.parse(text_)
