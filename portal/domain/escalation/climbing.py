"""How does an alert climb its policy? The rows of it; whoever calls has locked the alert and commits."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import select, text

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts import timeline
from portal.domain.alerts.models import Alert, AlertStatus, Priority, TimelineKind, Via
from portal.domain.escalation import steps
from portal.domain.escalation.models import AlertEscalation, EscalationPolicy
from portal.domain.escalation.steps import Position, Step
from portal.domain.escalation.targets import OnCall, look
from portal.domain.facts import (
    AlertEscalated,
    AlertEscalationEnded,
    NobodyOnCall,
    ResponderAdded,
    announce,
)

Asked = tuple[int, int]  # the ids of an alert and of a person

# Columns as arrays: one statement, prepared once, for one alert and for thousands. A list of rows is
# a new statement for each number of rows, and building it takes longer than running it.
ASK = text(
    "INSERT INTO alert_responders (alert_id, user_id, added_at, asked_at)"
    " SELECT alert_id, user_id, :moment, :moment"
    " FROM unnest(CAST(:alert_ids AS bigint[]), CAST(:user_ids AS bigint[]))"
    " AS asked (alert_id, user_id)"
    " ON CONFLICT (alert_id, user_id) DO UPDATE SET asked_at = excluded.asked_at"
)


class Reason(StrEnum):
    """Why a level was entered, on the timeline."""

    OPENED = "opened"
    TIMEOUT = "timeout"
    BY_HAND = "by_hand"
    REROUTED = "rerouted"
    RAISED = "raised"


def begin(alert: Alert, policy: EscalationPolicy, reason: Reason) -> None:
    """Give the alert its copy of the policy's rules and ask level 1; at creation after the delay, and
    nobody if an event that came with the first has answered it already."""
    climb = of_alert(alert.id) or AlertEscalation(alert_id=alert.id)
    climb.policy_id, climb.policy_name = policy.id, policy.name
    climb.rules = [rule.to_json() for rule in policy.plan]
    climb.repeats = policy.repeats
    climb.level, climb.lap, climb.has_asked = 0, 1, False
    climb.next_step_at = climb.ended_at = None
    db.session.add(climb)
    if reason is Reason.OPENED and alert.status is not AlertStatus.PENDING:
        return
    if reason is Reason.OPENED and policy.delay_minutes:
        climb.next_step_at = now() + timedelta(minutes=policy.delay_minutes)
    else:
        enter(alert, climb, Position(1), reason)


def enter(
    alert: Alert,
    climb: AlertEscalation,
    at: Position,
    reason: Reason,
    *,
    by: User | None = None,
    via: Via | None = None,
) -> None:
    """Enter a level now and write down what comes of it: timeline, responders, the next timer."""
    ask(_entered(alert, climb, at, reason, look(climb.plan, now()), by, via))


def take_steps(due: Sequence[tuple[AlertEscalation, Alert]]) -> None:
    """The timers of these alerts rang: for each the following level, the next pass, or the end."""
    on_call = look((rule for climb, _ in due for rule in climb.plan), now())
    asked: list[Asked] = []
    for climb, alert in due:
        following = steps.after(climb.position, levels=len(climb.rules), repeats=climb.repeats)
        if alert.status is not AlertStatus.PENDING:
            climb.next_step_at = None
        elif following is not None:
            reason = Reason.TIMEOUT if climb.level else Reason.OPENED
            asked += _entered(alert, climb, following, reason, on_call)
        else:
            climb.next_step_at, climb.ended_at = None, now()
            _ended(alert, climb)
    ask(asked)


def ask(asked: Sequence[Asked]) -> None:
    """Make these people responders, and have them told; also those who are responders already."""
    if not asked:
        return
    alert_ids, user_ids = zip(*asked, strict=True)
    people = {"alert_ids": list(alert_ids), "user_ids": list(user_ids)}
    db.session.execute(ASK, people | {"moment": now()})
    for alert_id, user_id in asked:
        announce(ResponderAdded(alert_id, user_id))


def of_alert(alert_id: int) -> AlertEscalation | None:
    wanted = select(AlertEscalation).where(AlertEscalation.alert_id == alert_id)
    return db.session.scalar(wanted.execution_options(populate_existing=True))


def _entered(
    alert: Alert,
    climb: AlertEscalation,
    at: Position,
    reason: Reason,
    on_call: OnCall,
    by: User | None = None,
    via: Via | None = None,
) -> list[Asked]:
    """Whom that asks; `on_call` is of this moment."""
    moment = now()
    step = steps.enter(
        climb.plan,
        at,
        repeats=climb.repeats,
        is_low=alert.priority is Priority.LOW,
        who=on_call.asked,
        now=moment,
    )
    climb.level, climb.lap = step.position.level, step.position.lap
    climb.has_asked, climb.next_step_at = step.position.has_asked, step.next_at
    climb.ended_at = moment if step.is_end else None
    _record(alert, climb, step, reason, on_call.names(step.asked), by, via)
    return [(alert.id, user_id) for user_id in step.asked]


def _record(
    alert: Alert,
    climb: AlertEscalation,
    step: Step,
    reason: Reason,
    names: list[str],
    by: User | None,
    via: Via | None,
) -> None:
    for level in step.empty:
        timeline.record(alert, TimelineKind.NOBODY_ON_CALL, by=climb.policy_name, level=level)
    if step.asked:
        level = step.position.level
        timeline.record(
            alert,
            TimelineKind.ESCALATED,
            by=by or climb.policy_name,
            via=via,
            level=level,
            targets=names,
            cause=reason.value,
        )
        if reason is not Reason.OPENED:
            announce(AlertEscalated(alert.id, level))
    if step.is_nobody:
        announce(NobodyOnCall(alert.id))
    if step.is_end:
        _ended(alert, climb)


def _ended(alert: Alert, climb: AlertEscalation) -> None:
    timeline.record(alert, TimelineKind.ESCALATION_ENDED, by=climb.policy_name)
    announce(AlertEscalationEnded(alert.id))
