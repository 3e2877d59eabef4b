"""What changes the single shifts of a static schedule? Each function is one transaction."""

from datetime import datetime

from sqlalchemy import select

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit.actions import AuditAction
from portal.domain.oncall import checks
from portal.domain.oncall.changes import about, audit, end_or_delete, locked
from portal.domain.oncall.models import Schedule, ScheduleType, StaticShift
from portal.errors import Conflict, Invalid, NotFound


def add_shift(
    schedule_id: int, *, user_id: int, starts_at: datetime | None, ends_at: datetime, by: User
) -> StaticShift:
    """Enter a shift of a static schedule; no start means now. Raises Invalid, Conflict."""
    schedule = locked(schedule_id, by)
    if schedule.type is not ScheduleType.STATIC:
        raise Conflict(f"{schedule.name} has layers. Enter an override instead.")
    person = checks.person_for_shift(user_id, by)
    starts_at, ends_at = checks.times(starts_at, ends_at)
    _refuse_overlap(schedule, starts_at, ends_at)
    shift = StaticShift(
        schedule_id=schedule.id, user_id=person.id, starts_at=starts_at, ends_at=ends_at
    )
    db.session.add(shift)
    audit(AuditAction.SHIFT_ADDED, schedule, by, **about(person, starts_at, ends_at))
    db.session.commit()
    return shift


def remove_shift(shift_id: int, *, by: User) -> Schedule:
    """Take a shift out of its schedule. A running one ends now; of a past one Conflict is said."""
    by.require(Permission.MANAGE_SCHEDULES)
    found = db.session.get(StaticShift, shift_id)
    if found is None:
        raise NotFound("There is no such shift in your account.")
    schedule = locked(found.schedule_id, by)
    shift = db.session.get(StaticShift, shift_id, populate_existing=True)
    if shift is None:
        raise NotFound("Somebody has just removed this shift.")
    audit(
        AuditAction.SHIFT_REMOVED,
        schedule,
        by,
        **about(shift.user, shift.starts_at, shift.ends_at),
    )
    end_or_delete(shift)
    db.session.commit()
    return schedule


def _refuse_overlap(schedule: Schedule, starts_at: datetime, ends_at: datetime) -> None:
    other = db.session.scalar(
        select(StaticShift)
        .where(StaticShift.schedule_id == schedule.id)
        .where(StaticShift.starts_at < ends_at, StaticShift.ends_at > starts_at)
    )
    if other is not None:
        raise Invalid(
            f"{other.user.name} has a shift in this time. Shifts of a schedule do not overlap.",
            field="starts_at",
        )
