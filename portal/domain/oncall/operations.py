"""What changes schedules and their layers? Each function is one transaction. The past stays."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.oncall import checks, queries
from portal.domain.oncall.changes import audit, locked
from portal.domain.oncall.loading import kept_restriction
from portal.domain.oncall.models import RotationLayer, Schedule, ScheduleType, ScheduleVersion
from portal.domain.oncall.rules import Layer
from portal.errors import Conflict, Invalid


def create(
    *,
    by: User,
    name: str,
    type: ScheduleType,
    time_zone: str,
    layers: Sequence[Layer] = (),
    shows_gaps: bool = True,
) -> Schedule:
    """Create a schedule. Only a recurring one has layers; they hold from now on.

    Raises Invalid for bad input (layers at `layer-<place>-<field>`), Conflict for a taken name.
    """
    by.require(Permission.MANAGE_SCHEDULES)
    assert by.account_id is not None  # noqa: S101 - whoever may manage schedules has an account
    schedule = Schedule(
        account_id=by.account_id,
        type=type,
        time_zone=checks.time_zone(time_zone),
        shows_gaps=shows_gaps,
    )
    _save(schedule, checks.name(name))
    if type is ScheduleType.RECURRING:
        _add_version(schedule, layers, now(), by)
    audit(AuditAction.SCHEDULE_CREATED, schedule, by, type=type.value, time_zone=time_zone)
    db.session.commit()
    return schedule


def change(
    schedule_id: int,
    *,
    by: User,
    name: str,
    shows_gaps: bool,
    layers: Sequence[Layer] = (),
    valid_from: datetime | None = None,
) -> Schedule:
    """Rename it, and give a recurring one other layers from now or a later moment on.

    Changes that were planned for that moment or later are replaced; what was before stays as it
    was. Equal layers make no new version.
    """
    schedule = locked(schedule_id, by)
    before = {"name": schedule.name}
    schedule.shows_gaps = shows_gaps
    _save(schedule, checks.name(name))
    if schedule.type is ScheduleType.RECURRING:
        _replace_layers(schedule, layers, valid_from, by)
    after = {"name": schedule.name}
    audit(AuditAction.SCHEDULE_CHANGED, schedule, by, **after, **log.changes(before, after))
    db.session.commit()
    return schedule


def delete(schedule_id: int, *, by: User) -> None:
    """Delete a schedule with all its shifts. Raises Conflict while something asks it."""
    schedule = locked(schedule_id, by)
    name = schedule.name
    audit(AuditAction.SCHEDULE_DELETED, schedule, by)
    try:
        with db.session.begin_nested():
            db.session.delete(schedule)
    except IntegrityError as problem:
        raise Conflict(
            f"{name} is still used by an escalation policy. Take it out there first."
        ) from problem
    db.session.commit()


def _replace_layers(
    schedule: Schedule, layers: Sequence[Layer], valid_from: datetime | None, by: User
) -> None:
    present = now()
    if valid_from is not None and valid_from < present - checks.PRESENT:
        raise Invalid("Past shifts never change. Please choose now or later.", field="valid_from")
    since = max(valid_from or present, present)
    held = queries.layers_at(schedule.id, since)
    planned = select(ScheduleVersion).where(
        ScheduleVersion.schedule_id == schedule.id, ScheduleVersion.valid_from >= since
    )
    later = list(db.session.scalars(planned))
    if held == tuple(layers) and not later:
        return
    for version in later:
        db.session.delete(version)
    db.session.flush()
    _add_version(schedule, layers, since, by, kept=frozenset(p for one in held for p in one.people))


def _add_version(
    schedule: Schedule,
    layers: Sequence[Layer],
    valid_from: datetime,
    by: User,
    kept: frozenset[int] = frozenset(),
) -> None:
    checks.layers(layers, schedule.time_zone, by, kept)
    rows = [
        RotationLayer(
            position=place,
            name=layer.name,
            starts_on=layer.starts_on,
            ends_on=layer.ends_on,
            rotation=layer.rotation.iso,
            user_ids=list(layer.people),
            restrictions=[kept_restriction(one) for one in layer.restrictions],
        )
        for place, layer in enumerate(layers)
    ]
    db.session.add(
        ScheduleVersion(
            schedule_id=schedule.id, valid_from=valid_from, created_by_id=by.id, layers=rows
        )
    )
    db.session.flush()


def _save(schedule: Schedule, name: str) -> None:
    try:
        with db.session.begin_nested():
            schedule.name = name  # not before: the savepoint's own flush would meet a taken name
            db.session.add(schedule)
    except IntegrityError as problem:
        raise Conflict(f"There is already a schedule named “{name}”.") from problem
