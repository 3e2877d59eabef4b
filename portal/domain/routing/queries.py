"""Which alert actions are there?"""

from sqlalchemy import Select, bindparam, false, func, select
from sqlalchemy.orm import contains_eager, selectinload

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts.models import Alert
from portal.domain.routing.models import AlertAction
from portal.domain.sources.models import AlertSource
from portal.errors import NotFound

# Built once: every new alert asks it.
OF_SOURCE = (
    select(AlertAction)
    .join(AlertAction.sources)
    .where(AlertSource.id == bindparam("source_id"))
    .options(contains_eager(AlertAction.sources))
    .order_by(AlertAction.id)
)


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
    """The actions that name the alert's source; of their sources, that one only."""
    return list(db.session.scalars(OF_SOURCE, {"source_id": alert.source_id}).unique())


def wants_channel(alert: Alert) -> bool:
    """Whether an action that names the alert's source wants a channel for each of its alerts."""
    wanted = (
        select(AlertAction.id)
        .join(AlertAction.sources)
        .where(AlertSource.id == alert.source_id, AlertAction.creates_channel)
    )
    return db.session.scalar(wanted.limit(1)) is not None
