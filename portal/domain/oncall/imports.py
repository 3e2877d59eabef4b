"""Which overrides would somebody's calendar make? Shown before anything is stored."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portal.db import now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.oncall import checks
from portal.domain.oncall.absences import can_be_on_call
from portal.domain.oncall.calendars import Found, read
from portal.domain.oncall.exchanges import Planned
from portal.domain.oncall.models import Schedule
from portal.errors import Invalid

LOOK_AHEAD = timedelta(days=366)


@dataclass(frozen=True)
class Proposal:
    """One event: the override it becomes, or in words why it becomes none."""

    found: Found
    person: User | None
    planned: Planned | None
    problem: str = ""


def propose(
    schedule: Schedule, text: str, *, default_user_id: int | None, by: User
) -> list[Proposal]:
    """Read a calendar's next year. Raises Invalid at `calendar` when it cannot be read.

    An event is for the attendee with a person's e-mail address, else for the one person whose name
    or address its summary holds, else for the default person.
    """
    zone, present = ZoneInfo(schedule.time_zone), now()
    people = accounts.people_of(by)
    default = next((person for person in people if person.id == default_user_id), None)
    proposals = []
    for found in read(text, zone, present, present + LOOK_AHEAD):
        person = _person(found, people) or default
        starts_at = max(found.starts_at, present)
        problem = _problem(found, person, by) or _misfit(starts_at, found.ends_at)
        planned = None
        if person is not None and not problem:
            planned = Planned(schedule.id, person.id, starts_at, found.ends_at)
        proposals.append(Proposal(found, person, planned, problem))
    return proposals


def _person(found: Found, people: Iterable[User]) -> User | None:
    addressed = [person for person in people if person.email.lower() in found.emails]
    summary = found.summary.lower()
    named = [
        person
        for person in people
        if _holds(summary, person.name.lower()) or _holds(summary, person.email.lower())
    ]
    for few in (addressed, named):
        if len(few) == 1:
            return few[0]
    return None


def _holds(summary: str, words: str) -> bool:
    """As whole words: Ann is not on call because of a planning meeting."""
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", summary) is not None


def _problem(found: Found, person: User | None, by: User) -> str:
    if person is None:
        return "It names nobody of your account."
    if not can_be_on_call(person):
        return f"{person.name} cannot be on call."
    if person.id != by.id and not by.can(Permission.OVERRIDE_ANYBODY):
        return "You may enter only yourself."
    if found.ends_at <= now():
        return "It is over."
    return ""


def _misfit(starts_at: datetime, ends_at: datetime) -> str:
    """Why no override can have that time. Said now, since one such would refuse all the others."""
    try:
        checks.times(starts_at, ends_at)
    except Invalid as problem:
        return str(problem)
    return ""
