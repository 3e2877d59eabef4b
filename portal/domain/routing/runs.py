"""How does a person have a manual alert action carried out, and what becomes of it?"""

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries as alerts
from portal.domain.alerts import timeline
from portal.domain.alerts.models import Alert, TimelineKind, Via
from portal.domain.facts import AlertActionRun, announce
from portal.domain.routing import queries
from portal.domain.routing.models import ActionRun
from portal.errors import Conflict, NotFound


def run(alert_id: int, action_id: int, *, by: User, via: Via) -> ActionRun:
    """Have a manual action carried out for an alert, once (product.md 3.2).

    Slack is spoken to afterwards; queries.manual_actions() has what became of it. One that failed
    may be tried again. Raises Conflict with who was faster, NotFound for an action that does not
    offer itself for this alert.
    """
    by.require(Permission.RESPOND_TO_ALERTS)
    alert = alerts.locked(by, alert_id)
    offered = {action.id: (action, before) for action, before in queries.manual_actions(alert)}
    if action_id not in offered:
        raise NotFound("There is no such action for this alert. It may have been changed.")
    action, before = offered[action_id]
    if before is not None and before.problem is None:
        raise Conflict(f"{before.run_by.name} has done this already. Nothing was changed.")
    if before is None:
        before = ActionRun(alert_id=alert.id, action_id=action.id)
        db.session.add(before)
    before.run_by_id, before.run_at, before.problem = by.id, now(), None
    before.via = via
    db.session.flush()
    announce(AlertActionRun(before.id))
    db.session.commit()
    return before


def succeeded(run: ActionRun, alert: Alert) -> None:
    """Slack shows the alert where the action says so. Within the caller's transaction."""
    if run.succeeded_at is not None:
        return
    run.succeeded_at, run.problem = now(), None
    _record(run, alert, TimelineKind.ACTION_SUCCEEDED)


def failed(run: ActionRun, alert: Alert, code: str) -> None:
    """Slack refused, with this code. Within the caller's transaction."""
    if run.succeeded_at is not None or run.problem is not None:
        return
    run.problem = code
    _record(run, alert, TimelineKind.ACTION_FAILED, reason=code)


def _record(run: ActionRun, alert: Alert, kind: TimelineKind, **more: str) -> None:
    name = run.action.name
    timeline.record(alert, kind, by=run.run_by, via=run.via, action=name, **more)
