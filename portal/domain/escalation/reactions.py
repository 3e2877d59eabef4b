"""What follows for an alert's escalation from what happened to the alert? In the same transaction."""

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.db import db, now
from portal.domain.accounts import queries as accounts
from portal.domain.alerts import timeline
from portal.domain.alerts.models import Alert, AlertStatus, TimelineKind
from portal.domain.escalation import climbing
from portal.domain.escalation.climbing import Reason
from portal.domain.escalation.models import AlertEscalation, EscalationPolicy, Responder
from portal.domain.escalation.steps import Position
from portal.domain.facts import (
    AlertAcknowledged,
    AlertCreated,
    AlertPriorityRaised,
    AlertResolved,
    NobodyOnCall,
)
from portal.domain.notices import operations as notices


def begin(fact: AlertCreated) -> None:
    """Climb the policy that was chosen, or that the event's routing key names, else the source's own.

    People chosen by name are asked alone: nothing escalates after that (product.md 7.1).
    """
    alert = db.session.get_one(Alert, fact.alert_id)
    if fact.responder_ids:
        climbing.ask([(alert.id, user_id) for user_id in fact.responder_ids])
        return
    if fact.policy_id is not None:
        climbing.begin(alert, db.session.get_one(EscalationPolicy, fact.policy_id), Reason.OPENED)
        return
    policy = _routed_to(alert)
    if policy is None and alert.source.escalation_policy_id is not None:
        policy = db.session.get(EscalationPolicy, alert.source.escalation_policy_id)
    if policy is not None:
        climbing.begin(alert, policy, Reason.OPENED)


def stop(fact: AlertAcknowledged | AlertResolved) -> None:
    """Nobody is asked any more. Who took the alert is a responder now, if they were not before."""
    halt = update(AlertEscalation).where(AlertEscalation.alert_id == fact.alert_id)
    db.session.execute(halt.values(next_step_at=None))
    alert = db.session.get_one(Alert, fact.alert_id)
    if isinstance(fact, AlertAcknowledged) and alert.acknowledged_by_id is not None:
        marked = insert(Responder).values(
            alert_id=alert.id,
            user_id=alert.acknowledged_by_id,
            added_at=now(),
            acknowledged_at=alert.acknowledged_at,
        )
        db.session.execute(
            marked.on_conflict_do_update(
                index_elements=["alert_id", "user_id"],
                set_={"acknowledged_at": alert.acknowledged_at},
            )
        )


def go_on(fact: AlertPriorityRaised) -> None:
    """Start the clock of the level that was asked; if nobody was found there, ask it anew."""
    alert = db.session.get_one(Alert, fact.alert_id)
    climb = climbing.of_alert(alert.id)
    if climb is None or alert.status is not AlertStatus.PENDING or climb.level == 0:
        return
    if climb.has_asked:
        climb.next_step_at = now() + climb.plan[climb.level - 1].timeout
    else:
        climbing.enter(alert, climb, Position(1), Reason.RAISED)


def tell_admins(fact: NobodyOnCall) -> None:
    """One notice for each admin and policy, about the newest alert that reached nobody."""
    alert, climb = db.session.get_one(Alert, fact.alert_id), climbing.of_alert(fact.alert_id)
    if climb is None:
        return
    about = f"nobody_on_call:{climb.policy_name}"
    notices.withdraw(alert.account_id, about=about)
    notices.tell(
        accounts.admins_of(alert.account_id),
        about=about,
        text=f"Nobody was on call for {climb.policy_name}: “{alert.summary}” reached nobody.",
        path=f"/alerts/{alert.id}",
    )


def _routed_to(alert: Alert) -> EscalationPolicy | None:
    """The first of the keys that a policy has; a key that none has is said on the timeline."""
    keys = [key.strip().lower() for key in (alert.routing_key or "").split(",")]
    for key in filter(None, keys):
        wanted = select(EscalationPolicy).where(
            EscalationPolicy.account_id == alert.account_id,
            func.lower(EscalationPolicy.routing_key) == key,
        )
        if policy := db.session.scalar(wanted):
            return policy
    if any(keys):
        timeline.record(alert, TimelineKind.NOT_ROUTED, by=alert.source, key=alert.routing_key)
    return None
