"""Which overrides would an exchange of shifts make? Nothing is stored here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.db import db
from portal.domain.oncall import calculator
from portal.domain.oncall.loading import rules_of
from portal.domain.oncall.models import Schedule


@dataclass(frozen=True)
class Planned:
    """An override that does not exist yet."""

    schedule_id: int
    user_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Part:
    """What a person has in one schedule within a range."""

    schedule_id: int
    user_id: int
    starts_at: datetime
    ends_at: datetime


def taking(
    schedule_ids: Iterable[int], of_user_id: int, to_user_id: int, start: datetime, end: datetime
) -> list[Planned]:
    """One person takes all that another has in the schedules within `[start, end)`."""
    wanted = select(Schedule).where(Schedule.id.in_(list(schedule_ids))).order_by(Schedule.id)
    rules = rules_of(db.session.scalars(wanted), start, end)
    return [
        Planned(schedule_id, to_user_id, since, until)
        for schedule_id, one in rules.items()
        for since, until in _unbroken(calculator.shifts(one, start, end), of_user_id)
    ]


def swapping(one: Part, other: Part) -> list[Planned]:
    """Each takes what the other has; empty when one of them has nothing."""
    first = taking([one.schedule_id], one.user_id, other.user_id, one.starts_at, one.ends_at)
    second = taking([other.schedule_id], other.user_id, one.user_id, other.starts_at, other.ends_at)
    return first + second if first and second else []


def _unbroken(shifts: Iterable[calculator.Shift], user_id: int) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    for shift in shifts:
        if shift.user_id != user_id:
            continue
        if found and found[-1][1] == shift.starts_at:
            found[-1] = found[-1][0], shift.ends_at
        else:
            found.append((shift.starts_at, shift.ends_at))
    return found
