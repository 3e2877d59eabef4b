"""Which escalation policies are there, how far did an alert climb, and whom did it reach?"""

from sqlalchemy import Select, false, func, select
from sqlalchemy.orm import defer, joinedload, selectinload

from portal.db import db
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries as alerts
from portal.domain.alerts.models import Alert, AlertStatus
from portal.domain.escalation.models import (
    AlertEscalation,
    EscalationPolicy,
    EscalationRule,
    EscalationTarget,
    Responder,
)
from portal.domain.slack_sources.models import OfferedPolicy
from portal.domain.sources import queries as sources
from portal.domain.sources.models import AlertSource
from portal.errors import NotFound

MOST_LISTED = 500  # alerts of one person


def visible_to(viewer: User) -> Select[EscalationPolicy]:
    """Policies of the viewer's account, if their role shows policies at all."""
    if not viewer.can(Permission.SEE_ESCALATION_POLICIES):
        return select(EscalationPolicy).where(false())
    return select(EscalationPolicy).where(EscalationPolicy.account_id == viewer.account_id)


def policies_of(viewer: User) -> list[EscalationPolicy]:
    """All policies the viewer may see, by name, with their rules and targets."""
    targets = selectinload(EscalationPolicy.rules).selectinload(EscalationRule.targets)
    wanted = visible_to(viewer).options(
        targets.joinedload(EscalationTarget.user), targets.joinedload(EscalationTarget.schedule)
    )
    return list(db.session.scalars(wanted.order_by(func.lower(EscalationPolicy.name))))


def policy(viewer: User, policy_id: int) -> EscalationPolicy:
    """Raises NotFound, also for a policy of another account."""
    found = db.session.scalar(visible_to(viewer).where(EscalationPolicy.id == policy_id))
    if found is None:
        raise NotFound("There is no such escalation policy in your account.")
    return found


def policy_named(account: Account, name: str) -> EscalationPolicy:
    """Ignoring letter case. Raises NotFound with the name that was asked for."""
    wanted = select(EscalationPolicy).where(
        EscalationPolicy.account_id == account.id,
        func.lower(EscalationPolicy.name) == func.lower(name),
    )
    found = db.session.scalar(wanted)
    if found is None:
        raise NotFound(f"The account “{account.name}” has no escalation policy named “{name}”.")
    return found


def sources_using(policy: EscalationPolicy) -> list[AlertSource]:
    """The alert sources whose alerts climb this policy or that offer it in Slack, by name."""
    offered = select(OfferedPolicy.source_id).where(OfferedPolicy.policy_id == policy.id)
    wanted = select(AlertSource).where(
        (AlertSource.escalation_policy_id == policy.id) | AlertSource.id.in_(offered)
    )
    return list(db.session.scalars(wanted.order_by(func.lower(AlertSource.name))))


def used_by(viewer: User) -> dict[int, list[str]]:
    """The names of the alert sources that use a policy, by its id; unused ones are left out."""
    wanted = sources.visible_to(viewer).where(AlertSource.escalation_policy_id.is_not(None))
    names: dict[int, list[str]] = {}
    for source in db.session.scalars(wanted.order_by(func.lower(AlertSource.name))):
        names.setdefault(source.escalation_policy_id or 0, []).append(source.name)
    return names


def escalation_of(alert: Alert) -> AlertEscalation | None:
    """How far the alert has climbed; none when it asks nobody by itself."""
    return db.session.get(AlertEscalation, alert.id)


def responders_of(alert: Alert) -> list[Responder]:
    """Those who were asked about the alert or took it, the first ones first."""
    wanted = select(Responder).where(Responder.alert_id == alert.id)
    wanted = wanted.options(joinedload(Responder.user))
    return list(db.session.scalars(wanted.order_by(Responder.added_at, Responder.user_id)))


def open_alerts_of(person: User) -> list[Alert]:
    """The open alerts that the person was asked about or has: pending ones first, then the newest."""
    asked = select(Responder.alert_id).where(Responder.user_id == person.id)
    wanted = (
        alerts.visible_to(person)
        .where(Alert.status != AlertStatus.RESOLVED, Alert.id.in_(asked))
        .options(joinedload(Alert.source), joinedload(Alert.acknowledged_by))
        .options(defer(Alert.details), defer(Alert.custom_details))
    )
    in_order = wanted.order_by((Alert.status != AlertStatus.PENDING), Alert.id.desc())
    return list(db.session.scalars(in_order.limit(MOST_LISTED)))


def next_steps(viewer: User, *, limit: int) -> list[AlertEscalation]:
    """The pending alerts whose timers ring next, the soonest first."""
    seen = alerts.visible_to(viewer).where(Alert.status == AlertStatus.PENDING).subquery()
    wanted = (
        select(AlertEscalation)
        .join(seen, seen.c.id == AlertEscalation.alert_id)
        .where(AlertEscalation.next_step_at.is_not(None))
        .options(joinedload(AlertEscalation.alert))
    )
    return list(db.session.scalars(wanted.order_by(AlertEscalation.next_step_at).limit(limit)))
