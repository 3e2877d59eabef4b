"""What do all changes of schedules have in common? Guard and lock, the entry, the untouched past."""

from datetime import datetime

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.oncall import queries
from portal.domain.oncall.models import Override, Schedule, StaticShift
from portal.errors import Conflict, NotFound


def locked(
    schedule_id: int, by: User, permission: Permission = Permission.MANAGE_SCHEDULES
) -> Schedule:
    """The schedule, for this transaction alone. Raises Denied, or NotFound."""
    by.require(permission)
    wanted = queries.visible_to(by).where(Schedule.id == schedule_id).with_for_update()
    schedule = db.session.scalar(wanted.execution_options(populate_existing=True))
    if schedule is None:
        raise NotFound("There is no such schedule in your account.")
    return schedule


def end_or_delete(row: StaticShift | Override) -> None:
    """A running one ends now, a later one goes. Raises Conflict for one that is over."""
    present = now()
    if row.ends_at <= present:
        raise Conflict("This is over already. Past shifts never change.")
    if row.starts_at < present:
        row.ends_at = present
    else:
        db.session.delete(row)


def audit(
    action: AuditAction, schedule: Schedule, by: User, **details: str | int | bool | None
) -> None:
    subject = f"schedule {schedule.name}"
    log.record(action, account_id=schedule.account_id, by=by, subject=subject, **details)


def about(person: User, starts_at: datetime, ends_at: datetime) -> dict[str, str]:
    """What the audit log says of a shift or an override."""
    return {
        "person": person.name,
        "starts_at": starts_at.isoformat(timespec="seconds"),
        "ends_at": ends_at.isoformat(timespec="seconds"),
    }
