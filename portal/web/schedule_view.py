"""What does one schedule look like in a range, and in which zone? Shared by its page and forms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for

from portal.db import now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.oncall import calculator, queries
from portal.domain.oncall.absences import can_be_on_call
from portal.domain.oncall.calculator import Origin, Shift
from portal.domain.oncall.loading import rules_of
from portal.domain.oncall.local_time import to_local, to_utc
from portal.domain.oncall.models import Schedule, ScheduleType
from portal.domain.oncall.rules import ScheduleRules
from portal.errors import Invalid
from portal.web import schedule_drawing
from portal.web.access import viewer
from portal.web.schedule_drafts import read_time

SPANS = {"week": "Week", "fortnight": "2 weeks", "month": "Month"}
EARLIEST, LATEST = date(2000, 1, 3), date(2099, 12, 1)


@dataclass(frozen=True)
class Range:
    """The weeks that are shown, from a Monday on, and the zone of all times on the page."""

    first: date
    weeks: int
    span: str  # a key of SPANS
    zone: ZoneInfo
    is_own_zone: bool

    @property
    def last(self) -> date:
        return self.first + timedelta(weeks=self.weeks, days=-1)

    @property
    def start(self) -> datetime:
        return schedule_drawing.midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        return schedule_drawing.midnight(self.first + timedelta(weeks=self.weeks), self.zone)

    def query(self, **other: str) -> dict[str, str]:
        """What a link carries on, so that the next page shows the same range."""
        own = {"span": self.span, "day": self.middle.isoformat()}
        if self.is_own_zone:
            own["zone"] = "mine"
        return {name: value for name, value in {**own, **other}.items() if value}

    @property
    def middle(self) -> date:
        """A day within the month, or the first Monday."""
        return self.first + timedelta(days=7) if self.span == "month" else self.first

    @property
    def earlier(self) -> date:
        return max(EARLIEST, self._month(-1) if self.span == "month" else self._weeks(-1))

    @property
    def later(self) -> date:
        return min(LATEST, self._month(1) if self.span == "month" else self._weeks(1))

    def _weeks(self, direction: int) -> date:
        return self.first + direction * timedelta(weeks=self.weeks)

    def _month(self, direction: int) -> date:
        return self.middle.replace(day=15) + direction * timedelta(days=30)


def range_of(schedule: Schedule) -> Range:
    """What the address asks for; nonsense in it means this week."""
    is_own = request.args.get("zone") == "mine"
    zone = ZoneInfo(viewer().time_zone if is_own else schedule.time_zone)
    span = request.args.get("span", "fortnight")
    span = span if span in SPANS else "fortnight"
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        day = to_local(now(), zone).date()
    day = min(LATEST, max(EARLIEST, day))
    if span != "month":
        weeks = 1 if span == "week" else 2
        return Range(schedule_drawing.monday(day), weeks, span, zone, is_own)
    first = schedule_drawing.monday(day.replace(day=1))
    last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return Range(first, (last - first).days // 7 + 1, span, zone, is_own)


@dataclass(frozen=True)
class Row:
    """One line of the table: a shift, or a gap."""

    starts_at: datetime
    ends_at: datetime
    shift: Shift | None
    who: str
    why: str


def context(schedule: Schedule) -> dict[str, Any]:
    """Everything the board of a schedule shows."""
    shown = range_of(schedule)
    rules = rules_of([schedule], shown.start, shown.end)[schedule.id]
    names = names_of(viewer())
    shifts = calculator.shifts(rules, shown.start, shown.end)
    present = now()
    return {
        "schedule": schedule,
        "shown": shown,
        "spans": SPANS,
        "bands": schedule_drawing.bands(
            rules, names, shown.first, shown.weeks, shown.zone, present, schedule.created_at
        ),
        "rows": _rows(rules, shifts, names, max(shown.start, schedule.created_at), shown.end),
        "absent": sorted({names.of(one.user_id) for one in shifts if one.is_absent}),
        "overrides": queries.coming_overrides(schedule.id, present),
        "people": people_for_shifts(),
        "present": present,
        "is_static": schedule.type is ScheduleType.STATIC,
        "at": lambda moment: schedule_drawing.words(moment, shown.zone, present),
        "link": lambda **other: link_to(schedule, shown, **other),
        "values": {},
        "errors": {},
        **may(),
    }


def link_to(schedule: Schedule, shown: Range, **other: str) -> str:
    """The schedule's page with the same range, or with what `other` says instead."""
    query: dict[str, Any] = shown.query(**other)
    return url_for("schedules.show", schedule_id=schedule.id, **query)


def may() -> dict[str, bool]:
    return {
        "can_manage": viewer().can(Permission.MANAGE_SCHEDULES),
        "can_override": viewer().can(Permission.OVERRIDE_ONESELF),
        "can_override_anybody": viewer().can(Permission.OVERRIDE_ANYBODY),
    }


def names_of(person: User) -> schedule_drawing.Names:
    return schedule_drawing.Names({one.id: one.name for one in accounts.people_of(person)})


def people_for_shifts() -> list[User]:
    """Whom the viewer may put on call: responders only themselves."""
    if not viewer().can(Permission.OVERRIDE_ANYBODY):
        return [viewer()]
    return [one for one in accounts.people_of(viewer()) if can_be_on_call(one)]


def moment(
    form: Mapping[str, str], name: str, zone: ZoneInfo, *, required: bool = True
) -> datetime | None:
    """A time of a form, by the wall clock of `zone`. Raises Invalid at its field."""
    local = read_time(form.get(name, ""), name)
    if local is None and required:
        raise Invalid("Please give a date and a time.", field=name)
    return to_utc(local, zone) if local else None


def number(form: Mapping[str, str], name: str) -> int:
    """A row's number from a form; one that cannot exist for nonsense."""
    raw = form.get(name, "")
    return int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 19 else 0


def exact(raw: str) -> datetime:
    """A moment that a link of ours carries. Raises Invalid for anything else."""
    try:
        found = datetime.fromisoformat(raw)
    except ValueError:
        raise Invalid("This address is not complete. Start again from the schedule.") from None
    if found.tzinfo is None or found.year not in range(2000, 2101):
        raise Invalid("This address is not complete. Start again from the schedule.")
    return found.astimezone(UTC)


def _rows(
    rules: ScheduleRules,
    shifts: list[Shift],
    names: schedule_drawing.Names,
    since: datetime,
    until: datetime,
) -> list[Row]:
    rows = [
        Row(one.starts_at, one.ends_at, one, names.of(one.user_id), _why(rules, one))
        for one in shifts
    ]
    rows += [
        Row(gap.starts_at, gap.ends_at or until, None, "Nobody", "a gap")
        for gap in calculator.uncovered(shifts, since, until)
    ]
    return sorted(rows, key=lambda row: row.starts_at)


def _why(rules: ScheduleRules, shift: Shift) -> str:
    if shift.origin is not Origin.LAYER:
        return "override" if shift.origin is Origin.OVERRIDE else "shift"
    layers = calculator.version_at(rules, shift.starts_at)
    named = layers[shift.origin_id].name if shift.origin_id < len(layers) else ""
    return named or f"layer {shift.origin_id + 1}"
