"""Which alert actions are there?"""

from sqlalchemy import Select, false, func, select
from sqlalchemy.orm import selectinload

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts.models import Alert
from portal.domain.routing.models import AlertAction, alert_action_sources
from portal.errors import NotFound


def visible_to(viewer: User) -> Select[AlertAction]:
    """Alert actions of the viewer's account, if their role shows sources."""
    if not viewer.can(Permission.SEE_ALERT_SOURCES):
        return select(AlertAction).where(false())
    return select(AlertAction).where(AlertAction.account_id == viewer.account_id)


def actions_of(viewer: User) -> list[AlertAction]:
    wanted = visible_to(viewer).options(selectinload(AlertAction.sources))
    return list(db.session.scalars(wanted.order_by(func.lower(AlertAction.name), AlertAction.id)))


def action(viewer: User, action_id: int) -> AlertAction:
    """Raises NotFound, also for an action of another account."""
    found = db.session.scalar(visible_to(viewer).where(AlertAction.id == action_id))
    if found is None:
        raise NotFound("There is no such alert action in your account.")
    return found


def actions_for(alert: Alert) -> list[AlertAction]:
    """The actions that name the alert's source."""
    wanted = (
        select(AlertAction)
        .join(alert_action_sources)
        .where(alert_action_sources.c.source_id == alert.source_id)
        .options(selectinload(AlertAction.sources))
        .order_by(AlertAction.id)
    )
    return list(db.session.scalars(wanted))
