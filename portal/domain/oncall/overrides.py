"""What makes exceptions from a schedule? Each function is one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit.actions import AuditAction
from portal.domain.oncall import checks, exchanges, queries
from portal.domain.oncall.changes import about, audit, end_or_delete, locked
from portal.domain.oncall.exchanges import Part, Planned
from portal.domain.oncall.models import Override, Schedule
from portal.errors import Conflict, Invalid, NotFound

MOST_AT_ONCE = 200


def add(
    schedule_id: int, *, user_id: int, starts_at: datetime | None, ends_at: datetime, by: User
) -> Override:
    """Put a person on call instead of whoever it would be; no start means now.

    Responders enter only themselves, users and above anybody but stakeholders. Raises Invalid at
    `user_id`, `starts_at` or `ends_at`.
    """
    schedule = locked(schedule_id, by, Permission.OVERRIDE_ONESELF)
    starts_at, ends_at = checks.times(starts_at, ends_at)
    override = _enter(schedule, Planned(schedule.id, user_id, starts_at, ends_at), by)
    db.session.commit()
    return override


def remove(override_id: int, *, by: User) -> Schedule:
    """Take an override away; a running one ends now. Responders remove only their own."""
    by.require(Permission.OVERRIDE_ONESELF)
    found = db.session.get(Override, override_id)
    if found is None:
        raise NotFound("There is no such override in your account.")
    schedule = locked(found.schedule_id, by, Permission.OVERRIDE_ONESELF)
    override = db.session.get(Override, override_id, populate_existing=True)
    if override is None:
        raise NotFound("Somebody has just removed this override.")
    _require_right_over(override.user_id, by)
    details = about(override.user, override.starts_at, override.ends_at)
    audit(AuditAction.OVERRIDE_REMOVED, schedule, by, **details)
    end_or_delete(override)
    db.session.commit()
    return schedule


def take(
    schedule_id: int, *, of_user_id: int, starts_at: datetime, ends_at: datetime, by: User
) -> list[Override]:
    """I take what somebody has in that range and is not over yet.

    Raises Conflict when they have nothing there.
    """
    locked(schedule_id, by, Permission.OVERRIDE_ONESELF)
    starts_at, ends_at = checks.times(max(starts_at, now()), ends_at)
    planned = exchanges.taking([schedule_id], of_user_id, by.id, starts_at, ends_at)
    return _enter_all(planned, by)


def hand_over(
    schedule_ids: Iterable[int],
    *,
    to_user_id: int,
    starts_at: datetime,
    ends_at: datetime,
    by: User,
) -> list[Override]:
    """Somebody takes what of my shifts in that range is not over yet, in all these schedules."""
    ids = sorted(set(schedule_ids))
    for schedule_id in ids:
        locked(schedule_id, by, Permission.OVERRIDE_ANYBODY)
    starts_at, ends_at = checks.times(max(starts_at, now()), ends_at)
    return _enter_all(exchanges.taking(ids, by.id, to_user_id, starts_at, ends_at), by)


def swap(one: Part, other: Part, *, by: User) -> list[Override]:
    """Two people exchange what each of them has in a range."""
    for schedule_id in sorted({one.schedule_id, other.schedule_id}):
        locked(schedule_id, by, Permission.OVERRIDE_ANYBODY)
    if one.user_id == other.user_id:
        raise Invalid("Please choose shifts of two people.", field="other")
    return _enter_all(exchanges.swapping(_from_now(one), _from_now(other)), by)


def enter_many(schedule_id: int, planned: Sequence[Planned], *, by: User) -> list[Override]:
    """Store what a calendar named, as it was shown. Raises Invalid when one does not fit."""
    locked(schedule_id, by, Permission.OVERRIDE_ONESELF)
    return _enter_all([replace(one, schedule_id=schedule_id) for one in planned], by)


def _enter_all(planned: Sequence[Planned], by: User) -> list[Override]:
    """The schedules are locked. Commits."""
    if not planned:
        raise Conflict("There is no such shift any more. Somebody may have been faster.")
    if len(planned) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} overrides at once: please choose a shorter time.")
    entered = [_enter(queries.schedule(by, one.schedule_id), one, by) for one in planned]
    db.session.commit()
    return entered


def _enter(schedule: Schedule, planned: Planned, by: User) -> Override:
    _require_right_over(planned.user_id, by)
    person = checks.person_for_shift(planned.user_id, by)
    starts_at, ends_at = checks.times(planned.starts_at, planned.ends_at)
    override = Override(
        schedule_id=schedule.id,
        user_id=person.id,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by_id=by.id,
    )
    db.session.add(override)
    db.session.flush()  # ids follow the order of creation, of which the last one wins
    audit(AuditAction.OVERRIDE_CREATED, schedule, by, **about(person, starts_at, ends_at))
    return override


def _require_right_over(user_id: int, by: User) -> None:
    oneself = user_id == by.id
    by.require(Permission.OVERRIDE_ONESELF if oneself else Permission.OVERRIDE_ANYBODY)


def _from_now(part: Part) -> Part:
    """What is over of it is left out."""
    return replace(part, starts_at=max(part.starts_at, now()))
