"""Which schedules may somebody see, who is on call in them, and until when?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, false, func, select
from sqlalchemy.orm import joinedload

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.oncall import calculator
from portal.domain.oncall.loading import rules_of
from portal.domain.oncall.models import Override, Schedule, ScheduleVersion
from portal.domain.oncall.rules import Layer, ScheduleRules
from portal.errors import NotFound

LOOK_AHEAD = timedelta(days=400)  # further than any change one would want to know about
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Change:
    """From this moment on somebody else is on call, or nobody."""

    at: datetime
    user_id: int | None


def visible_to(viewer: User) -> Select[Schedule]:
    """Schedules of the viewer's account, if their role shows schedules at all."""
    if not viewer.can(Permission.SEE_SCHEDULES):
        return select(Schedule).where(false())
    return select(Schedule).where(Schedule.account_id == viewer.account_id)


def schedules_of(viewer: User) -> list[Schedule]:
    """All schedules the viewer may see, by name."""
    return list(db.session.scalars(visible_to(viewer).order_by(func.lower(Schedule.name))))


def schedule(viewer: User, schedule_id: int) -> Schedule:
    """Raises NotFound, also for a schedule of another account."""
    found = db.session.scalar(visible_to(viewer).where(Schedule.id == schedule_id))
    if found is None:
        raise NotFound("There is no such schedule in your account.")
    return found


def layers_at(schedule_id: int, at: datetime) -> tuple[Layer, ...]:
    """The layers that hold at that moment; none before the first version."""
    rules = _rules([schedule_id], at, at)
    return calculator.version_at(rules[schedule_id], at) if rules else ()


def newest_layers(schedule_id: int) -> tuple[Layer, ...]:
    """The layers that were saved last, also when they hold only later."""
    return layers_at(schedule_id, END_OF_TIME)


def planned_from(schedule_id: int, at: datetime) -> datetime | None:
    """When layers that were saved already will begin to hold; None if none are waiting."""
    return db.session.scalar(
        select(func.max(ScheduleVersion.valid_from)).where(
            ScheduleVersion.schedule_id == schedule_id, ScheduleVersion.valid_from > at
        )
    )


def on_call_now(schedule_ids: Iterable[int], at: datetime) -> dict[int, int | None]:
    """Who is on call at that moment, by schedule id; None is nobody. Unknown ids are left out.

    `at` is aware and may lie in the past or the future. It asks no permission: who calls it has
    bounded the ids to an account.
    """
    rules = _rules(schedule_ids, at, at + INSTANT)
    return {id: calculator.on_call(one, at) for id, one in rules.items()}


def until(schedule_id: int, user_id: int, at: datetime) -> datetime | None:
    """The end of that person's unbroken time, overrides included; `at` if they are not on call.

    None when no end is in sight within the next 400 days.
    """
    rules = _rules([schedule_id], at, at + LOOK_AHEAD).get(schedule_id)
    if rules is None or calculator.on_call(rules, at) != user_id:
        return at
    change = calculator.next_change(rules, at, at + LOOK_AHEAD)
    return change[0] if change else None


def next_change(schedule_id: int, at: datetime) -> Change | None:
    """When somebody else, or nobody, is on call next; None if not within the next 400 days."""
    return next_changes([schedule_id], at).get(schedule_id)


def next_changes(schedule_ids: Iterable[int], at: datetime) -> dict[int, Change]:
    """The same for many schedules; those without a change in sight are left out."""
    end = at + LOOK_AHEAD
    found = {
        id: calculator.next_change(rules, at, end)
        for id, rules in _rules(schedule_ids, at, end).items()
    }
    return {id: Change(*change) for id, change in found.items() if change}


def coming_overrides(schedule_id: int, at: datetime) -> list[Override]:
    """Overrides that are not over at that moment, the earliest first."""
    wanted = (
        select(Override)
        .where(Override.schedule_id == schedule_id, Override.ends_at > at)
        .order_by(Override.starts_at, Override.id)
        .options(joinedload(Override.user), joinedload(Override.created_by))
    )
    return list(db.session.scalars(wanted))


def shifts_of(
    person: User, start: datetime, end: datetime
) -> list[tuple[Schedule, calculator.Shift]]:
    """When that person is on call within `[start, end)`, over all schedules they may see."""
    schedules = schedules_of(person)
    rules = rules_of(schedules, start, end)
    found = [
        (schedule, shift)
        for schedule in schedules
        for shift in calculator.shifts(rules[schedule.id], start, end)
        if shift.user_id == person.id and not shift.is_absent
    ]
    return sorted(found, key=lambda one: (one[1].starts_at, one[0].name))


def _rules(schedule_ids: Iterable[int], start: datetime, end: datetime) -> dict[int, ScheduleRules]:
    wanted = select(Schedule).where(Schedule.id.in_(list(schedule_ids)))
    return rules_of(db.session.scalars(wanted), start, end)
