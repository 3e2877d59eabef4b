"""What do people and timers do to an alert's escalation? Each function is one transaction."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import load_only

from portal.db import db, now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries as alerts
from portal.domain.alerts import timeline
from portal.domain.alerts.models import Alert, AlertStatus, Priority, TimelineKind, Via
from portal.domain.escalation import climbing, queries
from portal.domain.escalation.climbing import Reason
from portal.domain.escalation.models import AlertEscalation, Responder
from portal.domain.escalation.policies import DELAYS
from portal.domain.escalation.steps import Position
from portal.domain.escalation.targets import Target, TargetKind
from portal.domain.facts import AlertRerouted, ResponderRemoved, announce
from portal.domain.oncall import queries as oncall
from portal.errors import Conflict, Invalid

AGAIN_AFTER_A_FAULT = timedelta(minutes=1)
LONGEST_DELAY = DELAYS[-1]  # minutes before level 1
BRING_NEAR = text(
    "WITH running AS (SELECT alert_id, CAST(:at AS timestamptz) + make_interval(mins => CASE"
    " WHEN level > 0 THEN CAST(rules -> (CAST(level AS int) - 1) ->> 'timeout_minutes' AS int)"
    " ELSE :longest_delay END) AS latest FROM alert_escalations WHERE next_step_at > :at"
    " FOR UPDATE SKIP LOCKED)"
    " UPDATE alert_escalations AS climb SET next_step_at = running.latest FROM running"
    " WHERE climb.alert_id = running.alert_id"
    " AND climb.next_step_at > running.latest + interval '2 seconds'"
)


def escalate(alert_id: int, level: int, *, by: User, via: Via) -> Alert:
    """Ask this level now and go on from there; the alert is pending again (product.md 8.1).

    Raises Conflict when the alert is resolved, of low priority, or has no policy; Invalid for a
    level that its policy does not have.
    """
    alert = _open(alert_id, by)
    climb = climbing.of_alert(alert.id)
    if climb is None:
        raise Conflict("This alert has no escalation policy. Reroute it to one, or to a person.")
    if alert.priority is Priority.LOW:
        raise Conflict("Low priority asks the first level only. Raise the priority first.")
    if not 1 <= level <= len(climb.rules):
        raise Invalid(f"Please choose a level from 1 to {len(climb.rules)}.", field="level")
    _make_pending(alert)
    at = Position(level, climb.lap, climb.has_asked)
    climbing.enter(alert, climb, at, Reason.BY_HAND, by=by, via=via)
    db.session.commit()
    return alert


def reroute(alert_id: int, to: Target, *, by: User, via: Via) -> Alert:
    """Have others asked now, instead of those before; the alert is pending again.

    A policy begins at its level 1 without its delay. A person, or whoever is on call in a schedule,
    is asked alone: nothing escalates after that. Raises NotFound for what is not there any more and
    Conflict when nobody is on call in the schedule.
    """
    alert = _open(alert_id, by)
    if to.kind is TargetKind.POLICY:
        policy = queries.policy(by, to.id)
        _hand_over(alert, policy.name, by, via)
        climbing.begin(alert, policy, Reason.REROUTED)
    else:
        name, user_id = _asked_alone(to, by)
        _hand_over(alert, name, by, via)
        db.session.execute(delete(AlertEscalation).where(AlertEscalation.alert_id == alert.id))
        climbing.ask([(alert.id, user_id)])
    announce(AlertRerouted(alert.id))
    db.session.commit()
    return alert


def add_responder(alert_id: int, user_id: int, *, by: User, via: Via) -> Alert:
    """Ask one more person. Status and escalation stay as they are.

    Raises Conflict when the person is a responder already or may not answer.
    """
    alert = _open(alert_id, by)
    person = _who_may_answer(user_id, by)
    if db.session.get(Responder, (alert.id, person.id)) is not None:
        raise Conflict(f"{person.name} is a responder already. Nothing was changed.")
    timeline.record(alert, TimelineKind.RESPONDER_ADDED, by=by, via=via, person=person.name)
    climbing.ask([(alert.id, person.id)])
    db.session.commit()
    return alert


def remove_responder(alert_id: int, user_id: int, *, by: User, via: Via) -> Alert:
    """The person need not act any more and is told nothing further; the timeline still knows them.

    Status and escalation stay as they are: a later level may ask them again. Raises Conflict when
    they are no responder.
    """
    alert = _open(alert_id, by)
    person = accounts.person(by, user_id)
    responder = db.session.get(Responder, (alert.id, person.id))
    if responder is None:
        raise Conflict(f"{person.name} is no responder. Nothing was changed.")
    db.session.delete(responder)
    timeline.record(alert, TimelineKind.RESPONDER_REMOVED, by=by, via=via, person=person.name)
    announce(ResponderRemoved(alert.id, person.id))
    db.session.commit()
    return alert


def take_due_steps(alert_ids: Collection[int], moment: datetime) -> int:
    """Take the steps of these alerts whose time has come, and return how many there were.

    Whoever else is at one of them right now, a person or another worker, has it: we skip it. Both
    rows are locked, since only a locked row is read as it is now: that is what makes each step
    happen once. NO KEY, because the timeline entries of others may go on referring to the alert.
    """
    wanted = (
        select(AlertEscalation, Alert)
        .join(Alert, Alert.id == AlertEscalation.alert_id)
        .where(AlertEscalation.alert_id.in_(alert_ids), AlertEscalation.next_step_at <= moment)
        .order_by(AlertEscalation.alert_id)
        .options(load_only(Alert.status, Alert.priority))
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    due = [(climb, alert) for climb, alert in db.session.execute(wanted)]
    climbing.take_steps(due)
    db.session.commit()
    return len(due)


def postpone(alert_id: int) -> None:
    """Try a step again later that failed by a fault of ours, so that it does not stop the others."""
    later = update(AlertEscalation).where(
        AlertEscalation.alert_id == alert_id, AlertEscalation.next_step_at.is_not(None)
    )
    db.session.execute(later.values(next_step_at=now() + AGAIN_AFTER_A_FAULT))
    db.session.commit()


def bring_near(moment: datetime) -> None:
    """A timer never runs for longer than its level's timeout, or than the longest delay before the
    first: one that does was set by a clock that was ahead, and begins anew."""
    db.session.execute(BRING_NEAR, {"at": moment, "longest_delay": LONGEST_DELAY})
    db.session.commit()


def _open(alert_id: int, by: User) -> Alert:
    by.require(Permission.RESPOND_TO_ALERTS)
    alert = alerts.locked(by, alert_id)
    if alert.status is AlertStatus.RESOLVED:
        raise Conflict(f"{alert.resolver} has resolved this alert. Nothing was changed.")
    return alert


def _make_pending(alert: Alert) -> None:
    """Responders keep their own mark; the alert itself is nobody's again."""
    alert.status = AlertStatus.PENDING
    alert.acknowledged_at = alert.acknowledged_by_id = None


def _hand_over(alert: Alert, to: str, by: User, via: Via) -> None:
    """Those asked before leave the list; the timeline still knows them."""
    db.session.execute(delete(Responder).where(Responder.alert_id == alert.id))
    _make_pending(alert)
    timeline.record(alert, TimelineKind.REROUTED, by=by, via=via, to=to)


def _asked_alone(to: Target, by: User) -> tuple[str, int]:
    """The name for the timeline, and the person."""
    if to.kind is TargetKind.PERSON:
        person = _who_may_answer(to.id, by)
        return person.name, person.id
    schedule = oncall.schedule(by, to.id)
    user_id = oncall.on_call_now([schedule.id], now()).get(schedule.id)
    if user_id is None:
        raise Conflict(f"Nobody is on call in {schedule.name} now. Nothing was changed.")
    return schedule.name, user_id


def _who_may_answer(user_id: int, by: User) -> User:
    person = accounts.person(by, user_id)
    if not person.can(Permission.RESPOND_TO_ALERTS):
        raise Conflict(f"{person.name} may not answer alerts. Please choose somebody else.")
    return person
