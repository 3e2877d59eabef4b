"""When does an alert action publish because nobody did something in time? product.md 3.2

The timers are rows, like an escalation's; jobs/alert_actions.py looks for those that are due. What
has become pointless meanwhile is noticed then, so that answering an alert costs nothing here.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from portal.db import db, now
from portal.domain.alerts import timeline
from portal.domain.alerts.models import (
    Alert,
    AlertStatus,
    TimelineEntry,
    TimelineKind,
)
from portal.domain.escalation.models import AlertEscalation
from portal.domain.facts import AlertActionDue, announce
from portal.domain.routing.models import ActionTimer, AlertAction
from portal.domain.routing.triggers import Trigger

AGAIN_AFTER_A_FAULT = timedelta(minutes=1)
BRING_NEAR = text(
    "WITH running AS (SELECT timer.id, CAST(:at AS timestamptz) + make_interval(secs =>"
    " CASE timer.trigger WHEN :ended THEN action.ended_after ELSE action.not_resolved_after END)"
    " AS latest FROM alert_action_timers AS timer"
    " JOIN alert_actions AS action ON action.id = timer.action_id WHERE timer.due_at > :at"
    " FOR UPDATE OF timer SKIP LOCKED)"
    " UPDATE alert_action_timers AS timer SET due_at = running.latest FROM running"
    " WHERE timer.id = running.id AND timer.due_at > running.latest + interval '2 seconds'"
)


def start(alert_ids: Collection[int], action: AlertAction, trigger: Trigger) -> None:
    """Have the action look at these alerts when its time is over. In the caller's transaction."""
    is_end = trigger is Trigger.ESCALATION_ENDED
    seconds = (action.ended_after if is_end else action.not_resolved_after) or 0
    due_at = now() + timedelta(seconds=seconds)
    mine = {"action_id": action.id, "trigger": trigger, "due_at": due_at}
    started = insert(ActionTimer).on_conflict_do_update(
        index_elements=["alert_id", "action_id", "trigger"], set_={"due_at": due_at}
    )
    if alert_ids:
        rows = [mine | {"alert_id": alert_id} for alert_id in sorted(alert_ids)]
        db.session.execute(started, rows)


def take_due(timer_ids: Collection[int], moment: datetime) -> int:
    """Publish what these timers stand for, if it is still so; returns how many there were.

    Whoever else is at one of them or at its alert right now, a person or another worker, has it:
    it is left for the next turn.
    """
    wanted = (
        select(ActionTimer, Alert, AlertAction)
        .join(Alert, Alert.id == ActionTimer.alert_id)
        .join(AlertAction, AlertAction.id == ActionTimer.action_id)
        .where(ActionTimer.id.in_(timer_ids), ActionTimer.due_at <= moment)
        .order_by(ActionTimer.alert_id, ActionTimer.id)
        .with_for_update(of=(ActionTimer, Alert), key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    due = [(timer, alert, action) for timer, alert, action in db.session.execute(wanted)]
    ended = _ended(alert.id for timer, alert, _ in due if timer.trigger is Trigger.ESCALATION_ENDED)
    said: dict[tuple[int, int | None], TimelineEntry] = {}
    for timer, alert, action in due:
        if timer.trigger not in action.triggers:
            pass  # the action was changed meanwhile
        elif timer.trigger is Trigger.ESCALATION_ENDED:
            if alert.status is AlertStatus.PENDING and alert.id in ended:
                announce(AlertActionDue(action.id, ended[alert.id]))
        elif alert.is_open:
            key = (alert.id, action.not_resolved_after)
            said[key] = said.get(key) or _not_resolved(alert, action)
            announce(AlertActionDue(action.id, said[key]))
        db.session.delete(timer)
    db.session.commit()
    return len(due)


def postpone(timer_id: int) -> None:
    """Try again later what failed by a fault of ours, so that it does not stop the others."""
    later = update(ActionTimer).where(ActionTimer.id == timer_id)
    db.session.execute(later.values(due_at=now() + AGAIN_AFTER_A_FAULT))
    db.session.commit()


def bring_near(moment: datetime) -> None:
    """A timer never runs for longer than its action waits: one that does was set by a clock that was
    ahead, and begins anew."""
    db.session.execute(BRING_NEAR, {"at": moment, "ended": Trigger.ESCALATION_ENDED})
    db.session.commit()


def _ended(alert_ids: Iterable[int]) -> dict[int, TimelineEntry]:
    """Of alerts whose escalation is at its end now, the line that says so, the newest one."""
    wanted = (
        select(TimelineEntry)
        .join(AlertEscalation, AlertEscalation.alert_id == TimelineEntry.alert_id)
        .where(
            TimelineEntry.alert_id.in_(list(alert_ids)),
            TimelineEntry.kind == TimelineKind.ESCALATION_ENDED,
            AlertEscalation.ended_at.is_not(None),
        )
        .order_by(TimelineEntry.id)
    )
    return {entry.alert_id: entry for entry in db.session.scalars(wanted)}


def _not_resolved(alert: Alert, action: AlertAction) -> TimelineEntry:
    seconds = action.not_resolved_after
    return timeline.record(alert, TimelineKind.NOT_RESOLVED, by=action.name, seconds=seconds)
